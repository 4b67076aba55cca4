/** Folding layers away and bringing them back, by pointer and keyboard. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { rowsOf, textOf, wordsOf, folding } = atlas.folds || require("./folds.js");

  /**
   * @typedef {Object} FolderParts
   * @property {Atlas.View} view
   * @property {Atlas.Cursor} cursor
   * @property {Atlas.Overlay} overlay
   * @property {() => Atlas.SceneProps} props
   * @property {(folded: {layers: string}) => void} changed  by the user
   * @property {() => void} placed  cells lie elsewhere now
   */

  class Folder {
    /** @param {FolderParts} parts */
    constructor(parts) {
      this.parts = parts;
    }

    /** As the props have it. */
    follow() {
      const { view, cursor, overlay, props, placed } = this.parts;
      const { payload, folded } = props();
      if (!view.cells || !payload) return;
      const away = rowsOf(folded?.layers, payload);
      if (String(away) === String(view.matrix.away)) return;
      view.fold(away);
      cursor.hoverCell = cursor.hoverSlot = -1;
      if (!view.isOpen && cursor.focusCell >= 0) cursor.focusCell = view.visibleCell(cursor.focusCell);
      overlay.showTooltip(null);
      placed();
    }

    /** @param {number[]} away  rows, rising */
    set(away) {
      const { overlay, props, changed } = this.parts;
      const { payload } = props();
      if (!payload) return;
      changed({ layers: textOf(away, payload.numbers) });
      this.follow();
      const words = wordsOf(away, payload.numbers);
      overlay.say(away.length ? `${words[0].toUpperCase()}${words.slice(1)}.` : "No layer is folded.");
    }

    /** A layer, or all others. @param {number} row @param {boolean} others */
    fold(row, others) {
      const { layers, away } = this.parts.view.matrix;
      if (this.possible && row >= 0) this.set(folding(away, row, layers, others));
    }

    /** Bring layers back; all if none are named. @param {number[]} [rows] */
    unfold(rows) {
      const { away } = this.parts.view.matrix;
      if (away.length) this.set(rows ? away.filter((row) => !rows.includes(row)) : []);
    }

    /** Heads lie by layers, of which there are several. */
    get possible() {
      const { view } = this.parts;
      return Boolean(view.cells && view.matrix.free && !view.grid.sorted && view.matrix.layers > 1);
    }
  }

  const api = { Folder };
  atlas.folder = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
