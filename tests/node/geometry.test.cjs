const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const grid = load("grid");
const { arrange } = load("arrange");
const camera = load("camera");
const pick = load("pick");
const draw = load("draw");
const positions = load("positions");

const near = (a, b, within = 1e-9) => assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);
const plain = (layers, heads) => arrange({ layers, heads, group: 1 }, null, null);
const VIEW = { width: 800, height: 600 };

test("cells: any shape of matrix", () => {
  assert.equal(grid.cellAt(plain(1, 1), 0.5, 0.5), 0);
  assert.equal(grid.cellAt(plain(1, 1), 1.0, 0.5), -1);
  const wide = plain(2, 5);
  assert.equal(grid.cellAt(wide, 4.2, 1.9), 9);
  assert.equal(grid.cellAt(wide, -0.1, 0), -1);
  assert.equal(grid.nearestCell(wide, 99, -3), 4);
  assert.deepEqual(grid.cellPlace(wide, 7), { column: 2, row: 1 });
  assert.equal(grid.cellName(wide, 7), "L1 H2");
});

test("rings: the strongest partners of a query, and of a key", () => {
  const { partners } = load("rings");
  const weights = Uint16Array.from([0.1, 0.2, 0.7, 0.6, 0.4, 0, 0.3, 0.3, 0.4].map((w) => Math.round(w * 65535)));
  const places = (found) => found.map(({ place }) => place);
  assert.deepEqual(places(partners(weights, 3, 3, "query", 0)), [2, 1, 0]);
  assert.deepEqual(places(partners(weights, 3, 3, "query", 1)), [0, 1]); // a weight of zero is no partner
  assert.deepEqual(places(partners(weights, 3, 3, "key", 1)), [1, 2, 0]);
  assert.deepEqual(places(partners(weights, 3, 3, "query", 2, 2)), [2, 0]); // of equal ones the first
});

test("cells: neighbours stop at the edge", () => {
  const matrix = plain(2, 3);
  assert.equal(grid.neighbour(matrix, 0, -1, 0), 0);
  assert.equal(grid.neighbour(matrix, 0, 1, 1), 4);
  assert.equal(grid.neighbour(matrix, 5, 0, 1), 5);
});

test("runs: whole rows are merged and split to the longest call", () => {
  const matrix = plain(4, 10);
  const all = { left: -1, top: -1, right: 11, bottom: 5 };
  assert.deepEqual(grid.visibleRuns(matrix, all, Infinity), [{ first: 0, count: 40 }]);
  assert.deepEqual(grid.visibleRuns(matrix, all, 25), [{ first: 0, count: 25 }, { first: 25, count: 15 }]);
});

test("runs: a part of the matrix is one run a row, and nothing outside", () => {
  const matrix = plain(4, 10);
  const some = { left: 2.5, top: 1.2, right: 4.1, bottom: 2.9 };
  assert.deepEqual(grid.visibleRuns(matrix, some, Infinity), [{ first: 12, count: 3 }, { first: 22, count: 3 }]);
  assert.deepEqual(grid.visibleRuns(matrix, { left: 20, top: 0, right: 30, bottom: 4 }, Infinity), []);
});

test("camera: screen and world undo each other", () => {
  const c = { x: 3, y: 2, scale: 50 };
  const p = camera.toScreen(c, VIEW, 4, 1);
  assert.deepEqual(p, { x: 450, y: 250 });
  assert.deepEqual(camera.toWorld(c, VIEW, p.x, p.y), { x: 4, y: 1 });
});

test("camera: fit leaves the margins free", () => {
  const margins = { left: 40, top: 30, right: 10, bottom: 10 };
  const c = camera.fit({ x: 0, y: 0, width: 12, height: 12 }, VIEW, margins);
  near(c.scale, 560 / 12);
  near(camera.toScreen(c, VIEW, 0, 0).y, 30);
  near(camera.toScreen(c, VIEW, 12, 12).y, 590);
});

test("camera: zoom keeps what is under the pointer", () => {
  const c = { x: 3, y: 2, scale: 50 };
  const before = camera.toWorld(c, VIEW, 123, 456);
  const after = camera.toWorld(camera.zoomAt(c, VIEW, 123, 456, 7.5), VIEW, 123, 456);
  near(before.x, after.x);
  near(before.y, after.y);
});

test("camera: the way between two cameras ends exactly, and passes steadily", () => {
  const from = { x: 6, y: 6, scale: 50 };
  const to = { x: 1.5, y: 2.5, scale: 800 };
  assert.deepEqual(camera.between(from, to, 1), to);
  near(camera.between(from, to, 0).x, 6);
  near(camera.between(from, to, 0.5).scale, 200);
  near(camera.between(from, { x: 8, y: 6, scale: 50 }, 0.5).x, 7);
});

test("camera: a rotation keeps lengths, and the middle of the cube stays put", () => {
  const m = camera.rotation(0.7, -0.4);
  for (const i of [0, 3, 6]) near(Math.hypot(m[i], m[i + 1], m[i + 2]), 1);
  const middle = camera.projectCube(m, 0, 0, 0);
  near(middle.x, 0);
  near(middle.y, 0);
  near(middle.near, 1);
  const front = camera.projectCube(camera.rotation(0, 0), 0, 0, 1);
  assert.ok(front.near > 1, "what is nearer is larger");
});

test("camera: orbit stops at the poles", () => {
  assert.ok(camera.orbit({ yaw: 0, pitch: 0 }, 0, 1e6).pitch < Math.PI / 2);
});

test("pick: points at the very same place are counted, over all chunks", () => {
  const first = { values: Uint16Array.of(0, 0, 5, 6, 7, 8, 5, 6), start: 2, count: 3 };
  const parts = [first, { values: Uint16Array.of(5, 6, 5, 7), start: 0, count: 2 }];
  assert.equal(pick.copies(parts, 2, 3, 0, () => true).length, 2);
  assert.equal(pick.copies(parts, 2, 3, 0, (slot) => slot < 3).length, 1);
  assert.equal(pick.copies([first, null], 2, 3, 0, () => true).length, 1);
  assert.equal(pick.copies(parts, 2, 3, 1, () => true).length, 0);
  assert.equal(pick.copies(parts, 2, 3, 4, () => true).length, 0);
});

test("pick: the nearest point within reach, y upwards", () => {
  // Corners of the cell: lower left, upper right; and its middle.
  const values = Uint16Array.of(0, 0, 65535, 65535, 32768, 32768);
  const view = { middleX: 100, middleY: 100, half: 50, dims: 2, matrix: null };
  const parts = [{ values, start: 0, count: 2 }, null, { values, start: 4, count: 1 }];
  assert.equal(pick.nearest(view, parts, 1000, 52, 149, 9), 0);
  assert.equal(pick.nearest(view, parts, 1000, 149, 52, 9), 1);
  assert.equal(pick.nearest(view, parts, 1000, 101, 99, 9), 2000);
  assert.equal(pick.nearest(view, parts, 1000, 75, 100, 9), -1);
  assert.equal(pick.nearest(view, parts, 1000, 101, 99, 9, (slot) => slot < 5), -1);
});

test("pick: in 3D the nearer of two points on the same line of sight", () => {
  const values = Uint16Array.of(32768, 32768, 0, 32768, 32768, 65535);
  const view = { middleX: 100, middleY: 100, half: 50, dims: 3, matrix: camera.rotation(0, 0) };
  assert.equal(pick.nearest(view, [{ values, start: 0, count: 2 }], 1000, 103, 100, 9), 1);
});

test("points grow with the cell, never faster than it, and shrink with the crowd", () => {
  const fitted = 800;
  for (const points of [500, 10_000, 100_000]) {
    let last = 0;
    for (const cell of [20, 60, 200, 480, 800, 3000]) {
      const diameter = draw.pointDiameter(cell, points, fitted);
      assert.ok(diameter >= last, `${points} points, ${cell} px`);
      last = diameter;
    }
  }
  assert.ok(draw.pointDiameter(800, 500, 800) > draw.pointDiameter(800, 100_000, 800));
  assert.ok(draw.pointAlpha(60, 10_000, 1.3) < draw.pointAlpha(800, 500, 9));
});

test("memory: all chunks while few points, a bounded number beyond", () => {
  assert.equal(positions.residentChunks(144, 10_000, 1000), 10);
  const many = positions.residentChunks(1024, 10_000, 1000);
  assert.ok(many >= 2 && many * 1024 * 1000 <= positions.MOST_RESIDENT);
  assert.equal(positions.residentChunks(3072, 100_000, 1000), 2);
  const overview = positions.residentChunks(5120, 4000, 244);
  assert.ok(overview * 244 * 5120 * 4 <= 10_000_000 && overview * 244 >= 400, "80 × 64 heads in 2D: 10 MB, a few hundred points each");
});

const client = { chunks: 2, cells: 2, points: 3, payload: { chunk: 2 }, chunkLength: (c) => (c ? 1 : 2) };
const makeSet = (dims) => {
  const set = new positions.PositionSet(client, { dims }, { resident: 2, onChunk() {}, drop() {} });
  // Point s of head h has x = 100 h + s and y (z) counted on from it.
  const values = (count, first) => Uint16Array.from(
    [0, 1].flatMap((h) => Array.from({ length: count }, (_s, s) =>
      Array.from({ length: dims }, (_d, d) => 100 * h + first + s + 10 * d)).flat()));
  set.chunks = [set.block(values(2, 0), 0, 2, 0), set.block(values(1, 2), 0, 2, 1)];
  return set;
};

test("gather copies the same slots of every head, in 2D and 3D", () => {
  const flat = makeSet(2).gather(Uint32Array.of(1, 2), 0, 2, -1);
  assert.deepEqual([...flat.values], [1, 11, 2, 12, 101, 111, 102, 112]);
  const deep = makeSet(3).gather(Uint32Array.of(0, 2), 1, 1, 1);
  assert.deepEqual([...deep.values], [100, 110, 120, 102, 112, 122]);
});

test("gather leaves out what has not arrived", () => {
  const set = makeSet(2);
  set.chunks[1] = null;
  assert.equal(set.gather(Uint32Array.of(1, 2), 0, 2, -1).count, 1);
});
