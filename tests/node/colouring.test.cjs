const test = require("node:test");
const assert = require("node:assert/strict");
const { load, tables, plain } = require("./page.cjs");

const SCRIPTS = ["05-callback", "31-colouring"];
const chosen = (...given) => {
  const { window } = load(SCRIPTS);
  return plain(window.dash_clientside.colouring.choose(...given));
};
const plainPalette = tables().pages.atlas.stores.colouring.default.palette;
const [family, { label, options }] = Object.entries(tables().variants)[0];

test("an attribute without variants is the choice itself", () => {
  const [data, className, name, shown, value] = chosen("position", "norm", null, {});
  assert.deepEqual(data, { colour: "position", palette: plainPalette });
  assert.deepEqual([className, name, shown, value], ["colour-variant d-none", "", [], "no update"]);
});

test("an attribute with variants shows them and begins with itself; the chosen one is the colour", () => {
  const [data, className, name, shown, value] = chosen(family, "position", "original", {});
  assert.deepEqual(data, { colour: family, palette: "original" });
  assert.deepEqual([className, name, shown, value], ["colour-variant", label, options, family]);
  const other = options[1].value;
  const [variant, , , , kept] = chosen(family, other, "original", {});
  assert.deepEqual([variant.colour, kept], [other, "no update"]);
});

test("what is as before is not told again", () => {
  assert.equal(chosen("position", null, "safe", { colour: "position", palette: "safe" })[0], "no update");
});
