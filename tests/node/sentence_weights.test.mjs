// The shown matrix against an independent, straightforward computation.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

const require = createRequire(import.meta.url);
const W = require("../../components/sentence_view/weights.js");

function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function matrix(queries, keys, random, causal) {
  const raw = new Uint16Array(queries * keys);
  for (let q = 0; q < queries; q++) {
    const row = Array.from({ length: keys }, (_, k) => (causal && k > q ? 0 : Math.exp(4 * random())));
    const sum = row.reduce((a, b) => a + b, 0);
    row.forEach((value, k) => (raw[q * keys + k] = Math.round((65535 * value) / sum)));
  }
  return raw;
}

/** The definition, row by row, with no shared code. */
function straightforward(raw, queries, keys, hiddenQueries, hiddenKeys, norms) {
  const rows = [];
  for (let q = 0; q < queries; q++) {
    let row = Array.from(raw.slice(q * keys, (q + 1) * keys), (value) => value / 65535);
    if (norms) row = row.map((value, k) => value * norms[k]);
    const touched = norms || hiddenKeys.size > 0;
    row = row.map((value, k) => (hiddenKeys.has(k) ? 0 : value));
    const sum = row.reduce((a, b) => a + b, 0);
    if (touched) row = row.map((value) => (sum > 0 ? value / sum : 0));
    if (hiddenQueries.has(q)) row = row.map(() => 0);
    rows.push(row);
  }
  return rows.flat();
}

const mask = (count, chosen) => W.flags(count, [...chosen]);
const close = (a, b) => a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) < 1e-6, `${i}: ${value} ${b[i]}`));
const sums = (weights, keys) =>
  Array.from({ length: weights.length / keys }, (_, q) =>
    weights.slice(q * keys, (q + 1) * keys).reduce((a, b) => a + b, 0),
  );

test("nothing chosen: the raw weights, untouched", () => {
  const raw = Uint16Array.from([65535, 0, 32768, 32767]);
  const { weights, kept } = W.shownMatrix(raw, 2, 2, {});
  close(Array.from(weights), Array.from(W.dequantise(raw)));
  assert.deepEqual(Array.from(kept), [1, 1]);
});

test("agrees with the straightforward computation on 200 random cases", () => {
  const random = generator(7);
  for (let round = 0; round < 200; round++) {
    const queries = 1 + Math.floor(12 * random());
    const keys = 1 + Math.floor(12 * random());
    const raw = matrix(queries, keys, random, random() < 0.3 && queries === keys);
    const pick = (count, share) => new Set(Array.from({ length: count }, (_, i) => i).filter(() => random() < share));
    const hiddenQueries = pick(queries, 0.2);
    const hiddenKeys = pick(keys, random() < 0.2 ? 1 : 0.3);
    const norms = random() < 0.5 ? Array.from({ length: keys }, () => (random() < 0.1 ? 0 : 3 * random())) : null;
    const { weights } = W.shownMatrix(raw, queries, keys, {
      hiddenQueries: mask(queries, hiddenQueries),
      hiddenKeys: mask(keys, hiddenKeys),
      valueNorms: norms && Float64Array.from(norms),
    });
    close(Array.from(weights), straightforward(raw, queries, keys, hiddenQueries, hiddenKeys, norms));
    sums(weights, keys).forEach((sum, q) => {
      assert.ok(!Number.isNaN(sum));
      if (norms || hiddenKeys.size) assert.ok(sum === 0 || Math.abs(sum - 1) < 1e-5, `row ${q}: ${sum}`);
    });
  }
});

test("a row whose whole mass is hidden shows nothing", () => {
  const { weights, kept } = W.shownMatrix(Uint16Array.from([65535, 0, 0, 65535]), 2, 2, { hiddenKeys: mask(2, [0]) });
  assert.deepEqual(Array.from(weights), [0, 0, 0, 1]);
  assert.deepEqual(Array.from(kept), [0, 1]);
});

test("everything hidden, no keys, unusable norms: zeros, never NaN", () => {
  const all = W.shownMatrix(Uint16Array.from([40000, 25535]), 1, 2, { hiddenKeys: mask(2, [0, 1]) });
  assert.deepEqual(Array.from(all.weights), [0, 0]);
  assert.equal(W.shownMatrix(new Uint16Array(0), 3, 0, {}).weights.length, 0);
  const norms = Float32Array.from([NaN, Infinity]);
  assert.deepEqual(Array.from(W.shownMatrix(Uint16Array.from([1, 1]), 1, 2, { valueNorms: norms }).weights), [0, 0]);
});

test("the raw matrix is never changed, so any order of clicks ends in the same picture", () => {
  const random = generator(3);
  const raw = matrix(6, 6, random, false);
  const before = Array.from(raw);
  const options = { hiddenKeys: mask(6, [1]), hiddenQueries: mask(6, [2]), valueNorms: [1, 2, 3, 1, 2, 3] };
  const first = W.shownMatrix(raw, 6, 6, options);
  W.shownMatrix(raw, 6, 6, { hiddenKeys: mask(6, [0, 1, 2]) });
  W.shownMatrix(raw, 6, 6, {});
  assert.deepEqual(Array.from(raw), before);
  assert.deepEqual(W.shownMatrix(raw, 6, 6, options).weights, first.weights);
});

test("hidden tokens: chosen, special and first together; what is out of range is ignored", () => {
  const special = [1, 0, 0, 1];
  assert.deepEqual(Array.from(W.hiddenMask(4, special, [2, 9, -1, 1.5, "3", null], {})), [0, 0, 1, 0]);
  assert.deepEqual(Array.from(W.hiddenMask(4, special, [2], { hideSpecial: true })), [1, 0, 1, 1]);
  assert.deepEqual(Array.from(W.hiddenMask(4, [0, 0, 0, 1], null, { hideFirst: true })), [1, 0, 0, 0]);
  assert.deepEqual(Array.from(W.hiddenMask(0, [], "all", { hideFirst: true })), []);
});

test("row and column of a token", () => {
  const weights = Float32Array.from([1, 2, 3, 4, 5, 6]);
  assert.deepEqual(Array.from(W.lineOf(weights, 2, 3, "query", 1)), [4, 5, 6]);
  assert.deepEqual(Array.from(W.lineOf(weights, 2, 3, "key", 1)), [2, 5]);
});

test("strongest: order, ties, top k, threshold; zeros never", () => {
  assert.deepEqual(W.strongest([0.1, 0.4, 0, 0.4, 0.05], 0, 0), [1, 3, 0, 4]);
  assert.deepEqual(W.strongest([0.1, 0.4, 0, 0.4, 0.05], 1, 0), [1]);
  assert.deepEqual(W.strongest([0.1, 0.4, 0, 0.4, 0.05], 0, 0.1), [1, 3, 0]);
});

test("k-th largest against sorting", () => {
  const random = generator(11);
  for (let round = 0; round < 50; round++) {
    const values = Float32Array.from({ length: 1 + Math.floor(200 * random()) }, () => Math.floor(20 * random()));
    const sorted = Array.from(values).sort((a, b) => b - a);
    const rank = 1 + Math.floor(values.length * random());
    assert.equal(W.kthLargest(values.slice(), rank), sorted[rank - 1]);
  }
});

test("pairs of the picture: against sorting everything, weakest first, at most the limit even among ties", () => {
  const random = generator(5);
  for (let round = 0; round < 60; round++) {
    const [queries, keys] = [1 + Math.floor(15 * random()), 1 + Math.floor(15 * random())];
    const weights = Float32Array.from({ length: queries * keys }, () => Math.floor(8 * random()) / 8);
    const topk = Math.floor(4 * random());
    const threshold = random() < 0.5 ? 0 : 0.4;
    const limit = 1 + Math.floor(40 * random());
    let expected = [];
    for (let q = 0; q < queries; q++) {
      const row = [];
      for (let k = 0; k < keys; k++) row.push({ at: q * keys + k, weight: weights[q * keys + k] });
      row.sort((a, b) => b.weight - a.weight || a.at - b.at);
      expected.push(...row.slice(0, topk || keys).filter(({ weight }) => weight > 0 && weight >= threshold));
    }
    const candidates = expected.length;
    expected = expected.sort((a, b) => b.weight - a.weight || a.at - b.at).slice(0, limit);
    const found = W.strongestPairs(weights, queries, keys, { topk, threshold, limit });
    assert.equal(found.candidates, candidates);
    assert.deepEqual(Array.from(found.index).reverse(), expected.map(({ at }) => at));
    assert.equal(found.cut, expected.length ? expected[expected.length - 1].weight : 0);
  }
});

test("512 × 512: the strongest pairs, in no more than a minute", { timeout: 60_000 }, () => {
  const raw = matrix(512, 512, generator(1), false);
  const { weights } = W.shownMatrix(raw, 512, 512, { hiddenKeys: mask(512, [0]) });
  const pairs = W.strongestPairs(weights, 512, 512, { limit: 5000 });
  assert.equal(pairs.index.length, 5000);
  const least = Math.min(...Array.from(pairs.index, (i) => weights[i]));
  assert.equal(weights.filter((weight) => weight > least).length < 5000, true);
});
