/** assets/01-renderer.js: who listens to Dash's store hears of the page at once, of bookkeeping once, of nothing never. */
const test = require("node:test");
const assert = require("node:assert/strict");
const { load } = require("./page.cjs");

/** A store as Redux makes it, put on the page as Dash does. */
function listened() {
  const { window } = load(["01-renderer"], { tables: {}, globals: { queueMicrotask } });
  let state = { layout: 0, callbacks: 0, layoutHashes: 0 };
  const listeners = new Set();
  const store = {
    getState: () => state,
    subscribe: (listener) => listeners.add(listener) && (() => listeners.delete(listener)),
  };
  const change = (part) => {
    state = part ? { ...state, [part]: state[part] + 1 } : state;
    listeners.forEach((listener) => listener());
  };
  window.dash_stores.push(store);
  const heard = [];
  const leave = store.subscribe(() => heard.push({ ...state }));
  return { change, heard, leave };
}

test("a change of the page is told at once, each of them", () => {
  const { change, heard } = listened();
  change("layout");
  change("layout");
  assert.deepEqual(heard.map(({ layout }) => layout), [1, 2]);
});

test("bookkeeping is told once, when the task is over, with what stands then", async () => {
  const { change, heard } = listened();
  for (let i = 0; i < 5; i++) change(i % 2 ? "callbacks" : "layoutHashes");
  assert.equal(heard.length, 0);
  await null;
  assert.deepEqual(heard, [{ layout: 0, callbacks: 2, layoutHashes: 3 }]);
});

test("what a change of the page has told with it is not told again", async () => {
  const { change, heard } = listened();
  change("callbacks");
  change("layout");
  await null;
  assert.equal(heard.length, 1);
});

test("a part that is not known as bookkeeping is told at once", () => {
  const { change, heard } = listened();
  change("news");
  assert.equal(heard.length, 1);
});

test("nothing changed, nothing told; who has left hears no more", async () => {
  const { change, heard, leave } = listened();
  change(null);
  change("callbacks");
  leave();
  change("layout");
  await null;
  assert.equal(heard.length, 0);
});
