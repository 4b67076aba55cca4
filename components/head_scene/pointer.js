/** What gestures mean to the scene: pan, turn, zoom into a head and out of it, choose a token. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { headingAt } = atlas.headingHits || require("./heading_hits.js");
  const { Gestures } = atlas.gestures || require("./gestures.js");

  /**
   * @typedef {Object} PointerParts
   * @property {HTMLElement} stage  takes the focus
   * @property {HTMLElement} canvas
   * @property {Atlas.View} view
   * @property {Atlas.Hover} hover
   * @property {Atlas.Lasso} lasso
   * @property {boolean} webgl
   * @property {() => number} dims
   * @property {() => Atlas.SceneProps} props
   * @property {PointerActions} actions
   *
   * @typedef {Object} PointerActions
   * @property {() => void} touched  the picture has been moved by hand
   * @property {(cell: number) => void} enter
   * @property {(keepCamera: boolean) => void} leave
   * @property {(slot: number) => void} choose
   * @property {(mark: Atlas.ProbeMark) => void} chooseProbe
   * @property {(slot: number) => void} toggle  in the set
   * @property {() => void} unselect
   * @property {() => void} reset
   * @property {(row: number, others: boolean) => void} fold  a layer, or all others
   * @property {(rows: number[]) => void} unfold
   */

  class Pointer {
    /** @param {PointerParts} parts */
    constructor(parts) {
      this.parts = parts;
      this.gestures = new Gestures(parts.canvas, {
        pan: (dx, dy) => this.pan(dx, dy),
        turn: (dx, dy) => this.turn(dx, dy),
        zoom: (factor, x, y) => this.zoom(factor, x, y),
        scroll: (dx, dy) => this.scroll(dx, dy),
        tap: (x, y, touch, event) => this.tap(x, y, touch, event),
        hover: (x, y, touch) => parts.hover.move(x, y, touch),
        leave: () => parts.hover.end(),
        reset: () => parts.view.cells && parts.actions.reset(),
      }, (event) => this.turns(event), parts.lasso);
    }

    destroy() {
      this.gestures.destroy();
    }

    /** In 3D a plain drag orbits an open head; in the matrix the right button or shift turns all heads. @param {PointerEvent} event */
    turns(event) {
      if (this.parts.dims() !== 3) return false;
      const other = event.shiftKey || event.button === 2;
      return this.parts.view.isOpen ? !other : other;
    }

    /** The camera stands still: there is nothing, or the server's picture, or a head opens or closes. */
    get fixed() {
      const { view, webgl } = this.parts;
      return !view.cells || (!webgl && !view.isOpen) || view.openness.active;
    }

    /** @param {number} dx @param {number} dy */
    pan(dx, dy) {
      if (this.fixed) return;
      this.parts.view.pan(dx, dy);
      this.parts.hover.end();
      this.parts.actions.touched();
    }

    /** A matrix that is larger than the view is scrolled by the wheel, as a page is; with Ctrl it zooms.
     * @param {number} dx @param {number} dy @returns {boolean} it was */
    scroll(dx, dy) {
      const { view, hover, actions } = this.parts;
      if (this.fixed || view.isOpen || !view.scrolls) return false;
      view.scroll(dx, dy);
      hover.end();
      actions.touched();
      return true;
    }

    /** @param {number} dx @param {number} dy */
    turn(dx, dy) {
      this.parts.view.orbit(dx, dy);
      this.parts.hover.end();
      this.parts.actions.touched();
    }

    /** Zoom towards a place; across a threshold the head there opens, or the open one closes.
     * @param {number} factor @param {number} x @param {number} y */
    zoom(factor, x, y) {
      // While a head opens or closes the rest of a wheel's swing would tear at the camera.
      if (this.fixed) return;
      const { view, hover, actions } = this.parts;
      const { enter, leave } = view.thresholds();
      const scale = view.zoom(factor, x, y);
      actions.touched();
      if (!view.isOpen && factor > 1 && scale >= enter) {
        actions.enter(view.nearestCell(x, y));
        return;
      }
      if (view.isOpen && factor < 1 && scale <= leave) actions.leave(true);
      hover.end();
    }

    /** @param {number} x @param {number} y @param {boolean} touch @param {PointerEvent} event */
    tap(x, y, touch, event) {
      const { stage, view, hover, props, actions } = this.parts;
      // The second click of a double click comes while a head opens: it means no point.
      if (!view.cells || view.openness.active) return;
      stage.focus({ preventScroll: true });
      if (!view.isOpen) {
        const heading = view.matrix.free ? headingAt(view, x, y) : null;
        if (heading) {
          if (heading.rows.length) actions.unfold(heading.rows);
          else actions.fold(heading.row, event.shiftKey);
          hover.move(x, y, touch);
          return;
        }
        const cell = view.cellAt(x, y);
        if (cell >= 0) actions.enter(cell);
        return;
      }
      if (props().average) return;
      const mark = hover.probeAt(x, y, touch);
      if (mark) {
        actions.chooseProbe(mark);
        return;
      }
      const slot = hover.pick(x, y, touch);
      if ((event.shiftKey || event.ctrlKey || event.metaKey) && props().tool !== "none") {
        if (slot >= 0) actions.toggle(slot);
      } else if (slot >= 0) actions.choose(slot);
      else if (props().selection) actions.unselect();
      if (touch) hover.move(x, y, true);
    }
  }

  const api = { Pointer };
  atlas.pointer = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
