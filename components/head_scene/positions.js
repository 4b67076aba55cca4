/**
 * The positions of one projection: chunks of all heads as far as memory allows, the rest for the open head only.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** Points kept for all heads at once. Beyond this a cell's pixels are full long before its points are drawn. */
  const MOST_RESIDENT = 5_000_000;
  const FEWEST_CHUNKS = 2;
  /** Of more heads than these, of which a cell is small, half as many: 10 MB in 2D. */
  const MANY_HEADS = 1250;
  const CONCURRENT = 3;

  /** Chunks of all heads to keep.
   * @param {number} cells @param {number} points @param {number} chunk @param {number} [most] */
  function residentChunks(cells, points, chunk, most = cells > MANY_HEADS ? MOST_RESIDENT / 2 : MOST_RESIDENT) {
    const all = Math.ceil(points / chunk);
    if (cells * points <= most) return all;
    return Math.min(all, Math.max(FEWEST_CHUNKS, Math.floor(most / (cells * chunk))));
  }

  class PositionSet {
    /**
     * @param {Atlas.PayloadClient} client
     * @param {Atlas.Projection} projection
     * @param {{resident: number, inView?: boolean, onChunk: () => void, drop: (block: Atlas.Block) => void}} options
     *   inView: points of the matrix are fetched elsewhere, of heads in view
     */
    constructor(client, projection, options) {
      this.client = client;
      this.projection = projection;
      this.dims = projection.dims;
      this.resident = options.resident;
      this.inView = Boolean(options.inView);
      this.onChunk = options.onChunk;
      this.dropBlock = options.drop;
      /** of all heads @type {Array<Atlas.Block|null>} */
      this.chunks = new Array(client.chunks).fill(null);
      /** the head whose chunks are complete */
      this.cell = -1;
      /** @type {Atlas.Block[]} */
      this.headChunks = [];
      /** other positions of one head @type {{cell: number, blocks: Atlas.Block[]}|null} */
      this.override = null;
      this.closed = false;
    }

    /** Fetch the chunks of all heads, a few at a time, in draw order. */
    async load() {
      await this.several(this.resident, async (c) => {
        if (this.chunks[c]) return;
        const values = await this.client.positions(this.projection, c);
        this.chunks[c] = this.block(values, 0, this.client.cells, c);
      });
    }

    /** Fetch what is missing of one head. @param {number} cell */
    async openHead(cell) {
      if (this.cell !== cell) this.closeHead();
      this.cell = cell;
      if (cell < 0) return;
      if (this.inView) {
        const { points } = this.client;
        if (this.headChunks.length) return;
        const values = await this.client.somePoints(this.projection, { first: cell, count: 1 }, points, { most: points });
        if (this.cell === cell) this.headChunks = this.blocksOf(values, cell);
        if (!this.closed) this.onChunk();
        return;
      }
      await this.several(this.client.chunks, async (c) => {
        if (c < this.resident || this.headChunks[c]) return;
        const values = await this.client.headPositions(this.projection, c, cell);
        if (this.cell === cell) this.headChunks[c] = this.block(values, cell, 1, c);
      });
    }

    closeHead() {
      this.headChunks.forEach((block) => this.dropBlock(block));
      this.headChunks = [];
      this.cell = -1;
    }

    /** The first chunk alone, as it makes the first picture; then a few at a time.
     * @param {number} count @param {(chunk: number) => Promise<void>} work */
    async several(count, work) {
      let next = 0;
      const step = async () => {
        await work(next++);
        if (!this.closed) this.onChunk();
      };
      const worker = async () => {
        while (next < count && !this.closed) await step();
      };
      if (count > 0) await step();
      await Promise.all(Array.from({ length: Math.min(CONCURRENT, count) }, worker));
    }

    /** @param {Uint16Array} values @param {number} firstCell @param {number} cells @param {number} chunk @returns {Atlas.Block} */
    block(values, firstCell, cells, chunk) {
      return { values, firstCell, cells, count: this.client.chunkLength(chunk), dims: this.dims, generation: -1 };
    }

    /**
     * Show other positions of one head, or (null) its own again.
     * @param {{cell: number, values: Uint16Array}|null} other  values [points][dims] in slot order
     */
    setOverride(other) {
      const old = this.override;
      this.override = other && { cell: other.cell, blocks: this.blocksOf(other.values, other.cell) };
      return old;
    }

    /** @param {Uint16Array} values @param {number} cell */
    blocksOf(values, cell) {
      const { chunk } = this.client.payload;
      return Array.from({ length: this.client.chunks }, (_, c) =>
        this.block(values.slice(c * chunk * this.dims, (c * chunk + this.client.chunkLength(c)) * this.dims), cell, 1, c));
    }

    /** @param {PositionSet["override"]} override */
    dropOverride(override) {
      if (override) override.blocks.forEach((block) => this.dropBlock(block));
    }

    /** This set as it looks now, to move from: it keeps what is shown of the open head.
     * @param {PositionSet["override"]} override @returns {PositionSet} */
    snapshot(override) {
      /** @type {PositionSet} */
      const before = Object.create(this);
      before.override = override;
      before.close = () => this.dropOverride(override);
      return before;
    }

    /** Chunks a picture of the matrix, or of one head, is made of. @param {number} cell */
    wanted(cell) {
      return cell < 0 ? this.resident : this.client.chunks;
    }

    /** @param {number} chunk @param {number} cell @returns {Atlas.Block|null} */
    blockOf(chunk, cell) {
      if (this.override && cell >= 0 && cell === this.override.cell) return this.override.blocks[chunk];
      if (this.chunks[chunk]) return this.chunks[chunk];
      return cell >= 0 && cell === this.cell ? this.headChunks[chunk] || null : null;
    }

    /** Chunks loaded without a hole, from the first. @param {number} cell */
    loaded(cell) {
      let c = 0;
      while (c < this.wanted(cell) && this.blockOf(c, cell)) c++;
      return c;
    }

    /** @param {number} cell */
    complete(cell) {
      return this.loaded(cell) === this.wanted(cell);
    }

    /** One head's part of each chunk, for picking and labels. @param {number} cell */
    headParts(cell) {
      /** @type {Array<{values: Uint16Array, start: number, count: number}|null>} */
      const parts = [];
      for (let c = 0; c < this.client.chunks; c++) {
        const block = this.blockOf(c, cell);
        const start = block ? (cell - block.firstCell) * block.count * this.dims : 0;
        parts.push(block && { values: block.values, start, count: block.count });
      }
      return parts;
    }

    /** Copy the positions of some slots of consecutive cells into a block of their own.
     * @param {Uint32Array} slots @param {number} firstCell @param {number} cells @param {number} cell  the open head's
     * @returns {Atlas.Block} */
    gather(slots, firstCell, cells, cell) {
      const chunk = this.client.payload.chunk;
      const limit = this.loaded(cell) * chunk;
      let count = slots.length;
      while (count > 0 && slots[count - 1] >= limit) count--;
      const values = new Uint16Array(cells * count * this.dims);
      gatherInto(values, this, slots, count, firstCell, cells, cell);
      return { values, firstCell, cells, count, dims: this.dims, generation: -1 };
    }

    close() {
      this.closed = true;
      this.dropOverride(this.setOverride(null));
      this.closeHead();
      this.chunks.forEach((block) => block && this.dropBlock(block));
      this.chunks.fill(null);
    }
  }

  /**
   * @param {Uint16Array} values  to fill: [cells][count][dims]
   * @param {PositionSet} set @param {Uint32Array} slots @param {number} count
   * @param {number} firstCell @param {number} cells @param {number} cell
   */
  function gatherInto(values, set, slots, count, firstCell, cells, cell) {
    const { chunk } = set.client.payload;
    // Two 16-bit values are one 32-bit value: half the copies, for the common case.
    const wide = set.dims === 2;
    /** @param {Uint16Array} array */
    const seen = (array) => (wide ? new Uint32Array(array.buffer, array.byteOffset, array.length / 2) : array);
    const to = seen(values);
    let block = null;
    let from = to;
    let current = -1;
    for (let i = 0; i < count; i++) {
      const c = Math.floor(slots[i] / chunk);
      if (c !== current) {
        current = c;
        block = set.blockOf(c, cell);
        if (block) from = seen(block.values);
      }
      if (!block) continue; // not of a chunk without a hole before it
      const base = (firstCell - block.firstCell) * block.count + slots[i] - c * chunk;
      if (wide) {
        for (let h = 0; h < cells; h++) to[h * count + i] = from[base + h * block.count];
      } else {
        for (let h = 0; h < cells; h++) {
          const a = (h * count + i) * 3;
          const b = (base + h * block.count) * 3;
          to[a] = from[b];
          to[a + 1] = from[b + 1];
          to[a + 2] = from[b + 2];
        }
      }
    }
  }

  const api = { MOST_RESIDENT, MANY_HEADS, residentChunks, PositionSet };
  atlas.positions = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
