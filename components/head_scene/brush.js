/**
 * The brush: of some attributes only some values stand out; points of other values are greyed, never gone. A flag for
 * each slot, or for each slot of each head where an attribute differs by head.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const p = atlas.payload || require("./payload.js");

  /** Bit of a palette index that tells a key; the others are the value. */
  const KEY = 128;

  /** Does a brush keep a palette index? @param {Atlas.BrushPart} part @param {number} index */
  function keeps({ values, range, sides }, index) {
    const value = sides ? (index & KEY ? 1 : 0) : index & (KEY - 1);
    return range ? value >= range[0] && value <= range[1] : (values || []).includes(value);
  }

  class Brush {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "brush">} hooks
     * @param {{count: number, order: Uint32Array|null}} points
     * @param {{headColoursFit: boolean}} colours
     */
    constructor(jobs, hooks, points, colours) {
      this.jobs = jobs;
      this.hooks = hooks;
      this.points = points;
      this.colours = colours;
      this.clear();
    }

    clear() {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      /** @type {Atlas.BrushPart[]} */
      this.parts = [];
      /** 1: stands out, a slot; null: all do @type {Uint8Array|null} */
      this.shared = null;
      /** by head, where that differs @type {Map<number, Uint8Array>} */
      this.heads = new Map();
      /** @type {number} */
      this.cell = -1;
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
    }

    /** Something is greyed. */
    get active() {
      return this.shared !== null;
    }

    /** Flags of a head's slots, null where all stand out. @param {number} cell */
    flagsOf(cell) {
      return this.heads.get(cell) || this.shared;
    }

    /** Does a point of a head stand out? @param {number} slot @param {number} cell */
    keeps(slot, cell) {
      const flags = this.flagsOf(cell);
      return flags === null || flags[slot] === 1;
    }

    /** @param {Atlas.BrushPart[]|null|undefined} parts */
    set(parts) {
      this.parts = parts || [];
      this.load();
    }

    /** @param {number} cell */
    openHead(cell) {
      this.cell = cell;
      if (this.byHead && !this.colours.headColoursFit) this.load();
    }

    get byHead() {
      return this.parts.some(({ scope }) => scope === "head");
    }

    load() {
      this.jobs.cancel("brush");
      const { client, parts } = this;
      if (!client || !parts.length) {
        if (!this.active) return;
        this.shared = null;
        this.heads = new Map();
        this.hooks.brush();
        return;
      }
      this.jobs.run("brush", async (current) => {
        const order = await client.order();
        const shared = new Uint8Array(order.length).fill(1);
        for (const part of parts.filter(({ scope }) => scope === "token")) {
          narrow(shared, p.toSlots(await client.attribute(part.name), order), part);
        }
        /** @type {Map<number, Uint8Array>} */
        const heads = new Map();
        for (const cell of this.cellsWanted(client)) {
          const flags = Uint8Array.from(shared);
          for (const part of parts.filter(({ scope }) => scope === "head")) {
            const { heads: across } = client.payload;
            const values = await client.headAttribute(part.name, Math.floor(cell / across), cell % across);
            narrow(flags, p.toSlots(values, order), part);
          }
          heads.set(cell, flags);
          if (!current()) return;
        }
        if (!current()) return;
        this.shared = shared;
        this.heads = heads;
        this.hooks.brush();
      });
    }

    /** Heads whose flags differ, as far as they are kept: all, or the open one. @param {Atlas.PayloadClient} client */
    cellsWanted(client) {
      if (!this.byHead) return [];
      if (this.colours.headColoursFit) return Array.from({ length: client.cells }, (_, cell) => cell);
      return this.cell >= 0 ? [this.cell] : [];
    }
  }

  /** @param {Uint8Array} flags @param {Uint8Array} values @param {Atlas.BrushPart} part */
  function narrow(flags, values, part) {
    const kept = Uint8Array.from({ length: 256 }, (_, index) => (keeps(part, index) ? 1 : 0));
    for (let slot = 0; slot < flags.length; slot++) flags[slot] &= kept[values[slot]];
  }

  const api = { Brush, keeps };
  atlas.brush = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
