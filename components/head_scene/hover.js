/** What the pointer rests on: a head of the matrix, or a point of the open head. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { headingAt } = atlas.headingHits || require("./heading_hits.js");
  const averagePaint = atlas.averagePaint || require("./average_paint.js");
  const { colourRow, tokenTooltip, headTooltip, probeTooltip, headingTooltip } = atlas.tooltips || require("./tooltips.js");
  const { byCell } = atlas.overlayState || require("./overlay_state.js");

  const PICK_PX = 9;
  const TOUCH_PX = 18;

  /**
   * @typedef {Object} HoverParts
   * @property {Atlas.View} view
   * @property {Atlas.SceneData} data
   * @property {Atlas.PointPlaces} places
   * @property {Atlas.Overlay} overlay
   * @property {HTMLElement} canvas
   * @property {Atlas.Cursor} cursor
   * @property {() => Atlas.SceneProps} props
   * @property {InstanceType<Atlas.HeadSceneScripts["picture"]["Picture"]>} picture
   * @property {() => boolean} moving
   * @property {() => void} changed  another head or point
   */

  class Hover {
    /** @param {HoverParts} parts */
    constructor(parts) {
      this.parts = parts;
      /** @type {Atlas.Point|null} */
      this.at = null;
    }

    /** The slot under a place, or -1. @param {number} x @param {number} y @param {boolean} touch */
    pick(x, y, touch) {
      const { places, picture } = this.parts;
      return places.nearest(x, y, Math.max(touch ? TOUCH_PX : PICK_PX, picture.diameter() / 2 + 2), picture.shown);
    }

    /** The token of a probe under a place, or null. @param {number} x @param {number} y @param {boolean} touch */
    probeAt(x, y, touch) {
      const { view, data, props } = this.parts;
      return props().average ? null : data.probes.nearest(view, x, y, touch ? TOUCH_PX : PICK_PX);
    }

    /** @param {number} x @param {number} y @param {boolean} touch */
    move(x, y, touch) {
      const { view, moving } = this.parts;
      if (!view.cells || moving()) return;
      if (view.isOpen) this.overPoint(x, y, touch);
      else this.overHead(x, y);
    }

    /** @param {number} x @param {number} y */
    overHead(x, y) {
      const { view, canvas, overlay, cursor, props, picture, changed } = this.parts;
      const heading = view.matrix.free && view.matrix.layers > 1 ? headingAt(view, x, y) : null;
      const cell = heading ? -1 : view.cellAt(x, y);
      canvas.style.cursor = heading || cell >= 0 ? "pointer" : "grab";
      const note = () => byCell(view.grid, props().cellNotes, String).get(cell);
      const content = heading ? headingTooltip(heading)
        : cell >= 0 ? headTooltip(picture.nameOf(cell), note(), picture.badges().get(cell)) : null;
      overlay.showTooltip(content, x, y);
      if (cell === cursor.hoverCell) return;
      cursor.hoverCell = cell;
      changed();
    }

    /** @param {number} x @param {number} y @param {boolean} touch */
    overPoint(x, y, touch) {
      const { data, canvas, overlay, cursor, props, picture, changed } = this.parts;
      const { average: averaging, tool } = props();
      if (averaging) {
        const state = picture.overlayState();
        overlay.showTooltip(averagePaint.tooltip(state, overlay.painter.cellBox(state, state.open), x, y), x, y);
        return;
      }
      const mark = this.probeAt(x, y, touch);
      const slot = mark ? -1 : this.pick(x, y, touch);
      this.at = { x, y };
      const still = tool === "box" || tool === "lasso" ? "crosshair" : data.points.dims === 3 ? "move" : "grab";
      canvas.style.cursor = mark || slot >= 0 ? "pointer" : still;
      overlay.showTooltip(mark ? probeTooltip(mark) : slot >= 0 ? this.tokenAt(slot) : null, x, y);
      if (slot === cursor.hoverSlot) return;
      cursor.hoverSlot = slot;
      changed();
    }

    /** @param {number} slot */
    tokenAt(slot) {
      const { data, view, props, places } = this.parts;
      const side = data.points.kinds && data.points.kinds[slot] ? "key" : "query";
      const { colour } = props();
      const { headIndices, indices } = data.colours;
      const values = colour && colour.scope === "head" ? headIndices.get(view.open) : indices;
      const index = values ? values[slot] : undefined;
      const outside = this.isOutside(slot);
      const content = tokenTooltip(
        side, data.tokens.token(slot), colourRow(colour, index, view.open), outside, outside ? 0 : places.copies(slot),
      );
      const { facts, image, rows } = data.sheet;
      if (!facts || !image || !rows) return content;
      const row = rows[slot];
      const { cell, across } = facts;
      return { ...content, picture: { image, x: (row % across) * cell, y: Math.floor(row / across) * cell, side: cell } };
    }

    /** @param {number} slot */
    isOutside(slot) {
      return Boolean(this.parts.places.at(slot)?.outside);
    }

    /** Tokens may have arrived since: say now what was unknown when the pointer came. */
    refresh() {
      const { view, overlay, cursor } = this.parts;
      if (!view.isOpen || cursor.hoverSlot < 0 || !this.at) return;
      overlay.showTooltip(this.tokenAt(cursor.hoverSlot), this.at.x, this.at.y);
    }

    /** The pointer has gone, or the picture has moved under it. */
    end() {
      const { overlay, cursor, changed } = this.parts;
      overlay.showTooltip(null);
      if (cursor.hoverCell < 0 && cursor.hoverSlot < 0) return;
      cursor.hoverCell = cursor.hoverSlot = -1;
      changed();
    }
  }

  const api = { Hover };
  atlas.hover = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
