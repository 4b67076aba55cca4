/** A reader's own texts: their fields and store, what is said of them, and their tokens in the scene. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const page = require("./page.cjs");

const { Probes, between } = load("probes");
const { probeLabels } = load("probe_paint");

const BASE = "05-callback";
const NONE = "no update";
const FACTS = { characters: 40, link: 20, runs: true };
const PAYLOAD = { base: "/p", stream: "self", layers: 2, heads: 3 };
const plain = () => page.tables().pages.atlas.stores.probe.default;
const own = (given) => ({ ...plain(), ...given });

const scripts = (given = {}) => page.load([BASE, "06-stores", "20-choose", "42-probe"], {
  globals: { setTimeout: (work) => work() }, ...given,
});

/** What the store becomes when something was done. */
function writing(before, stores = { probe: before }) {
  const { call, told } = scripts({ stores });
  return {
    told,
    after: async (id, /** @type {any} */ { texts = null, picked = null, probePicked = null, selection = null } = {}) => {
      const typed = texts || ["a", "b", "c", "d"].map((letter) => before[letter]);
      const clicks = [...Array(8).fill(0), 1, 1, 1];
      const all = [...typed, ...clicks, picked, probePicked, selection, before, FACTS];
      const [store, ...fields] = await call([id], (root) => root.atlasProbe.write(...all));
      return { store, fields };
    },
  };
}

test("what is typed is asked for when the keys rest, and read in the panel", async () => {
  const { after } = writing(plain());
  const { store, fields } = await after("probe-text-a.value", { texts: ["a cat", "", "", ""] });
  assert.deepEqual([store.a, store.reads, store.open], ["a cat", "a", true]);
  assert.deepEqual(fields, [NONE, NONE, NONE, NONE], "a field is left alone while one types");
});

test("a text that is too long never leaves the page, and is told", async () => {
  const { after, told } = writing(plain());
  const { store } = await after("probe-text-a.value", { texts: ["x".repeat(100_000), "", "", ""] });
  assert.equal(store.a, "");
  assert.ok(JSON.stringify([store, told]).length < 1000);
});

test("another one begins with the last, is removed without a gap, and all go at once", async () => {
  const one = own({ a: "a cat", reads: "a", token: 2 });
  const { store: two, fields } = await writing(one).after("probe-add.n_clicks");
  assert.deepEqual([two.b, two.reads, two.token, fields], ["a cat", "b", null, [NONE, "a cat", NONE, NONE]]);
  const { store: rest } = await writing(own({ a: "a", b: "b", c: "c", reads: "c" })).after("probe-drop-b.n_clicks");
  assert.deepEqual([rest.a, rest.b, rest.c, rest.reads], ["a", "c", "", "a"]);
  assert.deepEqual((await writing(two).after("probe-close.n_clicks")).store, plain());
  assert.equal((await writing(own({ a: "a", b: "b", c: "c", d: "d" })).after("probe-add.n_clicks")).store, NONE);
});

test("a token of a text is pinned and freed; an input of the corpus takes the panel back", async () => {
  const read = own({ a: "a cat", b: "a dog", reads: "a" });
  const picked = { number: 1, token: 2, side: "key", n: 1 };
  const { store } = await writing(read).after("scene.probePicked", { probePicked: picked });
  assert.deepEqual([store.reads, store.token, store.side], ["b", 2, "key"]);
  assert.equal((await writing(store).after("scene.probePicked", { probePicked: picked })).store.token, null);
  assert.equal((await writing(read).after("sentence.picked", { picked: { token: 1, side: "query", n: 2 } })).store.token, 1);
  assert.equal((await writing(own({ a: "a" })).after("sentence.picked", { picked: { token: 1, side: "query" } })).store, NONE);
  assert.equal((await writing(read).after("selection.data", { selection: { input: 3, token: null } })).store.reads, "");
  assert.equal((await writing(read).after("selection.data", { selection: { input: null } })).store, NONE);
});

const FOUND = {
  map: "umap2d-k", errors: [0.1, 0.02, 0.03, 0.04, 0.05, null],
  probes: { a: { id: "1", state: "ready", label: "", message: "", tokens: 5, placed: true } },
};

function shown(probe, found, open = null) {
  const { call } = scripts();
  const [scene, bar, ...rest] = call([], (root) => root.atlasProbe.show(probe, found, open, FACTS, PAYLOAD));
  return { scene, bar, rows: rest.slice(0, 4), pressed: rest.slice(4, 8), says: rest.slice(8, 12), looks: rest.slice(12) };
}

test("what came of a text: its tokens, and how exact its places are in the open head and among all", () => {
  const probe = own({ a: "a cat", reads: "a", token: 1 });
  const all = shown(probe, FOUND);
  assert.deepEqual(all.scene, { map: "umap2d-k", list: [{ id: "1", letter: "A" }], read: 0, token: 1, side: "query" });
  assert.deepEqual([all.bar, all.rows[0], all.rows[1], all.pressed[0]], ["probe-bar", "probe-row", "probe-row d-none", "true"]);
  assert.equal(all.says[0], "5 tokens · placed to 4.0 % of the head's width in the middle head");
  assert.equal(shown(probe, FOUND, { layer: 0, head: 1 }).says[0], "5 tokens · placed to 2.0 % of the head's width");
  assert.equal(shown(probe, FOUND, { layer: 1, head: 2 }).says[0], "5 tokens · placed", "an atlas too small to tell");
  assert.equal(shown(probe, { ...FOUND, errors: Array(6).fill(1e-8) }).says[0], "5 tokens · placed exactly");
});

test("what keeps a text waiting, or stands against it", () => {
  const says = (one, map = "umap2d-k") => {
    const all = shown(own({ a: "a cat that sat on a mat" }), { map, errors: null, probes: { a: { ...FOUND.probes.a, placed: false, ...one } } });
    return [all.says[0], all.looks[0].includes("fault"), all.scene];
  };
  assert.deepEqual(says({ state: "running", label: "Loading the model", tokens: null }), ["Loading the model … · too long for the link", false, null]);
  assert.deepEqual(says({ state: "failed", message: "Its model is not here." }), ["Its model is not here.", true, null]);
  assert.match(says({}, null)[0], /own maps alone/);
  assert.deepEqual(shown(plain(), null).bar, "probe-bar d-none");
});

test("the sentence view reads a text as if it were an input, and the corpus again", () => {
  const { call } = scripts();
  const read = (selection, probe, found, now = PAYLOAD) => call([], (root) => root.atlasProbe.read(selection, probe, found, PAYLOAD, now));
  const input = { input: 2, token: null, side: "query" };
  assert.deepEqual(read(input, plain(), null), [NONE, input]);
  assert.deepEqual(read({ input: null }, plain(), null), [NONE, null]);
  const [payload, selection] = read(input, own({ a: "a cat", reads: "a", token: 9 }), FOUND);
  assert.deepEqual([payload.base, payload.probe, selection], ["/p/probe/1", "a", { input: 0, token: null, side: "query" }], "no such token");
  assert.deepEqual(read(input, own({ a: "a", reads: "a" }), null, payload), [NONE, NONE], "what was read stays until the next is there");
  assert.deepEqual(read(input, plain(), FOUND, payload), [PAYLOAD, input]);
});

test("heads are ranked by how differently they attend on two texts", async () => {
  const asked = [];
  const distance = [0.1, 0.5, null, 0.2, 0.5, 0];
  const { call } = scripts({ answers: (url) => asked.push(url) && { distance, matched: 4, queries: [5, 5] } });
  const found = { ...FOUND, probes: { a: FOUND.probes.a, b: { ...FOUND.probes.a, id: "2" } } };
  const compare = (probe, /** @type {any} */ all = found) => call([], (root) => root.atlasProbe.compare(probe, all, PAYLOAD));
  assert.deepEqual(await compare(own({ a: "a" }), FOUND), ["menu d-none", []]);
  const [look, [lead, ...heads]] = await compare(own({ a: "a", b: "b", reads: "b" }));
  assert.deepEqual([look, asked], ["menu", ["/p/probe/1/difference/self/2"]]);
  assert.match(lead.props.children, /4 tokens/);
  assert.deepEqual(heads.map(({ props }) => `${props["data-layer"]}-${props["data-head"]}`), ["0-1", "1-1", "1-0", "0-0", "1-2"]);
  assert.deepEqual(await compare(own({ a: "a", b: "b" })), [NONE, NONE], "asked once");
});

// --- the scene --------------------------------------------------------------------------------------------------------

const SIDES = { queries: { first: 0, tokens: ["a", "cat"], special: [0, 0] }, keys: { first: 0, tokens: ["a", "cat"], special: [0, 0] } };
const MAP = { name: "umap2d", key: "k", dims: 2 };
const VIEW = { middleX: 100, middleY: 100, half: 50, dims: 2, matrix: [] };

/** Two heads, a probe of two tokens: all at (0, 0) of the frame but the last key of head 1. */
function placed(value = 32768) {
  const values = new Uint16Array(2 * 4 * 2).fill(value);
  values.set([65535, 65535], 14);
  return values;
}

async function inScene(work) {
  const done = [];
  const running = [];
  const jobs = { cancel: () => {}, run: (_name, job) => running.push(job(() => true)) };
  const points = { set: { projection: MAP, override: null }, frame: "middle", dims: 2 };
  const probes = new Probes(jobs, { probes: () => done.push("probes"), lines: () => done.push("lines") }, points);
  const asked = [];
  const client = {
    payload: { stream: "self", heads: 2 }, cells: 2,
    buffer: async (path) => {
      asked.push(path);
      return path.includes("places") ? placed(path.includes("/2/") ? 0 : 32768).buffer : Uint16Array.of(0, 65535, 32768, 32767).buffer;
    },
    json: async () => SIDES,
    checked: (array, length) => {
      assert.equal(array.length, length);
      return array;
    },
  };
  probes.start(client);
  const follow = async (wanted, projection = MAP) => {
    probes.follow(wanted, projection, false);
    await Promise.all(running.splice(0));
  };
  await work({ probes, follow, points, asked, done, rest: () => Promise.all(running.splice(0)) });
}
const wanted = (id, more = {}) => ({ map: "umap2d-k", list: [{ id, letter: "A" }], read: 0, token: 1, side: "query", ...more });

test("tokens of a probe lie where they were placed, with their names and the pinned one", () => inScene(async ({ probes, follow, asked }) => {
  await follow(wanted("1"));
  assert.deepEqual(asked, ["probe/1/places/self/umap2d-k?frame=middle"]);
  const marks = probes.marks(1, VIEW);
  assert.deepEqual(marks.map(({ side, text, pinned }) => [side, text, pinned]), [
    ["query", "a", false], ["query", "cat", true], ["key", "a", false], ["key", "cat", false],
  ]);
  assert.deepEqual(marks.map(({ x, y, outside }) => [Math.round(x), Math.round(y), outside]), [
    [100, 100, false], [100, 100, false], [100, 100, false], [150, 50, true],
  ]);
  assert.equal(probeLabels(marks)[0].text, "cat");
}));

test("lines are those of the probe that is read; a place near a mark is that mark", () => inScene(async ({ probes, follow, rest }) => {
  await follow(wanted("1"));
  probes.setLines({ threshold: 0, topk: 1 }, 1);
  await rest();
  const lines = probes.linesBetween(probes.marks(1, VIEW));
  assert.deepEqual(lines.map(({ weight, chosen }) => [Math.round(10 * weight), chosen]), [[5, true], [10, false]]);
  const view = { open: 1, isOpen: true, headView: () => VIEW };
  assert.equal(probes.nearest(view, 149, 52, 9).text, "cat");
  assert.equal(probes.nearest(view, 10, 10, 9), null);
}));

test("an edited text moves from where it was; in another map, or under another alignment, nothing is drawn", () => inScene(async (parts) => {
  const { probes, follow, points } = parts;
  await follow(wanted("1"));
  await follow(wanted("2"));
  assert.ok(probes.share.active);
  assert.ok(Math.abs(probes.marks(0, VIEW)[0].x - 100) < 1, "still where the first was");
  probes.step(performance.now() + 10_000);
  assert.ok(Math.abs(probes.marks(0, VIEW)[0].x - 50) < 1);
  points.set.override = { cell: 0 };
  assert.deepEqual([probes.marks(0, VIEW), probes.marks(1, VIEW).length], [[], 4]);
  points.set = { projection: { ...MAP, key: "other" }, override: null };
  assert.equal(probes.active, false);
  await follow(null);
  assert.equal(probes.shown.length, 0);
}));

test("halfway between two places", () => {
  assert.deepEqual([...between(Uint16Array.of(0, 100), Uint16Array.of(100, 0), 0.5)], [50, 50]);
});
