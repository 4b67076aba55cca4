// Token text, geometry, interaction, words, colours and addresses: the pure parts beside the weights.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

const require = createRequire(import.meta.url);
const load = (name) => require(`../../components/sentence_view/${name}.js`);
const T = load("tokens");
const L = load("layout");
const I = load("interaction");
const S = load("describe");
const C = load("colour");
const D = load("data");

test("subword marks and invisible characters are set apart, markup stays text", () => {
  assert.deepEqual(T.parts("##ing"), [{ text: "##", dim: true }, { text: "ing", dim: false }]);
  assert.deepEqual(T.parts("Ġcat"), [{ text: "Ġ", dim: true }, { text: "cat", dim: false }]);
  assert.deepEqual(T.parts("▁na"), [{ text: "▁", dim: true }, { text: "na", dim: false }]);
  assert.deepEqual(T.parts("low@@"), [{ text: "low", dim: false }, { text: "@@", dim: true }]);
  assert.equal(T.plain("##"), "##");
  assert.deepEqual(T.parts("a b\n"), [
    { text: "a", dim: false },
    { text: "␣", dim: true },
    { text: "b", dim: false },
    { text: "⏎", dim: true },
  ]);
  assert.equal(T.plain("<script>alert(1)</script>"), "<script>alert(1)</script>");
  assert.deepEqual(T.parts(""), [{ text: "∅", dim: true }]);
  assert.deepEqual(T.parts("\u202eevil")[0], { text: "⟨202E⟩", dim: true });
  assert.equal(T.plain("👩‍👩‍👧‍👦"), "👩‍👩‍👧‍👦");
  assert.equal(T.plain(null), "∅");
});

test("fit: whole when it fits, cut between characters with an ellipsis when not", () => {
  const measure = (text) => 10 * [...new Intl.Segmenter().segment(text)].length;
  assert.equal(T.fit("##ing", 50, measure).cut, false);
  const cut = T.fit("a".repeat(300), 60, measure);
  assert.equal(cut.cut, true);
  assert.equal(cut.parts.map((part) => part.text).join(""), "aaaaa…");
  assert.ok(cut.width <= 60);
  const family = T.fit("👩‍👩‍👧‍👦".repeat(9), 40, measure);
  assert.equal(family.parts[0].text, "👩‍👩‍👧‍👦".repeat(3));
  assert.equal(T.fit("x".repeat(100_000), 60, measure).cut, true);
});

test("numbers", () => {
  assert.deepEqual([0, 0.00001, 0.004, 0.0421, 0.42, 0.999, 1].map(T.number), [
    "0",
    "<0.001",
    "0.004",
    "0.042",
    "0.42",
    "1.00",
    "1.00",
  ]);
});

const lines = (more = {}) =>
  L.linesLayout({ width: 420, height: 700, queries: 40, keys: 30, queryText: 60, keyText: 60, ...more });

test("columns: hit test inverts the positions; nothing beyond the last token", () => {
  const layout = lines();
  for (const { side, count } of [{ side: "query", count: 40 }, { side: "key", count: 30 }]) {
    const x = side === "query" ? layout.xQuery - 20 : layout.xKey + 20;
    for (let i = 0; i < count; i++) assert.deepEqual(L.tokenAt(layout, x, L.rowY(layout, i)), { side, index: i });
  }
  assert.equal(L.tokenAt(layout, layout.xKey + 20, L.rowY(layout, 30)), null);
  assert.equal(L.tokenAt(layout, (layout.xQuery + layout.xKey) / 2, 50), null);
  assert.equal(L.tokenAt(layout, layout.xQuery - 5, 1), null);
});

test("columns: wide tokens never push the lines away, rows stay readable", () => {
  for (const width of [320, 390, 420, 1600]) {
    const layout = lines({ width, queryText: 2000, keyText: 2000, queries: 512, keys: 512 });
    assert.ok(layout.xKey - layout.xQuery > 60, `${width}: ${layout.xKey - layout.xQuery}`);
    assert.ok(layout.rowHeight >= 17);
  }
  assert.ok(lines({ coarse: true, queries: 512 }).rowHeight >= 24);
});

test("lines: the one under the pointer, the stronger of two on top of each other", () => {
  const layout = lines();
  const pairs = [3 * 30 + 3, 10 * 30 + 10, 10 * 30 + 20];
  const middle = (layout.xQuery + layout.xKey) / 2;
  const y = (L.rowY(layout, 10) + L.rowY(layout, 20)) / 2;
  assert.deepEqual(L.lineAt(layout, pairs, middle, y, 4), { query: 10, key: 20 });
  assert.deepEqual(L.lineAt(layout, pairs, layout.xQuery + 8, L.rowY(layout, 10), 4), { query: 10, key: 20 });
  assert.equal(L.lineAt(layout, pairs, middle, 600, 4), null);
  assert.ok(Math.abs(L.curveShare(layout, middle) - 0.5) < 1e-6);
  assert.equal(L.curveShare(layout, layout.xQuery - 1), 0);
  assert.equal(L.curveShare(layout, layout.xKey + 1), 1);
});

test("heatmap: cells, labels, zoom", () => {
  const given = { width: 420, height: 700, queries: 200, keys: 300, queryText: 60, keyText: 60 };
  for (const zoomed of [false, true]) {
    const layout = L.heatmapLayout({ ...given, zoomed });
    const at = (index) => (index + 0.5) * layout.cell;
    for (const [query, key] of [[0, 0], [7, 199], [199, 299]]) {
      const scroll = zoomed ? [at(key) - 50, at(query) - 50] : [0, 0];
      const hit = L.heatmapAt(layout, layout.x + at(key) - scroll[0], layout.y + at(query) - scroll[1], ...scroll);
      assert.deepEqual(hit, { side: "pair", query, key });
    }
    assert.deepEqual(L.heatmapAt(layout, 5, layout.y + at(4), 0, 0), { side: "query", query: 4, key: null });
    assert.deepEqual(L.heatmapAt(layout, layout.x + at(4), 5, 0, 0), { side: "key", query: null, key: 4 });
    assert.equal(L.heatmapAt(layout, 2, 2, 0, 0), null);
  }
  assert.ok(L.heatmapLayout(given).contentWidth === 420);
  assert.equal(L.heatmapLayout({ ...given, queries: 4, keys: 4, zoomed: true }).zoomed, false);
});

test("focus: hover shows a token, over a pin it names a pair", () => {
  const pin = { side: "query", index: 3 };
  const hover = (side, query, key) => ({ side, query, key });
  assert.deepEqual(I.focusOf(null, null), { focus: null, pair: null });
  assert.deepEqual(I.focusOf(null, pin), { focus: pin, pair: null });
  assert.deepEqual(I.focusOf(hover("key", null, 0), null), { focus: { side: "key", index: 0 }, pair: null });
  assert.deepEqual(I.focusOf(hover("key", null, 0), pin), { focus: pin, pair: { query: 3, key: 0 } });
  assert.deepEqual(I.focusOf(hover("query", 0, null), pin).focus, { side: "query", index: 0 });
  assert.deepEqual(I.focusOf(hover("pair", 3, 9), pin), { focus: pin, pair: { query: 3, key: 9 } });
  assert.deepEqual(I.focusOf(hover("pair", 4, 9), pin), { focus: null, pair: { query: 4, key: 9 } });
});

test("arrow keys", () => {
  const where = { mode: "lines", queries: 5, keys: 3, start: { side: "query", index: 0 } };
  const query = (index) => ({ side: "query", query: index, key: null });
  const key = (index) => ({ side: "key", query: null, key: index });
  assert.deepEqual(I.move("ArrowDown", null, where), query(0));
  assert.deepEqual(I.move("ArrowDown", query(0), where), query(1));
  assert.deepEqual(I.move("ArrowUp", query(0), where), query(0));
  assert.deepEqual(I.move("ArrowRight", query(4), where), key(2));
  assert.deepEqual(I.move("ArrowLeft", key(2), where), query(2));
  assert.deepEqual(I.move("End", query(0), where), query(4));
  assert.deepEqual(I.move("PageUp", key(2), where), key(0));
  assert.equal(I.move("x", query(0), where), null);
  const cell = { side: "pair", query: 1, key: 1 };
  assert.deepEqual(I.move("ArrowRight", cell, { ...where, mode: "heatmap" }), { side: "pair", query: 1, key: 2 });
  assert.deepEqual(I.move("ArrowDown", { ...cell, query: 4 }, { ...where, mode: "heatmap" }), { ...cell, query: 4 });
});

test("hiding toggles one token and forgets none", () => {
  const one = I.toggleHidden(null, "key", 4);
  assert.deepEqual(one, { queries: [], keys: [4] });
  const two = I.toggleHidden(one, "query", 0);
  assert.deepEqual(two, { queries: [0], keys: [4] });
  assert.deepEqual(I.toggleHidden(two, "key", 1), { queries: [0], keys: [1, 4] });
  assert.deepEqual(I.toggleHidden(two, "key", 4), { queries: [0], keys: [] });
  assert.deepEqual(one, { queries: [], keys: [4] });
});

test("throttle: ten a second, the last value arrives, equal ones are not repeated", () => {
  let time = 0;
  let pending = null;
  const said = [];
  const throttled = I.throttle((value) => said.push([time, value]), 100, () => time, (call, wait) => {
    pending = { call, at: time + wait };
    return 1;
  });
  for (time = 0; time <= 250; time += 10) {
    if (pending && pending.at <= time) {
      const { call } = pending;
      pending = null;
      call();
    }
    throttled({ query: Math.floor(time / 20) });
  }
  assert.deepEqual(said.map(([at]) => at), [0, 100, 200]);
  pending.call();
  assert.deepEqual(said.at(-1)[1], { query: 12 });
  time = 1000;
  throttled({ query: 12 });
  assert.equal(said.length, 4);
});

test("words", () => {
  const picture = { drawn: 5000, candidates: 200000, total: 262144, cut: 0.012, topk: 0, threshold: 0 };
  assert.match(S.coverage(picture), /^Showing the 5,000 strongest of 262,144 pairs, down to 0\.012\./);
  assert.equal(S.coverage({ ...picture, drawn: 64, candidates: 64, total: 64 }), "");
  assert.equal(
    S.coverage({ drawn: 80, candidates: 80, total: 1600, cut: 0.1, topk: 2, threshold: 0 }),
    "Showing 80 of 1,600 pairs: top 2 of each query.",
  );
  const line = Float32Array.from([0.42, 0, 0.21]);
  assert.equal(
    S.token("query", "cat", line, ["the", "x", "sat"], ""),
    "Query “cat” attends most to “the” 0.42, “sat” 0.21.",
  );
  assert.equal(S.token("key", "cat", new Float32Array(3), ["a", "b", "c"], ""), "Key “cat” is read by nothing shown.");
});

test("colours: ends kept, scale begins at the canvas and lightness is monotonous", () => {
  const [blue, red] = [C.parse("#0b6bb8"), C.parse("rgb(198, 74, 18)")];
  C.between(blue, red, 0).forEach((value, i) => assert.ok(Math.abs(value - blue[i]) < 0.5));
  C.between(blue, red, 1).forEach((value, i) => assert.ok(Math.abs(value - red[i]) < 0.5));
  assert.deepEqual(C.parse("color(srgb 1 0 0.5)"), [255, 0, 127.5]);
  assert.equal(C.parse("nonsense"), null);
  for (const [canvas, dark] of [["#ffffff", false], ["#12171e", true]]) {
    const table = C.scale(C.parse(canvas), dark);
    const grey = (i) => 0.2126 * table[4 * i] + 0.7152 * table[4 * i + 1] + 0.0722 * table[4 * i + 2];
    assert.deepEqual(Array.from(table.slice(0, 3)), C.parse(canvas));
    for (let i = 8; i < 256; i += 8) assert.ok(dark ? grey(i) > grey(i - 8) : grey(i) < grey(i - 8), `${canvas} ${i}`);
  }
});

test("addresses: token 0, layer 0, head 0 and input 0 are real; nonsense is no address", () => {
  const props = { payload: { base: "/p/payload/a/k/", stream: "self" }, layer: 0, head: 0, selection: { input: 0 } };
  assert.deepEqual(D.addresses(props), {
    input: "/p/payload/a/k/input/self/0",
    attention: "/p/payload/a/k/attention/self/0/0/0",
    values: null,
  });
  assert.equal(D.addresses({ ...props, byValueNorm: true }).values, "/p/payload/a/k/values/self/0/0/0");
  for (const bad of [{ selection: null }, { selection: { input: -1 } }, { selection: { input: "0" } }, { layer: 1.5 }, { payload: null }, { head: undefined }]) {
    assert.equal(D.addresses({ ...props, ...bad }), null);
  }
  assert.match(D.addresses({ ...props, payload: { base: "", stream: "a/../b" } }).input, /^\/input\/a%2F\.\.%2Fb\/0$/);
});
