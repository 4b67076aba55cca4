/**
 * Where a token's attention really goes: the keys that the query under the pointer (else the selected one) attends to
 * most, or for a key the queries that attend to it most, within its input. Weights of an input are fetched after the
 * pointer has rested a moment, and kept.
 */
(function (atlas) {
  const p = atlas.payload || require("./payload.js");

  const MOST = 5;
  const REST_MS = 110;
  const MOST_KEPT = 60;
  /** 16-bit weights: less than this is rounded away. */
  const LEAST = 1 / 65535;

  /**
   * The strongest partners of one token in its input's attention.
   * @param {Uint16Array} weights  [queries][keys], 65535 is 1 @param {number} queries @param {number} keys
   * @param {"query"|"key"} side @param {number} place  of the token within its input
   * @returns {Array<{place: number, weight: number}>} strongest first
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

  class Rings {
    /** @param {Scene} scene */
    constructor(scene) {
      this.scene = scene;
      this.kept = new Map();
      this.clear();
    }

    clear() {
      this.from = -1;
      this.targets = [];
      this.cell = -1;
    }

    /** The token that is asked about has changed, perhaps. */
    follow() {
      const { scene } = this;
      const { data } = scene;
      const wanted = scene.props.rings && scene.isOpen && data.order ? (scene.hoverSlot >= 0 ? scene.hoverSlot : data.selectedSlot) : -1;
      if (wanted === this.from && scene.open === this.cell) return;
      clearTimeout(this.timer);
      this.clear();
      this.from = wanted;
      this.cell = scene.open;
      scene.redrawOverlay();
      if (wanted >= 0) this.timer = setTimeout(() => this.find(wanted, scene.open), REST_MS);
    }

    async find(slot, cell) {
      const { scene } = this;
      const { data } = scene;
      const { client } = data;
      if (!client || scene.destroyed) return;
      const current = () => !scene.destroyed && data.client === client && this.from === slot && this.cell === cell;
      try {
        const { queries, queryTable, keyTable } = client.payload;
        const { side, row } = p.tokenOfPoint(data.order[slot], queries);
        const [queryOffsets, keyOffsets] = await Promise.all([client.offsets(queryTable), client.offsets(keyTable)]);
        const input = p.inputOfRow(side === "query" ? queryOffsets : keyOffsets, row);
        const weights = await this.weights(client, input, cell);
        if (!current()) return;
        const [q0, q1, k0, k1] = [queryOffsets[input], queryOffsets[input + 1], keyOffsets[input], keyOffsets[input + 1]];
        const place = row - (side === "query" ? q0 : k0);
        this.targets = partners(weights, q1 - q0, k1 - k0, side, place).map((other) => ({
          slot: data.slotOf[side === "query" ? queries + k0 + other.place : q0 + other.place], weight: other.weight,
        }));
        scene.redrawOverlay();
      } catch {
        // A hint, not a view: what cannot be fetched is not drawn, and is asked for again at the next token.
        if (current()) this.clear();
      }
    }

    /** Weights of one input in one head; the promise is kept, so that one request serves all of its tokens. */
    async weights(client, input, cell) {
      const { heads, base } = client.payload;
      const name = `${base}/${input}/${cell}`;
      if (!this.kept.has(name)) {
        if (this.kept.size >= MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
        const asked = client.attention(input, Math.floor(cell / heads), cell % heads);
        this.kept.set(name, asked);
        asked.catch(() => this.kept.delete(name));
      }
      return this.kept.get(name);
    }

    /** @returns {Array<{x: number, y: number, from: {x: number, y: number}, weight: number}>} CSS px */
    onScreen() {
      const { scene } = this;
      if (!this.targets.length || this.cell !== scene.open) return [];
      const view = scene.headView();
      const from = scene.slotPosition(this.from, scene.open, view);
      if (!from) return [];
      return this.targets.flatMap(({ slot, weight }) => {
        const at = scene.slotPosition(slot, scene.open, view);
        return at ? [{ x: at.x, y: at.y, from, weight }] : [];
      });
    }
  }

  atlas.rings = { Rings, partners };
  if (typeof module !== "undefined") module.exports = atlas.rings;
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
