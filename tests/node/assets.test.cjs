/** The scripts of assets/: what controls, keys and views come to. */
const test = require("node:test");
const assert = require("node:assert/strict");
const script = require("./load.cjs");
const { load, tables, plain } = require("./page.cjs");

const NONE = "no update";
const BASE = "05-callback";
const CHOOSE = "20-choose";
const PAYLOAD = { base: "/p", stream: "self", layers: 3, heads: 4, queries: 10, queryTable: "self", keyTable: "self" };
const options = tables().pages.atlas.stores.options.default;
const SCENE = {
  props: {}, recentred: false, state: () => SCENE.props, payload: () => PAYLOAD, stopDrawing: () => false,
  recentre: () => (SCENE.recentred = true),
};

// --- theme ------------------------------------------------------------------------------------------------------------

test("theme: the stored one, else the system's, before anything is drawn", () => {
  const themed = (stored, dark) => load(["00-theme"], {
    globals: { matchMedia: () => ({ matches: dark }), localStorage: { getItem: () => stored } },
  }).window.document.documentElement["data-bs-theme"];
  assert.deepEqual([themed(null, true), themed(null, false), themed("light", true), themed("plaid", true)], ["dark", "light", "light", "dark"]);
  const blocked = { getItem: () => { throw new Error("switched off"); } };
  const { window } = load(["00-theme"], { globals: { matchMedia: () => ({ matches: false }), localStorage: blocked } });
  assert.equal(window.atlasTheme(), "light");
});

test("theme: the button turns it and it is remembered", () => {
  const { window, call } = load([BASE, "06-stores", "clientside"], { globals: { atlasTheme: () => "light" } });
  assert.equal(call(["theme-button.n_clicks"], (root) => root.atlas.switchTheme(1, "light")), "dark");
  assert.equal(window.localStorage.getItem(tables().theme.key), "dark");
  assert.equal(call([], (root) => root.atlas.switchTheme(undefined, null)), "light");
});

// --- the map ----------------------------------------------------------------------------------------------------------

const MAPS = {
  umap2d: { name: "umap2d", key: "a", method: "umap", dims: 2 }, umap3d: { name: "umap3d", key: "b", method: "umap", dims: 3 },
  pca2d: { name: "pca2d", key: "c", method: "pca", dims: 2 },
};

test("view: the wanted map, else the method's other one; the open head in store, title and class", () => {
  const { call } = load([BASE, "06-stores", "clientside"]);
  const colouring = { colour: "type", palette: "safe" };
  const shown = (method, dims, head) =>
    call([], (root) => root.atlas.view({ maps: MAPS, scale: "atlas" }, method, dims, colouring, head, "dark", { atlas: "small" }, PAYLOAD));
  const [data, map, sprite, other, title, , layer, , frame] = shown("umap", "3", { layer: 1, head: 2 });
  assert.deepEqual([data.dims, data.layer, data.head, data.atlas, map.key], [3, 1, 2, "small", "b"]);
  assert.match(sprite, /^\/p\/sprite\/self\/umap3d-b\/type\/dark\.png\?palette=safe$/);
  assert.deepEqual([other, layer, frame], [NONE, 1, "workspace at-head"]);
  assert.match(title, /1.*2/);
  assert.deepEqual(shown("pca", "3", null).slice(1, 4).map((value) => value.key ?? value), ["c", shown("pca", "3", null)[2], 2]);
});

test("selection: a pick of the scene, of the sentence or of the averages, made whole", () => {
  const { call } = load([BASE, CHOOSE]);
  const token = { token: 7, side: "key", input: 3 };
  const after = (ids, scene, picked, averaged, before, probe = null) =>
    call(ids, (root) => root.atlasChoose.selection(scene, picked, averaged, before, probe));
  const empty = { token: null, side: "query", input: null };
  assert.deepEqual(after(["scene.selection"], { input: 3, token: 7, side: "key" }, null, null, empty), [token, NONE]);
  const input = { token: null, side: "query", input: 3 };
  assert.deepEqual(after(["sentence.picked"], token, { token: null, side: null, n: 2 }, null, token), [input, input]);
  assert.deepEqual(after(["sentence.picked"], input, { token: 8, side: "query", n: 3 }, null, input)[0], { token: 8, side: "query", input: 3 });
  assert.deepEqual(after(["average-picture.chosen"], null, null, { ...token, n: 1 }, empty), [token, token]);
  assert.deepEqual(after(["scene.selection"], null, token, token, token), [empty, NONE]);
  assert.deepEqual(after(["scene.selection"], { input: 3, token: null, side: "key" }, null, null, token), [input, input]);
  const own = { token: 8, side: "query", n: 3 };
  assert.deepEqual(after(["sentence.picked"], input, own, null, input, { reads: "a" }), [NONE, NONE], "of a reader's own text");
});

test("place: a head of the minimap, or all of them", () => {
  const { call } = load([BASE, CHOOSE]);
  const place = (ids, chosen) => call(ids, (root) => root.atlasChoose.place(1, chosen));
  assert.deepEqual(place(["minimap.chosen"], { layer: 1, head: 2, n: 4 }), { layer: 1, head: 2 });
  assert.equal(place(["back.n_clicks"], { layer: 1, head: 2, n: 4 }), null);
});

test("status: what is loading, or what went wrong", () => {
  const { call } = load([BASE, "06-stores", "clientside"]);
  const said = (state) => call([], (root) => root.atlas.status(state));
  assert.deepEqual([said(null), said({ loaded: 0.5 }), said({ loaded: 1 }), said({ message: "no" })], ["", "Loading 50 %", "", "no"]);
});

test("colour: the attribute, its variant where it has several, and the page's palette", () => {
  const { window, call } = load([BASE, "31-colouring"]);
  const [family, { label, options: variants }] = Object.entries(tables().variants)[0];
  const choose = (...given) => call([], (root) => root.colouring.choose(...given));
  const hidden = ["colour-variant d-none", "", [], NONE];
  assert.deepEqual(choose("type", null, "original", {}), [{ colour: "type", palette: "original" }, ...hidden]);
  assert.equal(window.document.documentElement["data-palette"], "original");
  assert.deepEqual(choose(family, "type", "safe", {}), [{ colour: family, palette: "safe" }, "colour-variant", label, variants, family]);
  const other = variants[1].value;
  assert.deepEqual(choose(family, other, "safe", {}), [{ colour: other, palette: "safe" }, "colour-variant", label, variants, NONE]);
  assert.equal(choose("type", null, "safe", { colour: "type", palette: "safe" })[0], NONE);
});

// --- heads ------------------------------------------------------------------------------------------------------------

const report = () => ({
  heads: { measures: { entropy: [1, 3, 2, null] }, reasons: { "1-1": { entropy: "No weights." } } },
  maps: { umap2d: { measures: { fit: [0.2, 0.9, null, 0.5] }, reasons: { "1-0": { fit: "Too few." } }, notes: { "0-1": ["a", "b"] } } },
});
const FIT = { name: "fit", label: "Fit", scope: "map", zero: 0, best: 1, form: { factor: 100, digits: 0, unit: " %" } };
const ENTROPY = { name: "entropy", label: "Entropy", scope: "head", zero: 0, best: null, form: { factor: 1, digits: 1, unit: "" } };

test("badges: a measure as text, bar and sentence; heads in its order, the undefined last", async () => {
  const given = { ...tables(), measures: [FIT, ENTROPY] };
  const { call } = load([BASE, "50-badges"], { tables: given, answers: report });
  const two = { ...PAYLOAD, layers: 2, heads: 2 };
  const shown = (badge, order, projection = MAPS.umap2d, set = null) =>
    call([], (root) => root.atlasBadges.badges({ heads: "heads/1" }, { badge, order }, projection, null, set, two));
  const [badges, order, note] = await shown("fit", "fit");
  assert.deepEqual(badges["0-1"], { text: "90 %", grade: 0.9, title: "Fit: 90 % · 2 warnings in the Head tab" });
  assert.deepEqual(badges["1-0"], { text: "n/a", grade: null, title: "Fit: not defined. Too few." });
  assert.deepEqual([order, note], [[1, 3, 0, 2], ""]);
  const [open, sorted] = await shown("entropy", "entropy", MAPS.pca2d);
  assert.deepEqual([open["0-0"].grade, open["0-1"].grade, open["0-2"], sorted], [0, 1, undefined, [1, 2, 0, 3]]);
  assert.deepEqual(await shown("fit", "plain", MAPS.pca2d), [null, null, "Not measured yet."]);
  assert.deepEqual((await shown("fit", "fit", MAPS.umap2d, { cells: "0.0-1.0" }))[1], [1, 0, 2], "of a set only its own");
  assert.deepEqual((await shown("fit", "plain", MAPS.umap2d, { cells: "1.1" }))[1], [3]);
  const silent = load([BASE, "50-badges"], { tables: given });
  const failed = await silent.call([], (root) => root.atlasBadges.badges({ heads: "h" }, { badge: "fit" }, MAPS.umap2d, null, null, PAYLOAD));
  assert.match(failed[2], /could not be loaded/);
});

// --- search -----------------------------------------------------------------------------------------------------------

/** Hits: rows 1 and 4, of inputs 0 (rows 0, 1, 2) and 1 (rows 3, 4). */
const FOUND = { inputs: 2, queries: 2, keys: 2, list: [] };
const finding = (answers = {}) => load([BASE, CHOOSE, "30-find"], {
  globals: { atlas_head_scene: { payload: script("payload") } },
  elements: {},
  answers: (url) => {
    const kind = url.split("/")[2];
    if (answers[kind]) return answers[kind];
    if (kind === "found") return FOUND;
    if (kind === "search") return Uint8Array.of(0b10010).buffer;
    if (kind === "offsets") return Uint32Array.of(0, 3, 5).buffer;
    throw new Error("the server answered 404");
  },
});

test("search: asked, cleared, counted; what cannot be understood is said and the scene is not asked", async () => {
  const { told, call } = finding();
  const search = { query: "the", mode: "token", case: true };
  assert.deepEqual(call(["search-button.n_clicks"], (root) => root.find.ask(" the ", "token", ["case"])), [search, NONE]);
  assert.deepEqual(call(["search-clear.n_clicks"], (root) => root.find.ask("the", "token", [])).at(1), "");
  const answer = (given) => call([], (root) => root.find.answer(given, PAYLOAD));
  assert.deepEqual(await answer(search), ["2 queries, 2 keys in 2 inputs", "search-count", "search-input has-hits", search]);
  assert.deepEqual(told.at(-1)[0], "search-count");
  assert.deepEqual(await answer({ query: "" }), ["", "search-count", "search-input", null]);
  const bad = finding({ found: { error: "No such pattern." } });
  assert.deepEqual(await bad.call([], (root) => root.find.answer(search, PAYLOAD)), ["No such pattern.", "search-count search-error", "search-input", null]);
  const none = finding({ found: { inputs: 0 } });
  assert.equal((await none.call([], (root) => root.find.answer(search, PAYLOAD)))[0], "No token matches");
});

test("search: steps go through the hits in reading order and around, from where the selection is", async () => {
  const { told, call } = finding();
  const search = { query: "the", mode: "token", case: false };
  await call([], (root) => root.find.answer(search, PAYLOAD));
  let selection = null;
  const step = async (id) => {
    call([id], (root) => root.find.step(1, 1, selection));
    await new Promise((resolve) => setTimeout(resolve, 5));
    [, { selection }] = told.at(-1);
    return { selection: plain(selection), place: await call([], (root) => root.find.place(selection)) };
  };
  assert.deepEqual(await step("search-next.n_clicks"), { selection: { input: 0, token: 1, side: "query" }, place: "1 of 2" });
  assert.deepEqual((await step("search-next.n_clicks")).place, "2 of 2");
  assert.deepEqual((await step("search-next.n_clicks")).place, "1 of 2");
  assert.deepEqual((await step("search-previous.n_clicks")).selection.token, 4);
  assert.equal(await call([], (root) => root.find.place({ input: 0, token: 2, side: "query" })), "2 hits");
  assert.equal(await call([], (root) => root.find.place(null)), "2 hits");
});

test("search: concentration as badges and as an order; none where it is unknown", () => {
  const { call } = finding();
  const { badges, order } = call([], (root) => root.find.onCells({ values: [2, 1, 8, 4], of: "hits" }, 2));
  assert.deepEqual(order, [2, 3, 0, 1]);
  assert.deepEqual(badges["1-0"], { text: "×8.0", grade: 1, title: "Concentration of the hits: ×8.0" });
  assert.equal(badges["0-1"].grade, 0);
  assert.equal(call([], (root) => root.find.onCells({ values: [null, null], of: "set" }, 2)), null);
});

// --- sets -------------------------------------------------------------------------------------------------------------

test("sets: mirrored, counted, and what the table shows follows", () => {
  const { call } = load([BASE, CHOOSE, "40-sets"]);
  const set = (work, ids = []) => call(ids, (root) => work(root.atlasSets, root.atlasTable));
  assert.deepEqual(set((s) => s.mirror({ definition: "p.AA" }, null)), [{ definition: "p.AA" }, { definition: "p.AA" }]);
  assert.deepEqual(set((s) => s.mirror(null, null)), [NONE, null]);
  assert.deepEqual(set((s) => s.count({ definition: "p.AA", points: 1200, tokens: 1 }, { definition: "p.AA" })),
    ["1,200 points · 1 token", "set-clear", "Clear the set of 1,200 points, 1 token"]);
  assert.equal(set((s) => s.count(null, { definition: "p.AA" }))[0], "…");
  assert.equal(set((s) => s.tool(null)), "point");
  assert.equal(set((_s, t) => t.scope({ definition: "p.AA" }, null, "all")), "set");
  assert.equal(set((_s, t) => t.scope({ definition: "p.AA" }, null, "set")), NONE);
  assert.equal(set((_s, t) => t.scope(null, null, "set")), "all");
  assert.equal(set((_s, t) => t.scope(null, { query: "a" }, "all"), ["search.data"]), "search");
});

test("sets: one row of the table is the chosen token, several are a set", () => {
  const { told, call } = load([BASE, CHOOSE, "40-sets"], { globals: { atlas_head_scene: { sets: script("sets") } } });
  const choose = (rows) => call([], (root) => root.atlasTable.choose(rows, PAYLOAD));
  choose([{ id: "5", input: 1, token: 5, kind: "query" }]);
  assert.deepEqual(plain(told.pop()), ["scene", { selection: { input: 1, token: 5, side: "query" } }]);
  choose([{ id: "5" }, { id: "9" }]);
  assert.match(plain(told.pop())[1].tokenSet.definition, /^p\./);
  choose([]);
  assert.equal(told.length, 0);
});

// --- keys -------------------------------------------------------------------------------------------------------------

const keyed = (props = {}) => {
  SCENE.props = { head: null, selection: null, ...props };
  SCENE.recentred = false;
  const clicked = [];
  const button = (id) => ({ click: () => clicked.push(id), focus: () => clicked.push(`focus ${id}`) });
  const ids = ["head-left", "head-up", "search-box", "jump-layer"];
  const elements = { scene: { atlasScene: SCENE }, ...Object.fromEntries(ids.map((id) => [id, button(id)])) };
  return { ...load([BASE, CHOOSE, "40-keys"], { elements }), clicked };
};
const at = (tagName, type = "") => ({ tagName, type, isContentEditable: false, closest: () => null });

test("keys: Escape gives up the selection first, then the head, and nothing while one types", () => {
  const both = keyed({ head: { layer: 0, head: 0 }, selection: { input: 0 } });
  assert.ok(both.send("keydown", { key: "Escape", target: at("BODY") }));
  assert.deepEqual(plain(both.told), [["scene", { selection: null }]]);
  const head = keyed({ head: { layer: 0, head: 0 } });
  head.send("keydown", { key: "Escape", target: at("BODY") });
  assert.deepEqual(plain(head.told), [["scene", { head: null }]]);
  const typing = keyed({ head: { layer: 0, head: 0 } });
  assert.equal(typing.send("keydown", { key: "Escape", target: at("INPUT", "text") }), false);
  const first = keyed({ selection: { input: 0 } });
  first.window.atlasEscape.push([1, () => true]);
  first.send("keydown", { key: "Escape", target: at("BODY") });
  assert.deepEqual(first.told, [], "whoever comes first ends it");
});

test("keys: arrows are the neighbouring heads where they mean nothing else; /, g and 0", () => {
  const { send, clicked } = keyed({ head: { layer: 0, head: 0 } });
  assert.ok(send("keydown", { key: "ArrowLeft", target: at("BUTTON") }));
  assert.equal(send("keydown", { key: "ArrowLeft", target: at("SELECT") }), false);
  assert.equal(send("keydown", { key: "ArrowLeft", target: { ...at("BUTTON"), closest: () => ({}) } }), false);
  send("keydown", { key: "/", target: at("BODY") });
  send("keydown", { key: "g", target: at("BODY") });
  send("keydown", { key: "0", target: at("BODY") });
  assert.equal(send("keydown", { key: "0", target: at("BODY"), ctrlKey: true }), false);
  assert.deepEqual(clicked, ["head-left", "focus search-box", "focus jump-layer"]);
  assert.ok(SCENE.recentred);
});

// --- the panel --------------------------------------------------------------------------------------------------------

test("panel: a first token opens the sentence, unless a tab is open that shows tokens", () => {
  const { call } = load([BASE, CHOOSE, "30-panel"]);
  const panel = (ids, tab, selection, before) => call(ids, (root) => root.atlasPanel.panel(tab, 1, 1, selection, before));
  const closed = { tab: "head", open: false, chosen: false };
  assert.deepEqual(panel([], "head", { input: 0 }, closed), [{ tab: "sentence", open: true, chosen: true }, "sentence", "panel shows-sentence"]);
  assert.equal(panel([], "tokens", { input: 0 }, { ...closed, tab: "tokens" })[0].tab, "tokens");
  assert.equal(panel(["panel-close.n_clicks"], "head", null, { ...closed, open: true })[2], "panel shows-head closed");
  assert.equal(panel(["panel-open.n_clicks"], "head", null, closed)[0].open, true);
  assert.equal(panel([], "head", null, closed)[0], NONE);
});

test("panel: the average is drawn while its tab is open", () => {
  const { call } = load([BASE, CHOOSE, "30-panel"]);
  const view = { layer: 1, head: 2 };
  const shown = call([], (root) => root.atlasPanel.average({ offsets: true }, view, { input: 1 }, { tab: "average" }, "dark"));
  assert.deepEqual(shown, [1, 2, { offsets: true }, { input: 1 }, true, "dark", true]);
  assert.equal(call([], (root) => root.atlasPanel.average({}, view, null, { tab: "head" }, null))[4], false);
});

// --- the sentence -----------------------------------------------------------------------------------------------------

const reading = (answers) => load([BASE, CHOOSE, "45-sentence"], { answers });
const FACTS = { inputs: 5, firstToShow: 2, sameTokens: true };

test("options: from the control that changed, into the store, the sentence and the scene's lines", () => {
  const { call } = reading();
  const { shown } = tables().pages.atlas.stores.options;
  const after = (ids, given = {}) => {
    const all = {
      mode: "lines", topk: 0, threshold: options.threshold, checks: ["lines"], average: [], by: "position", show: "points",
      hidden: null, reset: 1, ...given,
    };
    return call(ids, (root) => root.atlasSentence.options(...Object.values(all), options));
  };
  const [data, ...rest] = after(["sentence-topk.value"], { topk: "3.7" });
  assert.equal(data.topk, 3);
  assert.equal(rest[shown.findIndex(({ field }) => field === "topk")], 3);
  assert.equal(rest.at(-2).topk, 3, "the scene's lines");
  assert.equal(after(["sentence-topk.value"], { topk: "-5" })[0], NONE);
  assert.equal(after(["show-select.value"], { show: "average" }).at(-2), null, "no lines over heatmaps");
  const hidden = { queries: [1], keys: [] };
  assert.deepEqual(after(["sentence.hidden"], { hidden })[0].queries, [1]);
  assert.equal(after(["sentence-reset.n_clicks"], { mode: "heatmap" })[0].mode, "heatmap", "the form stays");
});

test("inputs: previous, next, the first one, one of the list; never beyond the ends", () => {
  const { told, call } = reading();
  const go = (id, selection) => {
    call({ [id]: 1 }, (root) => root.atlasSentence.navigate(1, 1, 1, 1, selection, FACTS));
    return plain(told.pop())[1].selection.input;
  };
  const on = (input) => ({ input, token: null });
  assert.deepEqual([go("input-next.n_clicks", on(1)), go("input-next.n_clicks", on(4)), go("input-previous.n_clicks", on(0))], [2, 4, 0]);
  assert.deepEqual([go("input-first.n_clicks", null), go('{"index":3,"type":"choice"}.n_clicks', on(0))], [2, 3]);
  call({ "input-next.n_clicks": null }, (root) => root.atlasSentence.navigate(null, null, null, null, on(1), FACTS));
  assert.equal(told.length, 0);
  const said = call([], (root) => root.atlasSentence.follow({ input: 0, token: 3, side: "key" }, null, FACTS, "query"));
  assert.deepEqual(said, ["Input 0 · 5 in all", "sentence-empty d-none", "sentence", "key", true, false]);
  const own = call([], (root) => root.atlasSentence.follow({ input: 0 }, { reads: "b", token: 2, side: "key" }, FACTS, "query"));
  assert.deepEqual(own, ["Your text B", "sentence-empty d-none", "sentence", "key", false, false]);
});

test("direction: the same token on the other side, or the first word of the input", async () => {
  const sides = { queries: { first: 10, special: [1, 0], tokens: [] }, keys: { first: 20, special: [1, 1, 0], tokens: [] } };
  const { told, call } = reading(() => sides);
  const turn = async (direction, selection, facts = FACTS) => {
    await call([], (root) => root.atlasSentence.turn(direction, selection, facts, PAYLOAD));
    return told.length ? plain(told.pop())[1].selection : null;
  };
  const token = { input: 1, token: 11, side: "query" };
  assert.deepEqual(await turn("key", token), { ...token, side: "key" });
  assert.deepEqual(await turn("key", token, { ...FACTS, sameTokens: false }), { input: 1, token: 22, side: "key" });
  assert.deepEqual(await turn("all", token), { ...token, token: null });
  assert.equal(await turn("query", token), null);
});

test("a pair's numbers: its scores and distances, or what hides it", async () => {
  const scores = { visible: true, dot: 123.4, score: 0.001, softmax: 0.25, weight: 0.5, agrees: false };
  const found = { ...scores, aligned: 2, median_aligned: 4, screen: 0.5 };
  const rows = async (answer, mask = null) => {
    const { call } = reading(() => answer);
    const pair = (root) => root.atlasSentence.pair({ query: 1, key: 2 }, { ...PAYLOAD, mask }, { input: 0 }, 1, 2, MAPS.umap2d);
    return (await call([], pair)).rows;
  };
  assert.deepEqual(await rows(found), [
    ["q·k", "123"], ["scaled score", "0.0010"], ["softmax of the scores", "0.250 (model: 0.500)"],
    ["distance, aligned space", "2.000 (0.50 × median)"], ["distance on this map", "0.50 × median"],
  ]);
  assert.match((await rows({ ...found, agrees: true }))[2][1], /✓/);
  assert.match((await rows({ ...found, additive: true }))[2][1], /adds to the scores/);
  assert.deepEqual((await rows({ ...found, position: -1.5 })).slice(2, 4), [
    ["added for its place", "-1.500"], ["score with it", (found.score - 1.5).toFixed(3)],
  ]);
  assert.deepEqual(await rows({ visible: false }, { hides: "the window" }), [["", "the window hides this key from the query"]]);
  const { call } = reading();
  assert.equal(await call([], (root) => root.atlasSentence.pair({ query: 1, key: null }, PAYLOAD, { input: 0 }, 1, 2, null)), NONE);
});

// --- alignment and scaling --------------------------------------------------------------------------------------------

const aligning = () => load([BASE, "05-link", "45-align"], { answers: () => ({ pending: true, aligned: {}, screen: {} }) });
const OWN = { layer: 1, head: 2, c: 0.5, space: "dot" };
const OFF = { on: false, c: 0.5, scale: true, translate: true, space: "dot" };

test("align: the slider's c, the switches, and back to the head's own", () => {
  const { call } = aligning();
  const choose = (ids, slider, switches, before, own = OWN) => call(ids, (root) => root.atlasAlign.choose(slider, switches, "dot", 1, own, before));
  choose([], Math.log10(0.5), ["scale", "translate"], OFF);
  const [moved, said] = choose(["align-slider.value"], 0, ["scale", "translate"], OFF);
  assert.deepEqual([moved.on, moved.c, said], [true, 1, "c = 1.00"]);
  assert.equal(choose(["align-switches.value"], Math.log10(0.5), ["translate"], { ...OFF, on: true })[1], "c = 1");
  assert.deepEqual(choose(["align-reset.n_clicks"], 0, [], { ...moved })[0], OFF);
  assert.deepEqual(choose(["align-own.data"], 0, [], { ...moved }, { ...OWN, head: 3 })[0], OFF, "another head is seen as it is");
});

test("align: PCA moves at once; a layout stays until the new one is there", () => {
  const asked = [];
  const { call } = load([BASE, "05-link", "45-align"], {
    answers: (url) => asked.push(url) && { pending: true, aligned: {}, screen: {} },
  });
  const view = { atlas: "small", stream: "self", layer: 1, head: 2, method: "pca", dims: 2 };
  const map = (method) => ({ method, follows: method === "pca" ? "at once" : "later" });
  const show = (align, where, refined = null, tab = "sentence") =>
    call([], (root) => root.atlasAlign.show(align, where, refined, { open: true, tab }, PAYLOAD, map(where.method)))[0];
  const on = { ...OFF, on: true, c: 2 };
  assert.match(show(on, view).path, /^live\/self\/1\/2\/2\/2-translated-dot$/);
  assert.equal(show(on, { ...view, method: "umap" }), null);
  const refined = { alignment: "2-translated-dot", method: "umap", dims: 2, layer: 1, head: 2 };
  assert.match(show(on, { ...view, method: "umap" }, refined).path, /^refined\/self\/1\/2\/umap\/2\//);
  assert.equal(show({ ...on, c: 3 }, { ...view, method: "umap" }, refined), NONE, "the former layout stays meanwhile");
  assert.equal(show(OFF, { ...view, method: "umap" }), null);
  assert.deepEqual(asked, [], "the numbers are asked for where they are read");
  show(OFF, view, null, "align");
  assert.match(asked[0], /agreement\/self\/1\/2\/pca\/2\/own$/);
});

test("scaling: a click in the heat map is a head; on a phone the eight maps stand in four rows", () => {
  const { window, call } = load([BASE, "05-link", "06-stores", "40-scaling"], { globals: { innerWidth: 390 } });
  const { controls, default: before } = tables().pages.scaling.stores.scaling;
  const values = controls.map(({ field }) => before[field]);
  const clicked = { points: [{ x: 3, y: 2 }] };
  const found = call({ "heat.clickData": clicked }, (root) => root.atlasScaling.choose(clicked, ...values, { ...before, atlas: "small" }));
  assert.deepEqual([found[0].layer, found[0].head], [2, 3]);
  assert.match(found.at(-1), /layer=2&head=3/);
  assert.deepEqual(call([], (root) => root.atlasScaling.shape("id", { layers: 2, heads: 4 })), { layers: 4, heads: 2 });
  window.innerWidth = 1200;
  assert.equal(call([], (root) => root.atlasScaling.shape("id", {})), NONE);
});

// --- help and export --------------------------------------------------------------------------------------------------

test("help: the tour is offered once, on a first visit that shows nothing in particular", () => {
  const offered = (address, { seen = null, driven = false } = {}) => {
    const started = [];
    const { call } = load(["41-help"], {
      address, globals: {
        navigator: { webdriver: driven }, localStorage: { getItem: () => seen, setItem: () => {} },
        setTimeout: (work) => started.push(work),
      },
    });
    const offer = (loaded) => call([], (root) => root.atlasHelp.offerTour({ loaded }));
    offer(0.5);
    const early = started.length; // while the picture loads
    offer(1);
    offer(1);
    return early === 0 && started.length === 1;
  };
  assert.ok(offered("http://atlas.test/"));
  assert.ok(offered("http://atlas.test/?atlas=small"));
  assert.ok(!offered("http://atlas.test/?layer=2&head=3"));
  assert.ok(!offered("http://atlas.test/", { seen: "1" }));
  assert.ok(!offered("http://atlas.test/", { driven: true }));
  assert.ok(offered("http://atlas.test/?layer=2&tour=1", { driven: true }));
});

test("export: long sentences wrap, legends are measured, and a picture's name holds only safe letters", () => {
  const { window } = load(["41-export"]);
  const c = { measureText: (text) => ({ width: 10 * text.length }), font: "" };
  const { wrap, legend, fileName } = window.atlasExport;
  assert.deepEqual(plain(wrap(c, "one two three", 80)), ["one two", "three"]);
  assert.deepEqual(plain(wrap(c, "immeasurable", 30)), ["immeasurable"]);
  assert.equal(legend(c, [[{ text: "short" }], [{ marker: "key" }, { text: "a b" }]], 0, 0, 200, null), 36);
  assert.equal(fileName(["a/b ü", "L1H2", ""], "png"), "a-b-_L1H2.png");
});
