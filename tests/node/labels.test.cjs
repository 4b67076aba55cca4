const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const labels = load("labels");
const { wheelFactor } = load("gestures");
const { themeColours } = load("colours");

const STYLE = { height: 14, padding: 1, most: 100, offset: 4 };

test("labels never overlap, and the first come first", () => {
  let seed = 1;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const candidates = Array.from({ length: 500 }, (_, i) => ({ text: `t${i}`, x: random() * 400, y: random() * 300, width: 40 }));
  const placed = labels.placeLabels(candidates, STYLE);
  assert.equal(placed[0].text, "t0");
  assert.ok(placed.length > 20);
  for (const a of placed) {
    for (const b of placed) assert.ok(a === b || !labels.touches(a.box, b.box));
  }
});

test("more labels as one zooms", () => {
  const count = (zoom) => {
    const place = (i) => ({ x: (i % 20) * 12 * zoom, y: Math.floor(i / 20) * 8 * zoom });
    const candidates = Array.from({ length: 400 }, (_, i) => ({ text: "t", ...place(i), width: 30 }));
    return labels.placeLabels(candidates, { ...STYLE, padding: labels.paddingAt(zoom), most: 1000 }).length;
  };
  assert.ok(count(1) < count(2) && count(2) < count(4));
});

test("at most so many labels", () => {
  const candidates = Array.from({ length: 50 }, (_, i) => ({ text: "t", x: 0, y: i * 40, width: 10 }));
  assert.equal(labels.placeLabels(candidates, { ...STYLE, most: 7 }).length, 7);
});

test("label texts: blanks shown, long ones cut by letters, markup left alone", () => {
  assert.equal(labels.labelText("  "), "␣");
  assert.equal(labels.labelText("\n"), "⏎");
  assert.equal(labels.labelText("<b>"), "<b>");
  assert.equal(Array.from(labels.labelText("😀".repeat(30))).length, 18);
});

test("a wheel step is bounded, lines count as pixels, up zooms in", () => {
  assert.ok(wheelFactor({ deltaY: -100, deltaMode: 0 }) > 1);
  assert.equal(wheelFactor({ deltaY: 1e9, deltaMode: 0 }), wheelFactor({ deltaY: 160, deltaMode: 0 }));
  assert.equal(wheelFactor({ deltaY: 3, deltaMode: 1 }), wheelFactor({ deltaY: 48, deltaMode: 0 }));
});

test("colours: a custom property wins over the theme's default", () => {
  const read = (name) => (name === "--atlas-ring" ? " #123456 " : "");
  assert.equal(themeColours(read, "dark").ring, "#123456");
  assert.notEqual(themeColours(read, "dark").canvas, themeColours(read, "light").canvas);
  assert.deepEqual(themeColours(() => "", "unknown"), themeColours(() => "", "light"));
});
