/** What the scene fetches, from a real server. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { serving, sceneData, ORDER } = require("./small_atlas.cjs");
const { PointColours } = load("point_colours");

const UMAP = { name: "umap2d", key: "k", method: "umap", dims: 2 };
const UMAP3 = { name: "umap3d", key: "k", method: "umap", dims: 3 };
const slotOf = (point) => ORDER.indexOf(point);

const with_ = (work, headsOnly = false) => () => serving(async (site) => {
  const scene = sceneData(load, headsOnly);
  scene.data.setPayload(site.payload);
  await work({ ...scene, site, ...scene.data });
});

test("points: order, kinds and positions of all heads", with_(async ({ points, rest, told }) => {
  points.setProjection(UMAP);
  await rest();
  assert.deepEqual([...points.order], [...ORDER]);
  assert.equal(points.slotOf[6], 0);
  assert.deepEqual([...points.kinds], [1, 0, 0, 1, 0, 1, 0, 1]);
  assert.equal(points.part(-1), 1);
  assert.equal(points.set, null, "shown only once it is adopted");
  points.adopt(false);
  assert.equal(points.set.blockOf(0, -1).values[2 * (4 * 5)], 4006); // head 4, slot 0 is point 6
  assert.ok(told.includes("order") && told.includes("chunk"));
}));

test("points: without WebGL only the open head's positions are fetched", with_(async ({ data, points, rest, site }) => {
  points.setProjection(UMAP);
  data.openHead(5);
  await rest();
  points.adopt(false);
  assert.equal(points.set.blockOf(1, 5).values[0], 5007);
  assert.equal(points.set.blockOf(0, -1), null);
  assert.equal(site.asked.filter((path) => path.startsWith("positions")).length, 2);
}, true));

test("points: what is adopted to move keeps what it moves from", with_(async ({ points, rest, told }) => {
  points.setProjection(UMAP);
  await rest();
  points.adopt(false);
  const first = points.set;
  points.setProjection({ ...UMAP, key: "other" });
  await rest();
  points.adopt(true);
  assert.equal(points.previous, first);
  const before = told.filter((what) => what === "drop").length;
  points.endMove();
  assert.equal(points.previous, null);
  assert.ok(told.filter((what) => what === "drop").length > before);
}));

test("points: a live head counts only on its own map, and the newest wish wins", with_(async ({ points, rest, moves, site }) => {
  points.setProjection(UMAP);
  await rest();
  points.adopt(false);
  let release = () => {};
  site.held.set("live", new Promise((resolve) => (release = () => resolve(null))));
  const wish = (path, dims = 2) => ({ path, cell: 1, dims, method: "umap", move: false });
  points.setLive(wish("live/1"));
  points.setLive(wish("live/2"));
  points.setLive(wish("live/3"));
  release();
  await rest();
  assert.deepEqual(site.asked.filter((path) => path.startsWith("live")), ["live/1?frame=middle", "live/3?frame=middle"]);
  assert.equal(points.set.blockOf(0, 1).values[2], 14);
  assert.equal(points.set.blockOf(0, 0).values[0], 6, "other heads stay");
  assert.equal(moves.at(-1).animate, false);
  points.setLive(null);
  assert.equal(points.set.blockOf(0, 1).values[2 * 5], 1006);
  assert.equal(moves.at(-1).animate, true);
}));

test("colour: one for all heads, or a head's own; palette and values change together", with_(async ({ data, colours, rest, told }) => {
  colours.setColour({ name: "kind", scope: "token", palette: ["#000000"] });
  assert.equal(colours.shown, null);
  await rest();
  assert.deepEqual([...colours.indicesOf(0)], [...ORDER]);
  colours.setColour({ name: "kind", scope: "token", palette: ["#ffffff"] });
  assert.deepEqual(colours.shown.palette, ["#ffffff"], "another palette needs nothing fetched");
  assert.equal(data.jobs.pending, 0);
  colours.setColour({ name: "norm", scope: "head", palette: ["#000000"] });
  await rest();
  assert.equal(colours.headIndices.size, 6);
  assert.equal(colours.indicesOf(4)[slotOf(2)], 42);
  assert.ok(told.includes("colour"));
}));

test("size by norm: of the open head, and gone with it", with_(async ({ data, colours, rest, told }) => {
  colours.setSizes({ attribute: "norm", scope: "head" });
  assert.equal(colours.sizes, null);
  data.openHead(2);
  await rest();
  assert.deepEqual([colours.sizes.cell, colours.sizes.values[slotOf(1)]], [2, 21]);
  data.openHead(-1);
  assert.equal(colours.sizes, null);
  assert.ok(told.includes("sizes"));
}));

test("size: by the norm where that is chosen, else by what the map says", () => {
  const [norm, popularity] = [{ attribute: "norm", scope: "head" }, { attribute: "popularity", scope: "head" }];
  const by = (props) => {
    const asked = [];
    PointColours.prototype.sizeBy.call({ setSizes: (size) => asked.push(size) }, { payload: { size: norm }, ...props });
    return asked[0];
  };
  assert.equal(by({ sized: true, mapSizes: true, projection: { size: popularity } }), norm);
  assert.equal(by({ sized: false, mapSizes: true, projection: { size: popularity } }), popularity);
  assert.equal(by({ sized: false, mapSizes: false, projection: { size: popularity } }), null);
  assert.equal(by({ sized: false, mapSizes: true, projection: {} }), null);
});

test("lit: hits of a search, then a set, then the input of the chosen token", with_(async ({ highlights, rest }) => {
  highlights.setSearch({ query: "r" });
  await rest();
  assert.deepEqual(highlights.searchCount, { query: "r", tokens: 1, points: 2 });
  assert.deepEqual([...highlights.slots], [slotOf(5), slotOf(1)]);
  highlights.setSelection({ input: 1, token: 3, side: "query" });
  await rest();
  assert.equal(highlights.selectedSlot, slotOf(3));
  assert.equal(highlights.slots.length, 6);
  const counts = [];
  highlights.setTokenSet({ definition: "any" }, (count) => counts.push(count));
  await rest();
  assert.deepEqual(counts, [{ definition: "any", points: 2, tokens: 1 }]);
  assert.deepEqual([...highlights.slots], [slotOf(3), slotOf(5), slotOf(1)].sort((a, b) => a - b));
  assert.ok(highlights.inSet(slotOf(5)) && !highlights.inSet(slotOf(3)));
  assert.equal(highlights.flags[slotOf(1)], 1);
  highlights.setTokenSet(null, () => {});
  highlights.setSelection(null);
  highlights.setSearch(null);
  assert.equal(highlights.active, false);
}));

test("a search in vain leaves nothing lit, and still counts as one", with_(async ({ highlights, rest }) => {
  highlights.setSearch({ query: "nowhere" });
  await rest();
  assert.equal(highlights.slots.length, 0);
  assert.equal(highlights.active, true);
}));

test("lines: between slots, those of the chosen input in the open head", with_(async ({ attention, rest }) => {
  attention.setLines({ threshold: 0.25, topk: 0 }, { input: 1, token: null, side: "query" }, 4);
  await rest();
  const found = attention.lines.map(({ query, key, weight }) => [ORDER[query], ORDER[key], Math.round(10 * weight)]);
  assert.deepEqual(found, [[3, 6, 3], [3, 7, 7], [2, 6, 9]]);
  attention.setLines({ threshold: 0.25, topk: 0 }, null, 4);
  assert.deepEqual(attention.lines, []);
}));

test("mean attention of every head", with_(async ({ attention, rest }) => {
  attention.setMean(true);
  await rest();
  assert.equal(attention.mean.levels.length, 6);
  attention.setMean(false);
  assert.equal(attention.mean, null);
}));

test("tokens: unknown at first, then known, and each page asked for once", with_(async ({ tokens, rest, told, site }) => {
  await rest();
  assert.equal(tokens.token(slotOf(5)), null);
  assert.equal(tokens.token(slotOf(1)), null);
  await rest();
  assert.deepEqual(tokens.token(slotOf(5)), { side: "key", row: 1, text: "river", input: 0, position: 1, length: 2 });
  assert.equal(await tokens.inputOf("query", 3), 1);
  assert.equal(site.asked.filter((path) => path.startsWith("tokens")).length, 1);
  assert.ok(told.includes("tokens"));
}));

test("a failure says what it is, and a retry clears it", with_(async ({ data, highlights, rest, site }) => {
  site.broken.add("search");
  highlights.setSearch({ query: "city" });
  await rest();
  assert.match(data.failure.message, /404/);
  site.broken.clear();
  data.jobs.retry();
  await rest();
  assert.equal(data.failure, undefined);
  assert.equal(highlights.slots.length, 2);
}));

test("answers of a search that has been replaced are void", with_(async ({ highlights, rest, site }) => {
  let release = () => {};
  site.held.set("search", new Promise((resolve) => (release = () => resolve(null))));
  highlights.setSearch({ query: "river" });
  highlights.setSearch({ query: "city" });
  release();
  await rest();
  assert.equal(highlights.searchCount.query, "city");
}));

test("another payload starts from nothing; answers to the old one come to nothing", with_(async ({ data, points, rest, site }) => {
  points.setProjection(UMAP3);
  data.setPayload(site.payload);
  assert.equal(points.incoming, null);
  await rest();
  assert.equal(points.count, 8);
  assert.equal(points.set, null);
  data.setPayload(null);
  assert.equal(points.count, 0);
}));
