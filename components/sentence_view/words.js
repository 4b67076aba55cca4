/* The part of the view made of words: titles, notes, tooltip, the hide button, and all that screen readers are told. */
(function () {
  "use strict";
  const A = window.atlas_sentence_view;
  const { weights: W, tokens: T, layout: L, colour: C, describe, interaction: I, element } = A;
  const HELP =
    "Arrow keys move between tokens and sides, Enter pins a token, Escape clears, H hides or shows the token.";

  /** Uses of the view: its elements, scene, applied, data, state(). */
  const Words = (Base) =>
    class extends Base {
      words() {
        const { scene } = this;
        const { queries, keys } = scene.layout;
        const heatmap = this.applied.mode === "heatmap";
        const hidden = this.hidden();
        const count = (hidden.queries?.length || 0) + (hidden.keys?.length || 0);
        this.leftTitle.textContent = heatmap ? "queries ↓" : "queries";
        this.rightTitle.textContent = heatmap ? "keys →" : "keys";
        const { layout } = scene;
        this.leftTitle.style.left = heatmap ? `${Math.max(10, layout.x - layout.room)}px` : "auto";
        this.leftTitle.style.right = heatmap ? "auto" : `calc(100% - ${layout.xQuery - layout.gap}px)`;
        this.rightTitle.style.left = `${heatmap ? Math.max(layout.x, layout.x - layout.room + 96) : layout.xKey + layout.gap}px`;
        const total = this.data.pairs;
        const drawn = heatmap ? scene.pairs.candidates : scene.pairs.index.length;
        this.note.textContent = describe.coverage({
          drawn,
          candidates: scene.pairs.candidates,
          total,
          cut: scene.pairs.cut,
          topk: scene.topk,
          threshold: scene.threshold,
        });
        this.note.hidden = !this.note.textContent;
        this.legend.hidden = !heatmap;
        if (heatmap) {
          const stops = [];
          for (let i = 0; i <= 10; i++) stops.push(C.css(scene.table.subarray(Math.round(i * 25.5) * 4)));
          this.legend.replaceChildren();
          element("span", "", this.legend).textContent = "0";
          const bar = element("i", "", this.legend, { title: "square-root colour scale" });
          bar.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
          element("span", "", this.legend).textContent = T.number(scene.max);
        }
        this.zoom.hidden = !(heatmap && scene.layout.zoomable);
        this.zoom.textContent = this.zoomed ? "Fit" : "Zoom in";
        this.showHidden.hidden = !count;
        this.showHidden.textContent = `Show hidden (${count})`;
        const what = `Attention of ${this.data.head}: ${queries} queries, ${keys} keys.`;
        this.scroller.setAttribute("aria-label", `${what} ${HELP}`);
      }

      /** The sentence for screen readers, when the reader has come to rest. */
      say() {
        clearTimeout(this.saying);
        this.saying = setTimeout(() => {
          if (!this.scene) return;
          const { focus, pair, pinned } = this.state();
          const { query, key } = this.scene.sides;
          let text = "";
          if (pair) {
            const weight = this.scene.weights[pair.query * key.tokens.length + pair.key];
            text = describe.pair(query.tokens[pair.query], key.tokens[pair.key], weight);
          } else if (focus) {
            const own = focus.side === "query" ? query : key;
            const others = focus.side === "query" ? key : query;
            const note = own.hidden[focus.index] ? "It is hidden." : "";
            text = describe.token(focus.side, own.tokens[focus.index], this.lineCache.shown, others.tokens, note);
          }
          if (this.live.textContent !== text) this.live.textContent = text;
          this.tableOf(pinned);
        }, 150);
      }

      tableOf(pinned) {
        this.tableBox.replaceChildren();
        if (!pinned || !this.scene) return;
        const { weights, sides } = this.scene;
        const others = sides[pinned.side === "query" ? "key" : "query"];
        const values = W.lineOf(weights, sides.query.tokens.length, sides.key.tokens.length, pinned.side, pinned.index);
        const table = element("table", "", this.tableBox);
        const text = describe.short(sides[pinned.side].tokens[pinned.index]);
        element("caption", "", table).textContent =
          pinned.side === "query" ? `What the query “${text}” reads` : `Who reads the key “${text}”`;
        const head = element("tr", "", element("thead", "", table));
        for (const title of [pinned.side === "query" ? "Key" : "Query", "Position", "Weight"]) {
          element("th", "", head, { scope: "col" }).textContent = title;
        }
        const body = element("tbody", "", table);
        for (const i of W.strongest(values, 10, 0)) {
          const row = element("tr", "", body);
          element("th", "", row, { scope: "row" }).textContent = describe.short(others.tokens[i]);
          element("td", "", row).textContent = String(i);
          element("td", "", row).textContent = T.number(values[i]);
        }
      }

      /** The button that hides a token and the tooltip: DOM, so that they can be clicked and read. */
      accessories(state) {
        const { scene } = this;
        const target = state && I.target(this.hover, state.pinned);
        this.hideTarget = target || null;
        const at = target && this.placeOf(target.side, target.index);
        this.hideButton.hidden = !at || !at.visible;
        if (at) {
          const hidden = this.hidden()[target.side === "query" ? "queries" : "keys"] || [];
          const off = hidden.includes(target.index);
          const word = off ? "Show" : "Hide";
          const text = describe.short(scene.sides[target.side].tokens[target.index]);
          this.hideButton.textContent = off ? "+" : "×";
          this.hideButton.setAttribute("aria-label", `${word} ${target.side} “${text}”`);
          this.hideButton.title = `${word} this ${target.side} (h)`;
          this.hideButton.style.transform = `translate(${Math.round(at.buttonX)}px, ${Math.round(at.buttonY)}px)`;
        }
        this.tooltip(state);
      }

      tooltip(state) {
        const { scene } = this;
        const rows = [];
        let anchor = null;
        if (state && state.pair) {
          const { query, key } = state.pair;
          const flat = query * scene.layout.keys + key;
          const weight = scene.weights[flat];
          const raw = this.data.raw[flat] / W.UNIT;
          const texts = [describe.short(scene.sides.query.tokens[query]), describe.short(scene.sides.key.tokens[key])];
          rows.push(["", `${texts[0]} → ${texts[1]}`]);
          rows.push(["weight", T.number(weight)]);
          if (Math.abs(raw - weight) > 0.0005) rows.push(["before hiding or weighting", T.number(raw)]);
          const extra = this.props.pair;
          if (extra && extra.query === query && extra.key === key && Array.isArray(extra.rows)) {
            for (const row of extra.rows) rows.push([String(row[0]), String(row[1])]);
          }
          anchor = this.pairPlace(state.pair);
        } else if (this.hover && this.hover.side !== "pair" && scene) {
          const { side } = this.hover;
          const index = this.hover[side];
          const token = scene.sides[side].tokens[index];
          const wide = scene.layout.mode === "lines" ? scene.layout[`${side}Text`] : 60;
          const kept = side === "query" ? scene.kept[index] : 1;
          if (scene.fit(side, index, wide).cut) rows.push(["", T.plain(token)]);
          if (kept < 0.995 && !scene.sides.query.hidden[index]) {
            rows.push(["share of its attention that is not hidden", T.number(kept)]);
          }
          anchor = this.placeOf(side, index);
        }
        this.tip.hidden = !rows.length || !anchor || !anchor.visible;
        if (this.tip.hidden) return;
        const content = JSON.stringify(rows);
        if (content !== this.tipContent) {
          this.tipContent = content;
          this.tip.replaceChildren();
          for (const [label, value] of rows) {
            const line = element("div", label ? "" : "atlas-sv-tip-title", this.tip);
            if (label) element("span", "", line).textContent = label;
            element("bdi", "", line).textContent = value;
          }
        }
        const { width, height } = scene.view;
        const box = this.tip.getBoundingClientRect();
        const x = L.clamp(anchor.x - box.width / 2, 4, width - box.width - 4);
        const below = anchor.y + 16;
        const y = below + box.height < height ? below : Math.max(4, anchor.y - 16 - box.height);
        this.tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
      }
    };

  Object.assign(A, { Words });
})();
