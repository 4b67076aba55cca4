/**
 * Everything the scene has fetched, kept in step with the props. No drawing here: `onChange(what)` tells the scene.
 */
(function (atlas) {
  const p = atlas.payload || require("./payload.js");
  const { PositionSet, residentChunks, MOST_RESIDENT } = atlas.positions || require("./positions.js");
  const Marks = atlas.Marks || require("./marks.js").Marks;

  const HEADS_AT_ONCE = 4;

  class SceneData extends Marks {
    /**
     * @param {Object} hooks
     * @param {(what: string) => void} hooks.onChange  "chunk" | "points" | "colour" | "marks" | "lines" | "tokens" | "failure" | "settled"
     * @param {(block: Object) => void} hooks.drop  a block's GPU buffer may go
     * @param {boolean} headsOnly  fetch positions of the open head only (no WebGL: the matrix is a sprite)
     */
    constructor(hooks, headsOnly) {
      super(hooks);
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
      this.pages = new Map();
      this.clearMarks();
      this.forget();
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
      const { live, set } = this;
      if (live && live.dims === set.dims && live.method === set.projection.method) set.setOverride(live);
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
      const fits = live && live.dims === set.dims && live.method === set.projection.method;
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
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
