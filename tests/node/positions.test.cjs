/** One head shown in other positions than its projection's. */
const test = require("node:test");
const assert = require("node:assert");
const { PositionSet } = require("../../components/head_scene/positions.js");

/** 3 heads of 5 points in chunks of 2: the value of a coordinate tells head and slot. */
/** @type {any} */
const client = {
  cells: 3, points: 5, chunks: 3, payload: { chunk: 2 },
  chunkLength: (c) => Math.min(2, 5 - c * 2),
  positions: async (_projection, c) => {
    const count = client.chunkLength(c);
    const value = (i) => 100 * Math.floor(i / (count * 2)) + 10 * (c * 2 + Math.floor(i / 2) % count) + (i % 2);
    return Uint16Array.from({ length: 3 * count * 2 }, (_, i) => value(i));
  },
};

async function loaded() {
  const dropped = [];
  const set = new PositionSet(client, { name: "pca2d", key: "k", method: "pca", dims: 2 }, { resident: 3, onChunk: () => {}, drop: (block) => dropped.push(block) });
  await set.load();
  return { set, dropped };
}

const OTHER = Uint16Array.from({ length: 10 }, (_, i) => 5000 + i);

test("the head's own positions give way to others, chunk by chunk, and other heads keep theirs", async () => {
  const { set } = await loaded();
  assert.strictEqual(set.blockOf(1, 1).firstCell, 0);
  set.setOverride({ cell: 1, values: OTHER });
  assert.deepStrictEqual([...set.blockOf(1, 1).values], [5004, 5005, 5006, 5007]);
  assert.deepStrictEqual([...set.blockOf(2, 1).values], [5008, 5009]);
  assert.strictEqual(set.blockOf(1, 2).firstCell, 0);
  assert.strictEqual(set.blockOf(1, -1).firstCell, 0);
  assert.deepStrictEqual([...set.gather(Uint32Array.of(0, 4), 1, 1, 1).values], [5000, 5001, 5008, 5009]);
  set.setOverride(null);
  assert.strictEqual(set.blockOf(1, 1).firstCell, 0);
});

test("a snapshot keeps what was shown, and closing it frees only that", async () => {
  const { set, dropped } = await loaded();
  set.setOverride({ cell: 1, values: OTHER });
  const before = set.snapshot(set.setOverride({ cell: 1, values: OTHER.map((v) => v + 100) }));
  assert.strictEqual(before.blockOf(0, 1).values[0], 5000);
  assert.strictEqual(set.blockOf(0, 1).values[0], 5100);
  before.close();
  assert.strictEqual(dropped.length, 3);
  assert.strictEqual(set.complete(1), true);
});
