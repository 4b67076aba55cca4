const test = require("node:test");
const assert = require("node:assert/strict");
const { load, tables, plain } = require("./page.cjs");

const SCRIPTS = ["05-callback", "06-stores"];
const IMAGES = { patches: "bare", shade: "linear", cover: 40, flow: "rollout", arrows: "all" };
const CROWD = { groups: false, shaded: false, outline: true, ghost: true };
const picture = tables().pages.atlas.stores.picture;

test("controls become the store's fields, and the scene is shown what it can show", () => {
  const { window } = load(SCRIPTS);
  const given = { labels: [], whole: ["whole"], size: "4", bynorm: ["norm"], rings: ["rings"], groups: [], shaded: [], outline: ["outline"], ghost: ["ghost"], badge: "none", order: "search", ...IMAGES };
  const values = picture.controls.map(({ field }) => given[field]);
  const [data, ...shown] = plain(window.dash_clientside.atlasStores.picture(...values, picture.default));
  assert.deepEqual(data, { labels: false, whole: true, size: 4, bynorm: true, mapsizes: true, rings: true, ...CROWD, badge: "none", order: "search", ...IMAGES });
  assert.deepEqual(shown, picture.shown.map(({ field }) => data[field]));
});

test("controls that say what the store holds change nothing, and a missing control keeps its field", () => {
  const { window } = load(SCRIPTS);
  const values = picture.controls.map(() => null);
  assert.equal(window.dash_clientside.atlasStores.picture(...values, picture.default)[0], "no update");
});

test("what a store holds can be read, and a store that is not there holds nothing", () => {
  const { window } = load(SCRIPTS, { stores: { selection: { input: 3 } } });
  assert.deepEqual(plain(window.atlasStores.read("selection")), { input: 3 });
  assert.equal(window.atlasStores.read("search"), null);
});

test("the title names the head, or all of them", () => {
  const { window } = load(SCRIPTS);
  assert.equal(window.atlasStores.title({ layer: 0, head: 11 }), "Layer 0 · Head 11");
  assert.equal(window.atlasStores.title(null), "All heads");
});
