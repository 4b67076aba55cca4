/**
 * What the scene reads: the binary routes of docs/payload.md, decoded. Pure functions first, then the client.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const node = typeof module !== "undefined";
  // Looked up when used: Dash promises no order among the scripts of two packages.
  /** @returns {Atlas.FetchCache} */
  const fetches = () => (node ? require("../client/fetch_cache.js").fetches : window.atlas_client.fetches);

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

  /** Reads one payload, through the cache that all views share; positions are left to the browser's own. */
  class PayloadClient {
    /** @param {Atlas.Payload} payload */
    constructor(payload) {
      this.payload = payload;
      this.points = payload.queries + payload.keys;
      this.cells = payload.layers * payload.heads;
      this.chunks = chunkCount(this.points, payload.chunk);
      /** came over the network for this client */
      this.bytes = 0;
      this.abort = new AbortController();
    }

    close() {
      this.abort.abort();
    }

    /**
     * @template T
     * @param {string} path @param {(url: string, options: Atlas.FetchOptions) => Promise<T>} read @param {Atlas.FetchOptions} options
     */
    async fetch(path, read, options) {
      const arrived = (/** @type {number} */ bytes) => void (this.bytes += bytes);
      try {
        return await read(`${this.payload.base}/${path}`, { signal: this.abort.signal, arrived, ...options });
      } catch (error) {
        if (error.status) throw new PayloadError(`${error.message} for ${path}`, { cause: error });
        throw error;
      }
    }

    /** @param {string} path @param {Atlas.FetchOptions} [options] @returns {Promise<ArrayBuffer>} */
    buffer(path, options = {}) {
      return this.fetch(path, (url, all) => fetches().buffer(url, all), options);
    }

    /** @param {string} path @returns {Promise<any>} */
    json(path) {
      return this.fetch(path, (url, all) => fetches().json(url, all), { arrived: undefined });
    }

    /** @param {Atlas.Projection} projection @param {number} chunk
     * @returns {Promise<Uint16Array>} [heads][points of the chunk][dims] */
    async positions(projection, chunk) {
      const buffer = await this.buffer(this.positionsPath(projection, chunk), { keep: false });
      return this.checked(new Uint16Array(buffer), this.cells * this.chunkLength(chunk) * projection.dims);
    }

    /**
     * One head of one chunk, by an HTTP byte range; a server that ignores ranges sends the whole chunk.
     * @param {Atlas.Projection} projection @param {number} chunk @param {number} cell
     * @returns {Promise<Uint16Array>} [points of the chunk][dims]
     */
    async headPositions(projection, chunk, cell) {
      const values = this.chunkLength(chunk) * projection.dims;
      const first = cell * values * 2;
      const headers = { Range: `bytes=${first}-${first + values * 2 - 1}` };
      const array = new Uint16Array(await this.buffer(this.positionsPath(projection, chunk), { headers, keep: false }));
      if (array.length === values) return array;
      return this.checked(array, this.cells * values).slice(cell * values, (cell + 1) * values);
    }

    /**
     * Some points of consecutive heads.
     * @param {Atlas.Projection} projection @param {Atlas.Run} heads @param {number} count  of the points of a head
     * @param {{most?: number, slots?: Uint32Array}} which  the first slots, or these, rising
     * @returns {Promise<Uint16Array>} [heads][points][dims]
     */
    async somePoints(projection, { first, count: heads }, count, { most, slots }) {
      const { name, key, frame = "middle", dims } = projection;
      const which = slots ? `slots=${slotsCode(slots)}` : `most=${most}`;
      const path = `points/${this.payload.stream}/${name}-${key}/${first}-${first + heads - 1}?${which}&frame=${frame}`;
      return this.checked(new Uint16Array(await this.buffer(path, { keep: false })), heads * count * dims);
    }

    /** Positions of one head from elsewhere. @param {string} path @param {number} dims @param {Atlas.FrameName} frame
     * @returns {Promise<Uint16Array>} [points][dims] in slot order */
    async livePositions(path, dims, frame) {
      return this.checked(new Uint16Array(await this.buffer(`${path}?frame=${frame}`, { keep: false })), this.points * dims);
    }

    /** @param {Atlas.Projection} projection @param {number} chunk */
    positionsPath(projection, chunk) {
      return `positions/${this.payload.stream}/${projection.name}-${projection.key}/${chunk}?frame=${projection.frame || "middle"}`;
    }

    /** @param {Atlas.Projection} projection @returns {Promise<Uint8Array>} [heads][side][side]: 16 · density + share of keys */
    async thumbnails(projection) {
      const { stream, thumbnail } = this.payload;
      const path = `thumbnails/${stream}/${projection.name}-${projection.key}?frame=${projection.frame || "middle"}`;
      return this.checked(new Uint8Array(await this.buffer(path, { keep: false })), this.cells * (thumbnail || 0) ** 2);
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
    async order() {
      return this.checked(new Uint32Array(await this.buffer(`order/${this.payload.stream}`)), this.points);
    }

    /** @param {string} path @returns {Promise<ImageBitmap>} */
    async picture(path) {
      return createImageBitmap(new Blob([await this.buffer(path, { keep: false })]));
    }

    /** @param {string} name @returns {Promise<Uint8Array>} palette index of each point */
    attribute(name) {
      return this.bytesOf(`attribute/${this.payload.stream}/${encodeURIComponent(name)}`);
    }

    /** @param {string} name @param {number} layer @param {number} head @returns {Promise<Uint8Array>} */
    headAttribute(name, layer, head) {
      return this.bytesOf(`headattribute/${this.payload.stream}/${encodeURIComponent(name)}/${layer}/${head}`);
    }

    /** @param {string} path */
    async bytesOf(path) {
      return this.checked(new Uint8Array(await this.buffer(path)), this.points);
    }

    /** @param {string} table @returns {Promise<Uint32Array>} first row of each input, and one more */
    async offsets(table) {
      return new Uint32Array(await this.buffer(`offsets/${table}`));
    }

    /** @param {string} table @param {number} page @returns {Promise<Atlas.TokenPage>} */
    tokenPage(table, page) {
      return this.json(`tokens/${table}/${page}`);
    }

    /** @param {string} table @param {Atlas.Search} search @returns {Promise<Uint8Array>} bit mask over token rows */
    async search(table, search) {
      return new Uint8Array(await this.buffer(`search/${table}?${searchQuery(search)}`));
    }

    /** @param {string} definition @returns {Promise<Uint8Array>} bit mask over point ids */
    async tokenSet(definition) {
      const buffer = await this.buffer(`set/${this.payload.stream}?s=${encodeURIComponent(definition)}`);
      return this.checked(new Uint8Array(buffer), Math.ceil(this.points / 8));
    }

    /** @param {number} input @param {number} layer @param {number} head @returns {Promise<Uint16Array>} [queries][keys], 65535 is 1 */
    async attention(input, layer, head) {
      return new Uint16Array(await this.buffer(`attention/${this.payload.stream}/${input}/${layer}/${head}`));
    }

    /** @param {number} input @param {number} layer @param {number} head
     * @returns {Promise<Float32Array>} norms of the value vectors of its keys */
    async values(input, layer, head) {
      return new Float32Array(await this.buffer(`values/${this.payload.stream}/${input}/${layer}/${head}`));
    }

    /** Tokens of an input and which are special. @param {number} input @returns {Promise<Atlas.InputSides>} */
    input(input) {
      return this.json(`input/${this.payload.stream}/${input}`);
    }

    /** @returns {Promise<Uint8Array>} mean attention of every head; docs/payload.md */
    async average() {
      return new Uint8Array(await this.buffer(`average/${this.payload.stream}`));
    }
  }

  /** A rising list of slots as a word of an address: docs/payload.md. @param {Uint32Array} slots */
  function slotsCode(slots) {
    let bytes = "";
    let before = -1;
    for (const slot of slots) {
      let step = slot - before;
      before = slot;
      for (; step > 127; step = Math.floor(step / 128)) bytes += String.fromCharCode((step % 128) + 128);
      bytes += String.fromCharCode(step);
    }
    return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  /** The question of a search as words of an address. @param {Atlas.Search} search */
  function searchQuery({ query, mode, case: exact }) {
    const question = new URLSearchParams({ q: query });
    if (mode) question.set("mode", mode);
    if (exact) question.set("case", "1");
    return question.toString();
  }

  /** Props are plain data: the same if they are written alike. @param {unknown} a @param {unknown} b */
  const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

  const api = {
    same, chunkCount, chunkLength, dequantise, inverse, toSlots, hasBit, countBits, slotsOfMasks, slotsOfMask,
    countTokens, slotsOfInput, mergeSlots, hasSlot,
    tokenOfPoint, pointOfToken, inputOfRow, parseHex, paletteBytes, searchQuery, slotsCode, PayloadError, PayloadClient,
  };
  atlas.payload = api;
  if (node) module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
