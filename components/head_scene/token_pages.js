/** What is known of tokens: read a page at a time, when one of its tokens is first asked about. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const p = atlas.payload || require("./payload.js");

  class TokenPages {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "tokens">} hooks
     * @param {{order: Uint32Array|null}} points
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
      /** null: on its way @type {Map<string, Atlas.TokenPage|null>} */
      this.pages = new Map();
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
    }

    /**
     * The token behind a slot; asks for its page, and answers null, if that has not been read yet.
     * @param {number} slot @returns {Atlas.Token|null}
     */
    token(slot) {
      const { client, points } = this;
      if (!client || !points.order) return null;
      const { queries, queryTable, keyTable, pageSize } = client.payload;
      const { side, row } = p.tokenOfPoint(points.order[slot], queries);
      const table = side === "query" ? queryTable : keyTable;
      const number = Math.floor(row / pageSize);
      const page = this.pages.get(`${table}/${number}`);
      if (!page) {
        if (page === undefined) this.load(client, table, number);
        return null;
      }
      const at = row - number * pageSize;
      return {
        side, row, text: page.text[at], input: page.input[at], position: page.position[at], length: page.length[at],
      };
    }

    /** @param {Atlas.PayloadClient} client @param {string} table @param {number} number */
    load(client, table, number) {
      const name = `${table}/${number}`;
      this.pages.set(name, null);
      this.jobs.run(`tokens ${name}`, async (current) => {
        const page = await client.tokenPage(table, number);
        if (!current()) return;
        this.pages.set(name, page);
        this.hooks.tokens();
      });
    }

    /** The input of a token row; loads the table's offsets. @param {Atlas.Side} side @param {number} row */
    async inputOf(side, row) {
      const { client } = this;
      if (!client) throw new Error("nothing is shown");
      const { queryTable, keyTable } = client.payload;
      return p.inputOfRow(await client.offsets(side === "query" ? queryTable : keyTable), row);
    }
  }

  const api = { TokenPages };
  atlas.tokenPages = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
