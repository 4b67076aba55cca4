/**
 * Where a token's attention really goes: the keys that the query under the pointer (else the selected one) attends to
 * most, or for a key the queries that attend to it most, within its input. Weights of an input are fetched after the
 * pointer has rested a moment.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const p = atlas.payload || require("./payload.js");

  const MOST = 5;
  const REST_MS = 110;
  /** 16-bit weights: less than this is rounded away. */
  const LEAST = 1 / 65535;

  /**
   * The strongest partners of one token in its input's attention.
   * @param {Uint16Array} weights  [queries][keys], 65535 is 1 @param {number} queries @param {number} keys
   * @param {"query"|"key"} side @param {number} place  of the token within its input
   * @returns {Array<{place: number, weight: number}>} strongest first
   * @param {number} [most]
   */
  function partners(weights, queries, keys, side, place, most = MOST) {
    const found = [];
    const count = side === "query" ? keys : queries;
    for (let other = 0; other < count; other++) {
      const at = side === "query" ? place * keys + other : other * keys + place;
      const weight = weights[at] / 65535;
      if (weight >= LEAST) found.push({ place: other, weight });
    }
    return found.sort((a, b) => b.weight - a.weight || a.place - b.place).slice(0, most);
  }

  /**
   * @typedef {Object} RingsParts
   * @property {Atlas.SceneData} data
   * @property {Atlas.View} view
   * @property {Atlas.PointPlaces} places
   * @property {() => number} wanted  the slot that is asked about, or -1
   * @property {() => void} changed
   */

  class Rings {
    /** @param {RingsParts} parts */
    constructor(parts) {
      this.parts = parts;
      this.closed = false;
      this.clear();
    }

    clear() {
      /** the slot that is asked about @type {number} */
      this.from = -1;
      /** @type {Array<{slot: number, weight: number}>} */
      this.targets = [];
      /** @type {number} */
      this.cell = -1;
    }

    close() {
      this.closed = true;
      clearTimeout(this.timer);
    }

    /** The token that is asked about has changed, perhaps. */
    follow() {
      const { view, wanted, changed } = this.parts;
      const slot = wanted();
      if (slot === this.from && view.open === this.cell) return;
      clearTimeout(this.timer);
      this.clear();
      this.from = slot;
      this.cell = view.open;
      changed();
      if (slot >= 0) this.timer = setTimeout(() => this.find(slot, view.open), REST_MS);
    }

    /** @param {number} slot @param {number} cell */
    async find(slot, cell) {
      const { data, changed } = this.parts;
      const { client, points: { order, slotOf } } = data;
      if (!client || client.payload.unattended || !order || !slotOf || this.closed) return;
      const current = () => !this.closed && data.client === client && this.from === slot && this.cell === cell;
      try {
        const { queries, queryTable, keyTable, heads } = client.payload;
        const { side, row } = p.tokenOfPoint(order[slot], queries);
        const [queryOffsets, keyOffsets] = await Promise.all([client.offsets(queryTable), client.offsets(keyTable)]);
        const input = p.inputOfRow(side === "query" ? queryOffsets : keyOffsets, row);
        const weights = await client.attention(input, Math.floor(cell / heads), cell % heads);
        if (!current()) return;
        const [q0, q1, k0, k1] = [queryOffsets[input], queryOffsets[input + 1], keyOffsets[input], keyOffsets[input + 1]];
        const place = row - (side === "query" ? q0 : k0);
        this.targets = partners(weights, q1 - q0, k1 - k0, side, place).map((other) => ({
          slot: slotOf[side === "query" ? queries + k0 + other.place : q0 + other.place], weight: other.weight,
        }));
        changed();
      } catch {
        // A hint, not a view: what cannot be fetched is not drawn, and is asked for again at the next token.
        if (current()) this.clear();
      }
    }

    /** @returns {Atlas.Ring[]} CSS px */
    onScreen() {
      const { view, places } = this.parts;
      if (!this.targets.length || this.cell !== view.open) return [];
      const headView = places.headView();
      const from = places.at(this.from, view.open, headView);
      if (!from) return [];
      return this.targets.flatMap(({ slot, weight }) => {
        const at = places.at(slot, view.open, headView);
        return at ? [{ x: at.x, y: at.y, from, weight }] : [];
      });
    }
  }

  const api = { Rings, partners };
  atlas.rings = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
