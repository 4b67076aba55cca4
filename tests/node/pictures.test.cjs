/** From data to a described picture, and the description painted: as SVG, which can be read. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { serving, sceneData, ORDER } = require("./small_atlas.cjs");
const { View } = load("view");
const { Crowd } = load("crowd");
const { Textures } = load("textures");
const { PointPlaces } = load("places");
const { PointMotion } = load("point_motion");
const { makeFrame } = load("frame");
const { makeOverlayState, byCell, nameOf } = load("overlay_state");
const { OverlayPainter } = load("paint");
const { SvgContext } = load("vector");
const { Picture } = load("picture");
const { onPaper, hex } = load("capture");
const { Rings } = load("rings");
const { DEFAULTS } = load("colours");

const UMAP = { name: "umap2d", key: "k", method: "umap", dims: 2 };
const slotOf = (point) => ORDER.indexOf(point);
const LOOK = { colours: DEFAULTS.light, shades: { canvas: [1, 1, 1], cell: [0.9, 0.9, 0.9], faded: [0.5, 0.5, 0.5] } };
const measuring = { font: "", textBaseline: "", measureText: (text) => ({ width: 6 * text.length, actualBoundingBoxAscent: 8 }) };

/** Where values are put, by name. */
class Store {
  values = {};
  palette = null;
  reserved = null;
  heads = [];
  dropped = 0;
  setPalette(bytes) {
    this.palette = bytes;
  }
  setValues(name, values, rows) {
    this.values[name] = { values: [...values], rows };
  }
  reserveHeads(name, cells, count) {
    this.reserved = { name, cells, count };
  }
  setHeadValues(name, cell, values) {
    this.heads.push([cell, ...values]);
  }
  drop() {
    this.dropped++;
  }
}

const scene = (work) => () => serving(async ({ payload }) => {
  const made = sceneData(load);
  const view = new View();
  view.resize(900, 600, 2);
  view.setCells({ layers: 2, heads: 3 });
  const store = new Store();
  const { data, rest } = made;
  const textures = new Textures(store, data);
  const places = new PointPlaces(view, data.points, data.highlights, data.brush);
  const motion = new PointMotion({ view, points: data.points, textures, animated: true });
  data.setPayload(payload);
  data.points.setProjection(UMAP);
  await rest();
  motion.adopt();
  textures.putKinds();
  const show = async (cell) => {
    view.openCell(cell, 0, 0, false);
    data.openHead(cell);
    await rest();
  };
  const frame = (more = {}) =>
    makeFrame({ view, data, textures, mix: 1, allHeads: true, pointSize: null, ...more }, { ...LOOK, ratio: view.ratio });
  await work({ ...made, view, store, textures, places, motion, show, frame });
});

test("frame: all heads, in device pixels, none open", scene(async ({ view, frame }) => {
  const { runs, chunks, open, cell, size, muted, blocksOf } = frame();
  assert.deepEqual(runs, [{ first: 0, count: 6, alpha: 1 }]);
  assert.deepEqual([chunks, open, muted], [2, -1, 0]);
  assert.equal(cell, 2 * view.camera.value.scale);
  assert.ok(size > 0);
  assert.equal(blocksOf(1)[0].count, 3);
}));

test("frame: an open head alone; on the way there the others fade", scene(async ({ view, show, frame }) => {
  await show(4);
  assert.deepEqual(frame().runs, [{ first: 4, count: 1, alpha: 1 }]);
  assert.equal(frame().open, 4);
  view.openness.set(0.25);
  const { runs, fill } = frame();
  assert.equal(fill, 0.25);
  assert.ok(runs.length > 1 && runs[0].alpha === 0.75 && runs.at(-1).alpha === 1);
}));

test("frame: what is lit is gathered once, and the rest fades", scene(async ({ data, rest, store, textures, frame }) => {
  const plain = frame();
  data.highlights.setSearch({ query: "river" });
  await rest();
  const { highlight, muted, alpha, highlightSize, size } = frame();
  assert.equal(muted, 0.8);
  assert.ok(alpha < plain.alpha && highlightSize > size);
  assert.equal(highlight.blocks[0].count, 2);
  assert.deepEqual([...highlight.blocks[0].values.subarray(0, 4)], [5, 505, 1, 501]);
  assert.deepEqual(store.values.hits.values, [slotOf(5), slotOf(1)]);
  assert.equal(frame().highlight, highlight);
  textures.forgetHighlight();
  assert.notEqual(frame().highlight, highlight);
  assert.ok(store.dropped >= 1);
  textures.forgetHighlight();
  assert.equal(frame({ allHeads: false }).highlight, null, "without WebGL the server's picture shows the matrix");
}));

test("frame: what a brush leaves out is flagged, and a ghost stands in the open head's cell", scene(async ({ data, rest, store, textures, show, frame }) => {
  data.brush.set([{ name: "kind", scope: "token", values: [0, 3] }]);
  await rest();
  textures.putBrush(-1);
  const stands = (point) => (point === 0 || point === 3 ? 1 : 0);
  assert.deepEqual(store.values.brush.values, [...ORDER].map(stands));
  assert.equal(frame().brushed, true);
  assert.equal(data.brush.keeps(slotOf(3), 0), true);
  assert.equal(data.brush.keeps(slotOf(1), 0), false);
  await show(1);
  const { ghost } = frame({ ghostCell: 0 });
  assert.deepEqual([ghost.block.firstCell, ghost.block.count, ghost.slots.length], [1, 8, 8]);
  assert.deepEqual([...ghost.block.values.subarray(0, 2)], [...data.points.set.gather(Uint32Array.of(0), 0, 1, 0).values]);
  assert.equal(frame({ ghostCell: 1 }).ghost, null, "a head is no ghost of itself");
  assert.equal(frame().ghost, null);
  data.brush.set(null);
  await rest();
  assert.equal(data.brush.active, false);
}));

test("a crowd is new once, and there is none in the matrix, also after a head", scene(async ({ data, view, show }) => {
  const crowd = new Crowd({ view, data });
  assert.equal(crowd.isNew(), false);
  await show(1);
  assert.deepEqual([crowd.isNew(), crowd.isNew()], [true, false]);
  await show(-1);
  assert.deepEqual([crowd.isNew(), crowd.isNew()], [false, false]);
  await show(1);
  assert.equal(crowd.isNew(), false, "it is the one that is known");
  // Deep in the gap beside the head there is nothing to see, and no new crowd again and again.
  const home = view.camera.value;
  view.camera.set({ x: home.x + 0.499, y: home.y, scale: 60 * home.scale });
  assert.deepEqual([crowd.isNew(), crowd.isNew()], [true, false]);
}));

test("a wished size is that of a point in an open head", scene(async ({ show, frame }) => {
  await show(0);
  assert.ok(Math.abs(frame({ pointSize: 7 }).size - 14) < 1e-9);
}));

test("textures: one colour for all heads, then a head's own as they arrive", scene(async ({ data, rest, store, textures }) => {
  textures.putColour(-1);
  assert.deepEqual([...store.palette.subarray(0, 3)], [123, 135, 148]);
  data.colours.setColour({ name: "kind", scope: "token", palette: ["#ff0000"] });
  await rest();
  textures.putColour(-1);
  assert.deepEqual([...store.palette.subarray(0, 3)], [255, 0, 0]);
  assert.deepEqual(store.values.index.values, [...ORDER]);
  data.colours.setColour({ name: "norm", scope: "head", palette: ["#00ff00"] });
  await rest();
  textures.putColour(2);
  textures.putColour(2);
  assert.deepEqual(store.reserved, { name: "index", cells: 6, count: 8 });
  assert.equal(store.heads.length, 6, "each head is written once");
  assert.equal(textures.headRows, 1);
  assert.deepEqual(store.values.kind.values, [1, 0, 0, 1, 0, 1, 0, 1]);
}));

test("points move to another map of the same kind, and are replaced by one of another", scene(async ({ data, rest, motion, show }) => {
  await show(1);
  data.points.setProjection({ ...UMAP, key: "other" });
  await rest();
  assert.equal(motion.adopt(), true);
  assert.ok(motion.active && data.points.previous);
  assert.equal(motion.step(performance.now() + 5000), true);
  assert.equal(data.points.previous, null);
  data.points.setProjection({ name: "umap3d", key: "k", method: "umap", dims: 3 });
  await rest();
  motion.adopt();
  assert.equal(motion.active, false);
  assert.equal(data.points.dims, 3);
}));

test("places: of points on the screen, the nearest, and what is lit first", scene(async ({ data, rest, places, show }) => {
  await show(0);
  const at = places.at(slotOf(2));
  const other = places.at(slotOf(3));
  assert.ok(at.x < other.x && at.y > other.y, "x rightwards, y upwards");
  assert.equal(places.nearest(at.x, at.y, 5), slotOf(2));
  data.highlights.setSearch({ query: "city" });
  await rest();
  assert.equal(places.nearest(at.x, at.y, 9), slotOf(3));
  assert.equal(places.nearest(1, 1, 9), -1);
}));

function overlayOf({ view, data, places }, props = {}, more = {}) {
  return makeOverlayState({
    view, data, places, props, cursor: { hoverCell: -1, hoverSlot: -1, focusCell: 2 }, colours: LOOK.colours,
    badges: byCell(view.grid, props.badges, (badge) => badge), rings: () => [], moving: false, focused: true, ...more,
  });
}

function painted(state, width = 900, height = 600) {
  const c = new SvgContext(measuring);
  const painter = new OverlayPainter(c, "Inter");
  painter.resize(width, height, 1);
  painter.draw(state);
  return { text: c.file(width, height, "picture"), painter };
}

test("overlay: titles, axes, badges, notes and the focus ring of the matrix", scene(async (parts) => {
  const props = { badges: { "1-2": { text: "0.71", grade: 0.5 } }, cellNotes: { "0-1": "note" } };
  const { text } = painted(overlayOf(parts, props));
  for (const said of ["L0 H0", "L1 H2", "0.71", "note", "head →", "layer ↓"]) assert.ok(text.includes(`>${said}</text>`), said);
  assert.ok(text.includes(`stroke="${LOOK.colours.ring}" stroke-width="3"`));
  const titled = painted(overlayOf(parts, { cellTitles: ["c = 1"] }));
  assert.ok(titled.text.includes(">c = 1</text>") && !titled.text.includes("head →"));
}));

test("overlay: labels of an open head once its tokens are known; lines; the chosen token", scene(async (parts) => {
  const { data, rest, show } = parts;
  await show(0);
  overlayOf(parts);
  await rest();
  data.highlights.setSelection({ input: 0, token: 1, side: "query" });
  data.attention.setLines({ threshold: 0.2, topk: 0 }, data.highlights.selection, 0);
  await rest();
  const state = overlayOf(parts, { lines: {} });
  assert.equal(state.lines.length, 3);
  assert.equal(state.lines.filter(({ chosen }) => chosen).length, 2);
  assert.deepEqual(state.labels.map(({ text }) => text)[0], "river");
  assert.ok(state.ringAt);
  const { text, painter } = painted(state);
  assert.ok(text.includes(">river</text>"));
  assert.ok(painter.labelBoxes.length >= 1);
  assert.deepEqual(overlayOf(parts, { labels: false }).labels, []);
  assert.deepEqual(overlayOf(parts, {}, { moving: true }).lines, []);
}));

test("overlay: hits inside a set", scene(async (parts) => {
  const { data, rest, show } = parts;
  await show(0);
  data.highlights.setTokenSet({ definition: "any" }, () => {});
  data.highlights.setSearch({ query: "river" });
  await rest();
  assert.equal(overlayOf(parts).hitsAt.length, 2);
}));

test("rings: the partners of a token, where they are", scene(async ({ data, view, places, show }) => {
  await show(3);
  let changed = 0;
  let wanted = slotOf(1);
  const rings = new Rings({ data, view, places, wanted: () => wanted, changed: () => changed++ });
  rings.follow();
  while (!rings.targets.length) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(rings.targets.map(({ slot, weight }) => [ORDER[slot], Math.round(10 * weight)]), [[5, 7], [4, 3]]);
  assert.equal(rings.onScreen().length, 2);
  assert.equal(changed, 2);
  wanted = -1;
  rings.follow();
  assert.deepEqual(rings.onScreen(), []);
}));

test("names and values of heads by cell", () => {
  const cells = { layers: 2, heads: 3, rows: 2, columns: 3 };
  assert.equal(nameOf(cells, {}, 4), "L1 H1");
  assert.equal(nameOf(cells, { cellTitles: ["a", "b", "c", "d", "e"] }, 4), "e");
  assert.deepEqual([...byCell(cells, { "1-0": "x", "0-2": "y" }, String)], [[3, "x"], [2, "y"]]);
  assert.equal(byCell(cells, null, String).size, 0);
});

const capturing = ({ view, data, places, textures, motion }) => new Picture({
  view, data, places, textures, motion, cursor: { hoverCell: -1, hoverSlot: -1, focusCell: -1 }, stage: null, webgl: true,
  props: () => ({ labels: false }), look: () => LOOK, rings: () => [],
}).capture({ renderer: null, canvas: null, loop: null, font: "Inter", sprite: null }, { white: true });

test("a picture for a file: discs for queries, triangles for keys, the palette's colours, white paper", scene(async (parts) => {
  globalThis.document = /** @type {any} */ ({ activeElement: null });
  const { data, rest, show, store } = parts;
  await show(2);
  data.colours.setColour({ name: "kind", scope: "token", palette: ["#ff0000", "#00ff00"] });
  await rest();
  const capture = capturing(parts);
  assert.ok(capture.vector);
  const c = new SvgContext(measuring);
  capture.draw(c);
  const text = c.file(900, 600, "head");
  assert.equal((text.match(/a[\d.]+ [\d.]+ 0 1 0/g) || []).length, 8, "four discs of two arcs");
  assert.equal((text.match(/<path d="M[\d.-]+ [\d.-]+L/g) || []).length, 4, "four triangles");
  assert.ok(text.includes('fill="#ff0000"') && text.includes('fill="#00ff00"') && text.includes('fill="#ffffff"'));
  assert.ok(store.values.kind);
  delete globalThis.document;
}));

test("white paper keeps every colour but the ground", () => {
  const open = onPaper(LOOK, true);
  assert.equal(open.colours.cell, "#ffffff");
  assert.equal(onPaper(LOOK, false).colours.cell, "#f6f7f9");
  assert.equal(open.colours.text, LOOK.colours.text);
  assert.equal(LOOK.colours.canvas, DEFAULTS.light.canvas, "the page's own are left alone");
  assert.equal(hex([1, 0.5, -1]), "#ff8000");
});
