/* The part of the view that puts the picture on the canvases: style, layout, painting, and where things are. */
(function () {
  "use strict";
  const A = window.atlas_sentence_view;
  const { tokens: T, layout: L, colour: C, draw } = A;
  const LINES_A_FRAME = 1200; // strongest first: the picture stands at once and fills up while one scrolls or waits

  /** Uses of the view: root, scene, applied, data, state(). */
  const Picture = (Base) =>
    class extends Base {
      readStyle() {
        const style = getComputedStyle(this.root);
        const read = (name) => {
          this.probe.style.color = `var(--atlas-sv-${name})`;
          return C.parse(getComputedStyle(this.probe).color);
        };
        const colours = {};
        for (const name of ["query", "key", "text", "muted", "canvas"]) colours[name] = read(name) || [128, 128, 128];
        const dark = C.isDark(colours.canvas);
        const family = style.fontFamily || "sans-serif";
        this.style = {
          colours,
          table: C.scale(colours.canvas, dark),
          font: `13px ${family}`,
          boldFont: `600 13px ${family}`,
          numberFont: `11px ${family}`,
          boldNumberFont: `600 11px ${family}`,
          fontOf: (size, bold) => `${bold ? "600 " : ""}${size}px ${family}`,
        };
        this.texts = new Map();
      }

      restyle() {
        this.style = null;
        this.relayout();
      }

      /** Width of a text in a font, without touching the state of the painting. */
      measure(font) {
        const context = this.front.getContext("2d");
        return (text) => {
          context.font = font;
          return context.measureText(text).width;
        };
      }

      fitted(side, index, width, font) {
        const token = this.scene.sides[side].tokens[index];
        const name = `${font}|${width}|${token.length > 500 ? `${side}${index}` : token}`;
        let found = this.texts.get(name);
        if (!found) {
          const context = this.front.getContext("2d");
          const now = context.font;
          found = T.fit(token, width, this.measure(font));
          context.font = now;
          this.texts.set(name, found);
        }
        return found;
      }

      widest(side) {
        let most = 0;
        for (let i = 0; i < this.scene.sides[side].tokens.length; i++) {
          most = Math.max(most, this.fitted(side, i, 280, this.style.font).width);
          if (most > 240) break;
        }
        return most;
      }

      relayout() {
        if (!this.scene) return this.schedule("both");
        const fresh = !this.style;
        if (fresh) this.readStyle();
        const scene = Object.assign(this.scene, this.style);
        scene.fit = (side, index, width, bold) =>
          this.fitted(side, index, width, bold ? this.style.boldFont : this.style.font);
        scene.fitLabel = (side, index, width, size, bold) =>
          this.fitted(side, index, width, this.style.fontOf(size, bold));
        if (fresh || !scene.widest) scene.widest = { query: this.widest("query"), key: this.widest("key") };
        const heatmap = this.applied.mode === "heatmap";
        this.root.dataset.mode = heatmap ? "heatmap" : "lines";
        for (let round = 0; round < 2; round++) {
          const width = this.scroller.clientWidth;
          const height = this.scroller.clientHeight;
          if (!width || !height) return;
          const given = {
            width,
            height,
            queries: scene.sides.query.tokens.length,
            keys: scene.sides.key.tokens.length,
            queryText: scene.widest.query,
            keyText: scene.widest.key,
            coarse: matchMedia("(pointer: coarse)").matches,
            zoomed: this.zoomed,
          };
          scene.layout = heatmap ? L.heatmapLayout(given) : L.linesLayout(given);
          this.sizer.style.width = `${Math.floor(scene.layout.contentWidth)}px`;
          this.sizer.style.height = `${Math.floor(scene.layout.contentHeight)}px`;
          if (this.scroller.clientWidth === width && this.scroller.clientHeight === height) break;
        }
        const view = { width: this.scroller.clientWidth, height: this.scroller.clientHeight };
        view.ratio = Math.max(1, window.devicePixelRatio || 1);
        this.pane.style.width = `${view.width}px`;
        this.pane.style.height = `${view.height}px`;
        for (const canvas of [this.base, this.front]) {
          const wide = Math.round(view.width * view.ratio);
          const high = Math.round(view.height * view.ratio);
          if (canvas.width !== wide) canvas.width = wide;
          if (canvas.height !== high) canvas.height = high;
        }
        scene.view = { ...view, scrollX: this.scroller.scrollLeft, scrollY: this.scroller.scrollTop };
        this.words();
        this.schedule("both");
      }


      schedule(what) {
        this.dirty = this.dirty === "both" || what === "both" ? "both" : "front";
        if (!this.frame) this.frame = requestAnimationFrame(() => this.paint());
      }

      paint() {
        this.frame = 0;
        const { dirty } = this;
        this.dirty = null;
        const base = this.base.getContext("2d");
        const front = this.front.getContext("2d");
        if (!this.scene || !this.scene.layout) {
          for (const canvas of [base, front]) draw.clear(canvas, { ratio: 1, width: 1e5, height: 1e5 });
          this.accessories(null);
          return this.settle();
        }
        const { scene } = this;
        scene.view.scrollX = this.scroller.scrollLeft;
        scene.view.scrollY = this.scroller.scrollTop;
        const heatmap = scene.layout.mode === "heatmap";
        const started = performance.now();
        if (dirty === "both") {
          draw.clear(base, scene.view);
          this.rest = heatmap ? 0 : scene.pairs.index.length;
          this.inSight = 0;
          this.timings.draw = 0;
          if (heatmap) draw.heatmap(base, scene);
        }
        if (this.rest > 0) {
          const { drawn, rest } = draw.lines(base, scene, scene.pairs.index, { start: this.rest, most: LINES_A_FRAME });
          draw.tint(base, scene);
          this.rest = rest;
          this.inSight += drawn;
          if (rest > 0) this.frame = requestAnimationFrame(() => this.paint());
        }
        this.timings.draw += performance.now() - started;
        if (dirty) this.paintFront(front, heatmap);
        if (this.arrived) {
          if (dirty === "both") this.timings.first = performance.now() - this.arrived;
          this.timings.picture = performance.now() - this.arrived;
          if (!this.rest) this.arrived = 0;
        }
        this.pictures = (this.pictures || 0) + 1;
        return this.settle();
      }

      paintFront(front, heatmap) {
        const { scene } = this;
        const state = this.state();
        const middle = performance.now();
        draw.clear(front, scene.view);
        if (heatmap) draw.heatmapFront(front, scene, state);
        else this.paintLinesFront(front, state);
        this.base.style.opacity = heatmap || (!state.focus && !state.pair) ? "1" : state.focus ? "0" : "0.3";
        this.accessories(state);
        this.timings.hover = performance.now() - middle;
      }

      paintLinesFront(front, state) {
        const { scene } = this;
        if (state.focus) draw.lines(front, scene, this.lineCache.pairs, { strong: true, fade: state.pair ? 0.45 : 1 });
        if (state.pair) {
          const flat = state.pair.query * scene.layout.keys + state.pair.key;
          if (scene.weights[flat] > 0) draw.lines(front, scene, [flat], { strong: true, extra: 0.6 });
        }
        if (state.focus || state.pair) draw.tint(front, scene);
        draw.columns(front, scene, state);
      }



      placeOf(side, index) {
        const { layout, view } = this.scene;
        if (layout.mode === "lines") {
          const y = L.rowY(layout, index) - this.scroller.scrollTop;
          const x = side === "query" ? layout.xQuery - layout.gap - 12 : layout.xKey + layout.gap + 12;
          const size = layout.outer - 2;
          const buttonX = side === "query" ? layout.left + 1 : layout.right - size - 1;
          return { x, y, buttonX, buttonY: y - 10, visible: y > 0 && y < view.height };
        }
        const at = (index + 0.5) * layout.cell;
        if (side === "query") {
          const y = layout.y + at - this.scroller.scrollTop;
          const x = (layout.zoomed ? layout.room : layout.x) - 8;
          const visible = y > (layout.zoomed ? layout.head : 0) && y < view.height;
          return { x, y, buttonX: 0, buttonY: y - 10, visible };
        }
        const x = layout.x + at - this.scroller.scrollLeft;
        const visible = x > (layout.zoomed ? layout.room : 0) && x < view.width;
        return { x, y: layout.head - 8, buttonX: x - 10, buttonY: 0, visible };
      }

      pairPlace({ query, key }) {
        const { layout, view } = this.scene;
        if (layout.mode === "heatmap") {
          const x = layout.x + (key + 0.5) * layout.cell - this.scroller.scrollLeft;
          const y = layout.y + (query + 0.5) * layout.cell - this.scroller.scrollTop;
          return { x, y, visible: x > 0 && x < view.width && y > 0 && y < view.height };
        }
        if (this.hover && this.hover.side !== "pair") {
          // Between the columns, where it covers no token.
          const place = this.placeOf(this.hover.side, this.hover[this.hover.side]);
          return { ...place, x: (layout.xQuery + layout.xKey) / 2, visible: place.visible };
        }
        const y = (L.rowY(layout, query) + L.rowY(layout, key)) / 2 - this.scroller.scrollTop;
        const at = this.pointer || { x: (layout.xQuery + layout.xKey) / 2, y };
        return { x: at.x, y: at.y, visible: true };
      }

      offset() {
        const stage = this.stage.getBoundingClientRect();
        const root = this.root.getBoundingClientRect();
        return { x: stage.left - root.left, y: stage.top - root.top };
      }

      tokenPosition(side, index) {
        if (!this.scene?.layout) return null;
        const place = this.placeOf(side, index);
        const offset = this.offset();
        return { x: place.x + offset.x, y: place.y + offset.y };
      }

      cellPosition(query, key) {
        if (this.scene?.layout?.mode !== "heatmap") return null;
        const place = this.pairPlace({ query, key });
        const offset = this.offset();
        return { x: place.x + offset.x, y: place.y + offset.y };
      }

      /** Scroll as little as possible until a token is in sight. */
      reveal(side, index) {
        const { layout, view } = this.scene || {};
        if (!layout) return;
        const { scroller } = this;
        if (layout.mode === "lines") {
          const y = L.rowY(layout, index);
          const margin = layout.rowHeight * 2;
          scroller.scrollTop = L.scrollInto(scroller.scrollTop, view.height, y - margin, y + margin);
        } else if (layout.zoomed) {
          const at = index * layout.cell;
          const wide = view.width - layout.room;
          const high = view.height - layout.head;
          const end = at + 2 * layout.cell;
          if (side === "query") scroller.scrollTop = L.scrollInto(scroller.scrollTop, high, at - layout.cell, end);
          else scroller.scrollLeft = L.scrollInto(scroller.scrollLeft, wide, at - layout.cell, end);
        }
      }
    };

  Object.assign(A, { Picture });
})();
