/**
 * The crowd of the open head, as far as it is in view: where points are dense, what is common to those that lie
 * together, and the outline of the hits of a search. Worked out on a grid a little larger than the view, and anew when
 * the view leaves it or comes much nearer: the nearer, the finer.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const density = atlas.density || require("./density.js");
  const { isOutside } = atlas.edge || require("./edge.js");
  const { nameOf } = atlas.crowdNames || require("./crowd_names.js");

  /** Side of a cell of the grid, CSS px, and of how many cells smoothing takes the mean: a group is some 40 px wide. */
  const CELL = 8;
  const RADIUS = 2;
  /** Of small groups, where there is room for their names beside those of the large ones. */
  const FINE_RADIUS = 1;
  /** Beyond the view on each side, as part of it. */
  const MARGIN = 0.5;
  /** From one step of nearness to the next. */
  const STEP = 1.3;
  /** Points that are looked at: the first slots are a fair sample. */
  const MOST = 20_000;
  /** Points that make a group: so many, and this part of those in view. */
  const FEWEST = 8;
  const LEAST_PART = 0.004;
  const MOST_GROUPS = 60;
  /** The part of the hits that the outline holds, and how many it needs. */
  const HITS_INSIDE = 0.9;
  const FEWEST_HITS = 5;

  /**
   * @typedef {Object} Region  a grid over a part of the head; u, v: in the unit square of its cell, v downwards
   * @property {number} u @property {number} v  of its corner
   * @property {number} unit  side of a cell of the grid
   * @property {number} columns @property {number} rows
   * @property {number} step  of nearness
   *
   * @typedef {{region: Region, of: unknown[], grid: Float32Array, slots: Uint32Array, places: Float32Array, density: number,
   *   shade: {colour: string, image: HTMLCanvasElement}|null, groups: Atlas.CrowdGroup[]|null}} Known
   */

  class Crowd {
    /** @param {{view: Atlas.View, data: Atlas.SceneData}} parts */
    constructor({ view, data }) {
      this.view = view;
      this.data = data;
      /** @type {Known|null} */
      this.known = null;
      /** @type {{of: unknown[], lines: Map<number, number[]>}} */
      this.outlines = { of: [], lines: new Map() };
    }

    /** What the crowd is of: anything else, and it is worked out anew. */
    sources() {
      const { view, data: { points, brush } } = this;
      const { set } = points;
      return [set, set?.override, set?.loaded(view.open), view.open, points.order, brush.flagsOf(view.open)];
    }

    /** The crowd in view, or null where there is none to speak of. @returns {Known|null} */
    now() {
      const { view, data: { points: { set, dims } } } = this;
      if (!view.isOpen || dims !== 2 || !set || !set.complete(view.open) || view.openness.value < 1) return null;
      const of = this.sources();
      const { known } = this;
      if (known && known.of.every((one, i) => one === of[i]) && this.covers(known.region)) return known;
      this.known = this.workOut(this.regionAbout(), of);
      return this.known;
    }

    /** Is the crowd in view another than the last that was asked for? True once. */
    isNew() {
      const { known } = this;
      const now = this.now();
      return now !== null && now !== known;
    }

    /** Nearness in steps. */
    get step() {
      return Math.round(Math.log(this.view.headView(this.view.open, 2).half) / Math.log(STEP));
    }

    /** The view in the head's unit square. */
    inView() {
      const { middleX, middleY, half } = this.view.headView(this.view.open, 2);
      const { width, height } = this.view.size;
      return { left: -middleX / half, top: -middleY / half, right: (width - middleX) / half, bottom: (height - middleY) / half };
    }

    /** @param {Region} region */
    covers({ u, v, unit, columns, rows, step }) {
      const { left, top, right, bottom } = this.inView();
      // What lies beyond the head is of no account: there the grid need not reach.
      const within = (/** @type {number} */ a) => Math.min(1, Math.max(-1, a));
      /** @param {number} a @param {number} from @param {number} count  cells */
      const inside = (a, from, count) => within(a) >= within(from) && within(a) <= within(from + count * unit);
      return step === this.step && [left, right].every((a) => inside(a, u, columns)) && [top, bottom].every((a) => inside(a, v, rows));
    }

    /** @returns {Region} */
    regionAbout() {
      const { step } = this;
      const unit = CELL / STEP ** step;
      const { left, top, right, bottom } = this.inView();
      const [wide, high] = [(right - left) * MARGIN, (bottom - top) * MARGIN];
      // A little beyond the head itself, so that outlines close.
      const reach = 1 + 4 * RADIUS * unit;
      const [u, v] = [Math.max(-reach, left - wide), Math.max(-reach, top - high)];
      const columns = Math.max(1, Math.ceil((Math.min(reach, right + wide) - u) / unit));
      const rows = Math.max(1, Math.ceil((Math.min(reach, bottom + high) - v) / unit));
      return { u, v, unit, columns, rows, step };
    }

    /** @param {Region} region @param {unknown[]} of @returns {Known} */
    workOut(region, of) {
      const { data: { points, brush }, view } = this;
      const limit = Math.min(points.count, MOST);
      const slots = new Uint32Array(limit);
      const places = new Float32Array(2 * limit);
      let count = 0;
      this.visit((slot, u, v) => {
        if (slot >= limit || !brush.keeps(slot, view.open)) return;
        const [x, y] = [(u - region.u) / region.unit, (v - region.v) / region.unit];
        if (x < 0 || y < 0 || x >= region.columns || y >= region.rows) return;
        slots[count] = slot;
        places[2 * count] = x;
        places[2 * count++ + 1] = y;
      });
      const { columns, rows } = region;
      const grid = density.smoothed(density.counted(places.subarray(0, 2 * count), columns, rows), columns, rows, RADIUS);
      let about = 0;
      for (let i = 0; i < count; i++) about += grid[Math.floor(places[2 * i + 1]) * columns + Math.floor(places[2 * i])];
      const share = limit / Math.max(1, points.count);
      return {
        region, of, grid, slots: slots.subarray(0, count), places: places.subarray(0, 2 * count),
        density: count ? about / count / share / CELL ** 2 : 0,
        shade: null, groups: null,
      };
    }

    /** Points of the open head that lie within its frame. @param {(slot: number, u: number, v: number) => void} work */
    visit(work) {
      const { set, client } = this.data.points;
      if (!set || !client) return;
      const { chunk } = client.payload;
      set.headParts(this.view.open).forEach((part, c) => {
        for (let j = 0; part && j < part.count; j++) {
          const at = part.start + 2 * j;
          if (!isOutside(part.values, at, 2)) work(c * chunk + j, part.values[at] / 32767.5 - 1, 1 - part.values[at + 1] / 32767.5);
        }
      });
    }

    /** How many points there are about a point in view, the mean of all: a CSS px². 0 where that is not known. */
    density() {
      const known = this.now();
      if (!known) return 0;
      const { half } = this.view.headView(this.view.open, 2);
      return known.density * (STEP ** known.region.step / half) ** 2;
    }

    // --- shading --------------------------------------------------------------------------------------------------

    /** The shade of the crowd as an image, and where it lies, CSS px. @param {string} colour @returns {Atlas.OverlayState["shade"]} */
    shade(colour) {
      const known = this.now();
      if (!known || known.slots.length < FEWEST) return null;
      if (!known.shade || known.shade.colour !== colour) known.shade = { colour, image: shadeOf(known, colour) };
      const { middleX, middleY, half } = this.view.headView(this.view.open, 2);
      const { u, v, unit, columns, rows } = known.region;
      const [width, height] = [columns * unit * half, rows * unit * half];
      return { image: known.shade.image, x: middleX + u * half, y: middleY + v * half, width, height };
    }

    // --- groups ---------------------------------------------------------------------------------------------------

    /**
     * Groups of points that lie together and have something in common, largest first.
     * @returns {Atlas.GroupLabel[]}
     */
    groups() {
      const known = this.now();
      if (!known) return [];
      if (!known.groups && this.data.features.ready(known.slots)) known.groups = this.named(known);
      const { middleX, middleY, half } = this.view.headView(this.view.open, 2);
      const { u, v, unit } = known.region;
      const place = (/** @type {Atlas.Point} */ { x, y }) => ({ x: middleX + (u + x * unit) * half, y: middleY + (v + y * unit) * half });
      return (known.groups || []).map((group) => ({ text: group.text, ...place(group) }));
    }

    /** @param {Known} known @returns {Atlas.CrowdGroup[]} */
    named(known) {
      const { columns, rows } = known.region;
      const large = this.namedOn(known.grid, known);
      const fine = density.smoothed(density.counted(known.places, columns, rows), columns, rows, FINE_RADIUS);
      const said = new Set(large.map(({ text }) => text));
      return [...large, ...this.namedOn(fine, known).filter(({ text }) => !said.has(text))];
    }

    /** @param {Float32Array} grid @param {Known} known @returns {Atlas.CrowdGroup[]} */
    namedOn(grid, { region: { columns }, slots, places }) {
      const summit = summits(grid, columns);
      /** @type {Map<number, number[]>} */
      const members = new Map();
      for (let i = 0; i < slots.length; i++) {
        const cell = summit(Math.floor(places[2 * i + 1]) * columns + Math.floor(places[2 * i]));
        const group = members.get(cell);
        if (group) group.push(i);
        else members.set(cell, [i]);
      }
      const least = Math.max(FEWEST, LEAST_PART * slots.length);
      const large = [...members.values()].filter((group) => group.length >= least);
      large.sort((a, b) => b.length - a.length).splice(MOST_GROUPS);
      return large.flatMap((group) => {
        const text = nameOf(this.data.features, Uint32Array.from(group, (i) => slots[i]));
        return text ? [{ text, ...middle(group, places), count: group.length }] : [];
      });
    }

    // --- hits of a search -----------------------------------------------------------------------------------------

    /** The outline of the hits in the open head: pieces of line x0, y0, x1, y1 …, CSS px. @returns {number[]} */
    hitsOutline() {
      const { view, data: { points: { set }, highlights: { hits } } } = this;
      if (!view.isOpen || !set || set.dims !== 2 || hits.length < FEWEST_HITS || !set.complete(view.open)) return [];
      const of = [...this.sources(), hits];
      if (!of.every((one, i) => one === this.outlines.of[i])) this.outlines = { of, lines: new Map() };
      const { step } = this;
      if (!this.outlines.lines.has(step)) {
        if (this.outlines.lines.size > 8) this.outlines.lines.clear();
        this.outlines.lines.set(step, this.outlineAt(hits, Math.min(step, COARSEST)));
      }
      const { middleX, middleY, half } = view.headView(view.open, 2);
      return (this.outlines.lines.get(step) || []).map((value, i) => (i % 2 ? middleY : middleX) + value * half);
    }

    /** Of the whole head, in its unit square. @param {Uint32Array} hits @param {number} step */
    outlineAt(hits, step) {
      const wanted = new Uint8Array(this.data.points.count);
      for (const slot of hits) wanted[slot] = 1;
      const unit = CELL / STEP ** step;
      const reach = 1 + 6 * RADIUS * unit;
      const size = Math.ceil((2 * reach) / unit);
      /** @type {number[]} */
      const places = [];
      this.visit((slot, u, v) => {
        if (wanted[slot]) places.push((u + reach) / unit, (v + reach) / unit);
      });
      if (places.length < 2 * FEWEST_HITS) return [];
      const grid = density.smoothed(density.counted(places, size, size), size, size, RADIUS);
      return density.outline(grid, size, size, density.levelOf(grid, HITS_INSIDE)).map((value) => value * unit - reach);
    }
  }

  /** Nearness beyond which the outline of hits gets no finer: some 400 cells across the head. */
  const COARSEST = Math.floor(Math.log(1600) / Math.log(STEP));

  /**
   * From a cell of a grid to the summit that lies above it: uphill to the densest neighbour.
   * @param {Float32Array} grid @param {number} columns
   */
  function summits(grid, columns) {
    const found = new Int32Array(grid.length).fill(-1);
    /** @param {number} cell */
    const above = (cell) => {
      let best = cell;
      const x = cell % columns;
      for (const dy of [-columns, 0, columns]) {
        for (const dx of [-1, 0, 1]) {
          const other = cell + dy + dx;
          if (other < 0 || other >= grid.length || x + dx < 0 || x + dx >= columns) continue;
          // Of equals the later one, so that a plateau has one summit.
          if (grid[other] > grid[best] || (grid[other] === grid[best] && other > best)) best = other;
        }
      }
      return best;
    };
    return (/** @type {number} */ from) => {
      /** @type {number[]} */
      const way = [];
      let cell = from;
      while (found[cell] < 0) {
        way.push(cell);
        const next = above(cell);
        if (next === cell) found[cell] = cell;
        else cell = next;
      }
      for (const one of way) found[one] = found[cell];
      return found[cell];
    };
  }

  /** The point of a group that lies nearest to its mean: a name stands on a point of what it names.
   * @param {number[]} group @param {Float32Array} places */
  function middle(group, places) {
    let [x, y] = [0, 0];
    for (const i of group) {
      x += places[2 * i] / group.length;
      y += places[2 * i + 1] / group.length;
    }
    let best = group[0];
    const away = (/** @type {number} */ i) => (places[2 * i] - x) ** 2 + (places[2 * i + 1] - y) ** 2;
    for (const i of group) if (away(i) < away(best)) best = i;
    return { x: places[2 * best], y: places[2 * best + 1] };
  }

  /**
   * Opaque where the crowd is densest, clear where the emptier half of its points lie.
   * @param {Known} known @param {string} colour
   */
  function shadeOf({ grid, region: { columns, rows } }, colour) {
    const image = document.createElement("canvas");
    image.width = columns;
    image.height = rows;
    const context = image.getContext("2d");
    if (!context) return image;
    const pixels = context.createImageData(columns, rows);
    density.ranks(grid).forEach((rank, i) => {
      pixels.data[4 * i + 3] = Math.round(255 * Math.max(0, (rank - 0.5) / 0.5) ** 1.5);
    });
    context.putImageData(pixels, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = colour;
    context.fillRect(0, 0, columns, rows);
    return image;
  }

  const api = { Crowd, summits };
  atlas.crowd = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
