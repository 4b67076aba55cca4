/** Attention as numbers: which pairs are drawn as lines, and every head's mean by position. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  // Looked up when used: Dash promises no order among the scripts of two components.
  /** @returns {typeof import("../sentence_view/weights.js")} */
  const weightsOf = () => (typeof window === "undefined" ? require("../sentence_view/weights.js") : window.atlas_sentence_view.weights);

  /** A level that stands for too few inputs, and the level of weight 1. */
  const { few: FEW, levels: LEVELS } = globalThis.atlasTables.average;
  const MOST_PAIRS = 5000;

  /**
   * The pairs that lines are drawn for: the sentence view's weights under the same choices.
   * @param {Uint16Array} raw @param {Atlas.InputSides} sides @param {Float32Array|null} valueNorms @param {Atlas.LineChoice} choice
   * @returns {Atlas.AttentionPair[]} positions within the input; weakest first, so that strong lines lie on top
   */
  function shownPairs(raw, sides, valueNorms, choice) {
    const W = weightsOf();
    const queries = sides.queries.tokens.length;
    const keys = sides.keys.tokens.length;
    const hidden = choice.hidden || {};
    const { weights } = W.shownMatrix(raw, queries, keys, {
      hiddenQueries: W.hiddenMask(queries, sides.queries.special, hidden.queries, choice),
      hiddenKeys: W.hiddenMask(keys, sides.keys.special, hidden.keys, choice),
      hiddenPairs: W.hiddenPairs(sides.queries.texts, sides.keys.texts, choice),
      valueNorms,
    });
    const { topk, threshold } = choice;
    const { index } = W.strongestPairs(weights, queries, keys, { topk, threshold, limit: MOST_PAIRS });
    return Array.from(index, (i) => ({ query: Math.floor(i / keys), key: i % keys, weight: weights[i] }));
  }

  /** @param {Uint8Array} bytes  queries, keys, then a level for each head, query and key @param {number} cells */
  function readCells(bytes, cells) {
    const [queries, keys] = bytes;
    const levels = bytes.subarray(2);
    if (levels.length !== cells * queries * keys) throw new Error("the mean attention has the wrong size");
    return { queries, keys, levels };
  }

  /** @param {number} level */
  const weightOf = (level) => (level / LEVELS) ** 2;

  const api = { FEW, LEVELS, shownPairs, readCells, weightOf };
  atlas.average = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
