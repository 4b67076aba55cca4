/**
 * Probes: a reader's own inputs, placed into the map and drawn apart from the points of the corpus, and the attention of
 * the one that is read. What is shown stays until what comes next has arrived, and moves there.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const average = atlas.average || require("./average.js");
  const pick = atlas.pick || require("./pick.js");
  const { Tween, number: mixed } = atlas.motion || require("./motion.js");

  const MOVE_MS = 350;
  /** CSS px of a cell from which marks can be told apart. */
  const LEAST_CELL = 14;

  /** Between two sets of places of the same tokens. @param {Uint16Array} from @param {Uint16Array} to @param {number} share */
  function between(from, to, share) {
    const values = new Uint16Array(to.length);
    for (let i = 0; i < to.length; i++) values[i] = Math.round(from[i] + (to[i] - from[i]) * share);
    return values;
  }

  /** Where the patches of an image lie in its pixels, token after token; special ones, which come first, have none.
   * @param {ImageBitmap} image @param {Atlas.InputSides & {image?: {rows: number, columns: number}}} sides
   * @returns {(Atlas.ProbePatch|null)[]} */
  function patchesOf(image, { image: facts, queries: { tokens } }) {
    const { rows, columns } = facts || { rows: 1, columns: 1 };
    const [width, height] = [image.width / columns, image.height / rows];
    const special = tokens.length - rows * columns;
    return tokens.map((_, token) => {
      const place = token - special;
      return place < 0 ? null : { image, x: (place % columns) * width, y: Math.floor(place / columns) * height, width, height };
    });
  }

  class Probes {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "probes" | "lines">} hooks
     * @param {Atlas.Points} points
     */
    constructor(jobs, hooks, points) {
      this.jobs = jobs;
      this.hooks = hooks;
      this.points = points;
      this.share = new Tween(1, mixed);
      this.clear();
    }

    clear() {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      /** @type {Atlas.ProbesProp|null} */
      this.wanted = null;
      /** @type {Atlas.LoadedProbe[]} */
      this.shown = [];
      /** of which map, with its frame @type {string} */
      this.map = "";
      /** positions within the probe that is read, weakest first @type {Atlas.AttentionPair[]} */
      this.lines = [];
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
    }

    /** There are probes in this map. */
    get active() {
      return this.shown.length > 0 && this.map === this.mapNow();
    }

    /** The map that is shown, as probes are asked for. */
    mapNow() {
      const { set } = this.points;
      return set ? `${set.projection.name}-${set.projection.key}?frame=${this.points.frame}` : "";
    }

    /** @param {Atlas.ProbesProp|null} wanted @param {Atlas.Projection|null} projection @param {boolean} whole */
    follow(wanted, projection, whole) {
      this.jobs.cancel("probes");
      const { client } = this;
      const map = projection && `${projection.name}-${projection.key}`;
      if (!client || !projection || !wanted || !wanted.list.length || wanted.map !== map) {
        // Those of another map wait for their places there; none at all are gone at once.
        if (!wanted || !wanted.list.length) this.show([], "", wanted);
        return;
      }
      const { dims } = projection;
      const place = `${map}?frame=${whole ? "all" : "middle"}`;
      this.jobs.run("probes", async (current) => {
        const loaded = await Promise.all(wanted.list.map((one) => this.load(client, one, place, dims)));
        if (current()) this.show(loaded, place, wanted);
      });
    }

    /** @param {Atlas.PayloadClient} client @param {Atlas.ProbeProp} probe @param {string} place @param {number} dims
     * @returns {Promise<Atlas.LoadedProbe>} */
    async load(client, probe, place, dims) {
      const { stream } = client.payload;
      const base = `probe/${probe.id}`;
      const [bytes, sides] = await Promise.all([
        client.buffer(`${base}/places/${stream}/${place}`), client.json(`${base}/input/${stream}/0`),
      ]);
      const patches = sides.image ? patchesOf(await client.picture(`${base}/image/0.png`), sides) : null;
      const queries = sides.queries.tokens.length;
      const count = queries + sides.keys.tokens.length;
      const values = client.checked(new Uint16Array(bytes), client.cells * count * dims);
      return { ...probe, sides, queries, count, values, from: null, patches };
    }

    /** @param {Atlas.LoadedProbe[]} loaded @param {string} map @param {Atlas.ProbesProp|null} wanted */
    show(loaded, map, wanted) {
      const before = this.map === map ? this.shown : [];
      for (const one of loaded) {
        const old = before.find(({ letter }) => letter === one.letter);
        if (old && old.id !== one.id && old.values.length === one.values.length) one.from = old.values;
      }
      if (loaded.some(({ from }) => from)) {
        this.share.set(0);
        this.share.to(1, MOVE_MS, performance.now());
      }
      this.shown = loaded;
      this.map = map;
      this.wanted = wanted;
      this.hooks.probes();
    }

    /** @param {number} now @returns {boolean} the marks have moved */
    step(now) {
      return this.share.step(now);
    }

    /** Lines of the probe that is read, in the open head. @param {Atlas.LineChoice|null} choice @param {number} cell */
    setLines(choice, cell) {
      this.jobs.cancel("probe lines");
      this.lines = [];
      const { client, wanted } = this;
      const probe = this.shown[wanted ? wanted.read : -1];
      if (!client || client.payload.unattended || !choice || !probe || cell < 0) {
        this.hooks.lines();
        return;
      }
      const { stream, heads } = client.payload;
      const place = `${stream}/0/${Math.floor(cell / heads)}/${cell % heads}`;
      const base = `probe/${probe.id}`;
      this.jobs.run("probe lines", async (current) => {
        const [raw, norms] = await Promise.all([
          client.buffer(`${base}/attention/${place}`), choice.byValueNorm ? client.buffer(`${base}/values/${place}`) : null,
        ]);
        if (!current()) return;
        this.lines = average.shownPairs(new Uint16Array(raw), probe.sides, norms && new Float32Array(norms), choice);
        this.hooks.lines();
      });
    }

    /** @param {number} number @param {"query"|"key"} side @param {number} index */
    isPinned(number, side, index) {
      const { wanted } = this;
      return Boolean(wanted) && wanted?.read === number && wanted.token === index && wanted.side === side;
    }

    /**
     * Where the tokens of all probes are in a head.
     * @param {number} cell @param {Atlas.HeadView} headView @returns {Atlas.ProbeMark[]} probe after probe, queries first
     */
    marks(cell, headView) {
      if (!this.active || (this.points.set?.override && this.points.set.override.cell === cell)) return [];
      const share = this.share.value;
      return this.shown.flatMap((probe, number) => {
        const { dims } = headView;
        const size = probe.count * dims;
        const part = (/** @type {Uint16Array} */ values) => values.subarray(cell * size, (cell + 1) * size);
        const to = part(probe.values);
        const values = probe.from && share < 1 ? between(part(probe.from), to, share) : to;
        return Array.from({ length: probe.count }, (_, i) => {
          /** @type {"query"|"key"} */
          const side = i < probe.queries ? "query" : "key";
          const index = side === "query" ? i : i - probe.queries;
          const text = (side === "query" ? probe.sides.queries : probe.sides.keys).tokens[index];
          const { x, y, outside } = pick.place(headView, values, i * dims);
          const read = number === (this.wanted ? this.wanted.read : -1);
          const patch = probe.patches ? probe.patches[index] : null;
          const pinned = this.isPinned(number, side, index);
          return { x, y, outside, number, letter: probe.letter, side, index, text, read, pinned, patch };
        });
      });
    }

    /** Marks of the heads in view, by the part of the picture they are in. @param {Atlas.View} view */
    marksInMatrix(view) {
      if (!this.active || view.camera.value.scale < LEAST_CELL) return [];
      return view.runs(Infinity).flatMap(({ first, count }) =>
        Array.from({ length: count }, (_, i) => this.marks(first + i, view.headView(first + i, this.points.dims))).flat());
    }

    /** @param {Atlas.ProbeMark[]} marks  of the open head @returns {Atlas.ScreenLine[]} */
    linesBetween(marks) {
      const read = this.wanted ? this.wanted.read : -1;
      const own = marks.filter(({ number }) => number === read);
      const probe = this.shown[read];
      if (!own.length || !probe) return [];
      return this.lines.map(({ query, key, weight }) => {
        const [from, to] = [own[query], own[probe.queries + key]];
        return { from, to, weight, chosen: from.pinned || to.pinned };
      });
    }

    /** The mark of the open head nearest to a place, or null.
     * @param {Atlas.View} view @param {number} x @param {number} y @param {number} reach  CSS px */
    nearest(view, x, y, reach) {
      if (!this.active || !view.isOpen) return null;
      /** @type {Atlas.ProbeMark|null} */
      let best = null;
      let most = reach * reach;
      for (const mark of this.marks(view.open, view.headView(view.open, this.points.dims))) {
        const away = (mark.x - x) ** 2 + (mark.y - y) ** 2;
        if (away <= most) {
          most = away;
          best = mark;
        }
      }
      return best;
    }
  }

  const api = { Probes, between, patchesOf };
  atlas.probes = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
