/** Where one looks: the camera, the open head, and the way back from the screen. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { View } = load("view");

const near = (a, b, within = 1e-6) => assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);

function matrix(layers = 3, heads = 4, width = 900, height = 600) {
  const view = new View();
  view.resize(width, height, 1);
  view.setCells({ layers, heads });
  return view;
}

test("the matrix rests whole in view; there is no head yet", () => {
  const view = matrix();
  assert.equal(view.isOpen, false);
  assert.equal(view.openHead, null);
  assert.equal(view.viewpoint(2), null);
  assert.deepEqual(view.runs(Infinity), [{ first: 0, count: 12 }]);
  const { x, y } = view.origin();
  assert.ok(x >= 46 && y >= 40);
  assert.equal(view.cellAt(x + 1, y + 1), 0);
  assert.equal(view.cellAt(3, 3), -1);
});

test("nothing to look at: every question has an answer", () => {
  const view = new View();
  assert.equal(view.cellAt(10, 10), -1);
  assert.equal(view.cellOf({ layer: 0, head: 0 }), -1);
  assert.equal(view.isFitted(), true);
});

test("heads by name, and names that are none", () => {
  const view = matrix();
  assert.equal(view.cellOf({ layer: 2, head: 1 }), 9);
  assert.equal(view.cellOf({ layer: 3, head: 0 }), -1);
  assert.equal(view.cellOf({ layer: 0, head: 4 }), -1);
  assert.equal(view.cellOf(null), -1);
});

test("opening a head flies there, and stepping arrives", () => {
  const view = matrix();
  view.openCell(6, 600, 0, false);
  assert.ok(view.moving && view.passing);
  assert.ok(view.step(300));
  assert.ok(view.openness.value > 0 && view.openness.value <= 1);
  view.step(1000);
  assert.equal(view.moving, false);
  assert.deepEqual(view.openHead, { layer: 1, head: 2 });
  near(view.camera.value.scale, view.fittedScale);
  view.openCell(-1, 0, 1001, false);
  assert.equal(view.shown, 6);
  near(view.camera.value.scale, view.matrixCamera().scale);
});

test("zoom goes towards a place, between bounds, and tells when a head should open", () => {
  const view = matrix();
  const { enter, leave } = view.thresholds();
  assert.ok(leave < enter);
  let scale = view.camera.value.scale;
  for (let i = 0; i < 40 && scale < enter; i++) scale = view.zoom(1.2, 450, 300);
  assert.ok(scale >= enter);
  for (let i = 0; i < 100; i++) scale = view.zoom(0.5, 450, 300);
  near(scale, view.scales().least);
  for (let i = 0; i < 100; i++) scale = view.zoom(2, 450, 300);
  near(scale, view.scales().most);
});

test("a pan never loses the matrix", () => {
  const view = matrix();
  view.pan(1e6, -1e6);
  const { x, y } = view.camera.value;
  assert.deepEqual([x, y], [0, 3]);
});

test("a viewpoint survives its way through a link, and another size of the window", () => {
  const view = matrix();
  view.openCell(5, 0, 0, false);
  view.zoom(2, 500, 320);
  view.orbit(100, 30);
  const { head, at } = view.viewpoint(3);
  assert.deepEqual(head, { layer: 1, head: 1 });
  const other = matrix();
  other.openCell(5, 0, 0, false);
  other.look(at);
  near(other.camera.value.x, view.camera.value.x, 1e-4);
  near(other.turn.yaw, view.turn.yaw, 1e-3);
  const stand = view.stand();
  view.resize(500, 400, 2);
  near(view.stand().zoom, stand.zoom);
  assert.equal(view.resize(500, 400, 2), false);
  view.look(null);
  assert.equal(view.viewpoint(3), null);
});

test("sorted cells take an open head's view along", () => {
  const view = matrix(1, 4);
  view.openCell(3, 0, 0, false);
  view.zoom(2, 450, 300);
  const stand = view.stand();
  view.sort([3, 2, 1, 0]);
  near(view.stand().x, stand.x);
  assert.deepEqual(view.area(), { x: 0, y: 0, width: 1, height: 1 });
  assert.deepEqual(view.openHead, { layer: 0, head: 3 });
});

test("a cell out of sight is brought into the middle, one in sight stays where it is", () => {
  const view = matrix(30, 30);
  assert.equal(view.show(0, 0), false);
  view.zoom(6, 450, 300);
  assert.equal(view.show(0, 0), true);
  view.step(1000);
  near(view.camera.value.x, 0.5);
});

test("a matrix with too small cells shows its first rows and is scrolled no further than to its edges", () => {
  const view = matrix(80, 64);
  assert.ok(view.scrolls);
  assert.ok(view.matrixCamera().scale >= 44);
  assert.ok(view.isFitted());
  const top = view.camera.value.y;
  view.scroll(0, -500);
  near(view.camera.value.y, top);
  view.scroll(500, 100);
  near(view.camera.value.y, top + 100 / view.camera.value.scale);
  near(view.camera.value.x, view.home().x);
  view.scroll(0, Infinity);
  const bottom = view.origin().y + view.grid.rows * view.camera.value.scale;
  near(bottom, 600 - 14);
  assert.equal(view.isFitted(), false);
  view.openCell(79 * 64, 0, 0, false);
  view.openCell(-1, 0, 1, false);
  assert.ok(view.runs(Infinity).some(({ first, count }) => first <= 79 * 64 && 79 * 64 < first + count), "one comes back to where the head is");
  assert.equal(matrix(6, 12).scrolls, false);
});

test("a folded matrix keeps the head that one looks at, through links and other sizes of the window", () => {
  const view = matrix(30, 9, 1400, 680);
  view.zoom(1.2, 800, 300);
  const middle = (v) => v.nearestCell(v.size.width / 2, v.size.height / 2);
  const [before, { at }] = [middle(view), view.viewpoint(2)];
  const narrow = matrix(30, 9, 390, 640);
  assert.notDeepEqual(narrow.grid.fold, view.grid.fold);
  narrow.look(at);
  assert.equal(middle(narrow), before);
  view.resize(390, 640, 1);
  assert.equal(middle(view), before);
  view.look(null);
  assert.ok(view.isFitted());
});

test("3D: the turn is in the picture of a head, and goes back to rest", () => {
  const view = matrix();
  const before = view.headView(0, 3).matrix;
  view.orbit(200, 0);
  assert.notDeepEqual(view.headView(0, 3).matrix, before);
  view.reset(0, 0, true);
  assert.deepEqual(view.headView(0, 3).matrix, before);
});
