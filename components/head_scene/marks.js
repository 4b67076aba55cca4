/**
 * What is lit, and what is drawn over the points: hits of a search, a set, the chosen input, its lines, the average.
 */
(function (atlas) {
  const p = atlas.payload || require("./payload.js");
  const Jobs = atlas.Jobs || require("./jobs.js").Jobs;

  const NO_SLOTS = new Uint32Array(0);

  class Marks extends Jobs {
    clearMarks() {
      this.hits = NO_SLOTS;
      this.searchCount = null;
      this.inputSlots = NO_SLOTS;
      this.setSlots = null;
      this.marks = NO_SLOTS;
      this.marked = null;
      this.selection = null;
      this.lines = [];
      this.average = null;
    }

    /**
     * The highlights changed: one sorted list of slots, and a flag for each slot to look up. A set decides what is lit,
     * with the chosen token; without one it is the hits of the search and the input of the chosen token.
     */
    mark() {
      const chosen = this.selectedSlot;
      if (this.setSlots) this.marks = p.mergeSlots(this.setSlots, chosen >= 0 ? Uint32Array.of(chosen) : NO_SLOTS);
      else this.marks = p.mergeSlots(this.inputSlots, this.hits);
      this.marked = new Uint8Array(this.points);
      this.marks.forEach((slot) => (this.marked[slot] = 1));
      this.hooks.onChange("marks");
    }

    setSearch(search) {
      this.cancel("search");
      if (!this.client || !search || !search.query) {
        this.hits = NO_SLOTS;
        this.searchCount = null;
        this.mark();
        return;
      }
      this.run("search", async (current) => {
        const { queryTable, keyTable, queries, keys } = this.client.payload;
        const queryMask = await this.client.search(queryTable, search);
        const keyMask = keyTable === queryTable ? queryMask : await this.client.search(keyTable, search);
        const order = await this.client.order();
        if (!current()) return;
        this.hits = p.slotsOfMasks(queryMask, keyMask, queries, order);
        const tokens = p.countBits(queryMask, queries) + (keyTable === queryTable ? 0 : p.countBits(keyMask, keys));
        this.searchCount = { query: search.query, tokens, points: this.hits.length };
        this.mark();
        this.hooks.onChange("searched");
      });
    }

    /**
     * Light a set of points in every head.
     * @param {{recipe: string}|null} tokenSet
     * @param {(count: {recipe: string, points: number, tokens: number}) => void} tell  once it is known
     */
    setTokenSet(tokenSet, tell) {
      this.cancel("set");
      if (!this.client || !tokenSet || !tokenSet.recipe) {
        this.setSlots = null;
        return this.mark();
      }
      return this.run("set", async (current) => {
        const { recipe } = tokenSet;
        const [mask, order] = await Promise.all([this.client.tokenSet(recipe), this.client.order()]);
        if (!current()) return;
        const { queries, keys, queryTable, keyTable } = this.client.payload;
        this.setSlots = p.slotsOfMask(mask, order);
        this.mark();
        const tokens = p.countTokens(mask, queries, keys, queryTable === keyTable);
        tell({ recipe, points: this.setSlots.length, tokens });
      });
    }

    setSelection(selection) {
      this.cancel("selection");
      this.selection = selection;
      if (!this.client || !selection) {
        this.inputSlots = NO_SLOTS;
        this.lines = [];
        this.mark();
        return;
      }
      this.run("selection", async (current) => {
        const { queryTable, keyTable, queries } = this.client.payload;
        const [queryOffsets, keyOffsets] = await Promise.all([
          this.client.offsets(queryTable), this.client.offsets(keyTable), this.client.order(),
        ]);
        if (!current() || !this.slotOf) return;
        this.offsets = { query: queryOffsets, key: keyOffsets };
        this.inputSlots = p.slotsOfInput(selection.input, queryOffsets, keyOffsets, queries, this.slotOf);
        this.mark();
      });
    }

    inSet(slot) {
      if (!this.setSlots) return false;
      let low = 0;
      let high = this.setSlots.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.setSlots[middle] < slot) low = middle + 1;
        else high = middle;
      }
      return this.setSlots[low] === slot;
    }

    /** The slot of the selected token, or -1. */
    get selectedSlot() {
      if (!this.selection || !this.slotOf || this.selection.token === null) return -1;
      const slot = this.slotOf[p.pointOfToken(this.selection.side, this.selection.token, this.client.payload.queries)];
      return slot === undefined ? -1 : slot;
    }

    /** @param {Object|null} lines  as the scene's property  @param {number} cell */
    setLines(lines, cell) {
      this.cancel("lines");
      this.lines = [];
      if (!this.client || !lines || !this.selection || cell < 0) return this.hooks.onChange("lines");
      const { input } = this.selection;
      const { heads, queries } = this.client.payload;
      const place = [input, Math.floor(cell / heads), cell % heads];
      return this.run("lines", async (current) => {
        const [raw, sides, valueNorms] = await Promise.all([
          this.client.attention(...place), this.client.input(input),
          lines.byValueNorm ? this.client.values(...place) : null, this.client.order(),
        ]);
        if (!current()) return;
        const shown = atlas.average.shownPairs(raw, sides, valueNorms, lines);
        this.lines = shown.map(({ query, key, weight }) => ({
          query: this.slotOf[sides.queries.first + query], key: this.slotOf[queries + sides.keys.first + key], weight,
        }));
        this.hooks.onChange("lines");
      });
    }

    /** Mean attention of all heads, or none of it. @param {boolean} wanted */
    setAverage(wanted) {
      this.cancel("average");
      this.average = null;
      if (!this.client || !wanted) return this.hooks.onChange("average");
      return this.run("average", async (current) => {
        const bytes = await this.client.average();
        if (!current()) return;
        this.average = atlas.average.readCells(bytes, this.client.cells);
        this.hooks.onChange("average");
      });
    }
  }

  atlas.Marks = Marks;
  if (typeof module !== "undefined") module.exports = { Marks };
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
