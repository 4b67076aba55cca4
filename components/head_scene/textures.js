/**
 * Puts what has been fetched where a renderer draws from: kinds, sizes, colours, and the positions of what is lit.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { TEXTURE_WIDTH, textureRows } = atlas.gpu || require("./gpu.js");
  const p = atlas.payload || require("./payload.js");

  /** Highlights copied for all heads at once; a prefix of the hits, which is a fair sample of them. */
  const MOST_MARKS = 2_000_000;
  const NEUTRAL = "#7b8794";

  class Textures {
    /** @param {Atlas.ValueStore} store
     * @param {Pick<Atlas.SceneData, "points" | "colours" | "highlights" | "sheet" | "brush" | "inView">} data */
    constructor(store, data) {
      this.store = store;
      this.data = data;
      /** @type {Array<Atlas.Block|null>} */
      this.gathered = [];
      this.clear();
    }

    /** Nothing that was put there is of use any more. */
    clear() {
      /** texture rows a head where colours differ by head, else 0 @type {number} */
      this.headRows = 0;
      /** as `headRows`, of the brush's flags @type {number} */
      this.brushRows = 0;
      /** heads whose colours are in the texture of all heads @type {{name: string, cells: Set<number>}|null} */
      this.written = null;
      /** @type {Atlas.Highlight|null} */
      this.highlight = null;
      /** @type {Atlas.Ghost|null} */
      this.ghost = null;
      /** what the ghost is of @type {unknown[]} */
      this.ghostOf = [];
      this.gathered.forEach((old) => this.store.drop(old));
      this.gathered = [];
    }

    /** @param {Uint8Array} values  texels of all heads, a byte each @param {number} side */
    putThumbnails(values, side) {
      this.store.setTiles("thumbnails", tilesOf(values, side));
    }

    putKinds() {
      const { kinds, count } = this.data.points;
      this.store.setValues("kind", kinds || new Uint8Array(count), textureRows(count));
      this.store.setValues("sizes", new Uint8Array(1), 1); // a texture must be bound
    }

    /** The patches, and which of them each point is. */
    putSheet() {
      const { image, rows } = this.data.sheet;
      if (!image || !rows) return;
      this.store.setImage("sheet", image);
      this.store.setValues("patch", rows, textureRows(rows.length));
    }

    putSizes() {
      const { sizes } = this.data.colours;
      if (sizes) this.store.setValues("sizes", sizes.values, textureRows(this.data.points.count));
    }

    /** Which points stand out. @param {number} open  the open head's cell */
    putBrush(open) {
      const { brush, colours, points: { client, count } } = this.data;
      this.brushRows = 0;
      if (!client || !brush.active) return;
      if (brush.heads.size > 1 || (brush.heads.size && colours.headColoursFit)) {
        this.store.reserveHeads("brush", client.cells, count);
        for (const [cell, flags] of brush.heads) this.store.setHeadValues("brush", cell, flags);
        this.brushRows = textureRows(count);
      } else this.store.setValues("brush", brush.flagsOf(open) || new Uint8Array(count), textureRows(count));
    }

    /** The palette, and the right indices. @param {number} open  the open head's cell */
    putColour(open) {
      const { colours, points } = this.data;
      const { client, order } = points;
      if (!client || !order) return;
      const colour = colours.shown;
      this.store.setPalette(p.paletteBytes(colour ? colour.palette : [NEUTRAL]));
      if (colour && colour.scope === "head" && colours.headColoursFit) {
        this.putHeadColours(colour.name, client.cells, points.count);
        return;
      }
      this.written = null;
      this.headRows = 0;
      this.store.setValues("index", colours.indicesOf(open) || new Uint8Array(points.count), textureRows(points.count));
    }

    /** Heads are written as they arrive, into one texture of all heads. @param {string} name @param {number} cells @param {number} count */
    putHeadColours(name, cells, count) {
      if (!this.written || this.written.name !== name) {
        this.store.reserveHeads("index", cells, count);
        this.written = { name, cells: new Set() };
      }
      this.headRows = textureRows(count);
      for (const [cell, values] of this.data.colours.headIndices) {
        if (!this.written.cells.has(cell)) this.store.setHeadValues("index", cell, values);
        this.written.cells.add(cell);
      }
    }

    /** What is lit, or where it lies, has changed. */
    forgetHighlight() {
      this.highlight = null;
    }

    /**
     * Where the tokens of the open head were in another head: what is lit, or all; kept until that changes.
     * @param {number} cell  the other head @param {number} open
     * @returns {Atlas.Ghost|null}
     */
    gatherGhost(cell, open) {
      const { points, highlights, brush } = this.data;
      const { set, order } = points;
      if (!set || !order || cell < 0 || open < 0 || cell === open) return null;
      const of = [set, set.loaded(cell), order, highlights.slots, highlights.active, cell, open, brush.flagsOf(open)];
      if (this.ghost && this.ghostOf.every((one, i) => one === of[i])) return this.ghost;
      this.ghostOf = of;
      if (this.ghost) this.store.drop(this.ghost.block);
      const slots = highlights.active ? highlights.slots : Uint32Array.from({ length: points.count }, (_, slot) => slot);
      const block = { ...set.gather(slots, cell, 1, cell), firstCell: open };
      this.store.setValues("ghost", slots.length ? slots : new Uint32Array(1), textureRows(slots.length));
      this.ghost = { block, cell, slots: slots.subarray(0, block.count) };
      return this.ghost;
    }

    /** The points have arrived where they moved to. */
    endMove() {
      if (this.highlight) this.highlight = { ...this.highlight, previous: null };
    }

    /**
     * Positions of the highlighted points in some cells; kept until they change.
     * @param {number} first @param {number} cells @param {number} open
     * @returns {Atlas.Highlight|null}
     */
    gather(first, cells, open) {
      const { set, previous: before, order } = this.data.points;
      if (this.highlight || !set || !order) return this.highlight;
      const all = this.data.highlights.slots;
      const slots = all.length * cells > MOST_MARKS ? all.slice(0, Math.floor(MOST_MARKS / cells)) : all;
      const block = set.gather(slots, first, cells, open);
      const previous = before ? before.gather(slots, first, cells, open) : null;
      this.gathered.forEach((old) => this.store.drop(old));
      this.gathered = [block, previous];
      this.store.setValues("hits", slots.length ? slots : new Uint32Array(1), textureRows(slots.length));
      this.highlight = { blocks: [block], previous: previous && previous.count === block.count ? previous : null };
      return this.highlight;
    }

    /** The same of thousands of heads: of those in view. @returns {Atlas.Highlight} */
    gatherInView() {
      const { inView } = this.data;
      if (this.highlight) return this.highlight;
      const { slots, blocks } = inView.shown;
      this.store.setValues("hits", slots.length ? slots : new Uint32Array(1), textureRows(slots.length));
      this.highlight = { blocks, previous: null };
      return this.highlight;
    }
  }

  /**
   * Thumbnails side by side in rows of a texture, each texel as density and density times share of keys.
   * @param {Uint8Array} values  [heads][side][side], 16 · density + share of keys, in fifteenths @param {number} side
   */
  function tilesOf(values, side) {
    const across = Math.floor(TEXTURE_WIDTH / side);
    const heads = values.length / (side * side);
    const texels = new Uint8Array(2 * TEXTURE_WIDTH * side * Math.ceil(heads / across));
    // Both bytes of a texel in one, in the order of this machine.
    const both = new Uint16Array(texels.buffer);
    const known = Uint16Array.from({ length: 256 }, (_, value) => {
      const [density, share] = [17 * (value >> 4), value & 15];
      return new Uint16Array(Uint8Array.of(density, Math.round((density * share) / 15)).buffer)[0];
    });
    for (let head = 0; head < heads; head++) {
      const corner = Math.floor(head / across) * side * TEXTURE_WIDTH + (head % across) * side;
      for (let row = 0, i = head * side * side; row < side; row++) {
        const from = corner + row * TEXTURE_WIDTH;
        for (let column = 0; column < side; column++) both[from + column] = known[values[i++]];
      }
    }
    return texels;
  }

  const api = { Textures, NEUTRAL, tilesOf };
  atlas.textures = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
