/**
 * Pointer, wheel and touch events of one element, told as gestures: pan, turn, zoom, tap, hover, reset.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const TAP_DISTANCE = 5;

  /** Factor of one wheel event; the same for pixels, lines and pages, and bounded.
   * @param {Pick<WheelEvent, "deltaMode" | "deltaY" | "ctrlKey">} event */
  function wheelFactor(event) {
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 120 : 1;
    const delta = Math.max(-160, Math.min(160, event.deltaY * unit));
    // A pinch on a touchpad arrives as small wheel events with ctrlKey.
    return Math.exp(-delta / (event.ctrlKey ? 90 : 400));
  }

  /** How far a wheel event moves a page, CSS px. @param {Pick<WheelEvent, "deltaMode" | "deltaX" | "deltaY" | "shiftKey">} event
   * @returns {[number, number]} */
  function wheelWay({ deltaMode, deltaX, deltaY, shiftKey }) {
    const unit = deltaMode === 1 ? 16 : deltaMode === 2 ? 400 : 1;
    return shiftKey && !deltaX ? [deltaY * unit, 0] : [deltaX * unit, deltaY * unit];
  }

  /**
   * @typedef {Object} GestureHooks  lengths in CSS px, places within the element
   * @property {(dx: number, dy: number) => void} pan
   * @property {(dx: number, dy: number) => void} turn
   * @property {(factor: number, x: number, y: number) => void} zoom
   * @property {(dx: number, dy: number) => boolean} scroll  false: the wheel zooms here
   * @property {(x: number, y: number, touch: boolean, event: PointerEvent) => void} tap
   * @property {(x: number, y: number, touch: boolean) => void} hover
   * @property {() => void} leave
   * @property {(x: number, y: number) => void} reset
   */

  class Gestures {
    /**
     * @param {HTMLElement} element
     * @param {GestureHooks} on
     * @param {(event: PointerEvent) => boolean} turns  does this drag turn the picture instead of moving it
     * @param {Atlas.Lasso|null} [lasso]  may take a drag for itself
     */
    constructor(element, on, turns, lasso = null) {
      this.lasso = lasso;
      this.element = element;
      this.on = on;
      this.turns = turns;
      /** @type {Map<number, Atlas.Point>} */
      this.pointers = new Map();
      this.moved = 0;
      this.turning = false;
      this.button = 0;
      this.from = { x: 0, y: 0 };
      /** @type {Atlas.Drawing|null} */
      this.drawing = null;
      this.stop = new AbortController();
      /**
       * @template {keyof HTMLElementEventMap} Type
       * @param {Type} type @param {(event: HTMLElementEventMap[Type]) => unknown} handler @param {AddEventListenerOptions} [options]
       */
      const listen = (type, handler, options) =>
        element.addEventListener(type, handler, { signal: this.stop.signal, ...options });
      listen("pointerdown", (event) => this.down(event));
      listen("pointermove", (event) => this.move(event));
      listen("pointerup", (event) => this.up(event));
      listen("pointercancel", (event) => this.cancel(event));
      listen("pointerleave", (event) => event.pointerType === "mouse" && !this.pointers.size && on.leave());
      listen("wheel", (event) => this.wheel(event), { passive: false });
      listen("dblclick", (event) => on.reset(...this.place(event)));
      listen("contextmenu", (event) => event.preventDefault());
    }

    destroy() {
      this.stop.abort();
    }

    /** @param {MouseEvent} event @returns {[number, number]} */
    place(event) {
      const box = this.element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }

    /** @param {WheelEvent} event */
    wheel(event) {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey || !this.on.scroll(...wheelWay(event))) this.on.zoom(wheelFactor(event), ...this.place(event));
    }

    /** @param {PointerEvent} event */
    down(event) {
      if (event.button === 1) return;
      const [x, y] = this.place(event);
      if (!this.pointers.size) this.moved = 0;
      this.pointers.set(event.pointerId, { x, y });
      this.turning = this.turns(event);
      this.button = event.button;
      this.drawing = this.lasso && this.pointers.size === 1 ? this.lasso.meant(event) : null;
      this.from = { x, y };
      if (this.pointers.size > 1 && this.lasso) this.lasso.cancel();
      this.element.setPointerCapture(event.pointerId);
    }

    /** @param {PointerEvent} event */
    move(event) {
      const [x, y] = this.place(event);
      const before = this.pointers.get(event.pointerId);
      if (!before) return this.on.hover(x, y, event.pointerType !== "mouse");
      const spread = this.spread();
      this.pointers.set(event.pointerId, { x, y });
      this.moved += Math.hypot(x - before.x, y - before.y);
      if (this.moved < TAP_DISTANCE) return undefined;
      if (this.pointers.size > 1) return this.pinch(spread);
      if (this.drawing) return this.draw(x, y);
      return this.turning ? this.on.turn(x - before.x, y - before.y) : this.on.pan(x - before.x, y - before.y);
    }

    /** @param {number} x @param {number} y */
    draw(x, y) {
      const { lasso, drawing, from } = this;
      if (!lasso || !drawing) return;
      if (!lasso.active) lasso.start(from.x, from.y, drawing);
      lasso.move(x, y);
    }

    spread() {
      const [a, b] = [...this.pointers.values()];
      if (!b) return null;
      return { distance: Math.hypot(a.x - b.x, a.y - b.y) || 1, x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    }

    /** @param {{distance: number, x: number, y: number}|null} before */
    pinch(before) {
      const after = this.spread();
      if (!before || !after) return;
      this.on.pan(after.x - before.x, after.y - before.y);
      this.on.zoom(after.distance / before.distance, after.x, after.y);
    }

    /** @param {PointerEvent} event */
    up(event) {
      if (!this.pointers.has(event.pointerId)) return;
      const several = this.pointers.size > 1;
      this.pointers.delete(event.pointerId);
      if (several) this.moved = Infinity;
      if (this.drawing && !this.pointers.size) this.finishDrawing();
      if (!several && this.moved < TAP_DISTANCE && this.button === 0) {
        this.on.tap(...this.place(event), event.pointerType !== "mouse", event);
      }
    }

    finishDrawing() {
      this.drawing = null;
      if (this.lasso && this.lasso.active) this.lasso.end();
    }

    /** @param {PointerEvent} event */
    cancel(event) {
      this.pointers.delete(event.pointerId);
      this.drawing = null;
      if (this.lasso) this.lasso.cancel();
      this.moved = Infinity;
    }
  }

  const api = { Gestures, wheelFactor, wheelWay };
  atlas.gestures = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
