/** A set of heads as a short text, for links and stores: the same as services/search/head_sets.py. Pure. */
(function (/** @type {Atlas.ClientScripts} */ atlas) {
  const { numberOf, rowOf } = atlas.layers || require("./layers.js");

  /** Characters up to which a text that people can read is worth more than a shorter one. */
  const READABLE = 300;

  /** @typedef {{layers: number, heads: number}} Size */

  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

  /** The cells of a set, rising; none for a text that is no set. @param {string} text @param {Size} size @returns {number[]} */
  function cellsOf(text, { layers, heads }) {
    const found = text.startsWith("b") ? bitsOf(text.slice(1)) : runsOf(text, heads);
    return [...new Set(found)].filter((cell) => cell >= 0 && cell < layers * heads).sort((a, b) => a - b);
  }

  /** @param {string} text @returns {number[]} */
  function bitsOf(text) {
    const found = [];
    for (let i = 0; i < text.length; i++) {
      const value = LETTERS.indexOf(text[i]);
      for (let j = 0; j < 6; j++) {
        // The first letter holds the six high bits of the first byte, and bytes count their bits from the low end.
        const at = 6 * i + j;
        if (value >> (5 - j) & 1) found.push(8 * Math.floor(at / 8) + 7 - (at % 8));
      }
    }
    return found;
  }

  /** @param {string} text @param {number} heads @returns {number[]} */
  function runsOf(text, heads) {
    return text.split("_").flatMap((run) => {
      const match = /^(\d{1,4})\.(\d{1,4})(?:-(\d{1,4})\.(\d{1,4}))?$/.exec(run);
      if (!match) return [];
      const first = rowOf(Number(match[1])) * heads + Number(match[2]);
      const last = match[3] === undefined ? first : rowOf(Number(match[3])) * heads + Number(match[4]);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
    });
  }

  /** The text of a set; empty for none and for all heads. @param {number[]} cells @param {Size} size */
  function textOf(cells, { layers, heads }) {
    const sorted = [...new Set(cells)].sort((a, b) => a - b);
    if (!sorted.length || sorted.length === layers * heads) return "";
    /** @type {number[][]} */
    const runs = [];
    for (const cell of sorted) {
      const last = runs.at(-1);
      if (last && cell === last[1] + 1) last[1] = cell;
      else runs.push([cell, cell]);
    }
    const name = (/** @type {number} */ cell) => `${numberOf(Math.floor(cell / heads))}.${cell % heads}`;
    const plain = runs.map(([first, last]) => (first === last ? name(first) : `${name(first)}-${name(last)}`)).join("_");
    const letters = new Array(Math.ceil((8 * (Math.floor(sorted[sorted.length - 1] / 8) + 1)) / 6)).fill(0);
    for (const cell of sorted) {
      const at = 8 * Math.floor(cell / 8) + 7 - (cell % 8);
      letters[Math.floor(at / 6)] |= 1 << (5 - (at % 6));
    }
    const bits = `b${letters.map((value) => LETTERS[value]).join("")}`;
    return plain.length <= Math.max(READABLE, bits.length) ? plain : bits;
  }

  const api = { cellsOf, textOf };
  atlas.headSets = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_client ??= {}));
