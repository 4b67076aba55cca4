/** The minimap: which head lies where, and what pointer and keys do. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { cellSide, gapOf, headAt, stepped, isSame } = load("cells", "minimap");

const BERT = { layers: 12, heads: 12 };

test("cells: no side of the map grows beyond its room", () => {
  assert.equal(cellSide({ layers: 6, heads: 12 }), 10);
  assert.equal(cellSide({ layers: 48, heads: 12 }), 132 / 48);
  assert.equal(cellSide({ layers: 32, heads: 128 }), 132 / 128);
  assert.deepEqual([gapOf(10), gapOf(3), gapOf(1)], [1.5, 0.6, 0]);
});

test("the head at a place, and none beside the map", () => {
  assert.deepEqual(headAt(BERT, 0, 0), { layer: 0, head: 0 });
  assert.deepEqual(headAt(BERT, 55, 119), { layer: 11, head: 5 });
  for (const [x, y] of [[-1, 5], [5, -1], [120, 5], [5, 120]]) assert.equal(headAt(BERT, x, y), null);
});

test("keys: a step, and no step beyond the edge", () => {
  assert.deepEqual(stepped(BERT, { layer: 3, head: 4 }, "ArrowUp"), { layer: 2, head: 4 });
  assert.deepEqual(stepped(BERT, { layer: 0, head: 11 }, "ArrowRight"), { layer: 0, head: 11 });
  assert.equal(stepped(BERT, { layer: 0, head: 0 }, "Enter"), null);
});

test("the same head, or none twice", () => {
  assert.ok(isSame({ layer: 1, head: 2 }, { layer: 1, head: 2 }));
  assert.ok(!isSame({ layer: 1, head: 2 }, { layer: 2, head: 1 }));
  assert.ok(isSame(null, undefined) && !isSame(null, { layer: 0, head: 0 }));
});

/** The few parts of a page that the map draws into. */
function page(work) {
  const boxes = [];
  const c = { setTransform() {}, fillRect: (...box) => boxes.push([c.fillStyle, ...box]), fillStyle: "", globalAlpha: 1 };
  const make = () => ({
    style: {}, setAttribute() {}, getContext: () => c, getBoundingClientRect: () => ({ left: 0, top: 0 }), textContent: "",
  });
  const before = { document: globalThis.document, window: globalThis.window, getComputedStyle: globalThis.getComputedStyle };
  Object.assign(globalThis, {
    document: { createElement: make }, window: { devicePixelRatio: 1 }, getComputedStyle: () => ({ getPropertyValue: (name) => name }),
  });
  try {
    const node = Object.assign(new EventTarget(), { appendChild: (child) => child });
    const send = (type, values = {}) => {
      const event = Object.assign(new Event(type, { cancelable: true }), values);
      node.dispatchEvent(event);
      return event.defaultPrevented;
    };
    work({ node, send, boxes });
  } finally {
    Object.assign(globalThis, before);
  }
}

test("the map: names what is pointed at, and opens it", () => page(({ node, send, boxes }) => {
  const { HeadMap } = load("map", "minimap");
  const chosen = [];
  const map = new HeadMap(node, (head) => chosen.push(head));
  map.show({ layer: 2, head: 3 }, BERT);
  assert.equal(map.name.textContent, "L2 H3");
  assert.equal(boxes.length, 144 + 1);
  assert.deepEqual(boxes.at(-1)[0], "--atlas-accent");
  send("pointermove", { clientX: 55, clientY: 45 });
  assert.equal(map.name.textContent, "L4 H5");
  send("click", { clientX: 55, clientY: 45 });
  assert.deepEqual(chosen, [{ layer: 4, head: 5 }]);
  send("pointerleave");
  assert.equal(map.name.textContent, "L2 H3");
  send("click", { clientX: 35, clientY: 25 });
  assert.equal(chosen.length, 1, "it is open");
}));

test("the map: keys move a cursor, Enter opens what it is at", () => page(({ node, send }) => {
  const { HeadMap } = load("map", "minimap");
  const chosen = [];
  const map = new HeadMap(node, (head) => chosen.push(head));
  map.show({ layer: 2, head: 3 }, BERT);
  assert.ok(send("keydown", { key: "ArrowUp" }) && send("keydown", { key: "ArrowUp" }));
  assert.deepEqual(map.cursor, { layer: 0, head: 3 });
  assert.ok(send("keydown", { key: "Enter" }));
  assert.deepEqual(chosen, [{ layer: 0, head: 3 }]);
  assert.equal(send("keydown", { key: "x" }), false);
  send("blur");
  assert.equal(map.cursor, null);
}));
