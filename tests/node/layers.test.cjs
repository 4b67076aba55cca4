/** Rows of arrays and the numbers of a model's layers. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");

const { numberOf, rowOf, nameOf } = load("layers", "client");

test("without numbers a row is the layer's number", () => {
  assert.deepEqual([numberOf(5), rowOf(5), nameOf(5, 2)], [5, 5, "L5 H2"]);
});

test("where only some layers attend, names and links have the model's numbers", (t) => {
  globalThis.document = /** @type {any} */ ({ getElementById: (id) => (id === "layer-numbers" ? { dataset: { numbers: "[3,7,11]" } } : null) });
  t.after(() => { delete globalThis.document; });
  assert.deepEqual([numberOf(1), rowOf(7), rowOf(1), nameOf(2, 0)], [7, 1, -1, "L11 H0"]);
  const { cellsOf, textOf } = load("head_sets", "client");
  assert.equal(textOf([0, 1, 6], { layers: 3, heads: 4 }), "3.0-3.1_7.2");
  assert.deepEqual(cellsOf("3.0-3.1_7.2", { layers: 3, heads: 4 }), [0, 1, 6]);
  assert.equal(load("grid").cellName({ layers: 2, heads: 4 }, 4), "L7 H0");
  assert.deepEqual([numberOf(1, null), numberOf(1, [4, 9])], [1, 9]);
});
