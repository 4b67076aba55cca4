/** Thumbnails of very many heads: when they are fetched, when they are the picture, and when points are. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { serving, sceneData, THUMBNAIL } = require("./small_atlas.cjs");
const { wantsPoints, thumbnailsOf, noteOf } = load("thumbnails");
const { Points } = load("points");

const FLAT = { name: "umap2d", key: "k", method: "umap", dims: 2 };
const DEEP = { ...FLAT, name: "umap3d", dims: 3 };

const asksOf = (site) => site.asked.filter((path) => path.startsWith("thumbnails"));

const with_ = (work, headsOnly = false) => () => serving(async (site) => {
  const scene = sceneData(load, headsOnly);
  scene.data.setPayload({ ...site.payload, thumbnail: THUMBNAIL });
  await work({ ...scene, site, thumbnails: scene.data.thumbnails });
});

test("thumbnails come with a flat map, and go with one that is not", with_(async ({ thumbnails, rest, told, site }) => {
  thumbnails.setProjection(FLAT, false);
  assert.ok(thumbnails.promised && !thumbnails.side, "points wait for them");
  await rest();
  assert.equal(thumbnails.side, THUMBNAIL);
  assert.ok(told.includes("thumbnails"));
  assert.deepEqual(asksOf(site), ["thumbnails/self/umap2d-k?frame=middle"]);
  thumbnails.setProjection(DEEP, false);
  assert.ok(!thumbnails.promised && !thumbnails.side);
  thumbnails.setProjection(FLAT, true);
  await rest();
  assert.equal(asksOf(site).at(-1), "thumbnails/self/umap2d-k?frame=all");
}));

test("thumbnails that cannot be had leave the matrix to the points", with_(async ({ thumbnails, rest, site, data }) => {
  site.broken.add("thumbnails");
  thumbnails.setProjection(FLAT, false);
  await rest();
  assert.ok(!thumbnails.promised);
  assert.match(data.failure.message, /thumbnails/);
}));

test("one head alone has none", with_(async ({ thumbnails, rest, site }) => {
  thumbnails.setProjection(FLAT, false);
  await rest();
  assert.deepEqual([thumbnails.promised, asksOf(site)], [false, []]);
}, true));

/** Points of so many heads, and what they ask of their client. @param {number} cells @param {number} points @param {number} chunk */
function pointsOf(cells, points, chunk) {
  const asked = [];
  const made = new Points({ run: (_name, work) => work(() => true) }, { chunk() {}, drop() {} }, false);
  made.client = {
    cells, points, payload: { chunk, thumbnail: 32 }, chunks: Math.ceil(points / chunk), chunkLength: () => chunk,
    positions: async (_projection, c) => {
      asked.push(c);
      return new Uint16Array(0);
    },
    somePoints: async (_projection, { first, count }, most) => {
      asked.push(`${first}+${count} of ${most}`);
      return new Uint16Array(2 * count * most);
    },
  };
  return { made, asked };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

test("chunks of thousands of heads are not fetched, a head that opens comes whole; chunks of fewer come at once", async () => {
  const { made, asked } = pointsOf(5120, 4000, 244);
  made.setProjection(FLAT, false);
  await soon();
  assert.deepEqual(asked, []);
  made.openHead(77);
  await soon();
  assert.deepEqual(asked, ["77+1 of 4000"]);
  assert.ok(made.incoming.complete(77));
  const few = pointsOf(1024, 10_000, 1000);
  few.made.setProjection(FLAT, false);
  await soon();
  assert.equal(few.asked.length, 4);
  const deep = pointsOf(5120, 4000, 244);
  deep.made.setProjection(DEEP, false);
  await soon();
  assert.equal(deep.asked.length, 2, "a map in 3D has no thumbnails");
});

const SHADES = { canvas: [1, 1, 1], cell: [1, 1, 1], faded: [0.8, 0.8, 0.8], muted: [0.4, 0.4, 0.4] };
/** A view and data at a scale. @param {number} scale @param {any} [changes] */
function sceneAt(scale, { sample = 488, loaded = 2, side = 32, touched = false, active = false, brushed = false, openness = 0, label = "" } = {}) {
  const view = { camera: { value: { scale } }, openness: { value: openness }, runs: () => [{ first: 0, count: 600 }] };
  const data = {
    thumbnails: { side, promised: true, touched }, points: { dims: 2, sample, count: 4000, set: { loaded: () => loaded } },
    highlights: { active, slots: new Uint32Array(0) }, brush: { active: brushed }, inView: { active: false },
    colours: { shown: { name: "kind", label, palette: ["#ff0000", "#ff0000", "#0000ff", "#0000ff"] } },
  };
  return [view, data, SHADES];
}

test("cells too small for points show thumbnails alone, and say so", () => {
  const found = thumbnailsOf(...sceneAt(44));
  assert.deepEqual([found.alone, found.alpha, found.query, found.key], [true, 1, [1, 0, 0], [0, 0, 1]]);
  assert.match(noteOf(found, sceneAt(44)[1]), /queries and keys/);
  assert.ok(!wantsPoints(...sceneAt(44)) && wantsPoints(...sceneAt(64)));
});

test("where every head has a fair number of points they replace the thumbnails, elsewhere they lie over them", () => {
  assert.equal(thumbnailsOf(...sceneAt(44, { sample: 4000 })), null);
  const beneath = thumbnailsOf(...sceneAt(80));
  assert.ok(!beneath.alone && beneath.alpha < 1);
  assert.equal(noteOf(beneath, sceneAt(80)[1]), "");
  assert.ok(thumbnailsOf(...sceneAt(80, { loaded: 0 })).alone, "until the points are there");
  assert.ok(thumbnailsOf(...sceneAt(80, { sample: 2000, loaded: 0 })).alone, "however many there will be");
});

test("no picture claims colours that it has not: by any other attribute thumbnails are of one colour", () => {
  const found = thumbnailsOf(...sceneAt(44, { label: "Position" }));
  assert.deepEqual([found.query, found.key], [SHADES.muted, SHADES.muted]);
  assert.match(noteOf(found, sceneAt(44)[1]), /Density of points/);
});

test("what is lit or greyed needs points, and many points rest while the picture is moved by hand", () => {
  assert.ok(wantsPoints(...sceneAt(20, { active: true })));
  assert.equal(thumbnailsOf(...sceneAt(44, { brushed: true })), null);
  assert.ok(thumbnailsOf(...sceneAt(80, { sample: 4000, touched: true })).alone);
  assert.equal(thumbnailsOf(...sceneAt(80, { openness: 1 })), null, "an open head is drawn as points");
});

test("of thousands of heads what is lit needs no others, and points wait until heads in view have them", () => {
  const [view, data] = sceneAt(44, { active: true });
  const there = { active: true, share: () => 512, covers: () => true, left: 0 };
  assert.ok(!wantsPoints(view, { ...data, inView: there }), "small cells light points over thumbnails");
  const near = sceneAt(80);
  assert.ok(thumbnailsOf(near[0], { ...near[1], inView: { ...there, covers: () => false } }, SHADES).alone);
  assert.ok(!thumbnailsOf(near[0], { ...near[1], inView: there }, SHADES).alone);
  assert.equal(thumbnailsOf(near[0], { ...near[1], inView: { ...there, share: () => 4000 } }, SHADES), null, "all their points");
  const inView = { ...there, left: 26, slots: new Uint32Array(64) };
  const some = { ...data, highlights: { active: true, slots: new Uint32Array(90) }, inView };
  assert.match(noteOf(thumbnailsOf(view, some, SHADES), some), /64 of 90 lit points/);
});
