const test = require("node:test");
const assert = require("node:assert/strict");
const load = require("./load.cjs");
const viewpoint = load("viewpoint");
const camera = load("camera");

const REST = { ...viewpoint.REST };

test("a viewpoint is the same in a window of any size", () => {
  const stand = viewpoint.relative({ x: 3.75, y: 2.4, scale: 900 }, { x: 3.5, y: 2.5, scale: 600 });
  assert.deepEqual(viewpoint.absolute(stand, { x: 3.5, y: 2.5, scale: 600 }), { x: 3.75, y: 2.4, scale: 900 });
  assert.deepEqual(viewpoint.absolute(stand, { x: 3.5, y: 2.5, scale: 200 }), { x: 3.75, y: 2.4, scale: 300 });
});

test("what is written is read again and written the same", () => {
  const stand = { x: -0.123456789, y: 1e-9, zoom: 12.345678 };
  for (const turn of [null, REST, { yaw: 1.23456, pitch: -0.4 }]) {
    const text = viewpoint.write(stand, turn);
    const found = viewpoint.read(text);
    assert.equal(viewpoint.write(found.stand, found.turn), text);
    assert.ok(Math.abs(found.stand.x - stand.x) < 1e-5);
  }
  assert.equal(viewpoint.write(stand, null), "-0.12346_0_12.3457");
});

test("nothing is written at home, and a turn alone is", () => {
  assert.equal(viewpoint.write(null, null), null);
  assert.equal(viewpoint.write(null, REST), null);
  assert.equal(viewpoint.write(null, { ...REST, yaw: REST.yaw + 2 * Math.PI }), null);
  assert.equal(viewpoint.write(null, { yaw: 1, pitch: 0.25 }), "0_0_1_1_0.25");
});

test("what is no viewpoint is null", () => {
  for (const text of ["", "1_2", "1_2_3_4", "a_b_c", "1_2_0", "1_2_-3", "1__3", "1_2_Infinity", null]) {
    assert.equal(viewpoint.read(text), null);
  }
});

test("some of the map stays in view wherever a camera is sent", () => {
  const view = { width: 400, height: 200 };
  const area = { x: 0, y: 0, width: 1, height: 1 };
  assert.deepEqual(camera.keepInView({ x: 50, y: -50, scale: 100 }, view, area), { x: 2.6, y: -0.8, scale: 100 });
  assert.deepEqual(camera.keepInView({ x: 0.2, y: 0.9, scale: 100 }, view, area), { x: 0.2, y: 0.9, scale: 100 });
});
