/** Layers that are folded away into thin strips of the matrix: their text for links, and what a reader's wish makes of them. Pure. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @type {Atlas.ClientScripts["layers"]} */
  const { numberOf, rowOf } = globalThis.atlas_client?.layers || require("../client/layers.js");

  /** The rows of a text such as "0-3_7", which names layers as the model counts them; rising.
   * @param {string|null|undefined} text @param {{layers: number, numbers?: number[]}} payload @returns {number[]} */
  function rowsOf(text, { layers, numbers }) {
    const found = new Set();
    for (const part of (text || "").split("_")) {
      if (!/^\d+(-\d+)?$/.test(part)) continue;
      const [first, last = first] = part.split("-").map((number) => rowOf(Number(number), numbers));
      for (let row = first; row >= 0 && row <= last && row < layers; row++) found.add(row);
    }
    // A matrix of nothing but strips would show no head.
    return found.size < layers ? [...found].sort((a, b) => a - b) : [];
  }

  /** Consecutive rows. @param {number[]} rows  rising @returns {[number, number][]} */
  function runsOf(rows) {
    /** @type {[number, number][]} */
    const runs = [];
    for (const row of rows) {
      const last = runs[runs.length - 1];
      if (last && last[1] === row - 1) last[1] = row;
      else runs.push([row, row]);
    }
    return runs;
  }

  /** @param {number[]} rows  rising @param {number[]} [numbers] */
  const textOf = (rows, numbers) =>
    runsOf(rows).map((run) => [...new Set(run)].map((row) => numberOf(row, numbers)).join("-")).join("_");

  /** In words: "layers 3–7 folded". @param {number[]} rows  rising @param {number[]} [numbers] */
  function wordsOf(rows, numbers) {
    const names = runsOf(rows).map((run) => [...new Set(run)].map((row) => numberOf(row, numbers)).join("–"));
    return `${rows.length > 1 ? "layers" : "layer"} ${names.join(", ")} folded`;
  }

  /** With a layer folded too, or all but it; as before where none would be left. @param {number[]} away @param {number} row
   * @param {number} layers @param {boolean} others */
  function folding(away, row, layers, others) {
    const all = Array.from({ length: layers }, (_, i) => i);
    const shown = all.filter((i) => !away.includes(i));
    if (!others) return shown.length > 1 ? all.filter((i) => i === row || away.includes(i)) : away;
    // Alone already: then the others come back.
    return shown.length === 1 && shown[0] === row ? [] : all.filter((i) => i !== row);
  }

  const api = { rowsOf, textOf, wordsOf, runsOf, folding };
  atlas.folds = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
