/** Densities, outlines, groups and their names, and the brush, on numbers whose answers are known. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { counted, smoothed, levelOf, ranks, outline } = load("density");
const { summits } = load("crowd");
const { commonest, stretch } = load("crowd_names");
const { keeps } = load("brush");

/** Points of a disc in the middle of a grid. */
function disc(size, radius) {
  const places = [];
  for (let y = 0; y < size; y += 0.25) for (let x = 0; x < size; x += 0.25) {
    if (Math.hypot(x - size / 2, y - size / 2) < radius) places.push(x, y);
  }
  return places;
}

test("every point in the grid is counted once, and smoothing keeps their number away from the edges", () => {
  const grid = counted([...disc(40, 8), -1, 3, 3, 40], 40, 40);
  const total = (values) => values.reduce((sum, value) => sum + value, 0);
  assert.equal(total(grid), disc(40, 8).length / 2);
  assert.ok(Math.abs(total(smoothed(grid, 40, 40, 2)) - total(grid)) < 0.5);
});

test("smoothing is the mean of the means, as a plain loop makes it", () => {
  const grid = Float32Array.from({ length: 7 * 5 }, (_, i) => (i * 37) % 11);
  let plain = Array.from(grid);
  for (let pass = 0; pass < 3; pass++) {
    plain = plain.map((_, i) => {
      let sum = 0;
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) {
        const [x, y] = [(i % 7) + dx, Math.floor(i / 7) + dy];
        if (x >= 0 && y >= 0 && x < 7 && y < 5) sum += plain[y * 7 + x];
      }
      return sum / 9;
    });
  }
  smoothed(grid, 7, 5, 1).forEach((value, i) => assert.ok(Math.abs(value - plain[i]) < 1e-4));
});

test("the level of a share holds the share, and its outline is closed about the points", () => {
  const grid = smoothed(counted(disc(40, 8), 40, 40), 40, 40, 1);
  const total = grid.reduce((sum, value) => sum + value, 0);
  const level = levelOf(grid, 0.8);
  const inside = grid.reduce((sum, value) => sum + (value >= level ? value : 0), 0);
  assert.ok(inside >= 0.8 * total && inside < 0.9 * total);
  const line = outline(grid, 40, 40, level);
  /** @type {Map<string, number>} */
  const ends = new Map();
  for (let i = 0; i < line.length; i += 2) {
    const end = `${line[i].toFixed(3)} ${line[i + 1].toFixed(3)}`;
    ends.set(end, (ends.get(end) || 0) + 1);
    assert.ok(Math.abs(Math.hypot(line[i] - 20, line[i + 1] - 20) - 7.2) < 1);
  }
  assert.ok([...ends.values()].every((times) => times % 2 === 0), "each end is the end of another piece too");
});

test("an outline at the edge of the grid is closed too", () => {
  const line = outline(new Float32Array([5, 0, 0, 0]), 2, 2, 1);
  assert.equal(line.length, 16);
});

test("ranks run from 0 where nothing is to 1 in the densest cell", () => {
  assert.deepEqual([...ranks(Float32Array.of(0, 1, 3))], [0, 0.25, 1]);
});

test("a cell belongs to the summit above it, a plateau to one", () => {
  const summit = summits(Float32Array.of(1, 2, 3, 2, 1, 2, 5, 5), 8);
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map(summit), [2, 2, 2, 2, 7, 7, 7]);
});

test("what most have and most others lack is common; what nearly all have is not", () => {
  const tally = (pairs) => new Map(pairs);
  const rare = commonest(tally([["the", 8], ["a", 2]]), tally([["the", 10], ["a", 90]]), 10, 100);
  assert.equal(rare.value, "the");
  assert.ok(Math.abs(rare.excess - (0.8 - 0.1) / 0.9) < 1e-9);
  assert.equal(commonest(tally([[0, 10]]), tally([[0, 98], [1, 2]]), 10, 100).excess, 0);
  assert.equal(commonest(tally([[0, 5], [1, 5]]), tally([[0, 5], [1, 95]]), 10, 100).excess, 0);
});

test("a stretch is the shortest that holds four fifths", () => {
  const inside = new Map([[3, 4], [4, 4], [40, 2]]);
  const all = new Map(Array.from({ length: 50 }, (_, i) => [i, 2]));
  const found = stretch(inside, all, 10, 100);
  assert.deepEqual([found.low, found.high], [3, 4]);
  assert.ok(Math.abs(found.excess - (0.8 - 0.04) / 0.96) < 1e-9);
});

test("a brush keeps values of both sides, a stretch with its ends, or a side", () => {
  const part = { name: "pos", scope: "token", values: [0, 3] };
  assert.deepEqual([0, 128, 3, 131, 1].map((index) => keeps(part, index)), [true, true, true, true, false]);
  assert.deepEqual([9, 10, 138, 20, 21].map((index) => keeps({ ...part, range: [10, 20] }, index)), [false, true, true, true, false]);
  assert.deepEqual([5, 133].map((index) => keeps({ name: "type", scope: "token", values: [1], sides: true }, index)), [false, true]);
});
