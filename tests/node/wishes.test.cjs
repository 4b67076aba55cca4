/** What a view wants by what it is for: answers that come late or to something else. */
const test = require("node:test");
const assert = require("node:assert/strict");
const { Wishes } = require("./load.cjs")("wishes", "client");

/** Wishes answered by hand, what was taken or failed, and how often the view was told. */
function byHand() {
  const asked = {};
  const seen = { taken: [], failed: [], changes: 0 };
  const json = (url) => new Promise((resolve, reject) => (asked[url] = { resolve, reject }));
  const wishes = new Wishes(() => seen.changes++, { json });
  const want = (what, url) => wishes.want(what, url, (value) => seen.taken.push(value), (error) => seen.failed.push(error));
  return { asked, seen, wishes, want };
}

test("only the answer to the newest wish of a kind counts", async () => {
  const { asked, seen, want } = byHand();
  const old = want("map", "/a");
  const other = want("colour", "/c");
  const now = want("map", "/b");
  asked["/b"].resolve("b");
  asked["/a"].resolve("a");
  asked["/c"].resolve("c");
  await Promise.all([old, now, other]);
  assert.deepEqual([[...seen.taken].sort(), seen.changes], [["b", "c"], 2]);
});

test("what is wanted already is not asked for again, and nothing can be wanted", async () => {
  const { asked, seen, want } = byHand();
  const first = want("map", "/a");
  await want("map", "/a");
  assert.deepEqual(Object.keys(asked), ["/a"]);
  await want("map", "");
  asked["/a"].resolve("a");
  await first;
  assert.deepEqual(seen, { taken: [], failed: [], changes: 0 });
});

test("a failure is told, unless it is forgotten", async () => {
  const { asked, seen, wishes, want } = byHand();
  const first = want("map", "/a");
  asked["/a"].reject("no");
  await first;
  const second = want("map", "/b");
  wishes.forget();
  asked["/b"].reject("no");
  await second;
  assert.deepEqual(seen, { taken: [], failed: ["no"], changes: 1 });
});
