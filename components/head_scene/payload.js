/**
 * What the scene reads: the binary routes of docs/payload.md, decoded. Pure functions first, then the client.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @param {number} points @param {number} chunk */
  const chunkCount = (points, chunk) => Math.ceil(points / chunk);
  /** @param {number} points @param {number} chunk @param {number} index */
  const chunkLength = (points, chunk, index) => Math.min(chunk, points - index * chunk);

  /** A stored coordinate in the cell's unit square: -1..1, y upwards. @param {number} value */
  const dequantise = (value) => (value / 65535 - 0.5) * 2;

  /** slot → point id turned round: point id → slot. @param {Uint32Array} order */
  function inverse(order) {
    const slots = new Uint32Array(order.length);
    for (let slot = 0; slot < order.length; slot++) slots[order[slot]] = slot;
    return slots;
  }

  /** Values in point-id order → values in slot order. @param {ArrayLike<number>} values @param {Uint32Array} order */
  function toSlots(values, order) {
    const out = new Uint8Array(order.length);
    for (let slot = 0; slot < order.length; slot++) out[slot] = values[order[slot]];
    return out;
  }

  /** @param {Uint8Array} mask @param {number} row @returns {number} 0 or 1 */
  const hasBit = (mask, row) => (mask[row >> 3] >> (row & 7)) & 1;

  /** Set bits below `rows`; bits of the last byte beyond the table do not count.
   * @param {Uint8Array} mask @param {number} rows */
  function countBits(mask, rows) {
    let count = 0;
    for (let row = 0; row < rows; row++) count += hasBit(mask, row);
    return count;
  }

  /**
   * Slots of the points whose token row is in a mask, in slot order (so that any prefix is a fair sample).
   * @param {Uint8Array} queryMask @param {Uint8Array} keyMask @param {number} queries @param {Uint32Array} order
   */
  function slotsOfMasks(queryMask, keyMask, queries, order) {
    const hits = new Uint32Array(order.length);
    let count = 0;
    for (let slot = 0; slot < order.length; slot++) {
      const point = order[slot];
      const hit = point < queries ? hasBit(queryMask, point) : hasBit(keyMask, point - queries);
      if (hit) hits[count++] = slot;
    }
    return hits.slice(0, count);
  }

  /** Slots of the points in a mask over point ids, in slot order.
   * @param {Uint8Array} mask @param {Uint32Array} order */
  function slotsOfMask(mask, order) {
    const slots = new Uint32Array(order.length);
    let count = 0;
    for (let slot = 0; slot < order.length; slot++) if (hasBit(mask, order[slot])) slots[count++] = slot;
    return slots.slice(0, count);
  }

  /** Tokens behind the points of a mask: where both sides read one table, a token that is in twice counts once.
   * @param {Uint8Array} mask @param {number} queries @param {number} keys @param {boolean} oneTable */
  function countTokens(mask, queries, keys, oneTable) {
    let count = 0;
    for (let row = 0; row < queries; row++) count += hasBit(mask, row) || (oneTable && hasBit(mask, queries + row)) ? 1 : 0;
    if (!oneTable) for (let row = 0; row < keys; row++) count += hasBit(mask, queries + row);
    return count;
  }

  /** Slots of all query and key points of one input, in slot order.
   * @param {number} input @param {Uint32Array} queryOffsets @param {Uint32Array} keyOffsets @param {number} queries
   * @param {Uint32Array} slotOf */
  function slotsOfInput(input, queryOffsets, keyOffsets, queries, slotOf) {
    const slots = [];
    for (let row = queryOffsets[input]; row < queryOffsets[input + 1]; row++) slots.push(slotOf[row]);
    for (let row = keyOffsets[input]; row < keyOffsets[input + 1]; row++) slots.push(slotOf[queries + row]);
    return Uint32Array.from(slots).sort();
  }

  /** Is a slot in a sorted list of them? @param {Uint32Array} slots @param {number} slot */
  function hasSlot(slots, slot) {
    let low = 0;
    let high = slots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (slots[middle] < slot) low = middle + 1;
      else high = middle;
    }
    return slots[low] === slot;
  }

  /** Union of two sorted lists of slots. @param {Uint32Array} a @param {Uint32Array} b */
  function mergeSlots(a, b) {
    if (!a.length) return b;
    if (!b.length) return a;
    return Uint32Array.from(new Set([...a, ...b])).sort();
  }

  /** @returns {{side: Atlas.Side, row: number}} @param {number} point @param {number} queries */
  function tokenOfPoint(point, queries) {
    return point < queries ? { side: "query", row: point } : { side: "key", row: point - queries };
  }

  /** @param {Atlas.Side} side @param {number} row @param {number} queries */
  const pointOfToken = (side, row, queries) => (side === "query" ? row : queries + row);

  /** The input a token row belongs to, by bisection of the table's offsets.
   * @param {Uint32Array} offsets @param {number} row */
  function inputOfRow(offsets, row) {
    let low = 0;
    let high = offsets.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (offsets[middle] <= row) low = middle;
      else high = middle;
    }
    return low;
  }

  /** "#rrggbb" → [r, g, b]; anything else is grey. @param {string} text */
  function parseHex(text) {
    const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text || "");
    return match ? match.slice(1).map((part) => parseInt(part, 16)) : [128, 128, 128];
  }

  /** RGBA bytes of a palette of up to 256 colours; unused entries are grey. @param {string[]} palette */
  function paletteBytes(palette) {
    const bytes = new Uint8Array(1024).fill(128);
    for (let i = 0; i < 256; i++) {
      if (palette && i < palette.length) bytes.set(parseHex(palette[i]), i * 4);
      bytes[i * 4 + 3] = 255;
    }
    return bytes;
  }

  class PayloadError extends Error {}

  /** Reads one payload; small answers are kept, positions are not (the browser's own cache holds them). */
  class PayloadClient {
    /** @param {Atlas.Payload} payload */
    constructor(payload) {
      this.payload = payload;
      this.points = payload.queries + payload.keys;
      this.cells = payload.layers * payload.heads;
      this.chunks = chunkCount(this.points, payload.chunk);
      this.bytes = 0;
      this.abort = new AbortController();
      this.kept = new Map();
    }

    close() {
      this.abort.abort();
      this.kept.clear();
    }

    /** @param {string} path @param {Record<string, string>} [headers] */
    async fetch(path, headers) {
      let response;
      try {
        response = await fetch(`${this.payload.base}/${path}`, { signal: this.abort.signal, headers });
      } catch (error) {
        if (error.name === "AbortError") throw error;
        throw new PayloadError("the server did not answer");
      }
      if (!response.ok) throw new PayloadError(`the server answered ${response.status} for ${path}`);
      return response;
    }

    /** @param {string} path @param {Record<string, string>} [headers] */
    async buffer(path, headers) {
      const response = await this.fetch(path, headers);
      const buffer = await response.arrayBuffer();
      this.bytes += buffer.byteLength;
      return { buffer, partial: response.status === 206 };
    }

    /** Fetch once; a failure is not kept, so that Retry asks again.
     * @template T
     * @param {string} path @param {(path: string) => Promise<T>} decode @returns {Promise<T>} */
    keep(path, decode) {
      if (!this.kept.has(path)) {
        const promise = decode(path).catch((error) => {
          this.kept.delete(path);
          throw error;
        });
        this.kept.set(path, promise);
      }
      return this.kept.get(path);
    }

    /** @returns {Promise<Uint16Array>} [heads][points of the chunk][dims]
     * @param {Atlas.Projection} projection @param {number} chunk */
    async positions(projection, chunk) {
      const { buffer } = await this.buffer(this.positionsPath(projection, chunk));
      return this.checked(new Uint16Array(buffer), this.cells * this.chunkLength(chunk) * projection.dims);
    }

    /**
     * One head of one chunk, by an HTTP byte range; a server that ignores ranges sends the whole chunk.
     * @returns {Promise<Uint16Array>} [points of the chunk][dims]
     * @param {Atlas.Projection} projection @param {number} chunk @param {number} cell
     */
    async headPositions(projection, chunk, cell) {
      const values = this.chunkLength(chunk) * projection.dims;
      const first = cell * values * 2;
      const range = { Range: `bytes=${first}-${first + values * 2 - 1}` };
      const { buffer, partial } = await this.buffer(this.positionsPath(projection, chunk), range);
      if (partial) return this.checked(new Uint16Array(buffer), values);
      return this.checked(new Uint16Array(buffer), this.cells * values).slice(cell * values, (cell + 1) * values);
    }

    /** Positions of one head from elsewhere. @returns {Promise<Uint16Array>} [points][dims] in slot order
     * @param {string} path @param {number} dims */
    async livePositions(path, dims) {
      return this.checked(new Uint16Array((await this.buffer(path)).buffer), this.points * dims);
    }

    /** @param {Atlas.Projection} projection @param {number} chunk */
    positionsPath(projection, chunk) {
      return `positions/${this.payload.stream}/${projection.name}-${projection.key}/${chunk}`;
    }

    /** @param {number} chunk */
    chunkLength(chunk) {
      return chunkLength(this.points, this.payload.chunk, chunk);
    }

    /**
     * @template {{length: number}} T
     * @param {T} array @param {number} length @returns {T}
     */
    checked(array, length) {
      if (array.length !== length) throw new PayloadError(`an answer has ${array.length} values, not ${length}`);
      return array;
    }

    /** @returns {Promise<Uint32Array>} slot → point id */
    order() {
      return this.keep(`order/${this.payload.stream}`, async (path) =>
        this.checked(new Uint32Array((await this.buffer(path)).buffer), this.points));
    }

    /** @returns {Promise<Uint8Array>} palette index of each point @param {string} name */
    attribute(name) {
      return this.keep(`attribute/${this.payload.stream}/${encodeURIComponent(name)}`, (path) => this.bytesOf(path));
    }

    /** @param {string} name @param {number} layer @param {number} head @returns {Promise<Uint8Array>} */
    headAttribute(name, layer, head) {
      const path = `headattribute/${this.payload.stream}/${encodeURIComponent(name)}/${layer}/${head}`;
      return this.keep(path, () => this.bytesOf(path));
    }

    /** @param {string} path */
    async bytesOf(path) {
      return this.checked(new Uint8Array((await this.buffer(path)).buffer), this.points);
    }

    /** @param {string} table @returns {Promise<Uint32Array>} first row of each input, and one more */
    offsets(table) {
      return this.keep(`offsets/${table}`, async (path) => new Uint32Array((await this.buffer(path)).buffer));
    }

    /** @param {string} table @param {number} page @returns {Promise<Atlas.TokenPage>} */
    tokenPage(table, page) {
      return this.keep(`tokens/${table}/${page}`, async (path) => (await this.fetch(path)).json());
    }

    /** @param {string} table @param {Atlas.Search} search @returns {Promise<Uint8Array>} bit mask over token rows */
    async search(table, search) {
      const question = new URLSearchParams({ q: search.query });
      if (search.mode) question.set("mode", search.mode);
      if (search.case) question.set("case", "1");
      return new Uint8Array((await this.buffer(`search/${table}?${question}`)).buffer);
    }

    /** @returns {Promise<Uint8Array>} bit mask over point ids @param {string} recipe */
    async tokenSet(recipe) {
      const { buffer } = await this.buffer(`set/${this.payload.stream}?s=${encodeURIComponent(recipe)}`);
      return this.checked(new Uint8Array(buffer), Math.ceil(this.points / 8));
    }

    /**
     * @param {number} input @param {number} layer @param {number} head
     * @returns {Promise<Uint16Array>} [queries][keys], 65535 is 1
     */
    attention(input, layer, head) {
      const path = `attention/${this.payload.stream}/${input}/${layer}/${head}`;
      return this.keep(path, async () => new Uint16Array((await this.buffer(path)).buffer));
    }

    /** @returns {Promise<Float32Array>} norms of the value vectors of an input's keys
     * @param {number} input @param {number} layer @param {number} head */
    values(input, layer, head) {
      const path = `values/${this.payload.stream}/${input}/${layer}/${head}`;
      return this.keep(path, async () => new Float32Array((await this.buffer(path)).buffer));
    }

    /** Tokens of an input and which are special. @param {number} input @returns {Promise<Atlas.InputSides>} */
    input(input) {
      return this.keep(`input/${this.payload.stream}/${input}`, async (path) => (await this.fetch(path)).json());
    }

    /** @returns {Promise<Uint8Array>} mean attention of every head; docs/payload.md */
    average() {
      return this.keep(`average/${this.payload.stream}`, async (path) => new Uint8Array((await this.buffer(path)).buffer));
    }
  }

  /** Props are plain data: the same if they are written alike. @param {unknown} a @param {unknown} b */
  const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

  const api = {
    same, chunkCount, chunkLength, dequantise, inverse, toSlots, hasBit, countBits, slotsOfMasks, slotsOfMask,
    countTokens, slotsOfInput, mergeSlots, hasSlot,
    tokenOfPoint, pointOfToken, inputOfRow, parseHex, paletteBytes, PayloadError, PayloadClient,
  };
  atlas.payload = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
