/**
 * What the scene looks like at this moment: the frame of points, what lies over them, and both for a file.
 * Everything here follows from what it is given; nothing is changed.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { makeFrame, diameter, patchesOf } = atlas.frame || require("./frame.js");
  const { makeOverlayState, nameOf, byCell } = atlas.overlayState || require("./overlay_state.js");
  const { thumbnailsOf, noteOf } = atlas.thumbnails || require("./thumbnails.js");
  const { Capture } = atlas.capture || require("./capture.js");

  /**
   * @typedef {Object} PictureParts
   * @property {Atlas.View} view
   * @property {Atlas.SceneData} data
   * @property {Atlas.PointPlaces} places
   * @property {Atlas.Textures} textures
   * @property {InstanceType<Atlas.HeadSceneScripts["pointMotion"]["PointMotion"]>} motion
   * @property {Atlas.Cursor} cursor
   * @property {Atlas.Crowd} crowd
   * @property {() => number} before  the head that was open before the present one, or -1
   * @property {HTMLElement} stage
   * @property {boolean} webgl
   * @property {() => Atlas.SceneProps} props
   * @property {() => Atlas.Look} look
   * @property {() => Atlas.Ring[]} rings
   */

  class Picture {
    /** @param {PictureParts} parts */
    constructor(parts) {
      this.parts = parts;
      /** @type {{of: unknown, byCell: Map<number, Atlas.Badge>}} */
      this.known = { of: undefined, byCell: new Map() };
    }

    /** What a cell is called. @param {number} cell */
    nameOf(cell) {
      return nameOf(this.parts.view.grid, this.parts.props(), cell);
    }

    /** By cell; kept while the prop is the same. */
    badges() {
      const { badges } = this.parts.props();
      if (this.known.of !== badges) {
        this.known = { of: badges, byCell: byCell(this.parts.view.grid, badges, (badge) => badge || {}) };
      }
      return this.known.byCell;
    }

    /** The head that was open before, if its ghost is wanted, or -1. */
    get ghostCell() {
      return this.parts.props().ghost ? this.parts.before() : -1;
    }

    /** Of a point, CSS px. */
    diameter() {
      const { view, data, props } = this.parts;
      const { pointSize } = props();
      const patches = patchesOf(view, data, pointSize);
      return patches ? patches.size : diameter(view, data.points, pointSize);
    }

    /** How many slots are drawn. */
    get shown() {
      const { view, data, props } = this.parts;
      const patches = patchesOf(view, data, props().pointSize);
      return patches ? patches.most : Infinity;
    }

    /** What kind of picture the matrix is, where it is not one of points. */
    get note() {
      const { view, data, webgl, look } = this.parts;
      return webgl ? noteOf(thumbnailsOf(view, data, look().shades), data) : "";
    }

    /** Thumbnails were drawn alone, and there are points now. @param {Atlas.Renderer} renderer */
    waitsForPoints(renderer) {
      const { view, data, look } = this.parts;
      const now = thumbnailsOf(view, data, look().shades);
      return renderer.drawnThumbnails === "alone" && !(now && now.alone);
    }

    frame(look = this.parts.look(), ratio = this.parts.view.ratio) {
      const { view, data, textures, webgl, motion, props } = this.parts;
      const { pointSize } = props();
      const parts = { view, data, textures, mix: motion.mix.value, allHeads: webgl, pointSize, crowd: this.parts.crowd };
      return makeFrame({ ...parts, ghostCell: this.ghostCell }, { ...look, ratio });
    }

    overlayState(colours = this.parts.look().colours) {
      const { view, data, places, cursor, stage, props, motion, rings, crowd } = this.parts;
      return makeOverlayState({
        view, crowd, data, places, cursor, colours, rings,
        props: props(),
        ghostCell: this.ghostCell,
        badges: this.badges(),
        moving: motion.active,
        focused: document.activeElement === stage,
      });
    }

    /**
     * The picture for a file.
     * @param {{renderer: Atlas.Renderer, canvas: HTMLCanvasElement, loop: Atlas.FrameLoop, font: string,
     *   sprite: HTMLImageElement|null}} means
     * @param {{white: boolean}} options
     */
    capture(means, options) {
      const { view, data, places, webgl, look } = this.parts;
      return new Capture({
        ...means, view, data, places, webgl,
        look: look(),
        frame: (other, ratio) => this.frame(other, ratio),
        overlayState: (colours) => this.overlayState(colours),
      }, options);
    }
  }

  const api = { Picture };
  atlas.picture = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
