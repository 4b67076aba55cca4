/**
 * Paints what lies over the points: titles, badges, axes, focus ring, labels, attention lines. On any 2D context: the
 * canvas of the page, or a picture for a file.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");
  const averagePaint = atlas.averagePaint || require("./average_paint.js");
  const { headingsOf } = atlas.headings || require("./headings.js");
  const { drawProbes } = atlas.probePaint || require("./probe_paint.js");
  const { drawShade, drawOutline, drawGroups, drawTrails } = atlas.crowdPaint || require("./crowd_paint.js");
  const { drawAxes } = atlas.axes || require("./axes.js");
  const { placeLabels, paddingAt, labelText } = atlas.labels || require("./labels.js");

  const TITLE_FROM = 96;
  const TITLE_FROM_BARE = 44;
  /** A title with its layer needs so much room. */
  const WHOLE_TITLE_FROM = 58;
  const BADGE_TEXT_FROM = 56;
  const BADGE_BAR_FROM = 14;
  const MOST_LABELS = 260;

  /** @param {number} head */
  const headTitle = (head) => `H${head}`;

  class OverlayPainter {
    /** @param {CanvasRenderingContext2D} context  or an SvgContext @param {string} font  family */
    constructor(context, font) {
      this.context = context;
      this.ratio = 1;
      this.width = 1;
      this.height = 1;
      /** @type {Map<string, {text: string, width: number}>} */
      this.widths = new Map();
      /** the labels that found room in the last picture @type {Atlas.PlacedLabel[]} */
      this.labelBoxes = [];
      /** the heatmaps of all heads @type {Parameters<Atlas.HeadSceneScripts["averagePaint"]["draw"]>[0]["sheet"]} */
      this.sheet = null;
      this.font = font;
    }

    /** Widths measured in another font are void. @param {string} font */
    setFont(font) {
      this.font = font;
      this.widths.clear();
    }

    /** @param {number} width @param {number} height  CSS px @param {number} ratio  device px a CSS px */
    resize(width, height, ratio) {
      this.width = width;
      this.height = height;
      this.ratio = ratio;
    }

    /** @param {Atlas.OverlayState} state */
    draw(state) {
      const c = this.context;
      c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      c.clearRect(0, 0, this.width, this.height);
      if (state.averaging) averagePaint.draw(this, state);
      if (state.matrix > 0) this.drawMatrix(state);
      drawShade(this, state);
      drawTrails(this, state);
      drawOutline(this, state);
      if (state.lines.length) this.drawLines(state);
      if (state.rings.length) this.drawRings(state);
      if (state.hitsAt.length) this.drawHits(state);
      if (state.ringAt) this.drawRing(state, state.ringAt);
      if (state.probes.length) drawProbes(this, state);
      const taken = drawGroups(this, state);
      this.labelBoxes = state.labels.length ? this.drawLabels(state, taken) : [];
      if (state.hoverAt) this.drawHover(state, state.hoverAt);
    }

    /** @param {Atlas.OverlayState} state */
    drawMatrix(state) {
      const c = this.context;
      c.globalAlpha = state.matrix;
      const headings = state.axes ? headingsOf(state.grid) : null;
      // Where no axis names them, the titles alone tell which head is which.
      const bare = state.grid.sorted || (headings && headings.short);
      if (state.cell >= (bare ? TITLE_FROM_BARE : TITLE_FROM)) this.drawTitles(state);
      this.drawBadges(state);
      this.drawNotes(state);
      state.framed.forEach((cell) => this.outline(state, cell, state.colours.ring, 2.5));
      if (state.hoverCell >= 0) this.outline(state, state.hoverCell, state.colours.text, 1.5);
      if (state.focusCell >= 0) this.outline(state, state.focusCell, state.colours.ring, 3);
      if (!state.single && state.axes) drawAxes(this, state, headings);
      c.globalAlpha = 1;
    }

    /** @param {Pick<Atlas.OverlayState, "grid" | "cell" | "originX" | "originY">} state @param {number} cell */
    cellBox(state, cell) {
      const { column, row } = grid.cellPlace(state.grid, cell);
      const inset = state.cell * grid.GAP * 0.5;
      return {
        x: state.originX + column * state.cell + inset,
        y: state.originY + row * state.cell + inset,
        side: state.cell - 2 * inset,
      };
    }

    /** @param {Atlas.OverlayState} state @param {number} cell @param {string} colour @param {number} width */
    outline(state, cell, colour, width) {
      const c = this.context;
      const { x, y, side } = this.cellBox(state, cell);
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.beginPath();
      c.roundRect(x - 0.5, y - 0.5, side + 1, side + 1, Math.min(10, side * 0.05));
      c.stroke();
    }

    /** @param {Atlas.OverlayState} state @param {(cell: number) => void} visit */
    visitCells(state, visit) {
      for (const run of state.cells) {
        for (let i = 0; i < run.count; i++) visit(run.first + i);
      }
    }

    /** @param {Atlas.OverlayState} state */
    drawTitles(state) {
      const c = this.context;
      const size = Math.min(13, Math.max(9.5, state.cell * 0.11));
      const inset = state.cell < WHOLE_TITLE_FROM ? 1.5 : 5;
      c.font = `600 ${size}px ${this.font}`;
      c.textBaseline = "top";
      c.textAlign = "left";
      this.visitCells(state, (cell) => {
        const { x, y } = this.cellBox(state, cell);
        const name = state.cell < WHOLE_TITLE_FROM && state.grid.fold ? headTitle(cell % state.grid.heads) : state.nameOf(cell);
        this.haloText(name, x + inset, y + Math.min(4, inset), state.colours.muted, state.colours.cell);
      });
    }

    /** @param {string} text @param {number} x @param {number} y @param {string} colour @param {string} halo */
    haloText(text, x, y, colour, halo) {
      const c = this.context;
      c.lineJoin = "round";
      c.lineWidth = 3;
      c.strokeStyle = halo;
      c.strokeText(text, x, y);
      c.fillStyle = colour;
      c.fillText(text, x, y);
    }

    /** A value in each cell's corner, and a bar along its foot as long as the value is good: colour says nothing.
     * @param {Atlas.OverlayState} state */
    drawBadges(state) {
      // They tell of maps: over heatmaps they would only mislead, unless heads lie in their order.
      if (!state.badges.size || state.cell < BADGE_BAR_FROM || (state.averaging && !state.grid.sorted)) return;
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

    /** @param {Atlas.OverlayState} state */
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

    /** @param {Atlas.OverlayState} state */
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

    /** Search hits inside a set: a thin ring each. @param {Atlas.OverlayState} state */
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

    /** About the chosen token. @param {Atlas.OverlayState} state @param {Atlas.Point} place */
    drawRing(state, { x, y }) {
      const c = this.context;
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

    /** Where a token's attention goes: a thin ring, thicker for more, and a line that leads there. @param {Atlas.OverlayState} state */
    drawRings(state) {
      const c = this.context;
      for (const ring of state.rings) {
        const radius = Math.max(6, state.diameter * 0.5 + 4);
        const width = 1.5 + 2.5 * Math.sqrt(ring.weight);
        const away = Math.hypot(ring.x - ring.from.x, ring.y - ring.from.y);
        if (away > 2 * radius) {
          /** @param {number} distance */
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
        for (const { colour, extra } of [{ colour: state.colours.canvas, extra: 2 }, { colour: state.colours.ring, extra: 0 }]) {
          c.beginPath();
          c.arc(ring.x, ring.y, radius, 0, 2 * Math.PI);
          c.lineWidth = width + extra;
          c.strokeStyle = colour;
          c.stroke();
        }
      }
    }

    /** @param {Atlas.OverlayState} state @param {Atlas.Point} place */
    drawHover(state, { x, y }) {
      const c = this.context;
      c.beginPath();
      c.arc(x, y, Math.max(5, state.diameter * 0.5 + 3), 0, 2 * Math.PI);
      c.lineWidth = 1.5;
      c.strokeStyle = state.colours.text;
      c.stroke();
    }

    /** A token's label and its width, worked out once: thousands are asked for in every frame. @param {string} token */
    measured(token) {
      let known = this.widths.get(token);
      if (known) return known;
      if (this.widths.size > 20_000) this.widths.clear();
      const text = labelText(token);
      known = { text, width: this.context.measureText(text).width };
      this.widths.set(token, known);
      return known;
    }

    /**
     * @param {Atlas.OverlayState} state @param {Atlas.Rectangle[]} taken  room that is none
     * @returns {Atlas.PlacedLabel[]} the labels that found room
     */
    drawLabels(state, taken) {
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
        taken,
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
  }

  const api = { OverlayPainter };
  atlas.paint = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
