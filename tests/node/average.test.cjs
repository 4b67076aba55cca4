const test = require("node:test");
const assert = require("node:assert/strict");
const average = require("./load.cjs")("average");

const raw = Uint16Array.from([0.5, 0.3, 0.2, 0.02, 0.9, 0.08].map((w) => Math.round(w * 65535)));
const side = (count, special) => ({ tokens: Array(count).fill("x"), special, first: 0 });
const SIDES = { queries: side(2, [1, 0]), keys: side(3, [1, 0, 0]) };
const pairs = (lines, norms = null) =>
  average.shownPairs(raw, SIDES, norms, lines).map(({ query, key, weight }) => [query, key, Math.round(weight * 1000) / 1000])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);

test("lines: the strongest keys of each query, above the threshold", () => {
  assert.deepEqual(pairs({ threshold: 0.1, topk: 2 }), [[0, 0, 0.5], [0, 1, 0.3], [1, 1, 0.9]]);
});

test("lines follow hidden tokens: the rest of each row is scaled to 1 and never above", () => {
  const found = pairs({ threshold: 0, topk: 0, hidden: { queries: [], keys: [0] } });
  assert.deepEqual(found, [[0, 1, 0.6], [0, 2, 0.4], [1, 1, 0.918], [1, 2, 0.082]]);
  assert.deepEqual(pairs({ threshold: 0, topk: 0, hidden: { queries: [1], keys: [] } }).map(([query]) => query), [0, 0, 0]);
});

test("lines follow hide special, hide first and value norms", () => {
  assert.deepEqual(pairs({ threshold: 0, topk: 0, hideSpecial: true }), [[1, 1, 0.918], [1, 2, 0.082]]);
  assert.deepEqual(pairs({ threshold: 0, topk: 0, hideFirst: true }), [[1, 1, 0.918], [1, 2, 0.082]]);
  assert.deepEqual(pairs({ threshold: 0.45, topk: 0 }, [1, 1, 0]), [[0, 0, 0.625], [1, 1, 0.978]]);
});

test("lines of pairs of texts follow what is hidden within and across them; special tokens are neither", () => {
  const first = { ...side(2, [0, 0]), texts: [0, 1] };
  const both = { queries: first, keys: { ...side(3, [0, 0, 1]), texts: [0, 1, -1] } };
  const found = (lines) => average.shownPairs(raw, both, null, { threshold: 0, topk: 0, ...lines })
    .map(({ query, key, weight }) => [query, key, Math.round(weight * 1000) / 1000]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  assert.deepEqual(found({ hideWithin: true }), [[0, 1, 0.6], [0, 2, 0.4], [1, 0, 0.2], [1, 2, 0.8]]);
  assert.deepEqual(found({ hideAcross: true }), [[0, 0, 0.714], [0, 2, 0.286], [1, 1, 0.918], [1, 2, 0.082]]);
  assert.deepEqual(found({ hideAcross: true, hideWithin: true }), [[0, 2, 1], [1, 2, 1]]);
  assert.deepEqual(found({}), found({ hideWithin: false }));
  assert.equal(average.shownPairs(raw, SIDES, null, { threshold: 0, topk: 0, hideWithin: true }).length, 6);
});

test("heatmaps: the bytes must be as many as the heads ask for", () => {
  const found = average.readCells(Uint8Array.from([1, 2, 0, 254, 255, 127]), 2);
  assert.deepEqual([found.queries, found.keys, ...found.levels], [1, 2, 0, 254, 255, 127]);
  assert.equal(average.weightOf(254), 1);
  assert.throws(() => average.readCells(Uint8Array.from([1, 2, 0]), 2), /wrong size/);
});
