/**
 * The points of all heads: their order, the positions of the projection that is shown, of the one that is on its way,
 * and of one head that lies elsewhere for now.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const p = atlas.payload || require("./payload.js");
  const { PositionSet, residentChunks, MANY_HEADS } = atlas.positions || require("./positions.js");

  class Points {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "order" | "chunk" | "moved" | "drop">} hooks
     * @param {boolean} headsOnly  fetch positions of the open head only (no WebGL: the matrix is a sprite)
     */
    constructor(jobs, hooks, headsOnly) {
      this.jobs = jobs;
      this.hooks = hooks;
      this.headsOnly = headsOnly;
      this.clear();
    }

    clear() {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      /** @type {Atlas.FrameName} */
      this.frame = "middle";
      /** slot → point id @type {Uint32Array|null} */
      this.order = null;
      /** point id → slot @type {Uint32Array|null} */
      this.slotOf = null;
      /** 0 for a query, 1 for a key, a slot @type {Uint8Array|null} */
      this.kinds = null;
      /** @type {Atlas.PositionSet|null} */
      this.set = null;
      /** @type {Atlas.PositionSet|null} */
      this.incoming = null;
      /** where points come from while they move @type {Atlas.PositionSet|null} */
      this.previous = null;
      /** @type {Atlas.LivePositions|null} */
      this.live = null;
      /** @type {Atlas.LiveWish|null} */
      this.liveWanted = null;
      this.fetchingLive = false;
      /** the open head's @type {number} */
      this.cell = -1;
      /** the projection that was asked for last is in 2D */
      this.flat = true;
    }

    /** Of thousands of heads that have thumbnails, points of those in view alone are fetched (in_view.js). */
    get inView() {
      const { client } = this;
      return Boolean(client && client.payload.thumbnail && client.cells > MANY_HEADS && this.flat && !this.headsOnly);
    }

    /** Chunks of all heads to keep. */
    get resident() {
      const { client } = this;
      if (!client || this.headsOnly || this.inView) return 0;
      const { cells, points, payload } = client;
      return residentChunks(cells, points, payload.chunk);
    }

    /** Points of each head that are, or would be, kept of all heads; all points where there are fewer. */
    get sample() {
      const { client } = this;
      if (!client) return 0;
      const { cells, points, payload } = client;
      const some = residentChunks(cells, points, payload.chunk) * payload.chunk;
      return some >= points ? Infinity : some;
    }

    close() {
      [this.set, this.incoming, this.previous].forEach((set) => set && set.close());
      this.clear();
    }

    /** Points a head. */
    get count() {
      return this.client ? this.client.points : 0;
    }

    get dims() {
      return this.set ? this.set.dims : 2;
    }

    /** How much of the picture's data has arrived, 0..1. @param {number} open  the open head's cell */
    part(open) {
      const set = this.incoming || this.set;
      if (set && set.wanted(open)) return set.loaded(open) / set.wanted(open);
      return this.set ? 1 : 0;
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
      this.jobs.run("order", async (current) => {
        const order = await client.order();
        if (!current()) return;
        this.order = order;
        this.slotOf = p.inverse(order);
        this.kinds = Uint8Array.from(order, (point) => (point < client.payload.queries ? 0 : 1));
        this.hooks.order();
      });
    }

    /** @param {Atlas.Projection|null} projection @param {boolean} whole  frames that hold every point */
    setProjection(projection, whole) {
      /** @type {Atlas.FrameName} */
      this.frame = whole ? "all" : "middle";
      if (this.incoming) this.incoming.close();
      this.incoming = null;
      if (!this.client || !projection) return;
      this.flat = projection.dims === 2;
      const set = new PositionSet(this.client, { ...projection, frame: this.frame }, {
        resident: this.resident,
        inView: this.inView,
        onChunk: () => this.hooks.chunk(),
        drop: this.hooks.drop,
      });
      this.incoming = set;
      this.jobs.run("positions", async () => {
        await Promise.all([set.load(), set.openHead(this.cell)]);
        this.hooks.chunk();
      });
    }

    /** Show the incoming projection; the old one stays as `previous` if the points are to move. @param {boolean} animate */
    adopt(animate) {
      this.endMove();
      if (animate) this.previous = this.set;
      else if (this.set) this.set.close();
      this.set = this.incoming;
      this.incoming = null;
      if (!this.set) return;
      if (this.live && fits(this.live, this.set)) this.set.setOverride(this.live);
      // The open head may have changed while the new positions were on their way.
      if (this.set.cell !== this.cell) this.loadHead();
    }

    endMove() {
      if (this.previous) this.previous.close();
      this.previous = null;
    }

    /** @param {number} cell */
    openHead(cell) {
      this.cell = cell;
      this.loadHead();
    }

    loadHead() {
      const sets = [this.set, this.incoming].filter((set) => set !== null);
      if (!sets.length) return;
      this.jobs.run("head", async () => {
        await Promise.all(sets.map((set) => set.openHead(this.cell)));
        this.hooks.chunk();
      });
    }

    // --- one head in other positions ---------------------------------------------------------------------------

    /**
     * Show one head as it lies elsewhere. While an answer is on its way only the newest wish waits: a slider that
     * moves faster than the answers skips steps and never queues them.
     * @param {Atlas.LiveWish|null} live
     */
    setLive(live) {
      this.liveWanted = live && { ...live, frame: this.frame };
      if (!live) {
        this.jobs.cancel("live");
        this.fetchingLive = false;
        this.showLive(null);
      } else if (!this.fetchingLive) {
        this.fetchLive();
      }
    }

    fetchLive() {
      const { client, liveWanted: live } = this;
      if (!client || !live) return;
      this.fetchingLive = true;
      this.jobs.run("live", async (current) => {
        try {
          const [values] = await Promise.all([client.livePositions(live.path, live.dims, live.frame || "middle"), client.order()]);
          if (current() && this.liveWanted) this.showLive({ ...live, values });
        } finally {
          if (current()) this.fetchingLive = false;
        }
        if (current() && this.liveWanted && this.liveWanted !== live) this.fetchLive();
      });
    }

    /** Give the shown set the live positions if they are of its projection. @param {Atlas.LivePositions|null} live */
    showLive(live) {
      this.live = live;
      const { set } = this;
      if (!set || (!live && !set.override)) return;
      const old = set.setOverride(live && fits(live, set) ? live : null);
      this.hooks.moved(set.snapshot(old), !live || live.move);
    }
  }

  /** @param {Atlas.LiveWish} live @param {Atlas.PositionSet} set */
  const fits = (live, set) => live.dims === set.dims && live.frame === (set.projection.frame || "middle") && live.method === set.projection.method;

  const api = { Points };
  atlas.points = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
