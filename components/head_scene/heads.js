/** Opening a head, and going back to the matrix. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { wordsOf } = atlas.folds || require("./folds.js");

  const ENTER_MS = 620;

  /**
   * @typedef {Object} HeadsParts
   * @property {Atlas.View} view
   * @property {Atlas.Cursor} cursor
   * @property {Atlas.Overlay} overlay
   * @property {HTMLElement} stage
   * @property {boolean} alone  the open head stays open
   * @property {InstanceType<Atlas.HeadSceneScripts["fallback"]["SpriteMatrix"]>|null} sprites
   * @property {(cell: number) => string} nameOf
   * @property {(cell: number) => void} opened  another head, or the matrix, is shown from now on
   * @property {() => void} chosen  and the user wished it
   */

  class Heads {
    /** @param {HeadsParts} parts */
    constructor(parts) {
      this.parts = parts;
    }

    /** Show a head, or the matrix (-1), because the props say so. @param {number} cell @param {boolean} atOnce */
    follow(cell, atOnce) {
      if (cell !== this.parts.view.open) this.show(cell, atOnce ? 0 : ENTER_MS, false);
    }

    /** @param {number} cell */
    enter(cell) {
      if (cell === this.parts.view.open) return;
      this.show(cell, ENTER_MS, false);
      this.parts.chosen();
    }

    /** @param {boolean} keepCamera  zoomed out by hand: the neighbours appear where one looks */
    leave(keepCamera) {
      const { view, alone, chosen } = this.parts;
      if (!view.isOpen || alone) return;
      this.show(-1, ENTER_MS, keepCamera && view.camera.value.scale > view.matrixCamera().scale);
      chosen();
    }

    /** @param {number} cell @param {number} duration  ms @param {boolean} keepCamera */
    show(cell, duration, keepCamera) {
      const { view, cursor, overlay, opened } = this.parts;
      if (!view.cells) return;
      view.openCell(cell, duration, performance.now(), keepCamera);
      if (cell >= 0) cursor.focusCell = cell;
      else if (cursor.focusCell >= 0) cursor.focusCell = view.visibleCell(cursor.focusCell);
      cursor.hoverCell = cursor.hoverSlot = -1;
      overlay.showTooltip(null);
      this.arrange();
      this.describe(cell);
      opened(cell);
    }

    /** The buttons are the matrix's way in by keyboard, the stage is the open head's: focus goes along. */
    arrange() {
      const { sprites, stage, view } = this.parts;
      if (!sprites) return;
      const inside = stage.contains(document.activeElement);
      const origin = view.origin();
      sprites.arrange(origin.x, origin.y, view.camera.value.scale, !view.isOpen);
      stage.setAttribute("tabindex", view.isOpen ? "0" : "-1");
      if (inside && view.isOpen) stage.focus({ preventScroll: true });
      if (inside && !view.isOpen && document.activeElement === stage) sprites.focus(Math.max(0, view.shown));
    }

    /** Tell a screen reader what is open, or which cell has the focus (-1: none). @param {number} cell */
    describe(cell) {
      const { view, overlay, nameOf } = this.parts;
      if (!view.cells) return;
      const { layers, heads, sorted, gaps } = view.cells;
      const { away } = view.matrix;
      const folded = away.length ? [`${wordsOf(away)}.`] : [];
      if (view.isOpen) overlay.say(`${nameOf(view.open)} is open.`);
      else if (cell >= 0) overlay.say(`${nameOf(cell)} in focus. Enter opens it.`);
      else if (sorted) overlay.say(view.count < layers * heads ? `${view.count} of ${layers * heads} heads.` : `${layers * heads} heads, sorted.`);
      else overlay.say([`Matrix of ${layers} layers with ${heads} heads each.`, ...(gaps || []).map(({ text }) => `${text}.`), ...folded].join(" "));
    }

    /** Back to the whole of what is open. @param {boolean} turnToo */
    recentre(turnToo) {
      this.parts.view.reset(ENTER_MS * 0.6, performance.now(), turnToo);
    }
  }

  const api = { Heads };
  atlas.heads = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
