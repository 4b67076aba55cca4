/**
 * What points are coloured and sized by: palette indices in slot order, for all heads at once or a head at a time.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const p = atlas.payload || require("./payload.js");
  const { MOST_RESIDENT } = atlas.positions || require("./positions.js");

  const HEADS_AT_ONCE = 4;

  class PointColours {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "colour" | "sizes">} hooks
     * @param {boolean} headsOnly  only the open head's, where an attribute differs by head
     */
    constructor(jobs, hooks, headsOnly) {
      this.jobs = jobs;
      this.hooks = hooks;
      this.headsOnly = headsOnly;
      /** what points are sized by @type {Atlas.SizedBy|null} */
      this.sized = null;
      this.clear();
    }

    clear() {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      /** the open head's @type {number} */
      this.cell = -1;
      /** what was asked for @type {Atlas.Colour|null} */
      this.colour = null;
      /** what the indices are of @type {Atlas.Colour|null} */
      this.shown = null;
      /** @type {Uint8Array|null} */
      this.indices = null;
      /** @type {Map<number, Uint8Array>} */
      this.headIndices = new Map();
      /** @type {{cell: number, attribute: string, values: Uint8Array}|null} */
      this.sizes = null;
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
    }

    /** @param {number} cell */
    openHead(cell) {
      this.cell = cell;
      this.loadHead();
      this.loadSizes();
    }

    /** Palette indices of the points of a head, or null while unknown. @param {number} cell */
    indicesOf(cell) {
      if (!this.shown) return null;
      return (this.shown.scope === "head" ? this.headIndices.get(cell) : this.indices) || null;
    }

    /** @param {Atlas.Colour|null} colour */
    setColour(colour) {
      const known = sameValues(colour, this.colour);
      this.colour = colour;
      if (!colour || sameValues(colour, this.shown)) this.show();
      if (known || !this.client) return;
      this.jobs.cancel("colour");
      this.headIndices = new Map();
      if (!colour) return;
      if (colour.scope === "head") this.loadAllHeads(this.client);
      else this.load(this.client, colour);
    }

    /** @param {Atlas.PayloadClient} client @param {Atlas.Colour} colour */
    load(client, colour) {
      this.jobs.run("colour", async (current) => {
        const read = colour.path ? client.bytesOf(colour.path) : client.attribute(colour.name);
        const [values, order] = await Promise.all([read, client.order()]);
        if (!current()) return;
        this.indices = p.toSlots(values, order);
        this.show();
      });
    }

    /** Palette and values change together: new colours on old values would be a lie for a moment. */
    show() {
      this.shown = this.colour;
      this.hooks.colour();
    }

    /** A colour that differs by head costs one byte a point and head: for all heads only while that stays small. */
    get headColoursFit() {
      return !this.headsOnly && this.client !== null && this.client.cells * this.client.points <= MOST_RESIDENT;
    }

    /** @param {Atlas.PayloadClient} client */
    loadAllHeads(client) {
      if (!this.headColoursFit) {
        this.loadHead();
        return;
      }
      const cells = Array.from({ length: client.cells }, (_, cell) => cell);
      if (this.cell >= 0) cells.unshift(this.cell);
      this.jobs.run("colour", async (current) => {
        const worker = async () => {
          for (let cell = cells.shift(); cell !== undefined && current(); cell = cells.shift()) {
            await this.fetchHead(client, cell, current);
          }
        };
        await Promise.all(Array.from({ length: HEADS_AT_ONCE }, worker));
      });
    }

    loadHead() {
      const { client, colour, cell } = this;
      if (!client || !colour || colour.scope !== "head" || cell < 0) return;
      if (this.headIndices.has(cell) || this.headColoursFit) return;
      this.jobs.run("colour", (current) => this.fetchHead(client, cell, current));
    }

    /** @param {Atlas.PayloadClient} client @param {number} cell @param {() => boolean} current */
    async fetchHead(client, cell, current) {
      if (this.headIndices.has(cell) || !this.colour) return;
      const { heads } = client.payload;
      const [values, order] = await Promise.all([
        client.headAttribute(this.colour.name, Math.floor(cell / heads), cell % heads), client.order(),
      ]);
      if (!current()) return;
      this.headIndices.set(cell, p.toSlots(values, order));
      this.show();
    }

    // --- size -------------------------------------------------------------------------------------------------

    /** What a scene's props size the points of an open head by. @param {Atlas.SceneProps} props */
    sizeBy({ payload, projection, sized, mapSizes }) {
      this.setSizes((sized ? payload && payload.size : mapSizes && projection && projection.size) || null);
    }

    /** @param {Atlas.SizedBy|null} sized  the points of an open head are as large as this attribute says */
    setSizes(sized) {
      this.sized = sized;
      this.loadSizes();
    }

    loadSizes() {
      this.jobs.cancel("sizes");
      const { cell, client, sized } = this;
      if (this.sizes && (!sized || this.sizes.attribute !== sized.attribute || this.sizes.cell !== cell)) {
        this.sizes = null;
        this.hooks.sizes();
      }
      if (!client || !sized || cell < 0 || this.sizes) return;
      const { attribute, scope } = sized;
      const { heads } = client.payload;
      const ofHead = () => client.headAttribute(attribute, Math.floor(cell / heads), cell % heads);
      this.jobs.run("sizes", async (current) => {
        const values = scope === "head" ? ofHead() : client.attribute(attribute);
        const [steps, order] = await Promise.all([values, client.order()]);
        if (!current()) return;
        this.sizes = { cell, attribute, values: p.toSlots(steps, order) };
        this.hooks.sizes();
      });
    }
  }

  /** @param {Atlas.Colour|null} a @param {Atlas.Colour|null} b */
  const sameValues = (a, b) => a !== null && b !== null && a.name === b.name && a.scope === b.scope && a.path === b.path;

  /** How large a point is beside the usual one, for a stored step; as Yeh et al. 2023. @param {number} value  0..127 */
  const sizePart = (value) => 0.375 + (1.25 * (value & 127)) / 127;

  const api = { PointColours, sizePart };
  atlas.pointColours = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
