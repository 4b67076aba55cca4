const assert = require("node:assert");
const test = require("node:test");

require("../../components/head_scene/payload.js"); // tells which input a row is of
const { Partner, parseToken, tokenText } = require("../../components/compare/partner.js");
const { kept } = require("../../components/compare/rows.js");
const { rows } = require("../../components/compare/legend.js");
const { ofPane, summary } = require("../../components/compare/words.js");

const offsets = (...ends) => ({ query: Uint32Array.from([0, ...ends]), key: Uint32Array.from([0, ...ends.map((end) => end * 2)]) });

test("a token's partner is the same place of the same input, wherever that input stands", () => {
  /** @type {Atlas.CompareShared} */
  const shared = { inputs: [[0, 2], [2, 0]], count: 2, points: 0, otherwise: 0, only: [1, 1] };
  const partner = new Partner(shared, [offsets(3, 7, 12), offsets(5, 6, 9)]);
  assert.deepEqual(partner.of(0, "query", 1), { side: "query", row: 7, input: 2 });
  assert.deepEqual(partner.of(0, "query", 11), { side: "query", row: 4, input: 0 });
  assert.deepEqual(partner.of(1, "key", 13), { side: "key", row: 1, input: 0 });
  assert.equal(partner.of(0, "query", 4), null, "an input that is not shared");
  const all = new Partner({ ...shared, inputs: null }, [offsets(3, 7), offsets(3, 7)]);
  assert.deepEqual(all.of(1, "query", 6), { side: "query", row: 6, input: 1 });
});

test("a token of a link", () => {
  assert.deepEqual(parseToken("b12k"), { pane: 1, row: 12, side: "key" });
  assert.equal(tokenText(0, "query", 4), "a4q");
  for (const wrong of ["", "c1q", "a1", "a1x", "a-1q"]) assert.equal(parseToken(wrong), null);
});

test("of a long input the tokens with the largest weights are shown, in their order", () => {
  const weights = Float64Array.from({ length: 300 }, (_, i) => (i % 5 === 0 ? i : 0));
  const tokens = Array.from(weights, String);
  const shown = kept([{ tokens, first: 0, weights }, { tokens, first: 0, weights: weights.map(() => 0) }]);
  assert.equal(shown.length, 120);
  assert.deepEqual(shown.slice(-3), [285, 290, 295]);
  assert.deepEqual(shown, [...shown].sort((a, b) => a - b));
});

test("the legend: sides, categories, numbers with their ends", () => {
  const palette = Array.from({ length: 256 }, (_, i) => `#0000${i.toString(16).padStart(2, "0")}`);
  const text = (found) => found.map((row) => row.map((one) => one.text || one.marker || "bar").join(" "));
  const facts = (kind) => ({ kind, low: "", high: "" });
  /** @type {Atlas.Colour} */
  const colour = { name: "x", scope: "token", palette, label: "Length" };
  assert.deepEqual(text(rows({ ...colour, label: "", values: ["a"] }, facts("categorical"), null)), ["query Queries key Keys"]);
  assert.deepEqual(text(rows({ ...colour, values: ["a", "b", ""] }, facts("categorical"), null)), ["Length", "query key a query key b"]);
  const [, queries, keys] = text(rows(colour, facts("sequential"), [0.5, 12.345]));
  assert.equal(queries, "query Queries 0.5 bar 12.3");
  assert.equal(keys, "key Keys 0.5 bar 12.3");
  const apart = rows({ ...colour, path: "p", values: palette }, facts("sequential"), null);
  assert.equal(text(apart).at(-1), "swatch not compared");
  assert.notEqual(apart[1][3].bar[0], "rgb(0,0,0)");
});

test("what is shared, what is not, and how well the maps fit", () => {
  const state = /** @type {Atlas.CompareState} */ ({ atlas: "a", stream: "s", layer: 0, head: 1, other: "b", stream2: "s", layer2: 0, head2: 1, fit: true, map: "pca2d", token: "" });
  const shared = { inputs: null, count: 1, points: 9, otherwise: 2, only: [0, 1200] };
  const found = /** @type {Atlas.CompareFound} */ ({ shared, fit: { disparity: 0.0612, scale: 1, points: 9 }, searched: [] });
  const said = summary(state, found, ["pca2d"]);
  assert.equal(said, "1 input shared (2 inputs cut into other tokens, 1,200 inputs only in the second). 6.1 % of the spread of shared points remains after fitting (Procrustes).");
  assert.match(summary({ ...state, other: "a" }, found, ["pca2d"]), /identical/);
  assert.match(summary(state, found, []), /no map in common/);
  assert.match(summary(state, { ...found, fit: null, unfit: "Too few." }, ["pca2d"]), /Too few. Each map is shown as it is/);
  assert.equal(summary(state, { ...found, problem: "It is gone." }, ["pca2d"]), "It is gone.");
  assert.match(ofPane(state, found, 0, null, null), /no map pca2d/);
  const lost = /** @type {Atlas.CompareFound} */ ({ ...found, partner: {} });
  assert.match(ofPane({ ...state, token: "a1q" }, lost, 1, /** @type {Atlas.Projection} */ ({}), null), /not in this pane/);
});
