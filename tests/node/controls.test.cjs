/** What a user's gestures and keys come to. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { serving, sceneData, ORDER } = require("./small_atlas.cjs");
const { View } = load("view");
const { Heads } = load("heads");
const { Keyboard } = load("keyboard");
const { Pointer } = load("pointer");
const { Gestures } = load("gestures");
const { TokenSetEditor } = load("token_set");
const { ViewpointProp } = load("viewpoint_prop");
const { PointPlaces } = load("places");
const { inRange, colourRow, tokenTooltip, headTooltip } = load("tooltips");
const sets = load("sets");

/** An element as far as events go. */
class Stage extends EventTarget {
  constructor() {
    super();
    this.focused = 0;
  }
  matches() {
    return true;
  }
  focus() {
    this.focused++;
  }
  getBoundingClientRect() {
    return { left: 0, top: 0 };
  }
  setPointerCapture() {}
  send(type, values = {}) {
    const event = new Event(type, { cancelable: true });
    Object.assign(event, { pointerId: 1, pointerType: "mouse", button: 0, ...values });
    this.dispatchEvent(event);
    return event;
  }
}

function matrix() {
  const view = new View();
  view.resize(900, 600, 1);
  view.setCells({ layers: 2, heads: 3 });
  return view;
}

const silent = () => ({ said: [], say(text) { this.said.push(text); }, showTooltip() {}, setMessage() {} });

function opened() {
  const view = matrix();
  const overlay = silent();
  const cursor = { hoverCell: 1, hoverSlot: 4, focusCell: -1 };
  const calls = [];
  const heads = new Heads({
    view, cursor, overlay, stage: null, sprites: null, nameOf: (cell) => `cell ${cell}`,
    opened: (cell) => calls.push(["opened", cell]), chosen: () => calls.push(["chosen"]),
  });
  return { view, overlay, cursor, calls, heads };
}

test("heads: the user opens one and leaves it; the props open one without being told of it", () => {
  const { view, overlay, cursor, calls, heads } = opened();
  heads.enter(4);
  assert.deepEqual(calls, [["opened", 4], ["chosen"]]);
  assert.deepEqual(cursor, { hoverCell: -1, hoverSlot: -1, focusCell: 4 });
  assert.equal(overlay.said.at(-1), "cell 4 is open.");
  heads.enter(4);
  assert.equal(calls.length, 2, "it is open already");
  heads.follow(2, true);
  assert.deepEqual(calls.slice(2), [["opened", 2]]);
  assert.equal(view.moving, false);
  heads.leave(false);
  heads.leave(false);
  assert.deepEqual(calls.slice(3), [["opened", -1], ["chosen"]]);
  assert.equal(overlay.said.at(-1), "Matrix of 2 layers with 3 heads each.");
  view.sort([5, 4, 3, 2, 1, 0]);
  heads.describe(-1);
  assert.equal(overlay.said.at(-1), "6 heads, sorted.");
  heads.describe(3);
  assert.equal(overlay.said.at(-1), "cell 3 in focus. Enter opens it.");
});

function keyed(props = {}) {
  const stage = new Stage();
  const view = matrix();
  const cursor = { hoverCell: -1, hoverSlot: -1, focusCell: -1 };
  const done = [];
  const note = (name) => (...values) => void done.push([name, ...values].join(" "));
  const state = { props, drawing: false };
  const keyboard = new Keyboard({
    stage, view, cursor, props: () => state.props, stopDrawing: () => state.drawing,
    actions: {
      enter: note("enter"), leave: note("leave"), unselect: note("unselect"), clearSet: note("clearSet"), zoom: note("zoom"),
      reset: note("reset"), describe: note("describe"), moved: note("moved"), pointed: note("pointed"),
    },
  });
  const press = (key, more = {}) => stage.send("keydown", { key, ...more }).defaultPrevented;
  return { stage, view, cursor, done, state, press, keyboard };
}

test("keys: the focus comes to the first head, walks, and opens", () => {
  const { stage, cursor, done, press } = keyed();
  stage.send("focus");
  assert.equal(cursor.focusCell, 0);
  assert.ok(press("ArrowRight") && press("ArrowDown") && press("ArrowDown"));
  assert.equal(cursor.focusCell, 4);
  assert.ok(press("Enter"));
  assert.ok(done.includes("enter 4"));
  assert.equal(press("x"), false);
  assert.equal(press("ArrowLeft", { ctrlKey: true }), false);
});

test("keys: in an open head arrows open the neighbour; zoom and reset", () => {
  const { view, cursor, done, press } = keyed();
  view.openCell(1, 0, 0, false);
  cursor.focusCell = 1;
  press("ArrowLeft");
  assert.ok(done.includes("enter 0"));
  assert.equal(press("Enter"), false, "it is open");
  press("+");
  press("-");
  press("0");
  assert.ok(done.includes("zoom 1.35 450 300") && done.includes("reset"));
});

test("keys: Escape does one thing at a time", () => {
  const { view, done, state, press } = keyed({ tokenSet: { definition: "p.AA" }, selection: { input: 0 } });
  view.openCell(1, 0, 0, false);
  state.drawing = true;
  assert.ok(press("Escape"));
  assert.deepEqual(done, []);
  state.drawing = false;
  press("Escape");
  state.props = { selection: { input: 0 } };
  press("Escape");
  state.props = {};
  press("Escape");
  assert.deepEqual(done, ["clearSet", "unselect", "leave false"]);
  view.openCell(-1, 0, 0, false);
  assert.equal(press("Escape"), false);
});

test("keys: after the end no key does anything", () => {
  const { press, keyboard } = keyed();
  keyboard.destroy();
  assert.equal(press("ArrowRight"), false);
});

function pointed({ dims = 2, props = {}, slot = -1, webgl = true, mark = null } = {}) {
  const stage = new Stage();
  const view = matrix();
  const done = [];
  const note = (name) => (...values) => void done.push([name, ...values].join(" "));
  const hover = { pick: () => slot, probeAt: () => mark, move: note("hover"), end: () => {} };
  const lasso = { active: false, meant: () => null, cancel() {}, start() {}, move() {}, end() {} };
  const pointer = new Pointer({
    stage, canvas: stage, view, hover, lasso, webgl, dims: () => dims, props: () => props,
    actions: {
      touched: note("touched"), enter: note("enter"), leave: note("leave"), choose: note("choose"), toggle: note("toggle"),
      chooseProbe: ({ letter }) => void done.push(`probe ${letter}`),
      unselect: note("unselect"), reset: note("reset"),
    },
  });
  const click = (x, y, more = {}) => {
    stage.send("pointerdown", { clientX: x, clientY: y, ...more });
    stage.send("pointerup", { clientX: x, clientY: y, ...more });
  };
  const drag = (dx, dy, more = {}) => {
    stage.send("pointerdown", { clientX: 450, clientY: 300, ...more });
    stage.send("pointermove", { clientX: 450 + dx, clientY: 300 + dy, ...more });
    stage.send("pointerup", { clientX: 450 + dx, clientY: 300 + dy, ...more });
  };
  return { stage, view, done, click, drag, pointer };
}

test("pointer: a click opens the head there, a drag moves the matrix and opens none", () => {
  const { stage, view, done, click, drag } = pointed();
  const before = view.camera.value;
  drag(60, 20);
  assert.deepEqual(done, ["touched"]);
  assert.ok(view.camera.value.x < before.x);
  click(450, 300);
  assert.equal(stage.focused, 1);
  assert.equal(done.at(-1), `enter ${view.cellAt(450, 300)}`);
  click(2, 2);
  assert.equal(done.length, 2, "beside the matrix is no head");
});

test("pointer: the wheel scrolls a matrix that is larger than the view, and zooms with Ctrl and everywhere else", () => {
  const { stage, view, done } = pointed();
  const wheel = (more) => stage.send("wheel", { clientX: 450, clientY: 300, deltaMode: 0, deltaX: 0, deltaY: 60, ctrlKey: false, ...more });
  const scale = view.camera.value.scale;
  wheel();
  assert.ok(view.camera.value.scale < scale);
  view.setCells({ layers: 80, heads: 64 });
  const before = view.camera.value;
  wheel();
  assert.deepEqual([view.camera.value.scale, view.camera.value.y], [before.scale, before.y + 60 / before.scale]);
  wheel({ ctrlKey: true });
  assert.ok(view.camera.value.scale < before.scale);
  assert.deepEqual([...new Set(done)], ["touched"]);
});

test("pointer: in a head a click chooses, with Shift it toggles, beside all points it unselects", () => {
  const chosen = pointed({ slot: 3 });
  chosen.view.openCell(0, 0, 0, false);
  chosen.click(10, 10);
  chosen.click(10, 10, { shiftKey: true });
  assert.deepEqual(chosen.done, ["choose 3", "toggle 3"]);
  const own = pointed({ slot: 3, mark: { letter: "A" } });
  own.view.openCell(0, 0, 0, false);
  own.click(10, 10);
  assert.deepEqual(own.done, ["probe A"], "a reader's own text lies above the points");
  const none = pointed({ props: { selection: { input: 0 } } });
  none.view.openCell(0, 0, 0, false);
  none.click(10, 10);
  none.click(10, 10, { shiftKey: true });
  assert.deepEqual(none.done, ["unselect"]);
  const averaged = pointed({ slot: 3, props: { average: true } });
  averaged.view.openCell(0, 0, 0, false);
  averaged.click(10, 10);
  assert.deepEqual(averaged.done, []);
});

test("pointer: in 3D a drag turns an open head; in the matrix only with Shift", () => {
  const { view, drag } = pointed({ dims: 3 });
  const rest = { ...view.turn };
  drag(50, 0);
  assert.deepEqual(view.turn, rest);
  drag(50, 0, { shiftKey: true });
  assert.notDeepEqual(view.turn, rest);
  const turned = { ...view.turn };
  view.openCell(0, 0, 0, false);
  drag(50, 0);
  assert.notDeepEqual(view.turn, turned);
});

test("pointer: the wheel goes through the threshold into a head and out of it", () => {
  const { stage, view, done } = pointed();
  const wheel = (deltaY) => stage.send("wheel", { deltaY, deltaMode: 0, clientX: 450, clientY: 300 });
  for (let i = 0; i < 40 && !done.some((what) => what.startsWith("enter")); i++) wheel(-120);
  assert.ok(done.at(-1).startsWith("enter"));
  view.openCell(1, 0, 0, false);
  for (let i = 0; i < 60 && !done.includes("leave true"); i++) wheel(120);
  assert.ok(done.includes("leave true"));
});

test("pointer: the server's picture of the matrix stands still", () => {
  const { view, done, drag } = pointed({ webgl: false });
  const before = { ...view.camera.value };
  drag(60, 20);
  assert.deepEqual([view.camera.value, done], [before, []]);
});

test("gestures: two fingers pinch and pan, and are no tap", () => {
  const stage = new Stage();
  const done = [];
  const note = (name) => (...values) => void done.push([name, ...values.slice(0, 3).map((v) => Math.round(100 * v) / 100)].join(" "));
  const hooks = Object.fromEntries(["pan", "turn", "zoom", "tap", "hover", "leave", "reset"].map((name) => [name, note(name)]));
  new Gestures(stage, hooks, () => false);
  const touch = (type, id, x) => stage.send(type, { pointerId: id, pointerType: "touch", clientX: x, clientY: 100 });
  touch("pointerdown", 1, 100);
  touch("pointerdown", 2, 200);
  touch("pointermove", 2, 300);
  touch("pointerup", 2, 300);
  touch("pointerup", 1, 100);
  assert.deepEqual(done, ["pan 50 0", "zoom 2 200 100"]);
  stage.send("dblclick", { clientX: 5, clientY: 6 });
  assert.equal(done.at(-1), "reset 5 6");
});

test("gestures: a drawing takes the drag for itself", () => {
  const stage = new Stage();
  const drawn = [];
  const lasso = {
    active: false, meant: () => ({ shape: "box", add: false }), cancel() {},
    start(x, y) {
      this.active = true;
      drawn.push([x, y]);
    },
    move: (x, y) => drawn.push([x, y]),
    end: () => drawn.push("end"),
  };
  const nothing = { pan: () => assert.fail("it does not pan"), tap() {} };
  new Gestures(stage, nothing, () => false, lasso);
  stage.send("pointerdown", { clientX: 10, clientY: 10 });
  stage.send("pointermove", { clientX: 40, clientY: 30 });
  stage.send("pointerup", { clientX: 40, clientY: 30 });
  assert.deepEqual(drawn, [[10, 10], [40, 30], "end"]);
});

test("sets: a region drawn over a head, added to, a point put in and taken out, and too many", () => serving(async ({ payload }) => {
  const { data, rest } = sceneData(load);
  const view = matrix();
  data.setPayload(payload);
  data.points.setProjection({ name: "umap2d", key: "k", method: "umap", dims: 2 });
  await rest();
  data.points.adopt(false);
  view.openCell(4, 0, 0, false);
  data.openHead(4);
  let definition = "";
  const counts = [];
  const overlay = { ...silent(), messages: [], setMessage(text) { this.messages.push(text); } };
  const editor = new TokenSetEditor({
    view, data, overlay, places: new PointPlaces(view, data.points, data.highlights, data.brush),
    definition: () => definition, changed: (next) => (definition = next), counted: (count) => counts.push(count),
  });
  const square = [{ x: 300, y: 200 }, { x: 500, y: 200 }, { x: 500, y: 400 }];
  editor.addRegion(square, false);
  await rest();
  assert.match(definition, /^m\.1\.1\.umap2d\./);
  assert.equal(counts.at(-1).points, 2);
  assert.equal(overlay.said.at(-1), "2 points are in the set.");
  editor.addRegion(square, true);
  assert.equal(definition.split("~").length, 2);
  editor.change(sets.ofPoints([1, 5]));
  await rest();
  editor.toggle(ORDER.indexOf(2));
  assert.deepEqual(sets.idsOf(definition, "p"), [1, 2, 5]);
  editor.change("x".repeat(7000));
  assert.match(overlay.messages.at(-1), /too many parts/);
  assert.deepEqual(sets.idsOf(definition, "p"), [1, 2, 5]);
}));

test("viewpoint: told once it has rested; one of another head is no viewpoint of this one", async () => {
  const view = matrix();
  let known = null;
  const told = [];
  const prop = new ViewpointProp(view, {
    dims: () => 2, known: () => known, moving: () => view.moving,
    tell: (viewpoint) => {
      known = viewpoint;
      told.push(viewpoint);
    },
  });
  view.zoom(2, 450, 300);
  prop.tellSoon();
  prop.tellSoon();
  await new Promise((resolve) => setTimeout(resolve, 320));
  assert.equal(told.length, 1);
  assert.equal(told[0].head, null);
  prop.tellSoon();
  prop.close();
  known = { head: { layer: 0, head: 1 }, at: "1_1_3" };
  prop.take();
  assert.equal(view.isFitted(), true);
  known = { head: null, at: "0.5_0.5_3" };
  prop.take();
  assert.ok(Math.abs(view.stand().zoom - 3) < 1e-6);
});

test("tooltips: a token, its colour's value, and a head with note and badge", () => {
  assert.equal(inRange([0, 1, 10, 20], 1, 127), "20");
  assert.equal(inRange(undefined, 1, 3), undefined);
  const colour = { name: "pos", label: "Part of speech", palette: ["#111111", "#222222"], values: ["noun", "verb"] };
  assert.deepEqual(colourRow(colour, 1, 0), { swatch: "#222222", text: "Part of speech: verb" });
  assert.equal(colourRow({ ...colour, label: "" }, 1, 0), null);
  assert.equal(colourRow(colour, undefined, 0), null);
  const token = { text: " city ", position: 3, length: 9, input: 7 };
  assert.deepEqual(tokenTooltip("key", token, null).rows[0], { text: "▲ key · pos 3 of 8" });
  assert.equal(tokenTooltip("key", token, null).title, "city");
  assert.deepEqual(tokenTooltip("query", null, null), { title: "…", rows: [{ text: "query" }] });
  assert.equal(tokenTooltip("query", { ...token, text: "  " }, null).title, "␣");
  assert.deepEqual(tokenTooltip("key", token, null, false, 99).rows[2], { text: "99 other keys at this very place" });
  assert.deepEqual(headTooltip("L1 H2", "note", { title: "Fidelity: 0.4" }).rows.map(({ text }) => text), ["note", "Fidelity: 0.4"]);
  assert.deepEqual(headTooltip("L1 H2", undefined, undefined).rows, []);
});
