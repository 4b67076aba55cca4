/** The image view's pure parts: where patches lie, how weights become shades. */
const test = require("node:test");
const assert = require("node:assert/strict");
const geometry = require("../../components/image_view/geometry.js");

const IMAGE = { width: 224, height: 112, rows: 8, columns: 16, name: "a.png", label: "" };
const LAYOUT = geometry.layoutOf(448, 400, IMAGE, 2);
const near = (a, b) => Math.abs(a - b) < 1e-6;

test("the image is as large as width and height allow, special tokens lie below it", () => {
  assert.deepEqual(LAYOUT.image, { x: 0, y: 0, width: 448, height: 224 });
  assert.equal(LAYOUT.height, 224 + geometry.GAP + geometry.BOX);
  const low = geometry.layoutOf(448, 56, IMAGE, 0);
  assert.deepEqual(low.image, { x: 168, y: 0, width: 112, height: 56 });
  assert.equal(low.height, 56);
});

test("the token under a token's middle is that token", () => {
  for (let position = 0; position < 2 + 8 * 16; position++) {
    const { x, y, width, height } = geometry.boxOf(LAYOUT, position);
    assert.equal(geometry.tokenAt(LAYOUT, x + width / 2, y + height / 2), position);
  }
  assert.equal(geometry.tokenAt(LAYOUT, -5, 10), -1);
  assert.equal(geometry.tokenAt(LAYOUT, 440, 240), -1);
});

test("patches of a rectangle are those whose middle lies in it", () => {
  const { x, y } = geometry.boxOf(LAYOUT, 2 + 3 * 16 + 4);
  const found = geometry.tokensIn(LAYOUT, { x: x + 1, y: y + 1, width: 2 * 28, height: 28 });
  assert.deepEqual(found, [2 + 3 * 16 + 4, 2 + 3 * 16 + 5]);
  assert.deepEqual(geometry.tokensIn(LAYOUT, { x: 0, y: 0, width: 3, height: 3 }), []);
  assert.equal(geometry.tokensIn(LAYOUT, LAYOUT.image).length, 8 * 16);
});

test("arrow keys walk over the patches, and down to the special tokens and back", () => {
  const at = (row, column) => 2 + row * 16 + column;
  assert.equal(geometry.stepped(LAYOUT, at(0, 0), "ArrowLeft"), at(0, 0));
  assert.equal(geometry.stepped(LAYOUT, at(0, 15), "ArrowRight"), at(0, 15));
  assert.equal(geometry.stepped(LAYOUT, at(2, 3), "ArrowUp"), at(1, 3));
  assert.equal(geometry.stepped(LAYOUT, at(2, 3), "ArrowDown"), at(3, 3));
  assert.equal(geometry.stepped(LAYOUT, at(7, 9), "ArrowDown"), 1);
  assert.equal(geometry.stepped(LAYOUT, 1, "ArrowUp"), at(7, 1));
  assert.equal(geometry.stepped(LAYOUT, 0, "ArrowRight"), 1);
});

test("shades: linear, square root, and linear to the 99th percentile, which one outlier does not spoil", () => {
  const weights = Float32Array.from({ length: 200 }, (_, i) => (i === 7 ? 0.8 : i / 10_000));
  const linear = geometry.shades(weights, "linear");
  assert.ok(near(linear.top, Math.fround(0.8)));
  assert.ok(linear.levels[199] < 0.03);
  const root = geometry.shades(weights, "sqrt");
  assert.ok(Math.abs(root.levels[199] - Math.sqrt(0.0199 / 0.8)) < 1e-6);
  const clipped = geometry.shades(weights, "clipped");
  assert.ok(clipped.top < 0.0201);
  assert.equal(clipped.levels[7], 1);
  assert.ok(clipped.levels[100] > 0.4);
  assert.deepEqual(Array.from(geometry.shades(new Float32Array(3), "sqrt").levels), [0, 0, 0]);
});

test("what a key receives is the mean of its column", () => {
  assert.deepEqual(Array.from(geometry.received(Float32Array.of(0.25, 0.75, 0.5, 0.5), 2, 2)), [0.375, 0.625]);
});
