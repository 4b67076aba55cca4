/** Drawing a box or a lasso over an open head. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const SVG = "http://www.w3.org/2000/svg";
  const STEP = 3; // px between two vertices of a lasso
  const MOST_DRAWN = 4000;

  /**
   * @typedef {Object} LassoHooks
   * @property {() => string|undefined} tool
   * @property {() => boolean} allowed  there is something to draw over
   * @property {() => void} started
   * @property {(vertices: Atlas.Point[], add: boolean) => void} drawn  CSS px; `add`: to the present set
   */

  class Lasso {
    /** @param {HTMLElement} stage @param {LassoHooks} hooks */
    constructor(stage, hooks) {
      this.hooks = hooks;
      this.svg = document.createElementNS(SVG, "svg");
      this.svg.setAttribute("class", "atlas-scene-lasso");
      this.svg.setAttribute("aria-hidden", "true");
      this.path = document.createElementNS(SVG, "path");
      this.svg.appendChild(this.path);
      stage.appendChild(this.svg);
      /** @type {Atlas.Point[]|null} */
      this.vertices = null;
      /** @type {Atlas.Drawing} */
      this.drawing = { shape: "lasso", add: false };
    }

    /**
     * Does this drag draw, and what? Shift draws a lasso with any tool; with a drawing tool, Shift or Ctrl adds.
     * @param {PointerEvent} event @returns {Atlas.Drawing|null}
     */
    meant(event) {
      if (!this.hooks.allowed() || event.button !== 0) return null;
      const tool = this.hooks.tool();
      const more = event.ctrlKey || event.metaKey;
      if (tool === "box" || tool === "lasso") return { shape: tool, add: more || event.shiftKey };
      return event.shiftKey ? { shape: "lasso", add: more } : null;
    }

    get active() {
      return this.vertices !== null;
    }

    /** @param {number} x @param {number} y @param {Atlas.Drawing} drawing */
    start(x, y, drawing) {
      this.drawing = drawing;
      this.vertices = [{ x, y }];
      this.hooks.started();
    }

    /** @param {number} x @param {number} y */
    move(x, y) {
      if (!this.vertices) return;
      if (this.drawing.shape === "box") {
        const [{ x: x0, y: y0 }] = this.vertices;
        this.vertices = [{ x: x0, y: y0 }, { x, y: y0 }, { x, y }, { x: x0, y }];
      } else {
        const last = this.vertices[this.vertices.length - 1];
        if (Math.hypot(x - last.x, y - last.y) >= STEP && this.vertices.length < MOST_DRAWN) this.vertices.push({ x, y });
      }
      this.path.setAttribute("d", `M${this.vertices.map((v) => `${v.x.toFixed(1)} ${v.y.toFixed(1)}`).join("L")}Z`);
    }

    cancel() {
      this.vertices = null;
      this.path.removeAttribute("d");
    }

    end() {
      const { vertices } = this;
      this.cancel();
      if (vertices && vertices.length >= 3) this.hooks.drawn(vertices, this.drawing.add);
    }

    destroy() {
      this.svg.remove();
    }
  }

  const api = { Lasso };
  atlas.lasso = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
