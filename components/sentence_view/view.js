/* The view: owns the DOM inside the component's element, its data and its state, and puts the pure parts together.
   React (component.js) only hands props in; nothing in here is rendered by React. Painting, words and the reader's
   input are in picture.js, words.js and reader.js. */
(function () {
  "use strict";
  const A = window.atlas_sentence_view;
  const { weights: W, data: D, interaction: I, element, same } = A;
  const LINE_LIMIT = 5000;
  const LIMIT_ABOVE = 100; // tokens: up to here every line is drawn
  const EMPTY = { queries: [], keys: [] };
  const CHOOSE = "Click a token in the map to see the attention of its sentence";

  class View extends A.Words(A.Picture(A.Reader(Object))) {
    constructor(root, setProps) {
      super();
      this.root = root;
      this.setProps = setProps;
      this.props = {};
      this.applied = {};
      this.data = null;
      this.hover = null;
      this.cursor = false; // the hover comes from the keyboard
      this.timings = {};
      this.waiting = [];
      this.zoomed = false;
      this.status = "empty";
      this.marks = new A.SetMarks(() => this.schedule("front"));
      this.build();
      this.sendHover = I.throttle((hover) => this.setProps({ hover }), 100);
      this.resized = new ResizeObserver(() => this.relayout());
      this.resized.observe(this.stage);
      this.themed = new MutationObserver(() => this.restyle());
      this.themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme", "class"] });
      root.atlasSentence = {
        stats: () => this.stats(),
        tokenPosition: (side, index) => this.tokenPosition(side, index),
        cellPosition: (query, key) => this.cellPosition(query, key),
        scrollTo: (side, index) => this.reveal(side, index),
        ready: () => this.ready(),
      };
    }

    // ---------------------------------------------------------------- DOM

    build() {
      const root = this.root;
      const header = element("div", "atlas-sv-header", root, { "aria-hidden": "true" });
      this.leftTitle = element("span", "atlas-sv-query", header);
      this.rightTitle = element("span", "atlas-sv-key", header);
      this.stage = element("div", "atlas-sv-stage", root);
      this.scroller = element("div", "atlas-sv-scroller", this.stage, { tabindex: "0", role: "application" });
      this.scroller.setAttribute("aria-roledescription", "attention view");
      this.sizer = element("div", "atlas-sv-sizer", this.scroller);
      const pane = (this.pane = element("div", "atlas-sv-pane", this.sizer));
      this.base = element("canvas", "atlas-sv-base", pane, { "aria-hidden": "true" });
      this.front = element("canvas", "atlas-sv-front", pane, { "aria-hidden": "true" });
      this.hideButton = element("button", "atlas-sv-hide", this.stage, { type: "button", tabindex: "-1" });
      this.tip = element("div", "atlas-sv-tip", this.stage, { "aria-hidden": "true" });
      this.message = element("div", "atlas-sv-message", this.stage);
      this.messageText = element("span", "", this.message, { role: "status" });
      this.retry = element("button", "atlas-sv-chip", this.message, { type: "button" });
      this.retry.textContent = "Retry";
      const footer = (this.footer = element("div", "atlas-sv-footer", root));
      this.note = element("span", "atlas-sv-note", footer);
      this.legend = element("span", "atlas-sv-legend", footer);
      this.zoom = element("button", "atlas-sv-chip", footer, { type: "button" });
      this.showHidden = element("button", "atlas-sv-chip", footer, { type: "button" });
      this.live = element("div", "atlas-sv-unseen", root, { "aria-live": "polite" });
      this.tableBox = element("div", "atlas-sv-unseen", root);
      this.probe = element("span", "atlas-sv-unseen", root, { "aria-hidden": "true" });
      this.hideButton.hidden = this.tip.hidden = this.zoom.hidden = this.showHidden.hidden = true;

      this.retry.addEventListener("click", () => this.load());
      this.zoom.addEventListener("click", () => {
        this.zoomed = !this.zoomed;
        this.relayout();
        const at = this.pinned();
        if (at) this.reveal(at.side, at.index);
      });
      this.showHidden.addEventListener("click", () => {
        this.setProps({ hidden: { queries: [], keys: [] } });
        this.scroller.focus({ preventScroll: true });
      });
      this.hideButton.addEventListener("click", (event) => {
        event.stopPropagation();
        if (this.hideTarget) this.toggle(this.hideTarget);
      });
      this.scroller.addEventListener("scroll", () => this.schedule("both"), { passive: true });
      this.scroller.addEventListener("keydown", (event) => this.onKey(event));
      this.scroller.addEventListener("blur", () => this.cursor && this.setHover(null));
      this.scroller.addEventListener("click", (event) => this.onClick(event));
      this.stage.addEventListener("pointermove", (event) => this.onMove(event));
      this.stage.addEventListener("pointerleave", () => !this.cursor && this.setHover(null));
    }

    destroy() {
      this.abort?.abort();
      this.sendHover.cancel();
      this.resized.disconnect();
      this.themed.disconnect();
      cancelAnimationFrame(this.frame);
      clearTimeout(this.saying);
      delete this.root.atlasSentence;
      this.root.replaceChildren();
    }

    // ---------------------------------------------------------------- props and data

    /** Of which input the hidden tokens are; null when the props name no input. */
    static place(props) {
      const urls = D.addresses(props);
      return urls && urls.input;
    }

    update(props) {
      const before = this.props;
      this.props = props;
      const place = View.place(props);
      if (place !== null) {
        const moved = this.place !== undefined && this.place !== place;
        if (moved && same(before.hidden, props.hidden) && !same(props.hidden ?? EMPTY, EMPTY)) {
          this.ignored = props.hidden;
          this.setProps({ hidden: { queries: [], keys: [] } });
        }
        this.place = place;
      }
      if (this.ignored && !same(this.ignored, props.hidden)) this.ignored = null;
      if (this.root.dataset.theme !== (props.theme || "")) {
        this.root.dataset.theme = props.theme || "";
        this.restyle();
      }
      this.marks.follow(props);
      const urls = D.addresses(props);
      const wanted = JSON.stringify(urls);
      if (wanted !== this.wanted) {
        this.wanted = wanted;
        this.load();
      }
      if (this.data && this.data.place === place) this.apply(before);
      else if (!same(before.pair, props.pair)) this.schedule("front");
    }

    hidden() {
      const given = this.applied.hidden;
      return given && !(this.ignored && same(this.ignored, given)) ? given : EMPTY;
    }

    async load() {
      this.abort?.abort();
      const urls = D.addresses(this.props);
      if (!urls) {
        this.data = null;
        this.scene = null;
        this.loading = false;
        this.forgetHover();
        this.setStatus("empty", this.props.payload?.unattended || CHOOSE);
        this.tableOf(null);
        this.schedule("both");
        return;
      }
      const abort = (this.abort = new AbortController());
      const started = performance.now();
      this.loading = true;
      this.root.dataset.loading = "true";
      if (!this.data || this.status === "error") this.setStatus(this.data ? "ready" : "loading", "");
      try {
        const loaded = await D.load(urls, abort.signal);
        if (abort.signal.aborted) return;
        const place = urls.input;
        if (!this.data || this.data.place !== place) {
          this.forgetHover();
          this.zoomed = false;
          this.scroller.scrollTop = this.scroller.scrollLeft = 0;
        }
        this.data = { ...loaded, place, head: window.atlas_client.layers.nameOf(this.props.layer, this.props.head), url: urls.attention };
        this.timings.fetch = performance.now() - started;
        this.arrived = performance.now();
        this.loading = false;
        const empty = !loaded.queries.tokens.length || !loaded.keys.tokens.length;
        this.setStatus(empty ? "empty" : "ready", empty ? "This input has no tokens." : "");
        this.apply(null);
      } catch (error) {
        if (abort.signal.aborted || error.name === "AbortError") return;
        this.loading = false;
        this.setStatus("error", `The attention could not be loaded. ${D.sentenceOf(error)}`);
        this.schedule("both");
      }
      delete this.root.dataset.loading;
    }

    forgetHover() {
      if (this.hover) this.sendHover(null);
      this.hover = null;
      this.cursor = false;
    }

    setStatus(status, text) {
      this.status = status;
      this.root.dataset.state = status;
      this.messageText.textContent = text;
      this.message.hidden = !text;
      this.retry.hidden = status !== "error";
      if (status !== "loading") delete this.root.dataset.loading;
      this.footer.hidden = status === "empty";
      this.leftTitle.parentNode.hidden = status === "empty" || !this.data;
    }

    /** Take the props over for the data that is here. @param {object|null} before props then; null: new data */
    apply(before) {
      this.applied = this.props;
      const changed = (...names) => !before || names.some((name) => !same(before[name], this.props[name]));
      if (changed("hidden", "hideSpecial", "hideFirst", "hideWithin", "hideAcross", "byValueNorm", "topk", "threshold")) this.derive();
      if (changed("mode")) this.relayout();
      if (changed("selection")) {
        const pinned = this.pinned();
        if (pinned && !same(pinned, this.mine)) this.reveal(pinned.side, pinned.index);
        this.mine = null;
      }
      this.say();
      this.schedule("front");
    }

    /** Everything that follows from the raw matrix and the options. */
    derive() {
      const started = performance.now();
      const { queries, keys, raw, valueNorms } = this.data;
      const { applied } = this;
      const count = { q: queries.tokens.length, k: keys.tokens.length };
      const hidden = this.hidden();
      const hiddenQueries = W.hiddenMask(count.q, queries.special, hidden.queries, applied);
      const hiddenKeys = W.hiddenMask(count.k, keys.special, hidden.keys, applied);
      const hiddenPairs = W.hiddenPairs(queries.texts, keys.texts, applied);
      const norms = applied.byValueNorm ? valueNorms : null;
      const shown = W.shownMatrix(raw, count.q, count.k, { hiddenQueries, hiddenKeys, hiddenPairs, valueNorms: norms });
      const topk = Number(applied.topk) > 0 ? Math.floor(Number(applied.topk)) : 0;
      const threshold = Number(applied.threshold) > 0 ? Number(applied.threshold) : 0;
      const crowded = Math.max(count.q, count.k) > LIMIT_ABOVE;
      const limit = crowded ? LINE_LIMIT : 0;
      const pairs = W.strongestPairs(shown.weights, count.q, count.k, { topk, threshold, limit });
      const sameTokens = this.scene && this.scene.sides.query.tokens === queries.tokens;
      this.scene = {
        ...(sameTokens ? this.scene : {}),
        sides: { query: { ...queries, hidden: hiddenQueries }, key: { ...keys, hidden: hiddenKeys } },
        weights: shown.weights,
        kept: shown.kept,
        pairs,
        topk,
        threshold,
        max: W.maximum(shown.weights),
        visible: null,
        weighted: Boolean(norms),
      };
      if (topk || threshold) {
        const all = crowded ? W.strongestPairs(shown.weights, count.q, count.k, { topk, threshold }) : pairs;
        this.scene.visible = new Uint8Array(shown.weights.length);
        for (const i of all.index) this.scene.visible[i] = 1;
      }
      this.lineCache = null;
      this.timings.compute = performance.now() - started;
      this.relayout();
    }

    // ---------------------------------------------------------------- what is chosen

    pinned() {
      const chosen = this.applied.selection;
      if (!chosen || chosen.token === null || !this.data || (chosen.side !== "query" && chosen.side !== "key")) return null;
      const side = chosen.side === "query" ? this.data.queries : this.data.keys;
      const index = chosen.token - side.first;
      return Number.isInteger(index) && index >= 0 && index < side.tokens.length ? { side: chosen.side, index } : null;
    }

    state() {
      const pinned = this.pinned();
      const { focus, pair } = I.focusOf(this.hover, pinned);
      const { has } = this.marks;
      const first = (side) => (side === "query" ? this.data.queries : this.data.keys).first;
      const inSet = has && this.data ? (side, index) => has(side, first(side) + index) : null;
      return { pinned, focus, pair, inSet, hover: this.hover, cursor: this.cursor ? this.hover : null, line: this.line(focus) };
    }

    /** Shown weights of the focused token on the other side, and which of them top k and threshold let through. */
    line(focus) {
      if (!focus || !this.scene) return null;
      const name = `${focus.side}${focus.index}`;
      if (this.lineCache?.name !== name) {
        const { weights, sides, topk, threshold } = this.scene;
        const { length: queries } = sides.query.tokens;
        const { length: keys } = sides.key.tokens;
        const line = W.lineOf(weights, queries, keys, focus.side, focus.index);
        const strongest = W.strongest(line, topk, threshold);
        const shown = new Float32Array(line.length);
        for (const i of strongest) shown[i] = line[i];
        const flat = strongest.map((i) => (focus.side === "query" ? focus.index * keys + i : i * keys + focus.index));
        this.lineCache = { name, all: line, shown, pairs: flat.reverse() };
      }
      return this.lineCache.shown;
    }

    // ---------------------------------------------------------------- for tests and benchmarks

    ready() {
      return new Promise((resolve) => {
        this.waiting.push(resolve);
        this.schedule("front");
      });
    }

    settle() {
      if (this.loading || this.frame) return;
      const waiting = this.waiting.splice(0);
      for (const resolve of waiting) resolve(this.stats());
    }

    stats() {
      const { scene } = this;
      const { focus, pair, pinned } = scene ? this.state() : { focus: null, pair: null, pinned: null };
      const hidden = scene ? this.hidden() : EMPTY;
      const layout = scene?.layout;
      return {
        state: this.loading ? "loading" : this.status,
        mode: layout?.mode ?? null,
        url: this.data?.url ?? null,
        queries: scene ? scene.sides.query.tokens.length : 0,
        keys: scene ? scene.sides.key.tokens.length : 0,
        lines: scene ? scene.pairs.index.length : 0,
        candidates: scene ? scene.pairs.candidates : 0,
        linesInSight: this.inSight ?? 0,
        cut: scene?.pairs.cut ?? 0,
        focusLines: focus && scene ? (this.line(focus), this.lineCache.pairs.length) : 0,
        focus,
        pair,
        pinned,
        hidden,
        hiddenQueries: scene ? Array.from(scene.sides.query.hidden).reduce((a, b) => a + b, 0) : 0,
        hiddenKeys: scene ? Array.from(scene.sides.key.hidden).reduce((a, b) => a + b, 0) : 0,
        inSet: this.marks.has && this.data ? this.countInSet() : null,
        weighted: Boolean(scene?.weighted),
        zoomed: Boolean(layout?.zoomed),
        canvas: { width: this.base.width, height: this.base.height },
        contentHeight: layout?.contentHeight ?? 0,
        paints: this.pictures || 0,
        timings: { ...this.timings },
      };
    }

    countInSet() {
      const { inSet } = this.state();
      const count = (side, data) => data.tokens.filter((_, index) => inSet(side, index)).length;
      return count("query", this.data.queries) + count("key", this.data.keys);
    }

    /** One shown weight, for tests. */
    weight(query, key) {
      return this.scene.weights[query * this.scene.layout.keys + key];
    }
  }

  Object.assign(A, { View });
})();
