/** What keys mean while the scene has the focus: walk among heads, open and leave them, zoom. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");

  /** @type {Record<string, [number, number]>} */
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const STEP = 1.35;
  /** Views down. @type {Record<string, number>} */
  const PAGES = { PageDown: 1, PageUp: -1, End: Infinity, Home: -Infinity };

  /**
   * @typedef {Object} KeyboardParts
   * @property {HTMLElement} stage
   * @property {Atlas.View} view
   * @property {Atlas.Cursor} cursor
   * @property {() => Atlas.SceneProps} props
   * @property {() => boolean} stopDrawing  an outline that is being drawn
   * @property {KeyboardActions} actions
   *
   * @typedef {Object} KeyboardActions
   * @property {(cell: number) => void} enter
   * @property {(keepCamera: boolean) => void} leave
   * @property {() => void} unselect
   * @property {() => void} clearSet
   * @property {(factor: number, x: number, y: number) => void} zoom
   * @property {(dx: number, dy: number) => boolean} scroll
   * @property {() => void} reset
   * @property {(row: number, others: boolean) => void} fold  a layer, or all others
   * @property {() => void} unfold  all
   * @property {(cell: number) => void} describe  to a screen reader
   * @property {() => void} moved  the camera is on its way
   * @property {() => void} pointed  another head has the focus ring
   */

  class Keyboard {
    /** @param {KeyboardParts} parts */
    constructor(parts) {
      this.parts = parts;
      this.stop = new AbortController();
      const { signal } = this.stop;
      parts.stage.addEventListener("keydown", (event) => this.key(event), { signal });
      parts.stage.addEventListener("focus", () => this.focused(), { signal });
      parts.stage.addEventListener("blur", () => parts.actions.pointed(), { signal });
    }

    destroy() {
      this.stop.abort();
    }

    focused() {
      const { stage, view, cursor, actions } = this.parts;
      if (!view.cells) return;
      // A pointer's click focuses too, and then opens a head: no ring flashes up for it.
      if (cursor.focusCell < 0 && stage.matches(":focus-visible")) cursor.focusCell = grid.cellOf(view.grid, 0);
      actions.describe(cursor.focusCell);
      actions.pointed();
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      const { stage, view } = this.parts;
      if (!view.cells || event.ctrlKey || event.metaKey || event.altKey || event.target !== stage) return;
      const arrow = ARROWS[event.key];
      if (arrow) this.walk(...arrow);
      else if (!this.command(event.key)) return;
      event.preventDefault();
    }

    /** To the neighbouring head. @param {number} dColumn @param {number} dRow */
    walk(dColumn, dRow) {
      const { view, cursor, actions } = this.parts;
      const from = cursor.focusCell;
      // In an open head as the buttons and the small map have it, however the matrix lies: up and down are layers.
      const step = view.isOpen && !view.grid.sorted ? grid.nextHead : grid.neighbour;
      cursor.focusCell = from < 0 ? grid.cellOf(view.grid, 0) : step(view.grid, from, dColumn, dRow);
      if (view.isOpen) actions.enter(cursor.focusCell);
      else if (view.show(cursor.focusCell, performance.now())) actions.moved();
      actions.describe(cursor.focusCell);
      actions.pointed();
    }

    /** @param {string} key @returns {boolean} it means something */
    command(key) {
      const { view, cursor, actions } = this.parts;
      const { width, height } = view.size;
      if (key === "Enter" || key === " ") {
        if (view.isOpen || cursor.focusCell < 0) return false;
        actions.enter(cursor.focusCell);
      } else if (key === "Escape") {
        return this.escape();
      } else if (key === "+" || key === "=") {
        actions.zoom(STEP, width / 2, height / 2);
      } else if (key === "-" || key === "_") {
        actions.zoom(1 / STEP, width / 2, height / 2);
      } else if (PAGES[key] && !view.isOpen) {
        return actions.scroll(0, PAGES[key] * 0.85 * height);
      } else if ((key === "f" || key === "F") && !view.isOpen && cursor.focusCell >= 0) {
        actions.fold(grid.headOf(view.grid, cursor.focusCell).layer, key === "F");
      } else if (key === "u" && !view.isOpen) {
        actions.unfold();
      } else if (key === "0") {
        actions.reset();
      } else {
        return false;
      }
      return true;
    }

    /** One thing at a time. */
    escape() {
      const { view, props, stopDrawing, actions } = this.parts;
      if (stopDrawing()) return true;
      if (props().tokenSet) actions.clearSet();
      else if (props().selection) actions.unselect();
      else if (view.isOpen) actions.leave(false);
      else return false;
      return true;
    }
  }

  const api = { Keyboard };
  atlas.keyboard = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
