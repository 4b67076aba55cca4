/**
 * Everything the scene has fetched, kept in step with the props. No drawing here: `onChange(what)` tells the scene.
 */
(function (atlas) {
  const p = atlas.payload || require("./payload.js");
  const { PositionSet, residentChunks, MOST_RESIDENT } = atlas.positions || require("./positions.js");

  const NO_SLOTS = new Uint32Array(0);
  const HEADS_AT_ONCE = 4;

  class SceneData {
    /**
     * @param {Object} hooks
     * @param {(what: string) => void} hooks.onChange  "chunk" | "points" | "colour" | "marks" | "lines" | "tokens" | "failure" | "settled"
     * @param {(block: Object) => void} hooks.drop  a block's GPU buffer may go
     * @param {boolean} headsOnly  fetch positions of the open head only (no WebGL: the matrix is a sprite)
     */
    constructor(hooks, headsOnly) {
      this.hooks = hooks;
      this.headsOnly = headsOnly;
      this.clear();
    }

    clear() {
      this.client = null;
      this.order = null;
      this.slotOf = null;
      this.kinds = null;
      this.set = null;
      this.incoming = null;
      this.previous = null;
      this.live = null;
      this.liveWanted = null;
      this.fetchingLive = false;
      this.cell = -1;
      this.colour = null;
      this.shownColour = null;
      this.indices = null;
      this.headIndices = new Map();
      this.sizes = null;
      this.hits = NO_SLOTS;
      this.searchCount = null;
      this.inputSlots = NO_SLOTS;
      this.setSlots = null;
      this.marks = NO_SLOTS;
      this.marked = null;
      this.selection = null;
      this.lines = [];
      this.average = null;
      this.pages = new Map();
      this.failures = new Map();
      this.turns = {};
      this.pending = 0;
    }

    close() {
      if (!this.client) return;
      this.client.close();
      [this.set, this.incoming, this.previous].forEach((set) => set && set.close());
      this.clear();
    }

    get points() {
      return this.client ? this.client.points : 0;
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

    /**
     * Run a job under a name; a newer job of the same name makes its result void, a failure can be retried.
     * @param {string} name @param {(current: () => boolean) => Promise<void>} work
     */
    async run(name, work) {
      const client = this.client;
      const turn = (this.turns[name] = (this.turns[name] || 0) + 1);
      const current = () => this.client === client && this.turns[name] === turn;
      this.pending++;
      if (this.failures.delete(name)) this.hooks.onChange("failure");
      try {
        await work(current);
      } catch (error) {
        if (!current() || error.name === "AbortError") return;
        this.failures.set(name, { message: error.message, retry: () => this.run(name, work) });
        this.hooks.onChange("failure");
      } finally {
        if (this.client === client) {
          this.pending--;
          this.hooks.onChange("settled");
        }
      }
    }

    /** Make results of a running job void. */
    cancel(name) {
      this.turns[name] = (this.turns[name] || 0) + 1;
      if (this.failures.delete(name)) this.hooks.onChange("failure");
    }

    retry() {
      [...this.failures.values()].forEach((failure) => failure.retry());
    }

    // --- points -----------------------------------------------------------------------------------------------

    /** @param {Payload|null} payload */
    setPayload(payload) {
      this.close();
      if (!payload) return;
      this.client = new p.PayloadClient(payload);
      this.run("order", async (current) => {
        const order = await this.client.order();
        if (!current()) return;
        this.order = order;
        this.slotOf = p.inverse(order);
        this.kinds = new Uint8Array(order.length);
        for (let slot = 0; slot < order.length; slot++) this.kinds[slot] = order[slot] < payload.queries ? 0 : 1;
        this.hooks.onChange("order");
      });
    }

    setProjection(projection) {
      if (this.incoming) this.incoming.close();
      this.incoming = null;
      if (!this.client || !projection) return;
      const { cells, points, payload } = this.client;
      const set = new PositionSet(this.client, projection, {
        resident: this.headsOnly ? 0 : residentChunks(cells, points, payload.chunk),
        onChunk: () => this.hooks.onChange("chunk"),
        drop: this.hooks.drop,
      });
      this.incoming = set;
      this.run("positions", async () => {
        await Promise.all([set.load(), set.openHead(this.cell)]);
        this.hooks.onChange("chunk");
      });
    }

    /** Show the incoming projection; the old one stays as `previous` if the points are to move. */
    adopt(animate) {
      this.endMove();
      if (animate) this.previous = this.set;
      else if (this.set) this.set.close();
      this.set = this.incoming;
      this.incoming = null;
      if (this.live && this.live.dims === this.set.dims && this.live.method === p.methodOf(this.set.projection)) this.set.setOverride(this.live);
      // The open head may have changed while the new positions were on their way.
      if (this.set.cell !== this.cell) this.loadHead();
    }

    endMove() {
      if (this.previous) this.previous.close();
      this.previous = null;
    }

    // --- one head in other positions ---------------------------------------------------------------------------

    /**
     * Show one head as it lies elsewhere. While an answer is on its way only the newest wish waits: a slider that
     * moves faster than the answers skips steps and never queues them.
     * @param {{path: string, cell: number, dims: number, method: string, move: boolean}|null} live
     */
    setLive(live) {
      this.liveWanted = live;
      if (!live) {
        this.cancel("live");
        this.fetchingLive = false;
        return this.showLive(null);
      }
      if (!this.fetchingLive) this.fetchLive();
      return undefined;
    }

    fetchLive() {
      const live = this.liveWanted;
      if (!this.client || !live) return;
      this.fetchingLive = true;
      this.run("live", async (current) => {
        try {
          const [values] = await Promise.all([this.client.livePositions(live.path, live.dims), this.client.order()]);
          if (current() && this.liveWanted) this.showLive({ ...live, values });
        } finally {
          if (current()) this.fetchingLive = false;
        }
        if (current() && this.liveWanted && this.liveWanted !== live) this.fetchLive();
      });
    }

    /** Give the shown set the live positions if they are of its projection. */
    showLive(live) {
      this.live = live;
      const { set } = this;
      if (!set || (!live && !set.override)) return;
      const fits = live && live.dims === set.dims && live.method === p.methodOf(set.projection);
      const old = set.setOverride(fits ? live : null);
      this.hooks.onChange(live && !live.move ? "moved" : "moving", set.snapshot(old));
    }

    openHead(cell) {
      this.cell = cell;
      this.loadHead();
      this.loadHeadColour();
      this.loadSizes();
    }

    loadHead() {
      const sets = [this.set, this.incoming].filter(Boolean);
      if (!sets.length) return;
      this.run("head", async () => {
        await Promise.all(sets.map((set) => set.openHead(this.cell)));
        this.hooks.onChange("chunk");
      });
    }

    // --- colour -----------------------------------------------------------------------------------------------

    setColour(colour) {
      const sameValues = (other) => colour && other && colour.name === other.name && colour.scope === other.scope;
      const known = sameValues(this.colour);
      this.colour = colour;
      if (!colour || sameValues(this.shownColour)) this.showColour();
      if (known || !this.client) return;
      this.cancel("colour");
      this.headIndices = new Map();
      if (!colour) return;
      if (colour.scope === "head") this.loadAllHeadColours();
      else this.loadColour(colour);
    }

    loadColour(colour) {
      this.run("colour", async (current) => {
        const [values, order] = await Promise.all([this.client.attribute(colour.name), this.client.order()]);
        if (!current()) return;
        this.indices = p.toSlots(values, order);
        this.showColour();
      });
    }

    /** Palette and values change together: new colours on old values would be a lie for a moment. */
    showColour() {
      this.shownColour = this.colour;
      this.hooks.onChange("colour");
    }

    /** A colour that differs by head costs one byte a point and head: for all heads only while that stays small. */
    get headColoursFit() {
      return !this.headsOnly && this.client.cells * this.points <= MOST_RESIDENT;
    }

    loadAllHeadColours() {
      if (!this.headColoursFit) return this.loadHeadColour();
      const cells = Array.from({ length: this.client.cells }, (_, cell) => cell);
      if (this.cell >= 0) cells.unshift(this.cell);
      return this.run("colour", async (current) => {
        const worker = async () => {
          while (cells.length && current()) await this.fetchHeadColour(cells.shift(), current);
        };
        await Promise.all(Array.from({ length: HEADS_AT_ONCE }, worker));
      });
    }

    loadHeadColour() {
      if (!this.client || !this.colour || this.colour.scope !== "head" || this.cell < 0) return;
      if (this.headIndices.has(this.cell) || this.headColoursFit) return;
      this.run("colour", (current) => this.fetchHeadColour(this.cell, current));
    }

    async fetchHeadColour(cell, current) {
      if (this.headIndices.has(cell)) return;
      const { heads } = this.client.payload;
      const name = this.colour.name;
      const [values, order] = await Promise.all([
        this.client.headAttribute(name, Math.floor(cell / heads), cell % heads), this.client.order(),
      ]);
      if (!current()) return;
      this.headIndices.set(cell, p.toSlots(values, order));
      this.showColour();
    }

    // --- size -------------------------------------------------------------------------------------------------

    /** @param {boolean} byNorm  the points of an open head are as large as their vectors are long */
    setSizes(byNorm) {
      this.sized = byNorm;
      this.loadSizes();
    }

    loadSizes() {
      this.cancel("sizes");
      const { cell } = this;
      if (this.sizes && (!this.sized || this.sizes.cell !== cell)) {
        this.sizes = null;
        this.hooks.onChange("sizes");
      }
      if (!this.client || !this.sized || cell < 0 || this.sizes) return;
      const { heads } = this.client.payload;
      this.run("sizes", async (current) => {
        const [values, order] = await Promise.all([
          this.client.headAttribute("norm", Math.floor(cell / heads), cell % heads), this.client.order(),
        ]);
        if (!current()) return;
        this.sizes = { cell, values: p.toSlots(values, order) };
        this.hooks.onChange("sizes");
      });
    }

    // --- marks: search hits and the selected input ------------------------------------------------------------

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

    // --- tokens -----------------------------------------------------------------------------------------------

    /** The input of a token row; loads the table's offsets. */
    async inputOf(side, row) {
      const { queryTable, keyTable } = this.client.payload;
      return p.inputOfRow(await this.client.offsets(side === "query" ? queryTable : keyTable), row);
    }

    /**
     * What is known of the token behind a slot; asks for its page if that has not been read yet.
     * @returns {{side: string, row: number, text: string, input: number, position: number, length: number}|null}
     */
    token(slot) {
      if (!this.order) return null;
      const { queries, queryTable, keyTable, pageSize } = this.client.payload;
      const { side, row } = p.tokenOfPoint(this.order[slot], queries);
      const table = side === "query" ? queryTable : keyTable;
      const number = Math.floor(row / pageSize);
      const page = this.pages.get(`${table}/${number}`);
      if (!page) {
        if (page === undefined) this.loadPage(table, number);
        return null;
      }
      const at = row - number * pageSize;
      return {
        side, row, text: page.text[at], input: page.input[at], position: page.position[at], length: page.length[at],
      };
    }

    loadPage(table, number) {
      const name = `${table}/${number}`;
      this.pages.set(name, null);
      this.run(`tokens ${name}`, async (current) => {
        const page = await this.client.tokenPage(table, number);
        if (!current()) return;
        this.pages.set(name, page);
        this.hooks.onChange("tokens");
      });
    }
  }

  atlas.data = { SceneData };
  if (typeof module !== "undefined") module.exports = atlas.data;
})(typeof window === "undefined" ? {} : (window.atlas_head_scene = window.atlas_head_scene || {}));
