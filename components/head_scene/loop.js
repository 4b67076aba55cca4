/**
 * When frames are drawn: batches that leave time to the page, until the picture is whole.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** Length of a batch while nobody touches the picture: longer ones cost less in all, shorter ones answer sooner. */
  const STILL_MS = 200;
  const TOUCHED_MS = 24;
  const REST_MS = 250;

  /**
   * @typedef {Object} LoopHooks  what the loop asks of the scene, and tells it
   * @property {(now: number) => boolean} move  step what moves; true: the picture has changed
   * @property {() => boolean} moving
   * @property {() => Atlas.Frame|null} frame  what to draw; null for nothing at all
   * @property {() => void} empty  there is nothing to draw
   * @property {() => void} overlay  draw what lies over the points
   * @property {() => boolean} complete  the picture's data are there, or there is nothing to wait for
   * @property {() => number} pending  requests under way
   * @property {() => void} measured  a batch is done
   * @property {() => void} rested  a picture has begun while nothing moved
   * @property {() => void} settled  everything asked for has been fetched and drawn
   */

  class FrameLoop {
    /** @param {Atlas.Renderer} renderer @param {LoopHooks} hooks */
    constructor(renderer, hooks) {
      this.renderer = renderer;
      this.hooks = hooks;
      this.frames = 0;
      this.touchedAt = 0;
      this.dirty = false;
      this.overlayDirty = false;
      /** a picture has begun and not been shown */
      this.fresh = false;
      this.drawing = false;
      this.stopped = false;
      this.closed = false;
      /** @type {number|null} */
      this.ticking = null;
      /** @type {Array<() => void>} */
      this.waiting = [];
    }

    redraw() {
      this.dirty = true;
      this.wake();
    }

    redrawOverlay() {
      this.overlayDirty = true;
      this.wake();
    }

    /** Someone moves the picture by hand. */
    touch() {
      this.touchedAt = performance.now();
      this.redraw();
    }

    wake() {
      if (this.ticking !== null || this.stopped) return;
      this.ticking = requestAnimationFrame((now) => this.tick(now));
    }

    /** Draw nothing until `resume`. */
    stop() {
      if (this.ticking !== null) cancelAnimationFrame(this.ticking);
      this.ticking = null;
      this.stopped = true;
    }

    resume() {
      if (this.closed) return;
      this.stopped = false;
      this.redraw();
    }

    /** For ever. */
    close() {
      this.closed = true;
      this.stop();
      this.release();
    }

    /** Resolves when everything asked for has been fetched and drawn. @returns {Promise<void>} */
    ready() {
      return new Promise((resolve) => {
        this.waiting.push(resolve);
        this.wake();
      });
    }

    release() {
      this.waiting.splice(0).forEach((resolve) => resolve());
    }

    /** @param {number} now */
    tick(now) {
      this.ticking = null;
      this.step(now);
      const busy = this.isBusy();
      if (!busy && this.hooks.pending() === 0 && (this.hooks.complete() || this.renderer.finished)) {
        this.hooks.settled();
        this.release();
      } else if (busy || !this.hooks.pending()) {
        this.wake();
      }
    }

    /** @param {number} now */
    step(now) {
      const { renderer, hooks } = this;
      if (hooks.move(now)) this.dirty = true;
      if (renderer.busy()) return;
      hooks.measured();
      if (this.dirty) {
        const frame = hooks.frame();
        this.drawing = frame !== null;
        if (frame) this.begin(frame);
      }
      if (!this.drawing) {
        this.dirty = this.overlayDirty = false;
        hooks.empty();
        return;
      }
      const still = now - this.touchedAt > REST_MS && !hooks.moving();
      const drawn = renderer.advance(still ? STILL_MS : TOUCHED_MS);
      if ((drawn || this.fresh) && renderer.presentable) {
        renderer.present();
        renderer.setFence();
        this.fresh = false;
        this.frames++;
      }
      if (this.overlayDirty && !this.fresh) {
        this.overlayDirty = false;
        hooks.overlay();
      }
    }

    /** @param {Atlas.Frame} frame */
    begin(frame) {
      if (!this.hooks.moving()) this.hooks.rested();
      this.dirty = false;
      this.renderer.begin(frame);
      this.fresh = true;
      this.overlayDirty = true;
    }

    /** There is something to draw now. */
    isBusy() {
      const { renderer } = this;
      return this.dirty || this.overlayDirty || this.hooks.moving() || renderer.waiting || renderer.hasMore;
    }
  }

  const api = { FrameLoop };
  atlas.loop = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
