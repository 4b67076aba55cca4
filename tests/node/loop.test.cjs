/** When frames are drawn, with a clock that is turned by hand. */
const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const { FrameLoop } = load("loop");
const { Progress } = load("progress");

/** Animation frames that come when they are called. */
function clock() {
  let waiting = null;
  let now = 0;
  globalThis.requestAnimationFrame = (work) => ((waiting = work), 1);
  globalThis.cancelAnimationFrame = () => (waiting = null);
  return {
    get asleep() {
      return waiting === null;
    },
    turn(times = 1) {
      for (let i = 0; i < times && waiting; i++) {
        const work = waiting;
        waiting = null;
        work((now += 1000));
      }
    },
  };
}

/** A renderer that needs some batches for a picture, and each batch a turn to be done. */
class Batches {
  left = 0;
  begun = 0;
  presented = 0;
  waiting = false;
  arrived = true;
  drawnPoints = 0;
  targets = [];
  constructor(batches) {
    this.batches = batches;
  }
  get finished() {
    return this.left === 0;
  }
  get presentable() {
    return this.left < this.batches || !this.arrived;
  }
  get hasMore() {
    return !this.finished && this.arrived;
  }
  begin() {
    this.begun++;
    this.left = this.batches;
  }
  advance(target) {
    this.targets.push(target);
    if (!this.hasMore) return 0;
    this.left--;
    this.drawnPoints += 10;
    return 10;
  }
  present() {
    this.presented++;
  }
  setFence() {
    this.waiting = true;
  }
  busy() {
    const was = this.waiting;
    this.waiting = false;
    return was;
  }
}

function made(batches = 2) {
  const time = clock();
  const renderer = new Batches(batches);
  const state = { pending: 0, moving: false, frame: {}, overlays: 0, empty: 0, settled: 0, rested: 0 };
  const loop = new FrameLoop(renderer, {
    move: () => state.moving,
    moving: () => state.moving,
    frame: () => state.frame,
    empty: () => state.empty++,
    overlay: () => state.overlays++,
    complete: () => !state.frame,
    pending: () => state.pending,
    measured: () => {},
    rested: () => state.rested++,
    settled: () => state.settled++,
  });
  return { time, renderer, state, loop };
}

test("a picture is drawn in batches, then the loop sleeps", async () => {
  const { time, renderer, state, loop } = made(3);
  loop.redraw();
  const ready = loop.ready();
  time.turn(50);
  await ready;
  assert.deepEqual([renderer.begun, renderer.presented, state.settled, state.rested], [1, 3, 1, 1]);
  assert.ok(state.overlays >= 1);
  assert.ok(time.asleep);
});

test("while data are on their way it sleeps, and goes on where it was", () => {
  const { time, renderer, state, loop } = made(2);
  renderer.arrived = false;
  state.pending = 1;
  loop.redraw();
  time.turn(50);
  assert.ok(time.asleep && state.settled === 0);
  renderer.arrived = true;
  state.pending = 0;
  loop.wake();
  time.turn(50);
  assert.deepEqual([renderer.begun, state.settled], [1, 1]);
});

test("what moves is drawn anew every frame, in short batches, and is no resting place", () => {
  const { time, renderer, state, loop } = made(1);
  state.moving = true;
  loop.redraw();
  time.turn(6);
  assert.ok(renderer.begun >= 3 && !time.asleep);
  assert.deepEqual([...new Set(renderer.targets)], [24]);
  assert.equal(state.rested, 0);
  state.moving = false;
  loop.redraw();
  time.turn(20);
  assert.ok(time.asleep);
  assert.equal(renderer.targets.at(-1), 200);
});

test("nothing to show: nothing is begun, and it is settled", () => {
  const { time, renderer, state, loop } = made();
  state.frame = null;
  loop.redraw();
  time.turn(5);
  assert.deepEqual([renderer.begun, state.empty > 0, state.settled], [0, true, 1]);
});

test("stopped, it draws nothing; resumed, it begins anew; closed, it lets go of who waits", async () => {
  const { time, renderer, loop } = made(1);
  loop.redraw();
  loop.stop();
  time.turn(5);
  loop.redraw();
  time.turn(5);
  assert.equal(renderer.begun, 0);
  loop.resume();
  time.turn(10);
  assert.equal(renderer.begun, 1);
  const waiting = loop.ready();
  loop.close();
  await waiting;
  loop.resume();
  loop.redraw();
  time.turn(5);
  assert.equal(renderer.begun, 1);
});

test("overlay alone: no new picture", () => {
  const { time, renderer, state, loop } = made(1);
  loop.redraw();
  time.turn(10);
  const before = state.overlays;
  loop.redrawOverlay();
  time.turn(10);
  assert.deepEqual([renderer.begun, state.overlays], [1, before + 1]);
});

test("progress: first and full once a picture, told when something is different", () => {
  let now = 0;
  const told = [];
  const progress = new Progress((status) => told.push(status), () => now);
  const report = (part) => progress.report({ webgl: true, part, points: 8, message: "" });
  assert.equal(progress.drawn(), false, "nothing has begun");
  progress.begin();
  now = 40;
  assert.equal(progress.drawn(), true);
  assert.equal(progress.drawn(), false);
  report(0.3);
  report(0.31);
  now = 90;
  assert.equal(progress.done(), true);
  report(1);
  assert.deepEqual(told.map(({ loaded, firstMs, fullMs }) => [loaded, firstMs, fullMs]), [[0.25, 40, null], [1, 40, 90]]);
  progress.begin();
  now = 100;
  assert.equal(progress.done(), true);
  assert.equal(progress.first, 10, "a picture without points is whole at once");
});
