/** The way from head to head, what is said beside the map of what to do and of what lies outside its frames. */
const test = require("node:test");
const assert = require("node:assert/strict");
const { load, plain } = require("./page.cjs");

const NONE = "no update";
const BASE = "05-callback";
const CHOOSE = "20-choose";
const PAYLOAD = { base: "/p", stream: "self", layers: 3, heads: 4, queries: 10, queryTable: "self", keyTable: "self" };

test("navigation: a step, edges, and steps pressed faster than callbacks run", () => {
  const { told, call } = load([BASE, CHOOSE, "40-navigation"]);
  const go = (ids, clicks, open, layer = "1", head = "1") => call(ids, (root) => root.atlasNavigation.navigate(...clicks, layer, head, open, PAYLOAD));
  const open = { layer: 1, head: 1 };
  const shown = go(["head-right.n_clicks"], [0, 1, 0, 0], open);
  assert.deepEqual(plain(told.pop()), ["scene", { head: { layer: 1, head: 2 } }]);
  assert.deepEqual(shown, [NONE, "2", false, false, false, false, "navigation at-head"]);
  go(["head-right.n_clicks"], [0, 3, 0, 0], open);
  assert.deepEqual(plain(told.pop())[1], { head: { layer: 1, head: 3 } });
  assert.deepEqual(go(["scene.head"], [0, 3, 0, 0], { layer: 0, head: 3 }).slice(2, 6), [false, true, true, false]);
  assert.deepEqual(go(["scene.head"], [0, 3, 0, 0], null), ["none", "none", true, true, true, true, "navigation"]);
});

test("navigation: the selects lead to any head, an empty one counts as 0", () => {
  const { told, call } = load([BASE, CHOOSE, "40-navigation"]);
  call(["jump-layer.value"], (root) => root.atlasNavigation.navigate(0, 0, 0, 0, "2", "none", null, PAYLOAD));
  assert.deepEqual(plain(told.pop()), ["scene", { head: { layer: 2, head: 0 } }]);
  call(["jump-layer.value"], (root) => root.atlasNavigation.navigate(0, 0, 0, 0, "none", "none", null, PAYLOAD));
  assert.equal(told.length, 0);
});

test("navigation: the minimap follows, hints that go once they were followed, the fold on a phone", () => {
  const { call } = load([BASE, CHOOSE, "40-navigation"]);
  const nav = (work) => call([], (root) => work(root.atlasNavigation));
  assert.deepEqual(nav((n) => n.minimap(undefined, "dark")), [null, "dark", []]);
  assert.match(nav((n) => n.hint(null, null)), /Click a head/);
  assert.match(nav((n) => n.hint({ layer: 0, head: 0 }, null)), /Click a token/);
  assert.equal(nav((n) => n.hint(null, null)), "");
  assert.equal(nav((n) => n.hint({ layer: 0, head: 0 }, { input: 0 })), "");
  assert.deepEqual(nav((n) => [n.unfold(1), n.unfold(2)]), [["toolbar open", "true"], ["toolbar", "false"]]);
});

test("navigation: points outside the frames are counted, and the switch shows them and leaves them out", () => {
  const { call } = load([BASE, CHOOSE, "40-navigation"]);
  const say = (found, whole = false) => plain(call([], (root) => root.atlasNavigation.outside(found, { whole })));
  assert.deepEqual(say({ points: 1200, heads: 3, open: false }), ["1,200 points outside in 3 heads: ", "show all", "outside"]);
  assert.deepEqual(say({ points: 1, heads: 1, open: true }), ["1 point outside: ", "show all", "outside"]);
  assert.equal(say({ points: 0, heads: 0, open: true })[2], "outside d-none");
  assert.equal(say(undefined)[2], "outside d-none");
  assert.equal(say({ points: 0, heads: 0, open: true }, true)[1], "leave far ones at the edge");
  const press = (whole) => plain(call([], (root) => root.atlasNavigation.switchOutside(1, { whole })));
  assert.deepEqual([press(false), press(true)], [["whole"], []]);
});
