/** Where heads lie in the matrix, in any room. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");

const { LEAST, arrange, shapeOf } = load("arrange");
const { headingsOf } = load("headings");
const grid = load("grid");

const model = (layers, heads, group = 1) => ({ layers, heads, group });
const ROOMS = [{ width: 1348, height: 626 }, { width: 2468, height: 1166 }, { width: 300, height: 380 }, { width: 60, height: 60 }];
const MODELS = [
  model(6, 12), model(12, 12), model(30, 9, 3), model(32, 32, 4), model(80, 64, 8), model(1, 1), model(1, 2), model(200, 128), model(7, 5),
];
const scale = ({ columns, rows }, { width, height }) => Math.min(width / columns, height / rows);

test("every head has one place, and every place at most one head", () => {
  for (const matrix of MODELS) {
    for (const room of ROOMS) {
      const made = arrange(matrix, null, room);
      const count = matrix.layers * matrix.heads;
      const seen = Array.from({ length: count }, (_, cell) => grid.cellPlace(made, cell));
      assert.equal(new Set(seen.map(({ column, row }) => `${column} ${row}`)).size, count);
      seen.forEach(({ column, row }, cell) => {
        assert.ok(column >= 0 && column < made.columns && row >= 0 && row < made.rows);
        assert.equal(grid.cellAt(made, column + 0.5, row + 0.5), cell);
      });
      if (made.order) assert.equal(made.order.filter((cell) => cell >= 0).length, count);
    }
  }
});

test("cells are as large as the room allows; what is not one layer a row is worth it", () => {
  const shape = (matrix, room) => arrange(matrix, null, room).fold;
  assert.deepEqual(shape(model(6, 12), ROOMS[0]), { wide: 12, across: 1 });
  assert.deepEqual(shape(model(12, 12), ROOMS[0]), { wide: 12, across: 1 });
  assert.deepEqual(shape(model(30, 9, 3), ROOMS[0]), { wide: 1, across: 30 });
  assert.deepEqual(shape(model(32, 32, 4), ROOMS[1]), { wide: 16, across: 3 });
  for (const matrix of MODELS) {
    for (const room of ROOMS) {
      const made = arrange(matrix, null, room, 0);
      for (let wide = 1; wide <= matrix.heads; wide++) {
        if (matrix.heads % wide || (wide > 1 && wide % matrix.group)) continue;
        for (let across = 1; across <= matrix.layers; across++) {
          const other = scale(shapeOf(matrix, { wide, across }), room);
          assert.ok(scale(made, room) * 1.4015 >= other, JSON.stringify([matrix, room, wide, across]));
        }
      }
    }
  }
});

test("where cells would be too small one scrolls down, never sideways", () => {
  for (const matrix of MODELS) {
    for (const room of ROOMS.slice(0, 3)) {
      const made = arrange(matrix, null, room);
      if (scale(made, room) < LEAST) assert.ok(made.columns * LEAST <= room.width, JSON.stringify([matrix, room]));
    }
  }
});

test("heads that share a key head stand in one row, or in one column", () => {
  for (const matrix of MODELS.filter(({ group }) => group > 1)) {
    for (const room of ROOMS) {
      const { fold } = arrange(matrix, null, room);
      assert.ok(fold.wide === 1 || fold.wide % matrix.group === 0);
    }
  }
});

test("in another order heads fill the rows, keep their names, and the last row may be short", () => {
  const sorted = arrange(model(2, 3), [5, 0, 1, 2, 4, 3], { width: 400, height: 200 });
  assert.deepEqual([sorted.columns, sorted.rows, sorted.sorted], [3, 2, true]);
  assert.equal(grid.cellAt(sorted, 0.5, 0.5), 5);
  assert.equal(grid.cellName(sorted, 5), "L1 H2");
  assert.deepEqual(grid.headOf(sorted, 5), { layer: 1, head: 2 });
  assert.deepEqual(grid.cellPlace(sorted, 3), { column: 2, row: 1 });
  assert.equal(grid.neighbour(sorted, 5, 1, 0), 0);
  assert.equal(grid.neighbour(sorted, 0, 0, 1), 4);
  const all = { left: 0, top: 0, right: 3, bottom: 2 };
  assert.deepEqual(grid.visibleRuns(sorted, all, 10), [{ first: 0, count: 6 }]);
  const left = { ...all, right: 0.5 };
  assert.deepEqual(grid.visibleRuns(sorted, left, 10), [{ first: 2, count: 1 }, { first: 5, count: 1 }]);
  const short = arrange(model(1, 5), [4, 3, 2, 1, 0], { width: 300, height: 200 });
  assert.deepEqual([short.columns, short.rows], [3, 2]);
  assert.equal(grid.cellAt(short, 2.5, 1.5), -1);
  assert.equal(grid.nearestCell(short, 2.9, 1.5), 2);
  assert.equal(grid.neighbour(short, 2, 0, 1), 2, "below is none");
  assert.equal(headingsOf(short), null);
});

test("what names no cell, or one twice, is no order", () => {
  const plain = arrange(model(2, 2), null, null);
  assert.deepEqual([plain.columns, plain.rows, plain.order], [2, 2, undefined]);
  for (const bad of [undefined, "3210", [], [0, 1, 2, 2], [0, 1, 2, 4], [0, 1, 2, 3.5], [0, 1, 2, "3"], [0, 1, 2, 3]]) {
    assert.deepEqual(arrange(model(2, 2), bad, null), plain);
  }
});

test("keys step over what lies between blocks", () => {
  const made = arrange(model(32, 32, 4), null, ROOMS[0]);
  assert.deepEqual([made.fold, made.columns], [{ wide: 8, across: 3 }, 26]);
  assert.equal(grid.neighbour(made, 7, 1, 0), 11 * 32, "from layer 0 to layer 11 beside it");
  assert.equal(grid.neighbour(made, 24, 0, 1), 32, "from the last row of layer 0 to layer 1");
  assert.equal(grid.neighbour(made, 0, -1, 0), 0);
});

test("from head to head one steps as in the small map, however the matrix lies", () => {
  const made = arrange(model(30, 9, 3), null, ROOMS[0]);
  assert.deepEqual([[1, 0], [0, 1], [-1, 0], [0, -1]].map(([heads, layers]) => grid.nextHead(made, 0, heads, layers)), [1, 9, 0, 0]);
  assert.equal(grid.nextHead(made, 8, 1, 0), 8);
  assert.equal(grid.nextHead(made, 29 * 9, 0, 1), 29 * 9);
});

test("some heads alone fill the room in their order; the others lie out of sight, and open there", () => {
  const some = [40, 3, 17];
  const made = arrange(model(6, 12), some, ROOMS[0]);
  assert.deepEqual([made.columns, made.rows, made.sorted], [3, 1, true]);
  assert.deepEqual([0, 1, 2].map((column) => grid.cellAt(made, column + 0.5, 0.5)), some);
  const all = Array.from({ length: 72 }, (_, cell) => grid.cellPlace(made, cell));
  assert.equal(new Set(all.map(({ column, row }) => `${column} ${row}`)).size, 72);
  all.forEach(({ column, row }, cell) => {
    assert.equal(row < made.rows, some.includes(cell));
    assert.equal(grid.cellAt(made, column + 0.5, row + 0.5), cell);
  });
  const runs = grid.visibleRuns(made, { left: -1, top: -1, right: 9, bottom: 9 }, 9);
  assert.deepEqual(runs.map(({ first, count }) => [first, count]), [[3, 1], [17, 1], [40, 1]]);
  const { column, row } = all[0];
  assert.deepEqual(grid.visibleRuns(made, { left: column, top: row, right: column, bottom: row }, 9), [{ first: 0, count: 1 }]);
  assert.ok(some.includes(grid.nearestCell(made, 50, 50)));
  assert.equal(grid.neighbour(made, 40, 0, 1), 40, "no way leads down to them");
});

test("headings: heads above and layers beside, the other way round, and layers of several rows", () => {
  const texts = (strip) => strip.marks.map(({ text }) => text).join(" ");
  const plain = headingsOf(arrange(model(2, 3), null, null));
  assert.deepEqual([texts(plain.tops[0]), texts(plain.sides[0]), plain.along, plain.down], ["0 1 2", "0 1", "head →", "layer ↓"]);
  const turned = headingsOf(arrange(model(30, 9, 3), null, ROOMS[0]));
  assert.deepEqual([turned.along, turned.down, turned.tops.length], ["layer →", "head ↓", 1]);
  assert.equal(turned.tops[0].marks.at(-1).text, "29");
  assert.deepEqual(turned.rules, [3, 6].map((row) => ({ row, first: 0, last: 30 })), "between heads that share a key head");
  assert.deepEqual(headingsOf(arrange(model(2, 4, 2), null, null)).bars, [{ column: 2, first: 0, last: 2 }]);
  assert.deepEqual([plain.rules, plain.bars], [[], []]);
  const several = headingsOf(arrange(model(32, 32, 4), null, ROOMS[0]));
  assert.ok(several.short);
  assert.deepEqual(several.tops, []);
  const sides = several.sides.map((strip) => [strip.first, strip.marks[0].text, strip.marks.length]);
  assert.deepEqual(sides, [[0, "0", 11], [9, "11", 11], [18, "22", 10]]);
  assert.equal(several.rules.length, 29);
  const down = headingsOf({ layers: 5, heads: 2, columns: 2, rows: 8, fold: { wide: 1, across: 2 } });
  assert.deepEqual(down.tops.map((strip) => [strip.first, texts(strip)]), [[0, "0 1"], [3, "2 3"], [6, "4"]]);
});

test("layers without attention have thin rows, which every arrangement names where they are", () => {
  const gaps = [{ row: 0, text: "Layers 0–2: no attention here" }, { row: 2, text: "Layer 5: no attention here" }];
  for (const matrix of [model(3, 8), model(3, 16)]) {
    for (const room of ROOMS) {
      const made = arrange({ ...matrix, gaps }, null, room);
      const { fold } = made;
      assert.equal(fold.across, 1);
      const shown = headingsOf(made).gaps;
      assert.deepEqual(shown.map(({ at }) => at), [0, 2 * (matrix.heads / fold.wide)]);
    }
  }
  assert.deepEqual(headingsOf(arrange(model(3, 8), null, ROOMS[0])).gaps, []);
});

/** Which layers a column of cells, or a row of them, holds. */
function layersSeen({ order, rows, columns, heads }) {
  const cells = order.slice(0, rows * columns).filter((cell) => cell >= 0);
  return [...new Set(cells.map((cell) => Math.floor(cell / heads)))];
}

test("folded layers leave their room to the others, in every arrangement, and can still be opened", () => {
  for (const matrix of [model(6, 12), model(30, 9), model(32, 32), model(40, 2)]) {
    for (const room of ROOMS) {
      const away = [0, 2, 3];
      const [all, made] = [arrange(matrix, null, room), arrange({ ...matrix, away }, null, room)];
      assert.deepEqual(layersSeen(made).sort((a, b) => a - b), made.shown);
      assert.equal(made.shown.length, matrix.layers - 3);
      assert.ok(scale(made, room) >= scale(all, room) - 1e-9 || made.rows < all.rows, "cells grow, or there is less to scroll");
      for (let cell = 0; cell < matrix.layers * matrix.heads; cell++) {
        const { column, row } = grid.cellPlace(made, cell);
        assert.equal(grid.cellAt(made, column + 0.5, row + 0.5), cell);
        assert.equal(row >= made.rows, away.includes(Math.floor(cell / matrix.heads)));
      }
      const { tops, sides, gaps } = headingsOf(made);
      const numbers = [...tops, ...sides].flatMap(({ marks }) => marks).filter((mark) => mark.row !== undefined);
      assert.deepEqual(numbers.map(({ text }) => Number(text)).sort((a, b) => a - b), made.shown, "numbers are those of the layers");
      assert.deepEqual(gaps.map(({ rows, text }) => [rows, text]), [[[0], "layer 0 folded"], [[2, 3], "layers 2–3 folded"]]);
      for (const { at, first, last, upright } of gaps) {
        assert.ok(first < last && at >= 0 && at <= (upright ? made.columns : made.rows));
      }
    }
  }
});

test("heads in an order of their own are all there, folded layers' too", () => {
  const made = arrange({ ...model(2, 3), away: [1] }, [5, 0, 1, 2, 4, 3], ROOMS[0]);
  assert.deepEqual([made.sorted, made.order.filter((cell) => cell >= 0).length], [true, 6]);
});
