/** Which token of the other pane a token is: the same input, the same place in it. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  /** @typedef {{query: Uint32Array, key: Uint32Array}} Offsets  first row of each input, and one more */

  class Partner {
    /** @param {Atlas.CompareShared} shared @param {[Offsets, Offsets]} offsets  of both panes */
    constructor(shared, offsets) {
      this.offsets = offsets;
      /** @type {[Map<number, number>, Map<number, number>]|null} */
      this.inputs = shared.inputs && [new Map(shared.inputs), new Map(shared.inputs.map(([a, b]) => [b, a]))];
    }

    /** The input of a row. @param {Atlas.CompareSide} from @param {Atlas.Side} side @param {number} row */
    inputOf(from, side, row) {
      return globalThis.atlas_head_scene.payload.inputOfRow(this.offsets[from][side], row);
    }

    /** The same token in the other pane, or null. @param {Atlas.CompareSide} from @param {Atlas.Side} side @param {number} row
     * @returns {{side: Atlas.Side, row: number, input: number}|null} */
    of(from, side, row) {
      const input = this.inputOf(from, side, row);
      const there = this.inputs ? this.inputs[from].get(input) : input;
      if (there === undefined) return null;
      const [mine, its] = [this.offsets[from][side], this.offsets[from === 0 ? 1 : 0][side]];
      return { side, row: its[there] + row - mine[input], input: there };
    }
  }

  /** @param {string} text  "a12q" @returns {{pane: Atlas.CompareSide, row: number, side: Atlas.Side}|null} */
  function parseToken(text) {
    const match = /^([ab])(\d+)([qk])$/.exec(text);
    return match && { pane: match[1] === "a" ? 0 : 1, row: Number(match[2]), side: match[3] === "q" ? "query" : "key" };
  }

  /** @param {Atlas.CompareSide} pane @param {Atlas.Side} side @param {number} row */
  const tokenText = (pane, side, row) => `${pane === 0 ? "a" : "b"}${row}${side[0]}`;

  const api = { Partner, parseToken, tokenText };
  atlas.partner = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
