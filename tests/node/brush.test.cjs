/** The brush's text: what a click or a drag makes of it, what the scene is told, in words. */
const test = require("node:test");
const assert = require("node:assert/strict");
const { load } = require("./page.cjs");

const page = () => load(["05-callback", "06-stores", "31-brush"], { globals: { requestAnimationFrame: () => 0 } }).window;

test("the first value stands out alone, others join, all or none end it", () => {
  const { toggled } = page().atlasBrush;
  const one = toggled("", "kind", 2);
  assert.equal(one, "kind-2");
  assert.equal(toggled(one, "kind", 0), "kind-0.2");
  assert.equal(toggled("kind-0.2", "kind", 1), "");
  assert.equal(toggled(one, "kind", 2), "");
  assert.equal(toggled("position-3.9", "type", 1), "position-3.9*type-1");
});

test("a stretch is rounded into the scale, and all of it is none", () => {
  const { stretched } = page().atlasBrush;
  assert.equal(stretched("", "position", 12.6, 64.2), "position-13.64");
  assert.equal(stretched("position-13.64*kind-1", "position", 0, 127), "kind-1");
});

test("the scene is told values, stretches and sides; an attribute that nobody knows is left out", () => {
  const { forScene } = page().atlasBrush;
  assert.deepEqual(JSON.parse(JSON.stringify(forScene("kind-0.2*position-13.64*type-1*zzz-1"))), [
    { name: "kind", scope: "token", values: [0, 2], sides: false },
    { name: "position", scope: "token", range: [13, 64] },
    { name: "type", scope: "token", values: [1], sides: true },
  ]);
});

test("what stands out is said in words", () => {
  const { words } = page().atlasBrush;
  assert.equal(words("kind-0.2*position-0.64*type-1"), "word, special · Position 0 %–50 % · keys");
  assert.equal(words("pos-0.1.2.3"), "Part of speech: 4 values");
});
