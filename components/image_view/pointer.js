/** Pointer and keys on the image: the patch they are at, clicks, a rectangle drawn with Shift. */
(function (/** @type {Atlas.ImageViewScripts} */ atlas) {
  const geometry = atlas.geometry || require("./geometry.js");

  /** A drag, and no click with an unsteady hand, CSS px. */
  const LEAST_DRAG = 5;
  const ARROW_KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

  class Pointer {
    /** @param {InstanceType<Atlas.ImageViewScripts["view"]["ImageView"]>} view */
    constructor(view) {
      this.view = view;
      /** where a drag with Shift began and is @type {{from: Atlas.Point, to: Atlas.Point}|null} */
      this.drag = null;
      this.dragged = false;
      const { stage } = view;
      stage.addEventListener("pointerdown", (event) => this.beginDrag(event));
      stage.addEventListener("pointerup", () => this.endDrag());
      stage.addEventListener("pointercancel", () => (this.drag = null));
      stage.addEventListener("pointermove", (event) => this.point(event));
      stage.addEventListener("pointerleave", () => view.mark(-1));
      stage.addEventListener("click", (event) => {
        this.point(event);
        if (this.dragged) this.dragged = false;
        else if (view.hover >= 0) view.pick(view.hover, event.shiftKey || event.ctrlKey || event.metaKey);
      });
      stage.addEventListener("keydown", (event) => this.key(event));
      stage.addEventListener("blur", () => view.mark(-1));
    }

    /** Within the picture, CSS px. @param {MouseEvent} event @returns {Atlas.Point} */
    placeOf(event) {
      const box = this.view.canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    }

    /** @param {MouseEvent} event */
    point(event) {
      const { scene } = this.view;
      if (!scene) return;
      const at = this.placeOf(event);
      if (this.drag) {
        this.drag.to = at;
        this.view.draw();
        return;
      }
      this.view.mark(geometry.tokenAt(scene.layout, at.x, at.y));
    }

    /** @param {PointerEvent} event  with Shift: a rectangle whose patches become the set */
    beginDrag(event) {
      this.dragged = false;
      if (!event.shiftKey || event.button !== 0 || !this.view.scene) return;
      const at = this.placeOf(event);
      this.drag = { from: at, to: at };
      this.view.mark(-1);
      this.view.stage.setPointerCapture(event.pointerId);
    }

    /** The rectangle of a drag, once it is one. @returns {Atlas.Rectangle|null} */
    area() {
      if (!this.drag) return null;
      const { from, to } = this.drag;
      const [width, height] = [Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
      return Math.max(width, height) < LEAST_DRAG ? null : { x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), width, height };
    }

    /** Queries and keys of the patches in the rectangle are the set from now on. */
    endDrag() {
      const area = this.area();
      this.drag = null;
      const { scene, data: now, props: { payload } } = this.view;
      if (!area || !scene || !now || !payload || payload.probe) return; // sets are of the corpus
      this.dragged = true;
      const rows = geometry.tokensIn(scene.layout, area).map((position) => now.first + position);
      const { sets } = window.atlas_head_scene;
      window.atlasChoose.set(rows.length ? sets.ofPoints([...rows, ...rows.map((row) => row + payload.queries)]) : "");
      this.view.draw();
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      const { view } = this;
      const { scene } = view;
      if (!scene || event.altKey || event.ctrlKey || event.metaKey) return;
      if (ARROW_KEYS.includes(event.key)) {
        const from = view.hover >= 0 ? view.hover : scene.chosen;
        const middle = scene.layout.specials + Math.floor((scene.layout.rows * scene.layout.columns) / 2);
        view.mark(from >= 0 ? geometry.stepped(scene.layout, from, event.key) : middle);
      } else if ((event.key === "Enter" || event.key === " ") && view.hover >= 0) view.pick(view.hover, event.shiftKey);
      else return;
      event.preventDefault();
      event.stopPropagation();
    }
  }

  const api = { Pointer };
  atlas.pointer = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_image_view ??= {}));
