/**
 * What lies over the points: titles, axis hints, focus ring, labels, attention lines (2D canvas), and the DOM parts:
 * tooltip, heading, message, and the sentence for screen readers. Token texts are only ever text nodes or canvas text.
 */
(function (atlas) {
  const grid = atlas.grid || require("./grid.js");
  const { placeLabels, paddingAt, labelText } = atlas.labels || require("./labels.js");

  const TITLE_FROM = 96;
  /** Without axes the titles alone tell which head is which. */
  const TITLE_FROM_SORTED = 58;
  const BADGE_TEXT_FROM = 44;
  const BADGE_BAR_FROM = 14;
  const MOST_LABELS = 260;

  /** Room at the edges of the matrix for layer and head numbers, CSS px. */
  const MARGINS = { left: 46, top: 40, right: 14, bottom: 14 };

  function element(tag, className, parent, attributes = {}) {
    const node = document.createElement(tag);
    node.className = className;
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    parent.appendChild(node);
    return node;
  }

  class Overlay {
    /** @param {HTMLElement} root */
    constructor(root) {
      this.canvas = element("canvas", "atlas-scene-overlay", root, { "aria-hidden": "true" });
      this.context = this.canvas.getContext("2d");
      this.heading = element("div", "atlas-scene-heading", root, { hidden: "" });
      this.tooltip = element("div", "atlas-scene-tooltip", root, { role: "tooltip", hidden: "" });
      this.message = element("div", "atlas-scene-message", root, { role: "alert", hidden: "" });
      this.progress = element("div", "atlas-scene-progress", root, { "aria-hidden": "true", hidden: "" });
      this.live = element("div", "atlas-scene-live", root, { "aria-live": "polite" });
      this.widths = new Map();
      this.labelBoxes = [];
      this.readFont();
    }

    /** The page's own font: canvas text does not inherit it. Widths measured before it had loaded are void. */
    readFont() {
      this.font = getComputedStyle(this.canvas).fontFamily || "sans-serif";
      this.widths.clear();
    }

    resize(width, height, ratio) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.ratio = ratio;
      this.width = width;
      this.height = height;
    }

    // --- DOM parts --------------------------------------------------------------------------------------------

    say(sentence) {
      if (this.live.textContent !== sentence) this.live.textContent = sentence;
    }

    setHeading(text) {
      this.heading.hidden = !text;
      this.heading.textContent = text || "";
    }

    setProgress(part) {
      this.progress.hidden = part >= 1;
      this.progress.style.setProperty("--part", String(part));
    }

    /** @param {string|null} text @param {(() => void)|null} retry */
    setMessage(text, retry) {
      this.message.hidden = !text;
      this.message.replaceChildren();
      if (!text) return;
      element("span", "", this.message).textContent = text;
      if (!retry) return;
      const button = element("button", "atlas-scene-retry", this.message, { type: "button" });
      button.textContent = "Retry";
      button.addEventListener("click", retry);
    }

    /**
     * @param {{title: string, rows: Array<{text: string, swatch?: string}>}|null} content
     * @param {number} x @param {number} y
     */
    showTooltip(content, x, y) {
      this.tooltip.hidden = !content;
      if (!content) return;
      this.tooltip.replaceChildren();
      element("strong", "", this.tooltip).textContent = content.title;
      for (const row of content.rows) {
        const line = element("div", "", this.tooltip);
        if (row.swatch) element("i", "atlas-scene-swatch", line).style.background = row.swatch;
        line.appendChild(document.createTextNode(row.text));
      }
      const { offsetWidth: w, offsetHeight: h } = this.tooltip;
      const left = x + 14 + w > this.width ? x - w - 14 : x + 14;
      const top = y + 16 + h > this.height ? y - h - 12 : y + 16;
      this.tooltip.style.transform = `translate(${Math.max(2, Math.round(left))}px, ${Math.max(2, Math.round(top))}px)`;
    }

    // --- canvas -----------------------------------------------------------------------------------------------

    /** @param {Object} state  made by scene.js `overlayState()` */
    draw(state) {
      const c = this.context;
      c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      c.clearRect(0, 0, this.width, this.height);
      if (state.averaging) atlas.average.draw(this, state);
      if (state.matrix > 0) this.drawMatrix(state);
      if (state.lines.length) this.drawLines(state);
      if (state.rings.length) this.drawRings(state);
      if (state.hitsAt && state.hitsAt.length) this.drawHits(state);
      if (state.ringAt) this.drawRing(state);
      this.labelBoxes = state.labels.length ? this.drawLabels(state) : [];
      if (state.hoverAt) this.drawHover(state);
    }

    drawMatrix(state) {
      const c = this.context;
      c.globalAlpha = state.matrix;
      if (state.cell >= (state.grid.order ? TITLE_FROM_SORTED : TITLE_FROM)) this.drawTitles(state);
      this.drawBadges(state);
      this.drawNotes(state);
      state.framed.forEach((cell) => this.outline(state, cell, state.colours.ring, 2.5));
      if (state.hoverCell >= 0) this.outline(state, state.hoverCell, state.colours.text, 1.5);
      if (state.focusCell >= 0) this.outline(state, state.focusCell, state.colours.ring, 3);
      if (!state.single && state.axes && !state.grid.order) this.drawAxes(state);
      c.globalAlpha = 1;
    }

    cellBox(state, cell) {
      const { column, row } = grid.cellPlace(state.grid, cell);
      const inset = state.cell * grid.GAP * 0.5;
      return {
        x: state.originX + column * state.cell + inset,
        y: state.originY + row * state.cell + inset,
        side: state.cell - 2 * inset,
      };
    }

    outline(state, cell, colour, width) {
      const c = this.context;
      const { x, y, side } = this.cellBox(state, cell);
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.beginPath();
      c.roundRect(x - 0.5, y - 0.5, side + 1, side + 1, Math.min(10, side * 0.05));
      c.stroke();
    }

    visitCells(state, visit) {
      for (const run of state.cells) {
        for (let i = 0; i < run.count; i++) visit(run.first + i);
      }
    }

    drawTitles(state) {
      const c = this.context;
      const size = Math.min(13, Math.max(9.5, state.cell * 0.11));
      c.font = `600 ${size}px ${this.font}`;
      c.textBaseline = "top";
      c.textAlign = "left";
      this.visitCells(state, (cell) => {
        const { x, y } = this.cellBox(state, cell);
        this.haloText(state.nameOf(cell), x + 5, y + 4, state.colours.muted, state.colours.cell);
      });
    }

    haloText(text, x, y, colour, halo) {
      const c = this.context;
      c.lineJoin = "round";
      c.lineWidth = 3;
      c.strokeStyle = halo;
      c.strokeText(text, x, y);
      c.fillStyle = colour;
      c.fillText(text, x, y);
    }

    /** A value in each cell's corner, and a bar along its foot as long as the value is good: colour says nothing. */
    drawBadges(state) {
      // They tell of maps: over heatmaps they would only mislead, unless heads lie in their order.
      if (!state.badges.size || state.cell < BADGE_BAR_FROM || (state.averaging && !state.grid.order)) return;
      const c = this.context;
      const plain = state.cell < BADGE_TEXT_FROM;
      c.font = `600 ${Math.min(12, Math.max(9.5, state.cell * 0.1))}px ${this.font}`;
      c.textBaseline = "top";
      c.textAlign = "right";
      this.visitCells(state, (cell) => {
        const badge = state.badges.get(cell);
        if (!badge) return;
        const { x, y, side } = this.cellBox(state, cell);
        const inset = Math.min(5, side * 0.06);
        const height = Math.max(1.5, Math.min(3, side * 0.025));
        if (typeof badge.grade === "number") {
          const width = side - 2 * inset;
          c.fillStyle = state.colours.faded;
          c.fillRect(x + inset, y + side - inset - height, width, height);
          c.fillStyle = state.colours.muted;
          c.fillRect(x + inset, y + side - inset - height, width * Math.min(1, Math.max(0, badge.grade)), height);
        }
        if (!plain && badge.text) this.haloText(String(badge.text), x + side - 5, y + 4, state.colours.text, state.colours.cell);
      });
    }

    drawNotes(state) {
      if (!state.notes.size || state.cell < 34) return;
      const c = this.context;
      c.font = `600 ${Math.min(11, Math.max(8, state.cell * 0.1))}px ${this.font}`;
      c.textBaseline = "bottom";
      c.textAlign = "right";
      this.visitCells(state, (cell) => {
        const note = state.notes.get(cell);
        if (note === undefined) return;
        const { x, y, side } = this.cellBox(state, cell);
        this.haloText(note, x + side - 4, y + side - 3, state.colours.text, state.colours.cell);
      });
    }

    /** Layer numbers down the left edge, head numbers along the top: they stay in view when the matrix moves. */
    drawAxes(state) {
      const c = this.context;
      const { columns, rows } = state.grid;
      const left = Math.max(MARGINS.left, state.originX) - 8;
      const top = Math.max(MARGINS.top, state.originY) - 7;
      const step = Math.max(1, Math.ceil(20 / state.cell));
      this.drawAxisGround(state);
      c.font = `500 11px ${this.font}`;
      c.textBaseline = "bottom";
      c.textAlign = "center";
      for (let column = 0; column < columns; column += step) {
        const x = state.originX + (column + 0.5) * state.cell;
        if (x > MARGINS.left && x < this.width - 8) this.axisText(state, String(column), x, top, column === state.lit.column);
      }
      c.textBaseline = "middle";
      c.textAlign = "right";
      for (let row = 0; row < rows; row += step) {
        const y = state.originY + (row + 0.5) * state.cell;
        if (y > MARGINS.top && y < this.height - 6) this.axisText(state, String(row), left, y, row === state.lit.row);
      }
      this.drawAxisHints(state, left, top);
    }

    /** A ground for the numbers where the matrix runs under them. */
    drawAxisGround(state) {
      const c = this.context;
      c.save();
      c.globalAlpha *= 0.9;
      c.fillStyle = state.colours.canvas;
      if (state.originX < MARGINS.left - 1) c.fillRect(0, 0, MARGINS.left - 4, this.height);
      if (state.originY < MARGINS.top - 1) c.fillRect(0, 0, this.width, MARGINS.top - 4);
      c.restore();
    }

    axisText(state, text, x, y, lit) {
      this.haloText(text, x, y, lit ? state.colours.text : state.colours.muted, state.colours.canvas);
    }

    drawAxisHints(state, left, top) {
      const c = this.context;
      c.font = `600 11px ${this.font}`;
      c.textBaseline = "bottom";
      c.textAlign = "left";
      this.haloText("head →", left + 8, top - 15, state.colours.muted, state.colours.canvas);
      c.textAlign = "right";
      const x = Math.max(left, c.measureText("layer ↓").width) + 4;
      this.haloText("layer ↓", x, top, state.colours.muted, state.colours.canvas);
    }

    drawLines(state) {
      const c = this.context;
      c.strokeStyle = state.colours.line;
      c.lineCap = "round";
      for (const line of state.lines) {
        c.globalAlpha = (line.chosen ? 1 : 0.55) * (0.12 + 0.88 * line.weight);
        c.lineWidth = (line.chosen ? 1.6 : 0.9) + 1.6 * line.weight;
        c.beginPath();
        c.moveTo(line.from.x, line.from.y);
        c.lineTo(line.to.x, line.to.y);
        c.stroke();
      }
      c.globalAlpha = 1;
    }

    /** Search hits inside a set: a thin ring each. */
    drawHits(state) {
      const c = this.context;
      c.strokeStyle = state.colours.text;
      c.lineWidth = 1.5;
      const radius = Math.max(5, state.diameter * 0.7 + 2.5);
      for (const { x, y } of state.hitsAt) {
        c.beginPath();
        c.arc(x, y, radius, 0, 2 * Math.PI);
        c.stroke();
      }
    }

    drawRing(state) {
      const c = this.context;
      const { x, y } = state.ringAt;
      const radius = Math.max(7, state.diameter * 0.5 + 5);
      c.beginPath();
      c.arc(x, y, radius, 0, 2 * Math.PI);
      c.lineWidth = 5;
      c.strokeStyle = state.colours.canvas;
      c.stroke();
      c.lineWidth = 3;
      c.strokeStyle = state.colours.ring;
      c.stroke();
    }

    /** Where a token's attention goes: a thin ring, thicker for more, and a line that leads there. */
    drawRings(state) {
      const c = this.context;
      for (const ring of state.rings) {
        const radius = Math.max(6, state.diameter * 0.5 + 4);
        const width = 1.5 + 2.5 * Math.sqrt(ring.weight);
        const away = Math.hypot(ring.x - ring.from.x, ring.y - ring.from.y);
        if (away > 2 * radius) {
          const toward = (distance) => ({
            x: ring.from.x + ((ring.x - ring.from.x) * distance) / away, y: ring.from.y + ((ring.y - ring.from.y) * distance) / away,
          });
          const [a, b] = [toward(radius), toward(away - radius)];
          c.globalAlpha = 0.55;
          c.beginPath();
          c.moveTo(a.x, a.y);
          c.lineTo(b.x, b.y);
          c.lineWidth = 1;
          c.setLineDash([3, 4]);
          c.strokeStyle = state.colours.ring;
          c.stroke();
          c.setLineDash([]);
          c.globalAlpha = 1;
        }
        for (const [colour, extra] of [[state.colours.canvas, 2], [state.colours.ring, 0]]) {
          c.beginPath();
          c.arc(ring.x, ring.y, radius, 0, 2 * Math.PI);
          c.lineWidth = width + extra;
          c.strokeStyle = colour;
          c.stroke();
        }
      }
    }

    drawHover(state) {
      const c = this.context;
      c.beginPath();
      c.arc(state.hoverAt.x, state.hoverAt.y, Math.max(5, state.diameter * 0.5 + 3), 0, 2 * Math.PI);
      c.lineWidth = 1.5;
      c.strokeStyle = state.colours.text;
      c.stroke();
    }

    /** A token's label and its width, worked out once: thousands are asked for in every frame. */
    measured(token) {
      let known = this.widths.get(token);
      if (known) return known;
      if (this.widths.size > 20_000) this.widths.clear();
      const text = labelText(token);
      known = { text, width: this.context.measureText(text).width };
      this.widths.set(token, known);
      return known;
    }

    /** @returns {Array<Object>} the labels that found room */
    drawLabels(state) {
      const c = this.context;
      c.font = `600 12px ${this.font}`;
      c.textBaseline = "middle";
      c.textAlign = "left";
      const measured = state.labels.map((label) => Object.assign(label, this.measured(label.text)));
      const placed = placeLabels(measured, {
        height: 15,
        padding: state.marked ? 1 : paddingAt(state.zoom),
        most: MOST_LABELS,
        offset: state.diameter * 0.5 + 3,
      });
      // A ground of its own: over a dense cloud a halo alone is not enough to read by.
      c.globalAlpha = 0.72;
      c.fillStyle = state.colours.cell;
      for (const { box } of placed) c.fillRect(box.x - 2, box.y - 0.5, box.width + 4, box.height);
      c.globalAlpha = 1;
      for (const label of placed) {
        const colour = label.side === "query" ? state.colours.queryText : state.colours.keyText;
        this.haloText(label.text, label.box.x, label.box.y + label.box.height / 2, colour, state.colours.cell);
      }
      return placed;
    }

    destroy() {
      for (const node of [this.canvas, this.heading, this.tooltip, this.message, this.progress, this.live]) node.remove();
    }
  }

  atlas.overlay = { Overlay, MARGINS, element };
  if (typeof module !== "undefined") module.exports = atlas.overlay;
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
