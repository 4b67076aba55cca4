const test = require("node:test");
const assert = require("node:assert/strict");
const p = require("./load.cjs")("payload");

test("stored coordinates span -1..1", () => {
  assert.equal(p.dequantise(0), -1);
  assert.equal(p.dequantise(65535), 1);
  assert.ok(Math.abs(p.dequantise(32768)) < 1e-4);
});

test("the last chunk is shorter", () => {
  assert.equal(p.chunkCount(2500, 1000), 3);
  assert.equal(p.chunkLength(2500, 1000, 0), 1000);
  assert.equal(p.chunkLength(2500, 1000, 2), 500);
  assert.equal(p.chunkCount(1000, 1000), 1);
});

test("order and its inverse undo each other", () => {
  const order = Uint32Array.of(3, 0, 2, 1);
  const slotOf = p.inverse(order);
  order.forEach((point, slot) => assert.equal(slotOf[point], slot));
  assert.deepEqual([...p.toSlots(Uint8Array.of(10, 11, 12, 13), order)], [13, 10, 12, 11]);
});

test("bits count from the least significant, and only up to the table's end", () => {
  const mask = Uint8Array.of(0b10000001, 0b11111110);
  assert.equal(p.hasBit(mask, 0), 1);
  assert.equal(p.hasBit(mask, 1), 0);
  assert.equal(p.hasBit(mask, 7), 1);
  assert.equal(p.hasBit(mask, 8), 0);
  assert.equal(p.countBits(mask, 10), 3);
});

test("a mask of token rows lights queries and keys, in slot order", () => {
  // Two queries (points 0, 1) and two keys (points 2, 3) of the same two rows; row 1 matches.
  const order = Uint32Array.of(3, 0, 1, 2);
  const mask = Uint8Array.of(0b10);
  assert.deepEqual([...p.slotsOfMasks(mask, mask, 2, order)], [0, 2]);
  assert.deepEqual([...p.slotsOfMasks(mask, Uint8Array.of(0), 2, order)], [2]);
});

test("an input's slots hold its queries and its keys, sorted", () => {
  const slotOf = Uint32Array.of(9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const offsets = Uint32Array.of(0, 2, 5);
  assert.deepEqual([...p.slotsOfInput(0, offsets, offsets, 5, slotOf)], [3, 4, 8, 9]);
  assert.deepEqual([...p.slotsOfInput(1, offsets, offsets, 5, slotOf)], [0, 1, 2, 5, 6, 7]);
});

test("token 0 is a token", () => {
  assert.deepEqual(p.tokenOfPoint(0, 5), { side: "query", row: 0 });
  assert.deepEqual(p.tokenOfPoint(5, 5), { side: "key", row: 0 });
  assert.equal(p.pointOfToken("key", 0, 5), 5);
  assert.equal(p.inputOfRow(Uint32Array.of(0, 3, 7), 0), 0);
  assert.equal(p.inputOfRow(Uint32Array.of(0, 3, 7), 3), 1);
  assert.equal(p.inputOfRow(Uint32Array.of(0, 3, 7), 6), 1);
});

test("slots are merged without doubles", () => {
  assert.deepEqual([...p.mergeSlots(Uint32Array.of(1, 5), Uint32Array.of(2, 5))], [1, 2, 5]);
  assert.deepEqual([...p.mergeSlots(new Uint32Array(0), Uint32Array.of(2))], [2]);
});

test("palettes: hex, grey for what is missing", () => {
  const bytes = p.paletteBytes(["#ff8000", "nonsense"]);
  assert.deepEqual([...bytes.slice(0, 12)], [255, 128, 0, 255, 128, 128, 128, 255, 128, 128, 128, 255]);
});
