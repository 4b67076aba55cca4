/** Attention over the points: lines of the chosen input in the open head, and every head's mean by position. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const average = atlas.average || require("./average.js");

  class Attention {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "lines" | "average">} hooks
     * @param {{slotOf: Uint32Array|null}} points
     */
    constructor(jobs, hooks, points) {
      this.jobs = jobs;
      this.hooks = hooks;
      this.points = points;
      this.clear();
    }

    clear() {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      /** between slots, weakest first @type {Atlas.AttentionLine[]} */
      this.lines = [];
      /** @type {Atlas.MeanAttention|null} */
      this.mean = null;
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
    }

    /** @param {Atlas.LineChoice|null} choice @param {Atlas.Selection|null} selection @param {number} cell  the open head */
    setLines(choice, selection, cell) {
      this.jobs.cancel("lines");
      this.lines = [];
      const { client } = this;
      if (!client || client.payload.unattended || !choice || !selection || cell < 0) {
        this.hooks.lines();
        return;
      }
      const { input } = selection;
      const { heads, queries } = client.payload;
      const [layer, head] = [Math.floor(cell / heads), cell % heads];
      this.jobs.run("lines", async (current) => {
        const [raw, sides, valueNorms] = await Promise.all([
          client.attention(input, layer, head), client.input(input),
          choice.byValueNorm ? client.values(input, layer, head) : null, client.order(),
        ]);
        const { slotOf } = this.points;
        if (!current() || !slotOf) return;
        this.lines = average.shownPairs(raw, sides, valueNorms, choice).map(({ query, key, weight }) => ({
          query: slotOf[sides.queries.first + query], key: slotOf[queries + sides.keys.first + key], weight,
        }));
        this.hooks.lines();
      });
    }

    /** Mean attention of all heads, or none of it. @param {boolean} wanted */
    setMean(wanted) {
      this.jobs.cancel("average");
      this.mean = null;
      const { client } = this;
      if (!client || !wanted) {
        this.hooks.average();
        return;
      }
      this.jobs.run("average", async (current) => {
        const bytes = await client.average();
        if (!current()) return;
        this.mean = average.readCells(bytes, client.cells);
        this.hooks.average();
      });
    }
  }

  const api = { Attention };
  atlas.attention = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
