/** assets/06-jobs.js: when a page looks at the jobs, and how a poll that failed goes on. */
const test = require("node:test");
const assert = require("node:assert/strict");
const { load, plain } = require("./page.cjs");

const CALLBACK = "/_dash-update-component";

/** A page whose server answers what it is told to: `fetch(stamp, body, status)`; `look()`: what it was told since. */
function page() {
  const waiting = [];
  let next = null;
  const globals = {
    performance: { now: () => globals.time },
    time: 10_000,
    setTimeout: (work, after) => waiting.push([work, after]),
    fetch: async () => {
      if (next instanceof Error) throw next;
      return next;
    },
  };
  const { window, told, send, call } = load(["06-jobs"], { elements: { "build-banner": {} }, globals });
  const fetch = async (stamp, body = "{}", status = 200) => {
    next = stamp instanceof Error ? stamp : { status, headers: { get: (name) => (name === "X-Atlas-Jobs" ? stamp : null) } };
    return window.fetch(CALLBACK, { method: "POST", body });
  };
  const looks = () => {
    const planned = waiting.splice(0);
    for (const [work] of planned) work();
    const found = told.splice(0);
    assert.deepEqual(found.map(([id]) => id).filter((id) => id !== "looked"), []);
    return planned.map(([, after]) => after);
  };
  return { window, told, send, call, fetch, looks };
}

test("the first stamp is only remembered, another one is looked at once", async () => {
  const { fetch, looks } = page();
  await fetch("a");
  assert.deepEqual(looks(), []);
  await fetch("a");
  assert.deepEqual(looks(), []);
  await fetch("b");
  await fetch("c");
  assert.equal(looks().length, 1);
  await fetch(null);
  assert.deepEqual(looks(), []);
});

test("the answer to a look is no reason to look again", async () => {
  const { fetch, looks } = page();
  await fetch("a");
  await fetch("b", '{"output":"..build-banner.children...tick.max_intervals..","changedPropIds":["looked.data"]}');
  assert.deepEqual(looks(), []);
  await fetch("b");
  assert.deepEqual(looks(), []);
});

test("a page that is looked at again looks, at most once a second", () => {
  const { window, send, looks } = page();
  window.fire("focus");
  window.fire("focus");
  assert.deepEqual(looks(), [0]);
  window.time += 300;
  window.fire("focus");
  window.document.visibilityState = "visible";
  send("visibilitychange", {});
  assert.equal(looks().length, 1);
  window.document.visibilityState = "hidden";
  send("visibilitychange", {});
  assert.deepEqual(looks(), []);
});

test("a poll that fails lets its interval tick on, whatever else fails does not", async () => {
  const { fetch, told } = page();
  await assert.rejects(fetch(new Error("no server"), '{"output":"x","changedPropIds":["scale-tick.n_intervals"]}'));
  await fetch(null, '{"output":"x","changedPropIds":["tick.n_intervals"]}', 502);
  assert.deepEqual(plain(told.splice(0)), [["scale-tick", { max_intervals: -1 }], ["tick", { max_intervals: -1 }]]);
  await assert.rejects(fetch(new Error("no server"), '{"output":"x","changedPropIds":["view.data"]}'));
  await fetch(null, '{"output":"x","changedPropIds":["tick.n_intervals"]}', 200);
  assert.equal(told.length, 0);
});

test("the waiting page is told to render itself anew", () => {
  const { call } = page();
  assert.equal(call([], (root) => root.atlasJobs.lookAtWaiting({}, undefined)), 1);
  assert.equal(call([], (root) => root.atlasJobs.lookAtWaiting({}, 4)), 5);
});
