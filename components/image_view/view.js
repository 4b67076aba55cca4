/** The view: its DOM, what it has fetched, and the patch that pointer or keys are at. */
(function (/** @type {Atlas.ImageViewScripts} */ atlas) {
  const geometry = atlas.geometry || require("./geometry.js");
  const { paint, colours } = atlas.paint || require("./paint.js");
  const { Legend, sentence, captured, number } = atlas.legend || require("./legend.js");
  const data = atlas.data || require("./data.js");
  const { Pointer } = atlas.pointer || require("./pointer.js");
  const { Strips, element } = atlas.strips || require("./strips.js");
  // Looked up when used: Dash promises no order among the scripts of two packages.
  /** @returns {typeof import("../sentence_view/weights.js")} */
  const weightsOf = () => (typeof window === "undefined" ? require("../sentence_view/weights.js") : window.atlas_sentence_view.weights);

  const MOST_HEIGHT = 460;
  /** @type {Atlas.ImageLook} */
  const LOOK = { shade: "sqrt", opacity: 0.7, source: "head", arrows: "strongest" };
  /** What is not attended to lies in the dark, in both themes: a photograph is bright as a whole. */
  const NIGHT = [8, 11, 16];
  /** The page hears of a patch under a pointer that rests so long, ms. */
  const REST = 40;

  /** How long the page may wait to hear of a choice whose picture is on its way, ms. */
  const MOST_AHEAD = 250;
  const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));
  /** Until the next frame is out. @returns {Promise<void>} */
  const nextFrame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

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
      /** what was chosen and the page does not say yet @type {Atlas.Selection|null} */
      this.ahead = null;
      /** @type {AbortController|null} */
      this.abort = null;
      /** what is fetched, as text */
      this.wanted = "";
      /** @type {Promise<void>} */
      this.loaded = Promise.resolve();
      this.loading = false;
      this.frame = 0;
      this.hover = -1;
      /** @type {ReturnType<typeof setTimeout>|undefined} */
      this.resting = undefined;
      this.clicks = 0;
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
      this.pointer = new Pointer(this);
      Object.assign(root, {
        atlasImage: {
          capture: () => this.capture(), stats: () => this.stats(), ready: () => this.ready(),
          position: (/** @type {number} */ token) => this.middleOf(token),
          show: (/** @type {Atlas.Selection} */ chosen) => this.show(chosen),
          prefetch: (/** @type {number} */ input) => this.prefetch(input),
        },
      });
    }

    destroy() {
      this.abort?.abort();
      this.resized.disconnect();
      clearTimeout(this.resting);
      cancelAnimationFrame(this.frame);
    }

    // --- props and data -----------------------------------------------------------------------------------------

    /** @param {Atlas.ImageViewProps} props */
    update(props) {
      const before = this.props;
      const shown = this.pinned();
      this.props = props;
      if (this.ahead && !same(before.selection, props.selection)) this.catchUp(before.selection, props.selection);
      if (this.fetched()) return;
      const moved = !same(shown, this.pinned());
      const names = /** @type {const} */ (["mode", "topk", "threshold", "hideSpecial", "hideFirst", "hidden", "look", "theme"]);
      if (moved || names.some((name) => !same(before[name], props[name]))) this.derive();
      if (moved || !same(before.look, props.look) || before.theme !== props.theme) this.loadStrips();
      if (!same(before.pair, props.pair)) this.showTip();
    }

    /** What is to be seen. @returns {Atlas.ImageViewProps} */
    get now() {
      return this.ahead ? { ...this.props, selection: this.ahead } : this.props;
    }

    /** Whether another image or head is wanted, which is fetched then. */
    fetched() {
      const urls = data.addresses(this.now);
      const wanted = JSON.stringify(urls);
      if (wanted === this.wanted) return false;
      this.wanted = wanted;
      this.loaded = this.load(urls);
      return true;
    }

    /** Show it before the page has heard of it: the page redraws all its views for a new selection.
     * @param {Atlas.Selection} chosen @returns {Promise<void>} once the picture is out, or soon */
    show(chosen) {
      if (this.props.payload?.probe) return Promise.resolve(); // a reader's own image is shown: the page leaves that first
      this.ahead = chosen;
      this.root.dataset.ahead = "true"; // for tests: the page has yet to follow
      if (!this.fetched()) {
        this.derive();
        this.loadStrips();
      }
      return Promise.race([this.loaded, sleep(MOST_AHEAD)]).then(nextFrame);
    }

    /** What an image needs, before somebody chooses it. @param {number} input */
    prefetch(input) {
      if (this.props.payload?.probe) return;
      const urls = data.addresses({ ...this.now, selection: { input, token: null, side: "query" } });
      if (urls) data.load(urls, new AbortController().signal).catch(() => {});
    }

    /** Another selection came in: the one shown ahead, or one that was chosen later elsewhere; else it is an older one of
     * ours, still on its way. @param {Atlas.Selection|null|undefined} before @param {Atlas.Selection|null|undefined} now */
    catchUp(before, now) {
      const { ahead } = this;
      const ours = (/** @type {Atlas.Selection|null|undefined} */ one) =>
        Boolean(one) && one?.input === ahead?.input && one?.token === ahead?.token && (one?.token === null || one?.side === ahead?.side);
      if (!ours(now) && !ours(before)) return;
      this.ahead = null;
      delete this.root.dataset.ahead;
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
      const { abort, data: now, now: props } = this;
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
      const { selection } = this.now;
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
        if (this.scene) paint(context, { ...this.scene, hover: this.hover, drag: this.pointer.area() });
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
      this.legend.show(now.facts.name, words, scene, look.shade, () => this.now);
    }

    // --- what the pointer or the keys are at ---------------------------------------------------------------------

    /** @param {number} position  -1: nothing */
    mark(position) {
      if (position === this.hover) return;
      this.hover = position;
      this.showTip();
      this.draw();
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.tell({ hover: this.hovered() }), REST);
    }

    /** The pair of the patch under the pointer and the chosen one. */
    hovered() {
      const { scene, hover } = this;
      if (!scene || hover < 0 || scene.chosen < 0) return null;
      const { chosen, side } = scene;
      const pair = side === "key" ? { query: hover, key: chosen } : { query: chosen, key: hover };
      return { ...pair, weight: scene.line[hover] };
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
      const { side } = scene;
      if (toSet) {
        this.tell({ toggled: { token, side, n: this.clicks } });
        return;
      }
      const again = position === scene.chosen;
      const picked = { token: again ? null : token, side: again ? null : side, n: this.clicks };
      const { selection } = this.now;
      if (selection) this.show({ ...selection, token: picked.token, side }).then(() => this.tell({ picked }));
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
