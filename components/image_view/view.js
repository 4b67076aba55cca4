/** The view: its DOM, what it has fetched, and the cursor that pointer and keys move. */
(function (/** @type {Atlas.ImageViewScripts} */ atlas) {
  const geometry = atlas.geometry || require("./geometry.js");
  const { paint, colours } = atlas.paint || require("./paint.js");
  const { Legend, sentence, captured, number } = atlas.legend || require("./legend.js");
  const data = atlas.data || require("./data.js");
  const { Strips, element } = atlas.strips || require("./strips.js");
  // Looked up when used: Dash promises no order among the scripts of two packages.
  /** @returns {typeof import("../sentence_view/weights.js")} */
  const weightsOf = () => (typeof window === "undefined" ? require("../sentence_view/weights.js") : window.atlas_sentence_view.weights);

  const MOST_HEIGHT = 460;
  /** A drag, and no click with an unsteady hand, CSS px. */
  const LEAST_DRAG = 5;
  /** @type {Atlas.ImageLook} */
  const LOOK = { shade: "sqrt", opacity: 0.7, source: "head", arrows: "strongest" };
  /** What is not attended to lies in the dark, in both themes: a photograph is bright as a whole. */
  const NIGHT = [8, 11, 16];
  const ARROW_KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

  /** @param {unknown} a @param {unknown} b */
  const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

  class ImageView {
    /** @param {HTMLElement} root @param {(changes: Partial<Atlas.ImageViewProps>) => void} tell */
    constructor(root, tell) {
      this.root = root;
      this.tell = tell;
      /** @type {Atlas.ImageViewProps} */
      this.props = {};
      /** @type {Atlas.ImageData|null} */
      this.data = null;
      /** @type {Atlas.ImageScene|null} */
      this.scene = null;
      /** @type {AbortController|null} */
      this.abort = null;
      /** what is fetched, as text */
      this.wanted = "";
      this.loading = false;
      this.frame = 0;
      this.hover = -1;
      this.clicks = 0;
      /** where a drag with Shift began and is @type {{from: Atlas.Point, to: Atlas.Point}|null} */
      this.drag = null;
      this.dragged = false;
      /** @type {(() => void)[]} */
      this.waiting = [];
      this.stage = element("div", "image-stage", root, {
        tabindex: "0", role: "application", "aria-roledescription": "image with attention",
      });
      this.canvas = element("canvas", "image-canvas", this.stage, { "aria-hidden": "true" });
      this.tip = element("div", "image-tip", this.stage, { "aria-hidden": "true", hidden: "" });
      this.message = element("div", "image-message", this.stage, { role: "status" });
      const legend = element("div", "image-legend", root);
      this.says = element("p", "image-says", root, { "aria-live": "polite" });
      this.legend = new Legend(legend, (text) => (this.says.textContent = text));
      this.strips = new Strips(element("div", "image-strips", root), (head) => window.atlasChoose.head(head));
      this.resized = new ResizeObserver(() => this.relayout());
      this.resized.observe(this.stage);
      this.stage.addEventListener("pointerdown", (event) => this.beginDrag(event));
      this.stage.addEventListener("pointerup", () => this.endDrag());
      this.stage.addEventListener("pointercancel", () => (this.drag = null));
      this.stage.addEventListener("pointermove", (event) => this.point(event));
      this.stage.addEventListener("pointerleave", () => this.mark(-1));
      this.stage.addEventListener("click", (event) => {
        this.point(event);
        if (this.dragged) this.dragged = false;
        else if (this.hover >= 0) this.pick(this.hover, event.shiftKey || event.ctrlKey || event.metaKey);
      });
      this.stage.addEventListener("keydown", (event) => this.key(event));
      this.stage.addEventListener("blur", () => this.mark(-1));
      Object.assign(root, {
        atlasImage: {
          capture: () => this.capture(), stats: () => this.stats(), ready: () => this.ready(),
          position: (/** @type {number} */ token) => this.middleOf(token),
        },
      });
    }

    destroy() {
      this.abort?.abort();
      this.resized.disconnect();
      cancelAnimationFrame(this.frame);
    }

    // --- props and data -----------------------------------------------------------------------------------------

    /** @param {Atlas.ImageViewProps} props */
    update(props) {
      const before = this.props;
      this.props = props;
      const urls = data.addresses(props);
      const wanted = JSON.stringify(urls);
      if (wanted !== this.wanted) {
        this.wanted = wanted;
        this.load(urls);
        return;
      }
      const names = /** @type {const} */ (["mode", "topk", "threshold", "hideSpecial", "hideFirst", "hidden", "look", "theme", "selection"]);
      if (names.some((name) => !same(before[name], props[name]))) this.derive();
      if (!same(before.selection, props.selection) || !same(before.look, props.look) || before.theme !== props.theme) this.loadStrips();
      if (!same(before.pair, props.pair)) this.showTip();
    }

    get look() {
      return { ...LOOK, ...this.props.look };
    }

    /** @param {Atlas.ImageAddresses|null} urls */
    async load(urls) {
      this.abort?.abort();
      const abort = (this.abort = new AbortController());
      if (!urls) {
        this.data = this.scene = null;
        this.loading = false;
        this.strips.clear();
        this.say("");
        this.draw();
        return;
      }
      this.loading = true;
      this.root.dataset.loading = "true";
      try {
        const found = await data.load(urls, abort.signal);
        if (abort.signal.aborted) return;
        this.data = found;
        this.loading = false;
        this.say("");
        this.derive();
        this.loadStrips();
      } catch (error) {
        if (abort.signal.aborted || error.name === "AbortError") return;
        this.loading = false;
        this.data = this.scene = null;
        this.strips.clear();
        this.say(`The image could not be loaded. ${error.said || error.message}`);
        this.draw();
      }
      delete this.root.dataset.loading;
    }

    /** The small maps: the chosen token everywhere, and the mean by offset. */
    async loadStrips() {
      const { abort, data: now, props } = this;
      const urls = data.addresses(props);
      if (!urls || !now || !abort) return;
      const { payload, layer = 0, head = 0 } = props;
      const { chosen, side } = this.pinned();
      const { table } = this.palette();
      const { shade } = this.look;
      try {
        if (chosen < 0 || !payload) this.strips.hideHeads();
        else {
          const values = await data.everywhere(urls, side, chosen, abort.signal);
          if (abort.signal.aborted || this.data !== now || this.pinned().chosen !== chosen) return;
          this.strips.showHeads(values, payload, { layer, head }, now, shade, table);
        }
        const means = await data.offsets(urls, abort.signal);
        if (!abort.signal.aborted && this.data === now) this.strips.showOffsets(means, shade, table);
      } catch (error) {
        if (error.name !== "AbortError") this.strips.clear();
      }
      this.settle();
    }

    /** @param {string} text */
    say(text) {
      this.message.textContent = text;
      this.message.hidden = !text;
    }

    /** Position of the chosen token in its image, or -1, and its side. @returns {{chosen: number, side: Atlas.Side}} */
    pinned() {
      const { selection } = this.props;
      const side = selection && selection.side === "key" ? "key" : "query";
      if (!selection || !this.data || selection.token === null || selection.token === undefined) return { chosen: -1, side };
      const position = selection.token - this.data.first;
      return { chosen: position >= 0 && position < this.data.count ? position : -1, side };
    }

    palette() {
      const { scale, css } = colours();
      const style = getComputedStyle(this.root);
      const read = (/** @type {string} */ name, /** @type {string} */ other) => style.getPropertyValue(name).trim() || other;
      const text = style.color;
      return {
        table: scale(NIGHT, true),
        colours: {
          cell: read("--atlas-cell", "rgba(128, 128, 128, 0.15)"), muted: read("--atlas-muted", "#808890"), text,
          query: read("--query", "#1f6fb4"), key: read("--key", "#d9631e"), arrow: css([255, 214, 64]),
        },
        font: `12px ${style.fontFamily}`,
      };
    }

    /** Everything that follows from the raw matrix and the options. */
    derive() {
      const { data: now, props } = this;
      if (!now) return;
      const W = weightsOf();
      const { count } = now;
      const hidden = props.hidden || {};
      const weights = W.shownMatrix(now.raw, count, count, {
        hiddenQueries: W.hiddenMask(count, now.special, hidden.queries, props),
        hiddenKeys: W.hiddenMask(count, now.special, hidden.keys, props),
        valueNorms: null,
      }).weights;
      const { chosen, side } = this.pinned();
      const line = chosen < 0 ? geometry.received(weights, count, count) : W.lineOf(weights, count, count, side, chosen);
      const arrows = props.mode !== "heatmap";
      const { levels, top } = geometry.shades(line, this.look.shade);
      let pairs = null;
      if (arrows) {
        const one = chosen < 0 && this.look.arrows === "strongest";
        const all = W.strongestPairs(weights, count, count, { topk: one ? 1 : props.topk, threshold: props.threshold }).index;
        const ours = (/** @type {number} */ pair) => (side === "query" ? Math.floor(pair / count) : pair % count) === chosen;
        pairs = chosen < 0 ? all : all.filter(ours);
      }
      const { table, colours: c, font } = this.palette();
      this.scene = {
        width: 1, layout: geometry.layoutOf(1, MOST_HEIGHT, now.facts, now.specials), picture: now.picture,
        look: { ...this.look, opacity: arrows ? 0 : this.look.opacity }, names: now.names, colours: c, font, table,
        levels: arrows ? null : levels, top, weights, keys: count, pairs, line, chosen, side, hover: this.hover, drag: null,
      };
      this.relayout();
      this.describe();
    }

    // --- picture ------------------------------------------------------------------------------------------------

    relayout() {
      const { scene, data: now } = this;
      if (!scene || !now) return;
      const width = this.stage.clientWidth;
      if (width < 1) return;
      scene.width = width;
      scene.layout = geometry.layoutOf(width, MOST_HEIGHT, now.facts, now.specials);
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      const height = Math.ceil(scene.layout.height + 2);
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.height = `${height}px`;
      this.draw();
    }

    draw() {
      if (this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
        const ratio = Math.min(2, window.devicePixelRatio || 1);
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        if (this.scene) paint(context, { ...this.scene, hover: this.hover, drag: this.area() });
        else context.clearRect(0, 0, this.canvas.width, this.canvas.height);
        this.settle();
      });
    }

    /** What is shown, in words, and its scale. */
    describe() {
      const { scene, data: now, props, look } = this;
      if (!scene || !now) return;
      const words = sentence(scene, now, props, look);
      this.stage.setAttribute("aria-label", `${now.facts.label || now.facts.name}. ${words}`);
      this.legend.show(words, scene, look.shade, () => props);
    }

    // --- pointer and keys ---------------------------------------------------------------------------------------

    /** Within the picture, CSS px. @param {MouseEvent} event @returns {Atlas.Point} */
    placeOf(event) {
      const box = this.canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    }

    /** @param {MouseEvent} event */
    point(event) {
      if (!this.scene) return;
      const at = this.placeOf(event);
      if (this.drag) {
        this.drag.to = at;
        this.draw();
        return;
      }
      this.mark(geometry.tokenAt(this.scene.layout, at.x, at.y));
    }

    /** @param {PointerEvent} event  with Shift: a rectangle whose patches become the set */
    beginDrag(event) {
      this.dragged = false;
      if (!event.shiftKey || event.button !== 0 || !this.scene) return;
      const at = this.placeOf(event);
      this.drag = { from: at, to: at };
      this.mark(-1);
      this.stage.setPointerCapture(event.pointerId);
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
      const { scene, data: now } = this;
      const { payload } = this.props;
      if (!area || !scene || !now || !payload) return;
      this.dragged = true;
      const rows = geometry.tokensIn(scene.layout, area).map((position) => now.first + position);
      const { sets } = window.atlas_head_scene;
      window.atlasChoose.set(rows.length ? sets.ofPoints([...rows, ...rows.map((row) => row + payload.queries)]) : "");
      this.draw();
    }

    /** @param {number} position  -1: nothing */
    mark(position) {
      if (position === this.hover) return;
      this.hover = position;
      this.showTip();
      this.draw();
      const { scene } = this;
      if (!scene || position < 0) {
        this.tell({ hover: null });
        return;
      }
      const { chosen, side } = scene;
      const pair = side === "key" ? { query: position, key: chosen } : { query: chosen, key: position };
      this.tell({ hover: chosen < 0 ? null : { ...pair, weight: scene.line[position] } });
    }

    showTip() {
      const { scene, data: now, hover } = this;
      this.tip.hidden = !scene || hover < 0;
      this.says.textContent = "";
      if (!scene || !now || hover < 0) return;
      const name = now.names[hover];
      const weight = number(scene.line[hover]);
      const words = scene.chosen < 0 ? `${name}: receives ${weight} on average` : `${name}: ${weight}`;
      this.tip.replaceChildren();
      element("strong", "", this.tip).textContent = words;
      const { pair } = this.props;
      const [query, key] = scene.side === "key" ? [hover, scene.chosen] : [scene.chosen, hover];
      if (pair && pair.query === query && pair.key === key) {
        for (const [label, value] of pair.rows) {
          const line = element("div", "", this.tip);
          element("span", "", line).textContent = label;
          element("span", "", line).textContent = value;
        }
      }
      this.says.textContent = words;
      const box = geometry.boxOf(scene.layout, hover);
      const left = Math.min(box.x + box.width + 8, this.stage.clientWidth - this.tip.offsetWidth - 4);
      this.tip.style.transform = `translate(${Math.max(2, Math.round(left))}px, ${Math.round(box.y + box.height + 6)}px)`;
    }

    /** @param {number} position @param {boolean} toSet */
    pick(position, toSet) {
      const { scene, data: now } = this;
      if (!scene || !now) return;
      this.clicks += 1;
      const token = now.first + position;
      if (toSet) this.tell({ toggled: { token, side: scene.side, n: this.clicks } });
      else if (position === scene.chosen) this.tell({ picked: { token: null, side: null, n: this.clicks } });
      else this.tell({ picked: { token, side: scene.side, n: this.clicks } });
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      const { scene } = this;
      if (!scene || event.altKey || event.ctrlKey || event.metaKey) return;
      if (ARROW_KEYS.includes(event.key)) {
        const from = this.hover >= 0 ? this.hover : scene.chosen;
        const middle = scene.layout.specials + Math.floor((scene.layout.rows * scene.layout.columns) / 2);
        this.mark(from >= 0 ? geometry.stepped(scene.layout, from, event.key) : middle);
      } else if ((event.key === "Enter" || event.key === " ") && this.hover >= 0) this.pick(this.hover, event.shiftKey);
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    // --- for a file ---------------------------------------------------------------------------------------------

    /** The picture as it is, without what follows the pointer; null while there is none. */
    capture() {
      const { scene, data: now, legend, look } = this;
      return scene && now ? captured({ ...scene, hover: -1, drag: null }, now.facts, legend.words, look.shade) : null;
    }

    // --- for tests and benchmarks -------------------------------------------------------------------------------

    ready() {
      return new Promise((resolve) => {
        this.waiting.push(() => resolve(this.stats()));
        this.draw();
      });
    }

    settle() {
      if (this.loading || this.frame) return;
      this.waiting.splice(0).forEach((resolve) => resolve());
    }

    /** CSS px of a token's middle within the element. @param {number} position */
    middleOf(position) {
      if (!this.scene) return null;
      const box = geometry.boxOf(this.scene.layout, position);
      const [outer, inner] = [this.root.getBoundingClientRect(), this.canvas.getBoundingClientRect()];
      return { x: inner.left - outer.left + box.x + box.width / 2, y: inner.top - outer.top + box.y + box.height / 2 };
    }

    stats() {
      const { scene, data: now } = this;
      return {
        loading: this.loading, image: now ? now.facts.name : null, tokens: now ? now.count : 0,
        chosen: scene ? scene.chosen : -1, side: scene ? scene.side : null, arrows: scene && scene.pairs ? scene.pairs.length : 0,
        top: scene ? scene.top : 0, line: scene ? Array.from(scene.line) : [], source: this.look.source,
        maps: this.root.querySelectorAll(".image-map").length, message: this.message.textContent,
      };
    }
  }

  const api = { ImageView };
  atlas.view = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_image_view ??= {}));
