const test = require("node:test");
const assert = require("node:assert/strict");
const { load, tables, plain } = require("./page.cjs");

const SCRIPTS = ["05-callback", "05-link"];
const { pages } = tables();

/** The stores of a page as by default, with some changes. */
function state(page, changes = {}) {
  const stores = Object.entries(pages[page].stores).map(([name, store]) => [name, { ...store.default, ...changes[name] }]);
  return Object.fromEntries(stores);
}

const says = (page, changes) => {
  const { window } = load(SCRIPTS);
  return Object.fromEntries(window.atlasLink.parameters(page, state(page, changes)));
};
const HEAD = { layer: 2, head: 3 };
const PLACE = { atlas: "small", stream: "self", method: "pca", dims: 2 };

test("a state as by default says only what is always said", () => {
  assert.deepEqual(says("atlas", { view: PLACE }), { ...PLACE, dims: "2", colour: "type" });
  assert.deepEqual(says("scaling", { scaling: { atlas: "small", stream: "self" } }), { atlas: "small", stream: "self", layer: "0", head: "0" });
});

test("a parameter that needs another choice is not written without it", () => {
  const panel = { tab: "align" };
  assert.equal(says("atlas", { panel }).tab, undefined);
  assert.equal(says("atlas", { panel, view: HEAD }).tab, "align");
  const alignment = { on: true, c: 0.8300001, space: "cosine" };
  assert.equal(says("atlas", { alignment }).align, undefined);
  assert.equal(says("atlas", { alignment, view: HEAD }).align, "0.83-translated-cosine");
  assert.deepEqual(says("atlas", { search: { mode: "regex", case: true } }), { ...says("atlas") });
  assert.equal(says("atlas", { options: { keys: [1] } }).hide, undefined);
  assert.equal(says("atlas", { options: { queries: [4], keys: [1, 2] }, selection: { input: 0 } }).hide, "q4k1.2");
});

test("a token brings its side and stands for its input", () => {
  const found = says("atlas", { selection: { token: 7, side: "key", input: 3 } });
  assert.deepEqual([found.token, found.side, found.input], ["7", "key", undefined]);
  assert.equal(says("atlas", { selection: { token: null, input: 3 } }).input, "3");
});

test("words of one parameter stand together, each where it differs from the default", () => {
  const options = { mode: "heatmap", topk: 3, threshold: 0.12, values: true, lines: false };
  assert.equal(says("atlas", { options }).read, "heatmap-top3-from12-values-nolines");
});

test("a viewpoint is written while its head is the one shown", () => {
  const viewpoint = { head: HEAD, at: "0.1_0_2" };
  assert.equal(says("atlas", { viewpoint, view: HEAD }).at, "0.1_0_2");
  assert.equal(says("atlas", { viewpoint }).at, undefined);
  assert.equal(says("atlas", { viewpoint: { head: null, at: "0.1_0_2" } }).at, "0.1_0_2");
});

test("an address of another page says what it is given and nothing else", () => {
  const { window } = load(SCRIPTS);
  const address = window.atlasLink.address("atlas", { view: { atlas: "small", ...HEAD }, panel: { tab: "align" } });
  assert.equal(address, "/?atlas=small&layer=2&head=3&tab=align");
  assert.equal(window.atlasLink.address("scaling", { scaling: { layer: 1 } }), "/scaling?layer=1");
});

const held = (page, changes) => Object.values(state(page, changes));

test("another head is a step of the browser's history, everything else is written in place", () => {
  const { window, history } = load(SCRIPTS, { address: "http://atlas.test/?webgl=0" });
  const write = (changes) => window.dash_clientside.atlasLink.atlas(...held("atlas", changes));
  write({ view: PLACE });
  write({ view: PLACE });
  write({ view: PLACE, picture: { rings: false } });
  write({ view: { ...PLACE, ...HEAD }, picture: { rings: false } });
  assert.deepEqual(history.map(([how]) => how), ["replace", "replace", "push"]);
  assert.match(history[2][1], /layer=2&head=3.*rings=off.*&webgl=0$/);
});

test("the first address is written in place, even with an open head", () => {
  const { window, history } = load(SCRIPTS);
  window.dash_clientside.atlasLink.atlas(...held("atlas", { view: { ...PLACE, ...HEAD } }));
  assert.deepEqual(history.map(([how]) => how), ["replace"]);
});

test("a page that is being left writes nothing more", () => {
  const workspace = { isConnected: true };
  const { window, history, told } = load(SCRIPTS, { address: "http://atlas.test/?layer=1&head=1", elements: { workspace } });
  window.fire("popstate");
  window.dash_clientside.atlasLink.atlas(...held("atlas"));
  assert.deepEqual(history, []);
  assert.deepEqual(plain(told), [["_pages_location", { search: "?layer=1&head=1" }]]);
  workspace.isConnected = false;
  window.dash_clientside.atlasLink.atlas(...held("atlas"));
  assert.equal(history.length, 1);
});

test("another atlas keeps what is not about an atlas", () => {
  const { window } = load(SCRIPTS);
  let opened = null;
  window.location = { pathname: "/", assign: (address) => { opened = address; } };
  const changes = { view: { ...PLACE, ...HEAD }, colouring: { colour: "pos", palette: "original" }, search: { query: "a" } };
  const opens = (atlas, stream) => window.dash_clientside.atlasLink.atlasOpens(atlas, stream, ...held("atlas", changes));
  opens("small", "self");
  assert.equal(opened, null);
  opens("large", "self");
  assert.equal(opened, "/?atlas=large&method=pca&dims=2&colour=pos&palette=original");
  opens("small", "cross");
  assert.equal(opened, "/?atlas=small&stream=cross&method=pca&dims=2&colour=pos&palette=original");
});
