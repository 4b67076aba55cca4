/**
 * Everything the scene has fetched, each kind in a part of its own; they share one client and one list of jobs.
 * No drawing here: the hooks tell the scene.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { PayloadClient } = atlas.payload || require("./payload.js");
  const { Jobs } = atlas.jobs || require("./jobs.js");
  const { Points } = atlas.points || require("./points.js");
  const { PointColours } = atlas.pointColours || require("./point_colours.js");
  const { Highlights } = atlas.highlights || require("./highlights.js");
  const { Brush } = atlas.brush || require("./brush.js");
  const { Attention } = atlas.attention || require("./attention.js");
  const { TokenPages } = atlas.tokenPages || require("./token_pages.js");
  const { Features } = atlas.crowdNames || require("./crowd_names.js");
  const { Probes } = atlas.probes || require("./probes.js");
  const { Thumbnails } = atlas.thumbnails || require("./thumbnails.js");
  const { InView } = atlas.inView || require("./in_view.js");
  const { Sheet } = atlas.sheet || require("./sheet.js");

  class SceneData {
    /**
     * @param {Atlas.DataHooks} hooks
     * @param {boolean} headsOnly  of what differs by head, fetch the open head's only
     */
    constructor(hooks, headsOnly) {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      this.jobs = new Jobs(hooks);
      this.points = new Points(this.jobs, hooks, headsOnly);
      this.colours = new PointColours(this.jobs, hooks, headsOnly);
      this.highlights = new Highlights(this.jobs, hooks, this.points);
      this.brush = new Brush(this.jobs, hooks, this.points, this.colours);
      this.attention = new Attention(this.jobs, hooks, this.points);
      this.tokens = new TokenPages(this.jobs, hooks, this.points);
      this.features = new Features(this.jobs, hooks, this.points, this.tokens);
      this.thumbnails = new Thumbnails(this.jobs, hooks, headsOnly);
      this.sheet = new Sheet(this.jobs, hooks);
      this.inView = new InView(this.jobs, hooks, this.points, this.highlights);
      this.probes = new Probes(this.jobs, hooks, this.points);
    }

    /** @param {Atlas.Payload|null} payload */
    setPayload(payload) {
      this.close();
      if (!payload) return;
      this.client = new PayloadClient(payload);
      for (const part of this.parts()) part.start(this.client);
    }

    parts() {
      const { points, colours, highlights, brush, attention, tokens, features, thumbnails, sheet, inView, probes } = this;
      return [points, colours, highlights, brush, attention, tokens, features, thumbnails, sheet, inView, probes];
    }

    close() {
      if (!this.client) return;
      this.client.close();
      this.client = null;
      this.points.close();
      for (const part of this.parts()) part.clear();
      this.jobs.forget();
    }

    /** @param {number} cell */
    openHead(cell) {
      this.points.openHead(cell);
      this.colours.openHead(cell);
      this.brush.openHead(cell);
    }

    /** @returns {Atlas.Failure|undefined} what could not be fetched, the first of it */
    get failure() {
      return this.jobs.failures.values().next().value;
    }
  }

  const api = { SceneData };
  atlas.data = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
