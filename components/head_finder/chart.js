/** The picture on the page: canvas, pointer, keys, outline, and the card of the head that is pointed at. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  const POINTER = 14; // px
  const TOUCH = 24;

  /**
   * @typedef {Object} ChartHooks
   * @property {(cell: number) => string} href
   * @property {(cell: number) => void} point  -1: at none
   * @property {(cells: number[]) => void} chose  by an outline
   * @property {(cell: number) => [string, string][]} facts  of a head, for its card
   * @property {(cell: number) => string} picture  address of its map, "" for none
   * @property {(cell: number) => string} name
   *
   * @typedef {Object} Scene
   * @property {Atlas.FinderAxis} x @property {Atlas.FinderAxis} y @property {boolean} map
   * @property {(cell: number) => Atlas.FinderLook} lookOf
   * @property {number} marked  the head that is compared with, -1
   */

  class Chart {
    /** @param {HTMLElement} parent @param {ChartHooks} hooks */
    constructor(parent, hooks) {
      const { element } = atlas.dom;
      this.hooks = hooks;
      this.frame = element("div", { class: "finder-chart" }, parent);
      this.canvas = element("canvas", { tabindex: "0", role: "application", "aria-roledescription": "scatter of heads", "aria-label": "Heads: arrow keys move, Enter opens; drag to draw around some" }, this.frame);
      // What is pointed at is drawn on a canvas of its own: not all heads with every move.
      this.over = element("canvas", { class: "finder-over", "aria-hidden": "true" }, this.frame);
      // A link of its own lies under the pointer, so that a head opens as any link does.
      this.link = element("a", { class: "finder-point", tabindex: "-1", "aria-hidden": "true", href: "#" }, this.frame);
      this.card = element("div", { class: "finder-card", hidden: "" }, this.frame);
      this.live = element("div", { class: "visually-hidden", "aria-live": "polite" }, this.frame);
      this.link.hidden = true;
      this.frameAsked = 0;
      /** @type {Scene|null} */
      this.scene = null;
      /** @type {Atlas.FinderPlaces|null} */
      this.places = null;
      this.at = -1;
      /** @type {number[][]|null} */
      this.outline = null;
      this.sizes = new ResizeObserver(() => this.redraw());
      this.sizes.observe(this.frame);
      this.frame.addEventListener("pointermove", (event) => this.moved(event));
      this.frame.addEventListener("pointerleave", () => { if (!this.outline) this.point(-1); });
      this.frame.addEventListener("pointerdown", (event) => this.down(event));
      this.frame.addEventListener("pointerup", (event) => this.up(event));
      this.frame.addEventListener("pointercancel", () => this.drop());
      this.link.addEventListener("dragstart", (event) => event.preventDefault());
      this.canvas.addEventListener("keydown", (event) => this.key(event));
    }

    destroy() {
      cancelAnimationFrame(this.frameAsked);
      this.sizes.disconnect();
    }

    /** @param {Scene} scene */
    show(scene) {
      this.scene = scene;
      this.redraw();
    }

    /** Once with the next frame, whatever has changed until then. */
    redraw() {
      this.frameAsked ||= requestAnimationFrame(() => {
        this.frameAsked = 0;
        this.draw();
      });
    }

    get size() {
      return { width: this.frame.clientWidth, height: this.frame.clientHeight };
    }

    /** @returns {Atlas.FinderColours} */
    colours() {
      const style = getComputedStyle(this.frame);
      const colour = (/** @type {string} */ name) => style.getPropertyValue(`--atlas-${name}`).trim();
      return { text: colour("text"), muted: colour("muted"), edge: colour("edge"), ground: colour("canvas"), accent: colour("accent") };
    }

    draw() {
      const ink = this.inkOf(this.canvas);
      if (!this.scene || !ink) return;
      this.places = atlas.plot.place(this.size, this.scene.x, this.scene.y, this.scene.map);
      this.paint(ink);
      this.drawOver();
    }

    /** @param {HTMLCanvasElement} canvas  made clean and as large as the frame */
    inkOf(canvas) {
      const { width, height } = this.size;
      const context = canvas.getContext("2d");
      if (!width || !context) return null;
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      return new atlas.ink.CanvasInk(context, ratio);
    }

    /** What is pointed at, and the outline that is being drawn. */
    drawOver() {
      const ink = this.inkOf(this.over);
      if (!ink || !this.places) return;
      const { x, y } = this.places;
      const { accent } = this.colours();
      if (this.at >= 0) ink.disc(x[this.at], y[this.at], atlas.plot.radiusOf(x.length) + 3.5, { stroke: accent, width: 2 });
      if (this.outline && this.outline.length > 1) ink.path(this.outline, { stroke: accent, width: 1.5, fill: `${accent}22` }, true);
    }

    /** @param {Atlas.FinderInk} ink */
    paint(ink) {
      const { scene, places } = this;
      if (!scene || !places) return;
      const colours = this.colours();
      const { plot } = atlas;
      plot.paintAxes(ink, places, { x: scene.x.label, y: scene.y.label }, colours);
      plot.paintHeads(ink, places, scene.lookOf, colours);
      if (scene.marked < 0) return;
      ink.disc(places.x[scene.marked], places.y[scene.marked], plot.radiusOf(places.x.length) + 5, { stroke: colours.text, width: 2 });
    }

    /** The picture as an SVG file. @param {string} title */
    svg(title) {
      const ink = new atlas.ink.SvgInk();
      this.paint(ink);
      return ink.file(this.size.width, this.size.height, this.colours().ground, title);
    }

    // --- pointer ------------------------------------------------------------------------------------------------------

    /** @param {PointerEvent} event */
    placeOf(event) {
      const box = this.frame.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }

    /** @param {PointerEvent} event */
    moved(event) {
      const [x, y] = this.placeOf(event);
      if (this.outline) {
        this.outline.push([x, y]);
        if (this.outline.length > 3) this.point(-1);
        this.drawOver();
      } else if (this.places && event.pointerType !== "touch" && !this.card.contains(/** @type {Node} */ (event.target))) {
        this.point(atlas.plot.nearest(this.places, x, y, POINTER));
      }
    }

    /** @param {PointerEvent} event */
    down(event) {
      if (event.button !== 0 || this.card.contains(/** @type {Node} */ (event.target))) return;
      const [x, y] = this.placeOf(event);
      if (event.pointerType === "touch" && this.places) this.point(atlas.plot.nearest(this.places, x, y, TOUCH));
      if (event.pointerType === "touch" && !this.frame.classList.contains("drawing")) return; // a finger scrolls the page
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // of links
      this.outline = [[x, y]];
    }

    /** @param {PointerEvent} event */
    up(event) {
      const { outline, places } = this;
      this.drop();
      if (!outline || !places || outline.length < 8) return;
      // A drag that ends on a head is no click on it.
      this.frame.addEventListener("click", (click) => click.preventDefault(), { once: true, capture: true });
      setTimeout(() => this.frame.classList.remove("drawing"));
      event.preventDefault();
      this.hooks.chose(atlas.plot.inside(places, outline));
    }

    drop() {
      this.outline = null;
      this.drawOver();
    }

    // --- the head that is pointed at ------------------------------------------------------------------------------------

    /** @param {number} cell @param {boolean} [told]  by someone else */
    point(cell, told = false) {
      if (cell === this.at) return;
      this.at = cell;
      this.drawOver();
      this.showCard(cell);
      if (!told) this.hooks.point(cell);
    }

    /** @param {number} cell */
    showCard(cell) {
      const { places } = this;
      const seen = cell >= 0 && places !== null && !Number.isNaN(places.x[cell]) && !Number.isNaN(places.y[cell]);
      this.link.hidden = this.card.hidden = !seen;
      if (!seen || !places) return;
      const { element } = atlas.dom;
      const [x, y] = [places.x[cell], places.y[cell]];
      const href = this.hooks.href(cell);
      this.link.href = href;
      Object.assign(this.link.style, { left: `${x - 12}px`, top: `${y - 12}px` });
      this.card.replaceChildren();
      const picture = this.hooks.picture(cell);
      if (picture) element("img", { src: picture, alt: "", width: "96", height: "96" }, this.card);
      const words = element("div", {}, this.card);
      element("a", { href, tabindex: "-1" }, words).textContent = `Open ${this.hooks.name(cell)}`;
      for (const [label, value] of this.hooks.facts(cell)) {
        const row = element("div", {}, words);
        element("span", { class: "finder-muted" }, row).textContent = `${label} `;
        element("span", {}, row).textContent = value;
      }
      const { width, height } = this.size;
      const { offsetWidth, offsetHeight } = this.card;
      const left = x + 18 + offsetWidth > width ? x - 18 - offsetWidth : x + 18;
      const top = Math.min(height - offsetHeight - 4, Math.max(4, y - offsetHeight / 2));
      Object.assign(this.card.style, { left: `${Math.max(4, left)}px`, top: `${top}px` });
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      const { places } = this;
      if (!places) return;
      if (event.key === "Enter" && this.at >= 0) this.link.click();
      else if (event.key === "Escape" && this.at >= 0) this.point(-1);
      else if (event.key.startsWith("Arrow")) {
        const first = places.x.findIndex((x, cell) => !Number.isNaN(x) && !Number.isNaN(places.y[cell]));
        this.point(this.at < 0 ? first : atlas.plot.stepped(places, this.at, event.key));
        if (this.at >= 0) this.live.textContent = [this.hooks.name(this.at), ...this.hooks.facts(this.at).map((fact) => fact.join(" "))].join(", ");
      } else return;
      event.preventDefault();
      event.stopPropagation();
    }
  }

  const api = { Chart };
  atlas.chart = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
