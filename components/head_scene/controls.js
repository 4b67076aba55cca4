/** Pointer, keyboard and drawing of one scene: what the user does, as the scene's own actions. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { Lasso } = atlas.lasso || require("./lasso.js");
  const { Hover } = atlas.hover || require("./hover.js");
  const { Pointer } = atlas.pointer || require("./pointer.js");
  const { Keyboard } = atlas.keyboard || require("./keyboard.js");

  /**
   * @typedef {Object} ControlParts
   * @property {HTMLElement} stage
   * @property {HTMLElement} canvas
   * @property {boolean} webgl
   * @property {Atlas.View} view
   * @property {Atlas.SceneData} data
   * @property {Atlas.PointPlaces} places
   * @property {Atlas.Overlay} overlay
   * @property {Atlas.Cursor} cursor
   * @property {InstanceType<Atlas.HeadSceneScripts["picture"]["Picture"]>} picture
   * @property {InstanceType<Atlas.HeadSceneScripts["heads"]["Heads"]>} heads
   * @property {InstanceType<Atlas.HeadSceneScripts["tokenSet"]["TokenSetEditor"]>} tokenSet
   * @property {() => Atlas.SceneProps} props
   * @property {() => boolean} moving
   *
   * @typedef {Object} ControlActions
   * @property {() => void} hovered  another head or point is under the pointer
   * @property {() => void} pointed  another head has the focus ring
   * @property {() => void} touched  the picture has been moved by hand
   * @property {() => void} moved  the camera is on its way
   * @property {(slot: number) => void} choose
   * @property {(mark: Atlas.ProbeMark) => void} chooseProbe
   * @property {() => void} unselect
   * @property {() => void} reset
   * @property {(row: number, others: boolean) => void} fold  a layer, or all others
   * @property {(rows?: number[]) => void} unfold  all, if none are named
   */

  class Controls {
    /** @param {ControlParts} parts @param {ControlActions} actions */
    constructor(parts, { hovered, pointed, touched, moved, choose, chooseProbe, unselect, reset, fold, unfold }) {
      const { stage, canvas, webgl, view, data, places, overlay, cursor, picture, heads, tokenSet, props, moving } = parts;
      this.lasso = new Lasso(stage, {
        tool: () => props().tool,
        allowed: () => view.isOpen && props().tool !== "none",
        started: () => overlay.showTooltip(null),
        drawn: (vertices, add) => tokenSet.addRegion(vertices, add),
      });
      this.hover = new Hover({ view, data, places, overlay, canvas, cursor, picture, props, moving, changed: hovered });
      const actions = {
        enter: (/** @type {number} */ cell) => heads.enter(cell),
        leave: (/** @type {boolean} */ keepCamera) => heads.leave(keepCamera),
        unselect,
        reset,
        fold,
        unfold,
      };
      this.pointer = new Pointer({
        stage, canvas, view, webgl, props,
        hover: this.hover,
        lasso: this.lasso,
        dims: () => data.points.dims,
        actions: { ...actions, touched, choose, chooseProbe, toggle: (slot) => tokenSet.toggle(slot) },
      });
      this.keyboard = new Keyboard({
        stage, view, cursor, props,
        stopDrawing: () => this.stopDrawing(),
        actions: {
          ...actions, moved, pointed,
          clearSet: () => tokenSet.change(""),
          zoom: (factor, x, y) => this.pointer.zoom(factor, x, y),
          scroll: (dx, dy) => this.pointer.scroll(dx, dy),
          describe: (cell) => heads.describe(cell),
        },
      });
    }

    /** @returns {boolean} an outline was being drawn */
    stopDrawing() {
      if (!this.lasso.active) return false;
      this.lasso.cancel();
      return true;
    }

    destroy() {
      this.pointer.destroy();
      this.keyboard.destroy();
      this.lasso.destroy();
    }
  }

  const api = { Controls };
  atlas.controls = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
