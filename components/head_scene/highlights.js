/**
 * What is lit in every head: the hits of a search, a set of points, the input of the chosen token.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const p = atlas.payload || require("./payload.js");

  const NO_SLOTS = new Uint32Array(0);

  class Highlights {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "marks" | "searched">} hooks
     * @param {{count: number, slotOf: Uint32Array|null}} points
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
      /** all sorted lists of slots @type {Uint32Array} */
      this.hits = NO_SLOTS;
      /** @type {Atlas.SearchCount|null} */
      this.searchCount = null;
      /** @type {Uint32Array} */
      this.inputSlots = NO_SLOTS;
      /** @type {Uint32Array|null} */
      this.setSlots = null;
      /** what is lit @type {Uint32Array} */
      this.slots = NO_SLOTS;
      /** a flag for each slot @type {Uint8Array} */
      this.flags = new Uint8Array(0);
      /** @type {Atlas.Selection|null} */
      this.selection = null;
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
    }

    /** Something is lit, or was searched for in vain: the others fade. */
    get active() {
      return this.slots.length > 0 || this.searchCount !== null;
    }

    /**
     * Work out anew what is lit. A set decides it, with the chosen token; without one it is the hits of the search and
     * the input of the chosen token.
     */
    mark() {
      const chosen = this.selectedSlot;
      if (this.setSlots) this.slots = p.mergeSlots(this.setSlots, chosen >= 0 ? Uint32Array.of(chosen) : NO_SLOTS);
      else this.slots = p.mergeSlots(this.inputSlots, this.hits);
      this.flags = new Uint8Array(this.points.count);
      for (const slot of this.slots) this.flags[slot] = 1;
      this.hooks.marks();
    }

    /** @param {Atlas.Search|null} search */
    setSearch(search) {
      this.jobs.cancel("search");
      const { client } = this;
      if (!client || !search || !search.query) {
        this.hits = NO_SLOTS;
        this.searchCount = null;
        this.mark();
        return;
      }
      this.jobs.run("search", async (current) => {
        const { queryTable, keyTable, queries, keys } = client.payload;
        const queryMask = await client.search(queryTable, search);
        const keyMask = keyTable === queryTable ? queryMask : await client.search(keyTable, search);
        const order = await client.order();
        if (!current()) return;
        this.hits = p.slotsOfMasks(queryMask, keyMask, queries, order);
        const tokens = p.countBits(queryMask, queries) + (keyTable === queryTable ? 0 : p.countBits(keyMask, keys));
        this.searchCount = { query: search.query, tokens, points: this.hits.length };
        this.mark();
        this.hooks.searched();
      });
    }

    /**
     * Light a set of points in every head.
     * @param {Atlas.TokenSet|null} tokenSet
     * @param {(count: Atlas.SetCount) => void} tell  once it is known
     */
    setTokenSet(tokenSet, tell) {
      this.jobs.cancel("set");
      const { client } = this;
      if (!client || !tokenSet || !tokenSet.definition) {
        this.setSlots = null;
        this.mark();
        return;
      }
      const { definition } = tokenSet;
      this.jobs.run("set", async (current) => {
        const [mask, order] = await Promise.all([client.tokenSet(definition), client.order()]);
        if (!current()) return;
        const { queries, keys, queryTable, keyTable } = client.payload;
        this.setSlots = p.slotsOfMask(mask, order);
        this.mark();
        const tokens = p.countTokens(mask, queries, keys, queryTable === keyTable);
        tell({ definition, points: this.setSlots.length, tokens });
      });
    }

    /** @param {Atlas.Selection|null} selection */
    setSelection(selection) {
      this.jobs.cancel("selection");
      this.selection = selection;
      const { client } = this;
      if (!client || !selection) {
        this.inputSlots = NO_SLOTS;
        this.mark();
        return;
      }
      this.jobs.run("selection", async (current) => {
        const { queryTable, keyTable, queries } = client.payload;
        const [queryOffsets, keyOffsets] = await Promise.all([
          client.offsets(queryTable), client.offsets(keyTable), client.order(),
        ]);
        if (!current() || !this.points.slotOf) return;
        this.inputSlots = p.slotsOfInput(selection.input, queryOffsets, keyOffsets, queries, this.points.slotOf);
        this.mark();
      });
    }

    /** @param {number} slot */
    inSet(slot) {
      return this.setSlots !== null && p.hasSlot(this.setSlots, slot);
    }

    /** The slot of the selected token, or -1. */
    get selectedSlot() {
      const { selection, client } = this;
      const { slotOf } = this.points;
      if (!selection || !slotOf || !client || selection.token === null) return -1;
      const slot = slotOf[p.pointOfToken(selection.side, selection.token, client.payload.queries)];
      return slot === undefined ? -1 : slot;
    }
  }

  const api = { Highlights };
  atlas.highlights = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
