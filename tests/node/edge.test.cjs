/** Points outside their frame. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");

const { isOutside, outsideOf, tracePart } = load("edge");
const { place } = load("pick");

test("only a point at the edge is outside, on any axis", () => {
  const values = Uint16Array.of(0, 30000, 65535, 30000, 30000, 0, 1300, 64000);
  assert.deepEqual([0, 2, 4, 6].map((at) => isOutside(values, at, 2)), [true, true, true, false]);
  assert.equal(isOutside(Uint16Array.of(30000, 30000, 65535), 0, 3), true);
  const view = { middleX: 100, middleY: 100, half: 50, dims: 2, matrix: [] };
  assert.equal(place(view, values, 2).outside, true);
  assert.equal(place(view, values, 6).outside, false);
});

test("points outside are counted by head, in the open one or in all, as far as they have arrived", () => {
  const block = (values, firstCell, cells) => ({ values: Uint16Array.from(values), firstCell, cells, count: 2, dims: 2 });
  const inside = [30000, 30000];
  const chunks = [
    block([0, 5, 9, 65535, ...inside, ...inside, ...inside, 65535, 1], 0, 3),
    block([...inside, ...inside, ...inside, ...inside, 0, 0, ...inside], 0, 3),
    null,
  ];
  const set = { client: { cells: 3 }, wanted: () => 3, blockOf: (chunk) => chunks[chunk] };
  assert.deepEqual(outsideOf(set, -1), { points: 4, heads: 2, open: false });
  assert.deepEqual(outsideOf(set, 0), { points: 2, heads: 1, open: true });
  assert.deepEqual(outsideOf(set, 1), { points: 0, heads: 0, open: true });
  const alone = { ...set, wanted: () => 1, blockOf: () => block([0, 0, ...inside], 2, 1) };
  assert.deepEqual(outsideOf(alone, 2), { points: 1, heads: 1, open: true });
});

test("the mark is the half of its shape that looks to the middle", () => {
  for (const isKey of [false, true]) {
    const path = [];
    const context = { beginPath() {}, closePath() {}, moveTo: (x, y) => path.push({ x, y }), lineTo: (x, y) => path.push({ x, y }) };
    tracePart(context, { x: 150, y: 100 }, 10, isKey, { middleX: 100, middleY: 100 });
    assert.ok(path.length >= 3);
    assert.ok(Math.max(...path.map(({ x }) => x)) <= 150 + 1e-9);
    assert.ok(Math.min(...path.map(({ x }) => x)) < 147);
  }
});
