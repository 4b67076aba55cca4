/**
 * Thumbnails of thousands of heads: how dense the points of each are, and where queries or keys lie. They are the picture
 * of the matrix until points are there, and as long as cells are too small for these.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { parseHex } = atlas.payload || require("./payload.js");

  /** Points are drawn in cells from this size on, CSS px: where every head has a fair number of them here, and where not. */
  const POINTS_FROM = { many: 40, few: 64 };
  const FAIR = 1000;
  /** More points than these in view are not drawn while the picture is moved by hand. */
  const MOST_MOVED = 60_000;

  const REST_MS = 250;

  class Thumbnails {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "thumbnails">} hooks
     * @param {boolean} headsOnly  there is no matrix to draw
     */
    constructor(jobs, hooks, headsOnly) {
      this.jobs = jobs;
      this.hooks = hooks;
      this.headsOnly = headsOnly;
      /** @type {number|undefined} */
      this.resting = undefined;
      this.clear();
    }

    clear() {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      /** texels of a side of what the renderer has, 0 while it has none @type {number} */
      this.side = 0;
      /** they are there, or on their way @type {boolean} */
      this.promised = false;
      /** the picture is moved by hand @type {boolean} */
      this.touched = false;
    }

    /** The picture is moved by hand; a while later it rests. @param {() => void} rested */
    touch(rested) {
      if (!this.side) return;
      this.touched = true;
      window.clearTimeout(this.resting);
      this.resting = window.setTimeout(() => {
        this.touched = false;
        rested();
      }, REST_MS);
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
    }

    /** @param {Atlas.Projection|null} projection @param {boolean} whole  frames that hold every point */
    setProjection(projection, whole) {
      this.jobs.cancel("thumbnails");
      const { client, headsOnly } = this;
      const side = client && client.payload.thumbnail;
      this.promised = Boolean(client && side && !headsOnly && projection && projection.dims === 2);
      if (!client || !side || !projection || !this.promised) {
        this.side = 0;
        return;
      }
      this.jobs.run("thumbnails", async (current) => {
        try {
          const values = await client.thumbnails({ ...projection, frame: whole ? "all" : "middle" });
          if (!current()) return;
          this.side = side;
          this.hooks.thumbnails(values, side);
        } catch (error) {
          if (current()) this.promised = this.side > 0;
          throw error;
        }
      });
    }
  }

  /**
   * Are the points of the matrix to be drawn?
   * @param {Pick<Atlas.View, "camera">} view
   * @param {Pick<Atlas.SceneData, "thumbnails" | "points" | "highlights" | "brush" | "inView">} data
   */
  function wantsPoints(view, { thumbnails, points, highlights, brush, inView }) {
    if (!thumbnails.promised || brush.active) return true;
    if (inView.active) return view.camera.value.scale >= POINTS_FROM.few;
    return highlights.active || view.camera.value.scale >= (points.sample >= FAIR ? POINTS_FROM.many : POINTS_FROM.few);
  }

  /** @param {Pick<Atlas.View, "runs">} view */
  const headsInView = (view) => view.runs(Infinity).reduce((sum, run) => sum + run.count, 0);

  /**
   * How thumbnails are drawn in a frame: in the colours of queries and keys if points have these, else in one; null where
   * points alone are the picture.
   * @param {Atlas.View} view @param {Atlas.SceneData} data @param {Atlas.Shades} shades
   * @returns {Atlas.FrameThumbnails|null}
   */
  function thumbnailsOf(view, data, shades) {
    const { thumbnails: { side, touched }, points, highlights, brush, inView, colours: { shown } } = data;
    if (!side || points.dims !== 2 || view.openness.value >= 1 || brush.active) return null;
    const heads = headsInView(view);
    const sample = inView.active ? inView.share(heads) : Math.min(points.sample, points.count);
    const heavy = () => touched && heads * sample > MOST_MOVED;
    const there = () => (inView.active ? inView.covers(view.runs(Infinity)) : points.set !== null && points.set.loaded(-1) > 0);
    const drawn = wantsPoints(view, data) && there() && !heavy();
    // Beneath a small sample of its points a head's thumbnail stays, fainter.
    if (drawn && sample >= Math.min(FAIR, points.count) && !highlights.active) return null;
    const faint = drawn || highlights.active ? 0.45 : 1;
    const { palette = [], label = "" } = shown || {};
    const plain = label || palette.length < 2;
    const colourOf = (/** @type {number} */ at) => parseHex(palette[at]).slice(0, 3).map((value) => value / 255);
    return {
      side,
      query: plain || highlights.active ? shades.muted : colourOf(0),
      key: plain || highlights.active ? shades.muted : colourOf(palette.length / 2),
      coloured: !plain,
      alone: !drawn,
      alpha: faint * (1 - view.openness.value),
    };
  }

  /** What the picture is, in words, while thumbnails are all there is of it, or not all that is lit has room.
   * @param {Atlas.FrameThumbnails|null} thumbnails @param {Pick<Atlas.SceneData, "highlights" | "inView">} data */
  function noteOf(thumbnails, { highlights, inView }) {
    if (thumbnails && highlights.active && inView.active && inView.left > 0) {
      return `${inView.slots.length} of ${highlights.slots.length} lit points of each head. Zoom in for more.`;
    }
    if (!thumbnails || !thumbnails.alone || (highlights.active && inView.active)) return "";
    return thumbnails.coloured ? "Density of queries and keys. Zoom in for points." : "Density of points. Zoom in for their colours.";
  }

  const api = { Thumbnails, wantsPoints, thumbnailsOf, noteOf, headsInView };
  atlas.thumbnails = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
