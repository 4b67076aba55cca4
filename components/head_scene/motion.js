/** Values that move in time. Nobody who asked for less motion sees any. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { ease, between } = atlas.camera || require("./camera.js");

  const calm = () => typeof window !== "undefined" && window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /**
   * One value that moves in time, blended by `mix(from, to, t)`.
   * @template T
   */
  class Tween {
    /** @param {T} value @param {(from: T, to: T, t: number) => T} mix */
    constructor(value, mix) {
      this.value = value;
      this.mix = mix;
      /** @type {{from: T, to: T, start: number, duration: number}|null} */
      this.move = null;
    }

    get active() {
      return this.move !== null;
    }

    get target() {
      return this.move ? this.move.to : this.value;
    }

    /** @param {T} value */
    set(value) {
      this.move = null;
      this.value = value;
    }

    /** @param {T} value @param {number} duration  ms @param {number} now */
    to(value, duration, now) {
      if (duration <= 0 || calm()) this.set(value);
      else this.move = { from: this.value, to: value, start: now, duration };
    }

    /** @returns {boolean} the value changed @param {number} now */
    step(now) {
      if (!this.move) return false;
      const { from, to, start, duration } = this.move;
      const t = Math.min(1, Math.max(0, (now - start) / duration));
      this.value = this.mix(from, to, ease(t));
      if (t >= 1) this.set(to);
      return true;
    }
  }

  /** @param {number} a @param {number} b @param {number} t */
  const number = (a, b, t) => a + (b - a) * t;

  const api = { Tween, number, between, calm };
  atlas.motion = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
