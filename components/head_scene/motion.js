/** Values that move in time. Nobody who asked for less motion sees any. */
(function (atlas) {
  const { ease, between } = atlas.camera || require("./camera.js");

  const calm = () => typeof window !== "undefined" && window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** One tweened value, blended by `mix(from, to, t)`. */
  class Tween {
    constructor(value, mix) {
      this.value = value;
      this.mix = mix;
      this.move = null;
    }

    get active() {
      return this.move !== null;
    }

    get target() {
      return this.move ? this.move.to : this.value;
    }

    set(value) {
      this.move = null;
      this.value = value;
    }

    to(value, duration, now) {
      if (duration <= 0 || calm()) return this.set(value);
      this.move = { from: this.value, to: value, start: now, duration };
      return undefined;
    }

    /** @returns {boolean} the value changed */
    step(now) {
      if (!this.move) return false;
      const { from, to, start, duration } = this.move;
      const t = Math.min(1, Math.max(0, (now - start) / duration));
      this.value = this.mix(from, to, ease(t));
      if (t >= 1) this.set(to);
      return true;
    }
  }

  const number = (a, b, t) => a + (b - a) * t;

  atlas.motion = { Tween, number, between, calm };
  if (typeof module !== "undefined") module.exports = atlas.motion;
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
