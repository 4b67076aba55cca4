/** The finder of heads: its query line, its columns, its picture, and sets of heads as texts. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { parse, meets, limitsOf, limited } = load("query", "head_finder");
const { Columns } = load("columns", "head_finder");
const { place, nearest, stepped, inside, ticksOf, paintHeads } = load("plot", "head_finder");
const { SvgInk } = load("ink", "head_finder");
const { familyLook } = load("colours", "head_finder");
const { cellsOf, textOf } = load("head_sets", "client");

const SHARE = { factor: 100, digits: 0, unit: " %" };
const measure = (name, label, form = SHARE) => ({ name, label, sentence: "", group: "Attention", form, scope: "head", listed: true });

/** 2 layers of 3 heads. */
const six = () => new Columns({
  layers: 2, heads: 3,
  measures: [measure("previous", "Previous token"), measure("previous_word", "Previous token, special tokens left out"), measure("entropy", "Entropy", { factor: 1, digits: 2, unit: "" })],
  values: { previous: [0.9, 0.1, 0.6, null, 0.5, 0.2], previous_word: [0, 0, 0, 0, 0, 0], entropy: [0.1, 0.9, 0.3, 0.5, 0.5, 0.7] },
  reasons: { previous: { "no attention": [3] } },
});

const columnsOf = (columns) => [...columns.all.values()];
function matching(text, columns = six()) {
  const node = parse(text, columnsOf(columns));
  const cells = Array.from({ length: columns.count }, (_, cell) => cell);
  return cells.filter((cell) => node === null || meets(node, (name) => columns.value(name, cell)) === true);
}

test("the query line: comparisons, shares, chains, and, or, not, parentheses", () => {
  assert.deepEqual(matching(""), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(matching("previous > 0.5"), [0, 2]);
  assert.deepEqual(matching("previous >= 50 % and layer < 1"), [0, 2]);
  assert.deepEqual(matching("0.15 < previous <= 0.6"), [2, 4, 5]);
  assert.deepEqual(matching("layer = 1 or head = 0"), [0, 3, 4, 5]);
  assert.deepEqual(matching("layer = 1 or head = 0 and previous > 0.5"), [0, 3, 4, 5], "and binds tighter than or");
  assert.deepEqual(matching("(layer = 1 or head = 0) AND entropy < 0.6"), [0, 3, 4]);
  assert.deepEqual(matching("not (layer = 1)"), [0, 1, 2]);
  assert.deepEqual(matching("entropy > previous"), [1, 5]);
  assert.deepEqual(matching('"Previous token" > .5'), [0, 2], "a label in quotes");
  assert.deepEqual(matching("entr ≥ 0.7"), [1, 5], "the start of one name alone");
  assert.deepEqual(matching("entropy > -1e0"), [0, 1, 2, 3, 4, 5]);
});

test("a head without a number meets neither a condition nor its opposite", () => {
  assert.ok(!matching("previous > 0.5").includes(3) && !matching("not previous > 0.5").includes(3));
  assert.ok(matching("previous > 0.5 or entropy = 0.5").includes(3), "but what it is known by decides");
});

test("an error says what is wrong and points at the place", () => {
  const at = (text) => {
    try {
      parse(text, columnsOf(six()));
    } catch (error) {
      return [text.slice(error.at, error.end), error.message];
    }
    return null;
  };
  /** @type {[string, string, RegExp][]} */
  const cases = [
    ["previous >", "", /ends here/], ["previous", "", /comparison is missing/], ["previous > > 1", ">", /a measure or a number/],
    ["foo > 1", "foo", /“foo” is measured of no head/], ["prev > 1", "prev", /could be previous, previous_word/], ["rev > 1", "rev", /perhaps previous/],
    ["(layer < 1", "", /“\)” is missing/], ["layer < 1)", ")", /closes nothing/], ["layer < 1 layer > 0", "layer", /“and” or “or”/],
    ["layer < 1; head", ";", /means nothing/], ['"layer < 1', '"', /not closed/], ["1 < 2", "1 < 2", /name a measure/],
    ["__proto__ > 1", "__proto__", /measured of no head/], ["constructor = 1", "constructor", /measured of no head/], [`${"(".repeat(80)}layer < 1`, "(", /too deep/],
  ];
  for (const [text, part, message] of cases) {
    const found = at(text);
    assert.ok(found, text);
    assert.equal(found[0], part, text);
    assert.match(found[1], message);
  }
});

test("sliders: read limits from the line, and write them into it beside all else", () => {
  const all = columnsOf(six());
  const text = "previous >= 0.2 and 0.9 >= previous and (layer = 0 or head = 1)";
  assert.deepEqual(limitsOf(parse(text, all), "previous"), { low: 0.2, high: 0.9 });
  assert.deepEqual(limitsOf(parse(text, all), "layer"), { low: null, high: null });
  assert.equal(limited(text, parse(text, all), "previous", { low: 0.3, high: null }), "(layer = 0 or head = 1) and previous >= 0.3");
  assert.equal(limited("layer = 0 or head = 1", parse("layer = 0 or head = 1", all), "entropy", { low: null, high: 0.5 }), "(layer = 0 or head = 1) and entropy <= 0.5");
  assert.equal(limited("previous > 0.5", parse("previous > 0.5", all), "previous", { low: null, high: null }), "");
});

test("columns: the registry's groups, order with unknown numbers last, texts, CSV", () => {
  const columns = six();
  assert.deepEqual(columns.groups().map(([group]) => group), ["Place in the model", "Attention"]);
  assert.deepEqual(columns.sorted([0, 1, 2, 3, 4, 5], "-previous"), [0, 2, 4, 5, 1, 3]);
  assert.deepEqual(columns.sorted([0, 1, 2, 3, 4, 5], "previous"), [1, 5, 4, 2, 0, 3]);
  assert.deepEqual([0, 3].map((cell) => columns.text(columns.get("previous"), cell)), ["90 %", "n/a"]);
  assert.equal(columns.get("previous").reasons.get(3), "no attention");
  columns.setFamilies([0, 0, 1, -1, 0, 0]);
  assert.deepEqual(matching("family = 1", columns), [0, 1, 4, 5]);
  assert.equal(columns.csv([3, 0], ["layer", "head", "previous"]), "layer,head,previous\r\n1,0,\r\n0,0,0.9\r\n");
  assert.deepEqual(columns.main(), ["previous", "previous_word", "entropy"]);
});

test("the picture: a map keeps both axes alike, heads without a place are never met, an outline holds what is inside", () => {
  const form = { factor: 1, digits: 2, unit: "" };
  const axis = (values) => ({ label: "", form, values });
  const size = { width: 400, height: 200 };
  const map = place(size, axis([0, 1, 0, 1]), axis([0, 0, 1, 1]), true);
  assert.ok(Math.abs((map.x[1] - map.x[0]) - (map.y[0] - map.y[2])) < 1e-9);
  assert.deepEqual(map.xTicks, []);
  const plot = place(size, axis([0, 1, NaN, 1]), axis([0, 0, 1, 1]), false);
  assert.equal(nearest(plot, plot.x[1] + 3, plot.y[1] + 3, 14), 1);
  assert.equal(nearest(plot, plot.x[1] + 30, plot.y[1], 14), -1);
  assert.equal(stepped(plot, 0, "ArrowRight"), 1);
  assert.equal(stepped(plot, 1, "ArrowUp"), 3);
  assert.equal(stepped(plot, 0, "ArrowLeft"), 0);
  assert.deepEqual(inside(plot, [[0, -50], [800, -50], [800, 500], [0, 500]]), [0, 1, 3]);
  assert.deepEqual(inside(plot, [[plot.x[1] - 5, plot.y[1] - 5], [plot.x[1] + 5, plot.y[1] - 5], [plot.x[1], plot.y[1] + 9]]), [1]);
  assert.deepEqual(ticksOf(0, 1, 5).map((tick) => tick.toFixed(1)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  place(size, axis([2]), axis([NaN]), false); // one head, nothing known
});

test("families: twelve that differ in colour or shape, in both themes", () => {
  for (const theme of ["light", "dark"]) {
    const looks = Array.from({ length: 12 }, (_, i) => JSON.stringify(familyLook(i, theme)));
    assert.equal(new Set(looks).size, 12);
  }
});

test("the figure as a file holds every head and no markup of others", () => {
  const ink = new SvgInk();
  const places = { x: Float64Array.of(1, 2, NaN), y: Float64Array.of(1, 2, 3) };
  paintHeads(ink, places, () => ({ colour: "#123456", shape: "square", faint: false }), { muted: "#999999", ground: "#ffffff" });
  ink.text("<script>", 0, 0, { colour: "#000000" });
  const file = ink.file(10, 10, "#ffffff", 'a "title" & more');
  assert.equal(file.match(/<path/g).length, 2);
  assert.ok(!file.includes("<script>") && file.includes("&lt;script&gt;") && file.includes("a &quot;title&quot; &amp; more"));
});

test("a set of heads as a text and back: runs, or bits where those are shorter", () => {
  const size = { layers: 6, heads: 12 };
  assert.equal(textOf([3, 15, 16, 17], size), "0.3_1.3-1.5");
  assert.deepEqual(cellsOf("0.3_1.3-1.5", size), [3, 15, 16, 17]);
  assert.equal(textOf(Array.from({ length: 72 }, (_, i) => i), size), "", "all of them are no set");
  assert.equal(textOf([], size), "");
  const large = { layers: 100, heads: 100 };
  const odd = Array.from({ length: 5000 }, (_, i) => 2 * i);
  const text = textOf(odd, large);
  assert.ok(text.startsWith("b") && text.length < 2000);
  assert.deepEqual(cellsOf(text, large), odd);
  for (const foreign of ["", "x", "9.9-1", "99.0", "b!", "<b>"]) assert.ok(cellsOf(foreign, size).every((cell) => cell >= 0 && cell < 72));
});
