/** Mean attention of one head: read, shown, said, pointed at. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const M = load("means", "average_view");
const W = load("words", "average_view");
const P = load("paint", "average_view");
const V = load("view", "average_view");

const REACH = 2;
const FULL = { offsets: [null, null], hides: null };
const CAUSAL = { offsets: [null, 0], hides: "the causal mask" };

/** 2 queries × 3 keys over 4 inputs, with or without the profile by distance. */
function bytes(profile = true) {
  const buffer = new ArrayBuffer(12 + 8 * 6 + (profile ? 8 * (2 * REACH + 3) : 0));
  new Uint32Array(buffer, 0, 3).set([2, 3, 4]);
  new Float32Array(buffer, 12, 6).set([0.5, 0.3, 0.2, 0.1, 0.9, 0]);
  new Uint32Array(buffer, 36, 6).set([4, 4, 1, 4, 4, 0]);
  if (profile) {
    new Float32Array(buffer, 60, 7).set([0.1, 0.2, 0.3, 0.05, 0.05, 0.2, 0.1]);
    new Uint32Array(buffer, 88, 7).set([5, 6, 7, 0, 0, 8, 0]);
  }
  return buffer;
}

const side = (tokens, first = 10) => ({ first, tokens, special: tokens.map(() => 0) });
const SIDES = { queries: side(["a", " b"]), keys: side(["a", "b"], 20) };

const state = (more = {}, profile = true) => {
  const means = M.readMeans(bytes(profile));
  const { options = {}, sides = null, mask = FULL, ...rest } = more;
  const shown = M.shownMeans(means, options, sides);
  return { means, shown, bars: M.distanceBars(means, mask), sides, options, mask, enough: 2, token: null, at: null, ...rest };
};

test("the bytes: counts, means, inputs behind each, and the profile where it is known", () => {
  const means = M.readMeans(bytes());
  assert.deepEqual([means.queries, means.keys, means.inputs, means.reach], [2, 3, 4, REACH]);
  assert.equal(means.count[2], 1);
  assert.ok(Math.abs(means.offsets[5] - 0.2) < 1e-6);
  assert.equal(M.readMeans(bytes(false)).offsets, null);
  assert.deepEqual(M.rowCounts(means, 2), [4, 4]);
});

test("shown: as they are, or with rows scaled to 1 where something is left out", () => {
  const round = ({ weights }) => Array.from(weights, (value) => Math.round(100 * value));
  const means = M.readMeans(bytes());
  assert.deepEqual(round(M.shownMeans(means, {}, SIDES)), [50, 30, 20, 10, 90, 0]);
  const cut = M.shownMeans(means, { cut: true }, SIDES);
  assert.deepEqual([cut.rows, cut.columns, ...round(cut)], [2, 2, 63, 38, 10, 90]);
  assert.deepEqual(round(M.shownMeans(means, { keys: [0] }, SIDES)), [0, 60, 40, 0, 100, 0]);
  assert.deepEqual(round(M.shownMeans(means, { queries: [0] }, SIDES)), [0, 0, 0, 10, 90, 0]);
  assert.deepEqual(round(M.shownMeans(means, { queries: [0], keys: [1], cut: true }, null)), [50, 30, 20, 10, 90, 0]);
});

test("bars: of every distance that a query can see, and of those that are there all the same", () => {
  const offsets = (mask, more = {}) => M.distanceBars({ ...M.readMeans(bytes()), ...more }, mask).map(({ offset }) => offset);
  assert.deepEqual(offsets(FULL), [-Infinity, -2, -1, 0, 1, 2, Infinity]);
  assert.deepEqual(offsets(CAUSAL), [-Infinity, -2, -1, 0]);
  assert.deepEqual(offsets({ offsets: [-1, 1], hides: "the window" }), [-Infinity, -2, -1, 0, 1], "global tokens reach further");
  assert.deepEqual(offsets({ offsets: null, hides: null }), []);
  assert.deepEqual(offsets(FULL, { offsetCounts: null }), []);
});

test("keys: from cell to cell and from bar to bar, to the edges", () => {
  const cells = state();
  assert.deepEqual(M.stepped(cells, null, "ArrowDown"), { query: 0, key: 0 });
  assert.deepEqual(M.stepped(cells, { query: 1, key: 1 }, "ArrowDown"), { query: 1, key: 1 });
  assert.deepEqual(M.stepped(cells, { query: 1, key: 1 }, "ArrowRight"), { query: 1, key: 2 });
  assert.equal(M.stepped(cells, null, "Enter"), undefined);
  const bars = state({ options: { offsets: true } });
  assert.deepEqual(M.stepped(bars, null, "ArrowRight"), { bar: REACH + 1 });
  assert.deepEqual(M.stepped(bars, { bar: 0 }, "ArrowLeft"), { bar: 0 });
  assert.equal(M.stepped(state({ options: { offsets: true }, mask: { offsets: null, hides: null } }), null, "ArrowLeft"), null);
});

test("words: of a cell, its inputs, and the tokens that stand there", () => {
  const said = (at, more = {}) => W.sentence(state({ at, ...more }));
  assert.match(said(null), /^Rows ask, columns answer/);
  assert.equal(said({ query: 0, key: 1 }, { sides: SIDES }), "Query at 0 → key at 1: 0.30, from 4 of 4 inputs. Here: “a” → “b”.");
  assert.equal(said({ query: 0, key: 2 }, { sides: SIDES }), "Query at 0 → key at 2: 0.20, from 1 input. Fewer than 2: read it with care.");
  assert.equal(said({ query: 1, key: 2 }), "Query at 1, key at 2: no input counts here.");
  assert.equal(said({ query: 1, key: 2 }, { mask: CAUSAL }), "Query at 1, key at 2: the causal mask hides it.");
});

test("words: of a distance, and why there is none", () => {
  const said = (more, profile) => W.sentence(state({ options: { offsets: true }, ...more }, profile));
  assert.match(said({}), /Special tokens count as keys/);
  assert.doesNotMatch(said({ options: { offsets: true, special: true } }), /Special tokens/);
  assert.equal(said({ at: { bar: 2 } }), "Keys 1 position before: 0.20 of a query's attention. 6 queries have such a key.");
  assert.match(said({ at: { bar: 0 } }), /^Keys more than 2 positions before the query/);
  assert.match(said({ at: { bar: 3 } }), /^Keys at the query itself/);
  assert.match(said({}, false), /too large to work the profile out/);
  assert.match(said({ mask: { offsets: null, hides: null } }), /tokens of different texts/);
  assert.match(W.label({ offsets: true }, "L1 H2"), /by distance.*L1 H2/);
});

test("pointer: the cell or the bar under a place", () => {
  const size = { width: 390, height: 300 };
  const { cell, inner } = P.geometry(size, state().shown);
  assert.equal(cell, 100);
  const { left, top } = P.EDGE;
  assert.deepEqual(P.cursorAt(state(), size, left + 250, top + 150), { query: 1, key: 2 });
  assert.equal(P.cursorAt(state(), size, left - 1, top + 5), null);
  assert.equal(P.cursorAt(state(), size, left + 5, top + 201), null);
  const bars = state({ options: { offsets: true } });
  assert.deepEqual(P.cursorAt(bars, size, left + inner.width - 1, top), { bar: 6 });
  assert.equal(P.cursorAt(bars, size, left - 2, top), null);
  assert.deepEqual([P.barLabel(-3), P.barLabel(3), P.barLabel(0), P.barLabel(Infinity)], ["−3", "+3", "0", ">"]);
});

/** A context that notes what is filled, and with which colour. */
function context() {
  const done = [];
  const c = { fillStyle: "", strokeStyle: "", font: "", texts: [] };
  for (const name of ["save", "restore", "translate", "rotate", "beginPath", "rect", "clip", "moveTo", "lineTo", "stroke"]) c[name] = () => {};
  c.fillRect = (...box) => done.push(["fill", c.fillStyle, ...box]);
  c.strokeRect = (...box) => done.push(["stroke", c.strokeStyle, ...box]);
  c.fillText = (text) => c.texts.push(text);
  return { c, done };
}
const INK = { text: "T", muted: "M", edge: "E", ground: "#ffffff", query: "Q", accent: "A", dark: false };

test("painted: a cell for each weight, the chosen token's row, the cell pointed at, and axes", () => {
  const { c, done } = context();
  P.paint(c, { width: 390, height: 300 }, state({ sides: SIDES, token: { position: 1, side: "query" }, at: { query: 0, key: 1 } }), INK);
  assert.equal(done.filter(([what, colour]) => what === "fill" && colour.startsWith("rgb")).length, 5 + 90);
  assert.deepEqual(done.find(([what, colour]) => what === "stroke" && colour === "Q").slice(2), [0, 100, 300, 100]);
  assert.deepEqual(done.find(([what, colour]) => what === "stroke" && colour === "T").slice(2), [99, -1, 102, 102]);
  assert.ok(["key position →", "← query position", "inputs", "0.90  mean weight, √ scale"].every((text) => c.texts.includes(text)));
  const key = context();
  P.paint(key.c, { width: 390, height: 300 }, state({ token: { position: 2, side: "key" } }), INK);
  assert.ok(key.done.some(([what, colour, x]) => what === "stroke" && colour === "A" && x === 200));
});

test("painted: a bar for each distance, the query's own in the accent; nothing without a profile", () => {
  const { c, done } = context();
  P.paint(c, { width: 390, height: 300 }, state({ options: { offsets: true }, at: { bar: 3 } }), INK);
  assert.equal(done.filter(([what, colour]) => what === "fill" && colour === "Q").length, 6);
  assert.equal(done.filter(([what, colour]) => what === "fill" && colour === "A").length, 1);
  assert.equal(done.filter(([what]) => what === "stroke").length, 1);
  assert.ok(c.texts.includes("mean share of attention"));
  const none = context();
  P.paint(none.c, { width: 390, height: 300 }, state({ options: { offsets: true } }, false), INK);
  assert.deepEqual(none.done, []);
});

test("addresses: of the head and the variant, of the chosen input; none while it is not seen", () => {
  const props = { payload: { base: "/p", stream: "self", mask: FULL }, layer: 1, head: 2, visible: true };
  assert.deepEqual(V.addresses(props), { means: "/p/average/self/1/2", input: null });
  const options = { special: true, values: true, cut: true };
  assert.equal(V.addresses({ ...props, options }).means, "/p/average/self/1/2/special-values");
  assert.equal(V.addresses({ ...props, selection: { input: 0, token: null, side: "query" } }).input, "/p/input/self/0");
  for (const bad of [{ visible: false }, { payload: null }, { layer: null }, { head: undefined }]) {
    assert.equal(V.addresses({ ...props, ...bad }), null);
  }
});
