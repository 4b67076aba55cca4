/** Layers that are folded away: their text, what a wish makes of them, and where one clicks. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { rowsOf, textOf, wordsOf, folding } = load("folds");
const { View } = load("view");
const { headingAt } = load("heading_hits");

test("the text of layers is read as it is written, in the model's own numbers", () => {
  const six = { layers: 6 };
  assert.deepEqual(rowsOf("0-2_4", six), [0, 1, 2, 4]);
  assert.equal(textOf([0, 1, 2, 4]), "0-2_4");
  const hybrid = { layers: 3, numbers: [3, 7, 11] };
  assert.deepEqual(rowsOf("7-11", hybrid), [1, 2]);
  assert.equal(textOf([1, 2], hybrid.numbers), "7-11");
  assert.equal(wordsOf([1, 2], hybrid.numbers), "layers 7–11 folded");
  for (const bad of ["", null, "9", "x", "4-", "0-5", "-"]) assert.deepEqual(rowsOf(bad, six), [], String(bad));
});

test("a layer folds, all others fold, and the last one stays", () => {
  assert.deepEqual(folding([1], 3, 5, false), [1, 3]);
  assert.deepEqual(folding([], 3, 5, true), [0, 1, 2, 4]);
  assert.deepEqual(folding([0], 3, 5, true), [0, 1, 2, 4]);
  assert.deepEqual(folding([0, 1, 2, 4], 3, 5, true), [], "alone already: the others come back");
  assert.deepEqual(folding([0, 1, 2, 4], 3, 5, false), [0, 1, 2, 4]);
});

/** A matrix on a window, with layers folded. */
function seen(layers, heads, away, width, height) {
  const view = new View();
  view.resize(width, height, 1);
  view.setCells({ layers, heads });
  view.fold(away);
  return view;
}

test("numbers of layers and strips of folded ones are found where they are drawn, beside cells or above them", () => {
  for (const [layers, heads, width, height] of [[6, 12, 1200, 700], [30, 9, 1440, 700], [12, 2, 700, 700]]) {
    const view = seen(layers, heads, [1, 2], width, height);
    const { x, y } = view.origin();
    const cell = view.camera.value.scale;
    const found = { rows: new Set(), strips: new Set() };
    for (let px = 0; px < width; px += 3) {
      for (let py = 0; py < height; py += 3) {
        const hit = headingAt(view, px, py);
        if (hit && hit.row >= 0) found.rows.add(hit.row);
        if (hit && hit.rows.length) found.strips.add(hit.text);
      }
    }
    assert.deepEqual([...found.rows].sort((a, b) => a - b), view.grid.shown);
    assert.deepEqual([...found.strips], ["layers 1–2 folded"]);
    assert.equal(headingAt(view, x + cell / 2, y + cell / 2), null, "cells are no headings");
  }
});

test("the frame of the keyboard is never on a head that is folded away", () => {
  const view = seen(6, 12, [1, 2], 1200, 700);
  assert.equal(view.visibleCell(12 + 5), 5, "the layer next to it");
  assert.equal(view.visibleCell(3 * 12 + 5), 3 * 12 + 5);
  view.sort([40, 3]);
  assert.equal(view.visibleCell(7), 40);
});

test("folding keeps the head that one looks at, or the layer next to it", () => {
  const view = seen(40, 16, [], 800, 600);
  view.zoom(6, 400, 300);
  const headThere = () => {
    const cell = view.nearestCell(400, 300);
    return { layer: Math.floor(cell / 16), head: cell % 16 };
  };
  const before = headThere();
  view.fold([0, 1]);
  assert.deepEqual(headThere(), before);
  view.fold([0, 1, before.layer]);
  assert.ok(Math.abs(headThere().layer - before.layer) <= 1);
});
