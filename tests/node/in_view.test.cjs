/** Points of heads in view: what is asked for, kept and dropped. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { serving, sceneData, THUMBNAIL } = require("./small_atlas.cjs");
const { InView, Tiles, shareInView } = load("in_view");
const { slotsCode } = load("payload");

test("the code of slots is that of docs/payload.md", () => {
  assert.equal(slotsCode(Uint32Array.of(0, 5, 133)), "AQWAAQ"); // steps 1, 5 and 128: two bytes, the lower seven bits first
});

test("the fewer heads in view, the more points each, and all of them where there is room", () => {
  assert.equal(shareInView(5120, 4000), 64);
  assert.equal(shareInView(600, 4000), 512);
  assert.equal(shareInView(50, 4000), 4000);
  assert.equal(shareInView(1, 100_000), 100_000);
});

/** Blocks of heads, and which of them were dropped. */
function tiles() {
  const dropped = [];
  const made = new Tiles((block) => dropped.push(block.firstCell));
  made.begin(["map"], 2);
  return { made, dropped };
}
const heads = (first, count) => ({ first, count });
/** Of two points a head, each value its head's number. */
const values = ({ first, count }) => Uint16Array.from({ length: 4 * count }, (_, i) => first + Math.floor(i / 4));

test("heads are asked for a few together, neighbours at once, and those that are there are not asked for again", () => {
  const { made } = tiles();
  assert.deepEqual(made.missing([heads(3, 2), heads(20, 1), heads(90, 10)], 100), [heads(0, 32), heads(80, 20)]);
  made.put(heads(0, 32), values(heads(0, 32)), 2);
  assert.deepEqual(made.missing([heads(3, 2), heads(20, 13)], 100), [heads(32, 16)]);
  assert.ok(made.covers([heads(0, 32)]) && !made.covers([heads(31, 2)]));
  const block = made.blocks.find(({ firstCell }) => firstCell === 16);
  assert.deepEqual([block.cells, block.count, block.values[0], block.values.at(-1)], [16, 2, 16, 31]);
});

test("another question voids what was answered; the heads that were looked at longest ago go first", () => {
  const { made, dropped } = tiles();
  made.begin(["map", 1], 100_000);
  for (const tile of [0, 1]) made.put(heads(16 * tile, 16), new Uint16Array(0), 2);
  assert.deepEqual(dropped, [0], "there is room for one and a half");
  made.missing([heads(16, 32)], 100);
  made.put(heads(32, 16), new Uint16Array(0), 2);
  assert.deepEqual(dropped, [0], "what is in view stays, or it would be asked for for ever");
  made.begin(["map", 1], 100_000);
  assert.equal(made.blocks.length, 2);
  made.begin(["other map", 1], 100_000);
  assert.deepEqual([dropped, made.blocks, made.kept.size], [[0, 16, 32], [], 0]);
});

test("samples and what is lit come of heads in view alone, and belong to the map and the search that they are of", () => serving(async (site) => {
  const { data, rest } = sceneData(load);
  data.setPayload({ ...site.payload, thumbnail: THUMBNAIL });
  const map = { name: "umap2d", key: "k", method: "umap", dims: 2 };
  const set = { inView: true, projection: map, dims: 2 };
  const highlights = { slots: Uint32Array.of(1, 4) };
  const seen = new InView(data.jobs, { chunk() {}, drop() {} }, { set, count: 8 }, highlights);
  seen.start(data.client);
  const asked = () => site.asked.filter((path) => path.startsWith("points"));
  seen.want([heads(1, 2)], false);
  await rest();
  assert.deepEqual(asked(), ["points/self/umap2d-k/0-5?slots=AgM&frame=middle"], "a search asks for its hits and no more");
  assert.deepEqual([...seen.shown.slots], [1, 4]);
  assert.deepEqual([...seen.shown.blocks[0].values.subarray(0, 4)], [0, 500, 1, 501]); // slots 1 and 4 are points 0 and 1
  seen.want([heads(1, 2)], true);
  await rest();
  assert.deepEqual(asked().slice(1), ["points/self/umap2d-k/0-5?most=8&frame=middle"]);
  assert.ok(seen.covers([heads(0, 6)]) && seen.blocks[0].count === 8);
  highlights.slots = Uint32Array.of(2);
  assert.deepEqual([seen.shown.blocks, seen.shown.slots.length], [[], 0], "nothing stays lit that is not a hit any more");
}));
