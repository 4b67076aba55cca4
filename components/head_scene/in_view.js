/**
 * Points of thousands of heads, of those in view alone: a sample of their points, and what is lit. Heads are fetched a few
 * together, as many points each as the view has room for, and kept while there is room.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** Heads that are kept and dropped together. */
  const TILE = 16;
  /** Points of one request at most: 4 MB in 2D. */
  const MOST_ASKED = 1_000_000;
  /** Points in view: more hide each other. Of what is lit in one head no more than one address can name. */
  const MOST_DRAWN = 400_000;
  const MOST_LIT = 250_000;
  const MOST_LISTED = 1000;
  const FEWEST = 32;
  /** Points that are kept: 10 MB in 2D. */
  const MOST_KEPT = 2_500_000;
  const CONCURRENT = 3;

  /** Points of each of so many heads: a power of two, so that a step aside asks for nothing anew.
   * @param {number} heads @param {number} all @param {number} most  of all heads */
  function share(heads, all, most) {
    const power = 2 ** Math.floor(Math.log2(Math.max(FEWEST, most / Math.max(1, heads))));
    return power >= all ? all : power;
  }

  /** @param {Atlas.Run[]} runs  of cells @returns {number[]} */
  function tilesOf(runs) {
    const tiles = new Set();
    for (const { first, count } of runs) {
      for (let tile = Math.floor(first / TILE); tile * TILE < first + count; tile++) tiles.add(tile);
    }
    return [...tiles].sort((a, b) => a - b);
  }

  class Tiles {
    /** @param {(block: Atlas.Block) => void} drop */
    constructor(drop) {
      this.drop = drop;
      /** what they are of: the map first @type {unknown[]} */
      this.of = [];
      /** the longest unused first @type {Map<number, Atlas.Block>} */
      this.kept = new Map();
      /** @type {Atlas.Block[]} */
      this.blocks = [];
      /** points of a head @type {number} */
      this.per = 0;
      /** what was asked for last, which stays @type {Set<number>} */
      this.wanted = new Set();
    }

    /** Another question voids what was answered. @param {unknown[]} of @param {number} per */
    begin(of, per) {
      if (of.length === this.of.length && of.every((part, i) => part === this.of[i])) return;
      this.clear();
      this.of = of;
      this.per = per;
    }

    clear() {
      this.of = [];
      this.per = 0;
      this.kept.forEach(this.drop);
      this.kept.clear();
      this.blocks = [];
    }

    /** Runs of heads that are not there yet; those that are count as used. @param {Atlas.Run[]} runs @param {number} cells
     * @returns {Atlas.Run[]} */
    missing(runs, cells) {
      /** @type {Atlas.Run[]} */
      const asked = [];
      const most = MOST_ASKED / this.per;
      this.wanted = new Set(tilesOf(runs));
      for (const tile of this.wanted) {
        const block = this.kept.get(tile);
        if (block) {
          this.kept.delete(tile);
          this.kept.set(tile, block);
          continue;
        }
        const first = tile * TILE;
        const count = Math.min(TILE, cells - first);
        const last = asked[asked.length - 1];
        if (last && last.first + last.count === first && last.count + count <= most) last.count += count;
        else asked.push({ first, count });
      }
      return asked;
    }

    /** @param {Atlas.Run[]} runs */
    covers(runs) {
      return tilesOf(runs).every((tile) => this.kept.has(tile));
    }

    /** @param {Atlas.Run} run @param {Uint16Array} values  [heads][points][dims] @param {number} dims */
    put({ first, count }, values, dims) {
      const { per } = this;
      for (let at = 0; at < count; at += TILE) {
        const cells = Math.min(TILE, count - at);
        const part = values.slice(at * per * dims, (at + cells) * per * dims);
        this.kept.set((first + at) / TILE, { values: part, firstCell: first + at, cells, count: per, dims, generation: -1 });
      }
      for (const [tile, block] of this.kept) {
        if (this.kept.size * TILE * per <= MOST_KEPT) break;
        if (this.wanted.has(tile)) continue;
        this.kept.delete(tile);
        this.drop(block);
      }
      this.blocks = [...this.kept.values()];
    }
  }

  class InView {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "chunk" | "drop">} hooks
     * @param {Pick<Atlas.Points, "set" | "count">} points
     * @param {Pick<Atlas.Highlights, "slots">} highlights
     */
    constructor(jobs, hooks, points, highlights) {
      this.jobs = jobs;
      this.hooks = hooks;
      this.points = points;
      this.highlights = highlights;
      this.sample = new Tiles(hooks.drop);
      this.lit = new Tiles(hooks.drop);
      this.clear();
    }

    clear() {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      /** slots of what is lit @type {Uint32Array} */
      this.slots = new Uint32Array(0);
      this.sample.clear();
      this.lit.clear();
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
    }

    /** The map that is shown has points of heads in view only. */
    get active() {
      return Boolean(this.points.set && this.points.set.inView);
    }

    /** Samples of the map that is shown. @returns {Atlas.Block[]} */
    get blocks() {
      return this.sample.of[0] === this.points.set ? this.sample.blocks : [];
    }

    /** What is lit now and has arrived. */
    get shown() {
      const [set, slots] = this.lit.of;
      const known = set === this.points.set && slots === this.highlights.slots;
      return known ? { slots: this.slots, blocks: this.lit.blocks } : { slots: new Uint32Array(0), blocks: [] };
    }

    /** Points of each head that are drawn, or would be. @param {number} heads  in view */
    share(heads) {
      return shareInView(heads, this.points.count);
    }

    /** Every head in view has its sample. @param {Atlas.Run[]} runs */
    covers(runs) {
      return this.blocks.length > 0 && this.sample.covers(runs);
    }

    /** Lit points of each head that are not drawn: there is no room for all. */
    get left() {
      return this.lit.per ? this.highlights.slots.length - this.slots.length : 0;
    }

    /** Fetch what the heads in view are without. @param {Atlas.Run[]} runs @param {boolean} points  a sample is wanted */
    want(runs, points) {
      const { set } = this.points;
      const heads = runs.reduce((sum, run) => sum + run.count, 0);
      if (!set || !set.inView || !this.client || !heads) return;
      const per = this.share(heads);
      if (points) {
        this.sample.begin([set, per], per);
        this.ask("points in view", this.sample, runs, { most: per });
      }
      const { slots } = this.highlights;
      const lit = share(heads, Math.min(MOST_LISTED, slots.length), MOST_LIT);
      this.lit.begin([set, slots, lit], lit);
      this.slots = slots.subarray(0, lit);
      if (lit) this.ask("lit in view", this.lit, runs, { slots: this.slots });
    }

    /** @param {string} name @param {Tiles} tiles @param {Atlas.Run[]} runs @param {{most?: number, slots?: Uint32Array}} which */
    ask(name, tiles, runs, which) {
      const { client } = this;
      const { set } = this.points;
      if (!client || !set) return;
      const left = tiles.missing(runs, client.cells);
      if (!left.length) return;
      this.jobs.run(name, async (current) => {
        const work = async () => {
          for (let run = left.shift(); run && current(); run = left.shift()) {
            const values = await client.somePoints(set.projection, run, tiles.per, which);
            if (!current()) return;
            tiles.put(run, values, set.dims);
            this.hooks.chunk();
          }
        };
        await Promise.all(Array.from({ length: CONCURRENT }, work));
      });
    }
  }

  /** Points of each of so many heads in view that are drawn. @param {number} heads @param {number} all */
  const shareInView = (heads, all) => share(heads, all, MOST_DRAWN);

  const api = { InView, Tiles, shareInView };
  atlas.inView = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
