/** One cache for all views, against a real server. */
const test = require("node:test");
const assert = require("node:assert/strict");
const http = require("node:http");
const { FetchCache, FetchError } = require("./load.cjs")("fetch_cache", "client");

/** A server that answers once it may, and counts. */
const site = (work) => async () => {
  const seen = { asked: [], closed: 0, status: 200, body: "[1]" };
  let open = () => {};
  let gate = Promise.resolve();
  const server = http.createServer(async (request, response) => {
    seen.asked.push(`${request.url} ${request.headers.range || ""}`.trim());
    response.on("close", () => response.writableEnded || seen.closed++);
    await gate;
    if (response.destroyed) return;
    response.writeHead(seen.status);
    response.end(seen.body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const hold = () => (gate = new Promise((resolve) => (open = () => resolve(null))));
  try {
    await work(`http://127.0.0.1:${port}`, seen, hold, () => open());
  } finally {
    open();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
};

test("what has arrived is kept, and read again without a request", site(async (base, seen) => {
  const cache = new FetchCache();
  let bytes = 0;
  const arrived = (some) => (bytes += some);
  assert.deepEqual(await cache.json(`${base}/a`, { arrived }), [1]);
  assert.equal(await cache.json(`${base}/a`, { arrived }), await cache.json(`${base}/a`));
  assert.deepEqual([seen.asked.length, bytes], [1, 3]);
  assert.equal((await cache.buffer(`${base}/a`)).byteLength, 3);
  assert.equal(seen.asked.length, 2, "another way to read is another entry");
  cache.clear();
  await cache.json(`${base}/a`);
  assert.equal(seen.asked.length, 3);
}));

test("equal requests under way are one", site(async (base, seen, hold, open) => {
  const cache = new FetchCache();
  hold();
  const all = [cache.json(`${base}/a`), cache.json(`${base}/a`), cache.json(`${base}/a`, { signal: new AbortController().signal })];
  setTimeout(open, 30);
  const [first, second, third] = await Promise.all(all);
  assert.ok(first === second && second === third);
  assert.equal(seen.asked.length, 1);
}));

test("a failure says what the server said, and is asked for again", site(async (base, seen) => {
  const cache = new FetchCache();
  Object.assign(seen, { status: 404, body: "There is no such head." });
  await assert.rejects(cache.json(`${base}/a`), (/** @type {any} */ error) =>
    error instanceof FetchError && error.status === 404 && error.said === "There is no such head." && /answered 404/.test(error.message));
  Object.assign(seen, { status: 500, body: "<h1>no sentence</h1>" });
  await assert.rejects(cache.json(`${base}/a`), { status: 500, said: "" });
  Object.assign(seen, { status: 200, body: "[2]" });
  assert.deepEqual(await cache.json(`${base}/a`), [2]);
  assert.equal(cache.entries.size, 1);
}));

test("no answer at all is a failure too", async () => {
  await assert.rejects(new FetchCache().json("http://127.0.0.1:9/"), { status: 0, message: "the server did not answer" });
});

test("whoever gives up gets nothing; the request is stopped once nobody waits", site(async (base, seen, hold, open) => {
  const cache = new FetchCache();
  hold();
  const one = new AbortController();
  const other = new AbortController();
  const first = assert.rejects(cache.json(`${base}/a`, { signal: one.signal }), { name: "AbortError" });
  const second = cache.json(`${base}/a`, { signal: other.signal });
  await new Promise((resolve) => setTimeout(resolve, 30));
  one.abort();
  await first;
  assert.equal(seen.closed, 0, "someone still waits");
  open();
  assert.deepEqual(await second, [1]);
  hold();
  const last = new AbortController();
  const third = assert.rejects(cache.json(`${base}/b`, { signal: last.signal }), { name: "AbortError" });
  await new Promise((resolve) => setTimeout(resolve, 30));
  last.abort();
  await third;
  while (!seen.closed) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(cache.entries.size, 1, "what was stopped is not kept");
  await assert.rejects(cache.json(`${base}/a`, { signal: last.signal }), { name: "AbortError" });
}));

test("there is room for so many bytes and entries: the longest unused go", site(async (base, seen) => {
  const cache = new FetchCache({ bytes: 9, entries: 100 });
  for (const name of ["a", "b", "c"]) await cache.json(`${base}/${name}`);
  await cache.json(`${base}/a`);
  await cache.json(`${base}/d`);
  assert.deepEqual([...cache.entries.keys()].map((key) => key.at(-1)), ["c", "a", "d"]);
  assert.equal(cache.bytes, 9);
  const few = new FetchCache({ entries: 2 });
  for (const name of ["a", "b", "c"]) await few.json(`${base}/${name}`);
  assert.equal(few.entries.size, 2);
  seen.body = `[${"1,".repeat(20)}1]`;
  await cache.json(`${base}/large`);
  assert.equal(cache.entries.size, 0, "what is larger than all the room is not kept");
}));

test("some answers are not kept: all of a kind, or by what they say", site(async (base, seen) => {
  const cache = new FetchCache();
  await cache.buffer(`${base}/a`, { keep: false });
  await cache.buffer(`${base}/a`, { keep: false });
  assert.equal(seen.asked.length, 2);
  seen.body = '{"pending": true}';
  const keep = (answer) => !answer.pending;
  await cache.json(`${base}/b`, { keep });
  seen.body = '{"pending": false}';
  await cache.json(`${base}/b`, { keep });
  await cache.json(`${base}/b`, { keep });
  assert.equal(seen.asked.length, 4);
  assert.equal(cache.bytes, seen.body.length);
}));

test("a part of a file is another answer than the file", site(async (base, seen) => {
  const cache = new FetchCache();
  await cache.buffer(`${base}/a`, { headers: { Range: "bytes=0-1" } });
  await cache.buffer(`${base}/a`, { headers: { Range: "bytes=2-3" } });
  await cache.buffer(`${base}/a`, { headers: { Range: "bytes=0-1" } });
  assert.deepEqual(seen.asked, ["/a bytes=0-1", "/a bytes=2-3"]);
}));
