const test = require("node:test");
const assert = require("node:assert/strict");
const { SvgContext, escapeXml } = require("./load.cjs")("vector");

const measuring = { measureText: (text) => ({ width: text.length * 6, actualBoundingBoxAscent: 8 }) };

test("texts that look like markup, and characters XML has no room for, stay text", () => {
  assert.equal(escapeXml('<script>&"'), "&lt;script&gt;&amp;&quot;");
  assert.equal(escapeXml("a\u0000b\ud800c😀"), "a\ufffdb\ufffdc😀");
});

test("a halo and its text are one element", () => {
  const c = new SvgContext(measuring);
  c.strokeText("<b>", 10, 20);
  c.fillText("<b>", 10, 20);
  assert.equal(c.out.length, 1);
  assert.match(c.out[0], /paint-order="stroke".*>&lt;b&gt;<\/text>$/);
});

test("state comes back as it was saved", () => {
  const c = new SvgContext(measuring);
  c.globalAlpha = 0.5;
  c.save();
  c.globalAlpha = 1;
  c.fillStyle = "#123456";
  c.restore();
  assert.equal(c.globalAlpha, 0.5);
  assert.equal(c.fillStyle, "#000000");
});
