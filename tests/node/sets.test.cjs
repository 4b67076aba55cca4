const test = require("node:test");
const assert = require("node:assert/strict");
const sets = require("./load.cjs")("sets");
const p = require("./load.cjs")("payload");

test("ids survive their text, in ascending order and once", () => {
  const ids = [2_000_000, 0, 128, 127, 128, 5];
  assert.deepEqual(sets.decodeIds(sets.encodeIds(ids)), [0, 5, 127, 128, 2_000_000]);
});

test("a point put in and taken out leaves no set", () => {
  const one = sets.toggle("", 7, false);
  assert.deepEqual(sets.idsOf(one, "p"), [7]);
  assert.equal(sets.toggle(one, 7, true), "");
});

test("a point of a region is taken out and put back without touching the region", () => {
  const region = sets.region({ layer: 1, head: 2, projection: "umap2d", turn: null }, [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 0, y: 1 }]);
  const without = sets.toggle(region, 9, true);
  assert.deepEqual(sets.idsOf(without, "x"), [9]);
  assert.deepEqual(sets.idsOf(sets.toggle(without, 9, false), "x"), []);
});

test("a square stays a square however many vertices its sides have", () => {
  const along = (from, to, i) => from + ((to - from) * i) / 100;
  const side = (x0, y0, x1, y1) => Array.from({ length: 100 }, (_, i) => ({ x: along(x0, x1, i), y: along(y0, y1, i) }));
  const square = [...side(0, 0, 1, 0), ...side(1, 0, 1, 1), ...side(1, 1, 0, 1), ...side(0, 1, 0, 0)];
  const few = sets.simplify(square, 4);
  assert.deepEqual(few, [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 1, y: 1 }, { x: 0, y: 1 }]);
});

test("a set of more points than fit is refused, one of a thousand fits a store", () => {
  const thousand = sets.ofPoints(Array.from({ length: 5000 }, (_, i) => i * 40));
  assert.ok(sets.fits(thousand) && thousand.length < 10_000);
  assert.equal(sets.idsOf(thousand, "p").length, 1000);
  assert.ok(!sets.fits(sets.toggle(thousand, 3, false)));
});

test("a mask over points lights slots, and a token with both its points counts once", () => {
  const order = Uint32Array.of(3, 0, 2, 1);
  const mask = Uint8Array.of(0b1011);
  assert.deepEqual([...p.slotsOfMask(mask, order)], [0, 1, 3]);
  assert.equal(p.countTokens(mask, 2, 2, true), 2);
  assert.equal(p.countTokens(mask, 2, 2, false), 3);
});
