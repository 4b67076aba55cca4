/* The part of the view that follows the reader: pointer, touch and keys. */
(function () {
  "use strict";
  const A = window.atlas_sentence_view;
  const { layout: L, interaction: I, same } = A;

  /** Uses of the view: scene, data, pinned(), hidden(), setProps. */
  const Reader = (Base) =>
    class extends Base {
      under(event) {
        if (!this.scene?.layout || this.status === "empty") return null;
        const box = this.scroller.getBoundingClientRect();
        const x = event.clientX - box.left;
        const y = event.clientY - box.top;
        const { layout, view } = this.scene;
        this.pointer = { x, y };
        if (x < 0 || y < 0 || x > view.width || y > view.height) return null;
        if (layout.mode === "heatmap") {
          return L.heatmapAt(layout, x, y, this.scroller.scrollLeft, this.scroller.scrollTop);
        }
        const down = y + this.scroller.scrollTop;
        const token = L.tokenAt(layout, x, down);
        if (token) {
          const { side, index } = token;
          return { side, query: side === "query" ? index : null, key: side === "key" ? index : null };
        }
        const pinned = this.pinned();
        if (pinned) this.line(pinned);
        const pairs = pinned ? this.lineCache.pairs : this.scene.pairs.index;
        const pair = L.lineAt(layout, pairs, x, down, 4);
        return pair && { side: "pair", ...pair };
      }

      setHover(hover, fromKeys = false) {
        if (same(hover, this.hover) && fromKeys === this.cursor) {
          if (hover?.side === "pair") this.schedule("front");
          return;
        }
        this.hover = hover;
        this.cursor = fromKeys;
        this.schedule("front");
        this.say();
        const { pair } = I.focusOf(hover, this.pinned());
        const keys = this.scene?.layout?.keys;
        if (pair) {
          const weight = Math.round(this.scene.weights[pair.query * keys + pair.key] * 1e5) / 1e5;
          this.sendHover({ query: pair.query, key: pair.key, weight });
        } else this.sendHover(hover ? { query: hover.query, key: hover.key, weight: null } : null);
      }

      onMove(event) {
        if (event.pointerType === "touch") return;
        if (event.target === this.hideButton || this.message.contains(event.target)) return;
        const hover = this.under(event);
        this.scroller.style.cursor = hover && hover.side !== "pair" ? "pointer" : "default";
        this.setHover(hover);
      }

      onClick(event) {
        const at = this.under(event);
        const pinned = this.pinned();
        if (!at) return pinned && this.pin(null);
        const touch = event.pointerType === "touch";
        if (at.side === "pair") {
          if (touch) this.setHover(at);
          const pins = this.scene.layout.mode === "heatmap";
          if (pins) this.togglePin({ side: "query", index: at.query });
          if (!pins || this.mine) this.pickPair(at, !pins && !touch);
          return undefined;
        }
        if (touch) this.setHover(null);
        if (event.shiftKey || event.ctrlKey || event.metaKey) return this.toggleInSet({ side: at.side, index: at[at.side] });
        return this.togglePin({ side: at.side, index: at[at.side] });
      }

      togglePin(token) {
        this.pin(same(token, this.pinned()) ? null : token);
      }

      pin(token) {
        this.mine = token;
        const first = token && (token.side === "query" ? this.data.queries : this.data.keys).first;
        this.picks = (this.picks || 0) + 1;
        this.setProps({ picked: { token: token ? first + token.index : null, side: token ? token.side : null, n: this.picks } });
      }

      /** @param {{query: number, key: number}} pair @param {boolean} open  whether what is told of it is shown at once */
      pickPair({ query, key }, open) {
        this.pairs = (this.pairs || 0) + 1;
        this.setProps({ pairPicked: { query, key, first: this.data.queries.first, open, n: this.pairs } });
      }

      /** Put a token into the set that all views share, or take it out. */
      toggleInSet(token) {
        const { first } = token.side === "query" ? this.data.queries : this.data.keys;
        this.toggles = (this.toggles || 0) + 1;
        this.setProps({ toggled: { token: first + token.index, side: token.side, n: this.toggles } });
      }

      toggle(token) {
        this.setProps({ hidden: I.toggleHidden(this.hidden(), token.side, token.index) });
      }

      onKey(event) {
        if (!this.scene?.layout || this.status === "empty" || event.ctrlKey || event.metaKey || event.altKey) return;
        const pinned = this.pinned();
        const { layout } = this.scene;
        const done = () => event.preventDefault();
        if (event.key === "Escape") {
          if (!this.hover && !pinned) return;
          this.setHover(null);
          if (pinned) this.pin(null);
          return done();
        }
        if (event.key === "Enter" || event.key === " ") {
          const side = this.hover?.side === "pair" ? (event.shiftKey ? "key" : "query") : this.hover?.side;
          if (side) this.togglePin({ side, index: this.hover[side] });
          return done();
        }
        const { pair: pointed } = I.focusOf(this.hover, pinned);
        if (pointed && (event.key === "w" || event.key === "W")) {
          this.pickPair(pointed, true);
          return done();
        }
        if (event.key === "s" || event.key === "S") {
          const token = I.target(this.hover, pinned);
          if (token) this.toggleInSet(token);
          return done();
        }
        if (event.key === "h" || event.key === "H") {
          const pair = this.hover?.side === "pair" ? { side: event.shiftKey ? "key" : "query" } : null;
          const token = pair ? { ...pair, index: this.hover[pair.side] } : I.target(this.hover, pinned);
          if (token) this.toggle(token);
          return done();
        }
        const top = Math.max(0, Math.ceil((this.scroller.scrollTop - 4) / (layout.rowHeight || 1)));
        const start = pinned || { side: "query", index: layout.mode === "lines" ? top : 0 };
        const to = I.move(event.key, this.hover, { mode: layout.mode, queries: layout.queries, keys: layout.keys, start });
        if (!to) return;
        done();
        this.setHover(to, true);
        if (to.query !== null) this.reveal("query", to.query);
        if (to.key !== null) this.reveal("key", to.key);
      }
    };

  Object.assign(A, { Reader });
})();
