const test = require("node:test");
const assert = require("node:assert/strict");
const { load, plain } = require("./page.cjs");

const { badgesOf, orderOf } = load(["50-badges"]).window.dash_clientside.atlasBadges;
const SHARE = { factor: 100, digits: 0, unit: " %" };
const measure = (changes) => ({ name: "m", label: "Measure", scope: "head", best: 1, zero: 0, form: SHARE, ...changes });
const found = (values, reasons = {}) => ({ measures: { m: values }, reasons });

test("a badge says the value and why there is none", () => {
  const badges = plain(badgesOf(found([0.255, null], { "0-1": { m: "too few keys" } }), measure(), 2, { "0-0": ["a", "b"] }));
  assert.deepEqual(badges["0-0"], { text: "26 %", grade: 0.255, title: "Measure: 26 % · 2 warnings in the Head tab" });
  assert.deepEqual(badges["0-1"], { text: "n/a", grade: null, title: "Measure: not defined. too few keys" });
});

test("cells are named by layer and head, and a value is written as the measure says", () => {
  const form = { factor: 1, digits: 1, unit: " tokens" };
  const badges = badgesOf(found([1, 2, -3.14, 4]), measure({ form }), 2);
  assert.deepEqual(Object.keys(badges), ["0-0", "0-1", "1-0", "1-1"]);
  assert.equal(badges["1-0"].text, "−3.1 tokens");
});

test("a bar is full at the best value, wherever that is", () => {
  const grades = (values, changes) => Object.values(badgesOf(found(values), measure(changes), 9)).map((one) => one.grade);
  assert.deepEqual(grades([-1, -0.5, 0, 0.5], { best: -1 }), [1, 0.5, 0, 0]);
  assert.deepEqual(grades([0.5, 0.75, 1], { zero: 0.5 }), [0, 0.5, 1]);
  assert.deepEqual(grades([10, 15, 20, null], { best: null }), [0, 0.5, 1, null]);
  assert.deepEqual(grades([3, 3], { best: null }), [0, 0]);
});

test("the best head comes first, the highest where none is better, those without a value last", () => {
  const order = (values, changes) => plain(orderOf(found(values), measure(changes)));
  assert.deepEqual(order([0.2, null, 0.9, 0.2]), [2, 0, 3, 1]);
  assert.deepEqual(order([-0.2, null, -0.9, 0.1], { best: -1 }), [2, 0, 3, 1]);
  assert.deepEqual(order([5, null, 7], { best: null }), [2, 0, 1]);
});

test("what has not been measured gives nothing", () => {
  assert.equal(badgesOf(undefined, measure(), 2), null);
  assert.equal(badgesOf(found([1]), undefined, 2), null);
  assert.equal(orderOf({ measures: {}, reasons: {} }, measure()), null);
});
