/* From the raw attention matrix and the reader's options to what is shown. Pure functions, no state:
   everything is recomputed from the raw matrix each time, so that no order of clicks can lose or revive a token.

   The order of operations, the same for every caller:
     1. raw weight / 65535
     2. × ‖v‖ of the key, when weighting by value norm
     3. hidden keys become 0, and those of pairs that an option hides
     4. rows changed by 2 or 3 are divided by what is left of them (a row with nothing left stays 0)
     5. hidden queries become 0
     6. only for drawing: top k of each query, threshold, strongest pairs up to a limit
   Matrices are row-major [queries][keys]. */
(function () {
  "use strict";
  const UNIT = 65535;

  /** @param {Uint16Array} raw @returns {Float32Array} weights in 0 … 1 */
  function dequantise(raw) {
    const weights = new Float32Array(raw.length);
    for (let i = 0; i < raw.length; i++) weights[i] = raw[i] / UNIT;
    return weights;
  }

  /** Indices (anything a client may have sent) → one flag a token; what is out of range is ignored.
   * @param {number} count @param {...unknown} lists @returns {Uint8Array} */
  function flags(count, ...lists) {
    const mask = new Uint8Array(count);
    for (const list of lists) {
      if (!Array.isArray(list)) continue;
      for (const index of list) if (Number.isInteger(index) && index >= 0 && index < count) mask[index] = 1;
    }
    return mask;
  }

  /** Hidden tokens of one side: those the reader hid, and those an option hides.
   * @param {number} count @param {ArrayLike<number>} special 0/1 a token @param {unknown} chosen  positions; anything else hides nothing
   * @param {{hideSpecial?: boolean, hideFirst?: boolean}} options */
  function hiddenMask(count, special, chosen, options) {
    const mask = flags(count, chosen);
    if (options.hideSpecial && special) for (let i = 0; i < count; i++) if (special[i]) mask[i] = 1;
    if (options.hideFirst && count) mask[0] = 1;
    return mask;
  }

  /** Which pairs an option hides: of tokens of the same text of a pair of texts, or of different ones.
   * @param {ArrayLike<number>|undefined} queries  0 or 1 a token, −1 of tokens that the tokenizer added
   * @param {ArrayLike<number>|undefined} keys
   * @param {{hideWithin?: boolean, hideAcross?: boolean}} options @returns {((q: number, k: number) => boolean)|null} */
  function hiddenPairs(queries, keys, options) {
    const { hideWithin, hideAcross } = options;
    if (!queries || !keys || !(hideWithin || hideAcross)) return null;
    return (q, k) => queries[q] >= 0 && keys[k] >= 0 && Boolean(queries[q] === keys[k] ? hideWithin : hideAcross);
  }

  /** Steps 1 to 5.
   * @param {Uint16Array} raw @param {number} queries @param {number} keys
   * @param {{hiddenQueries?: Uint8Array, hiddenKeys?: Uint8Array, hiddenPairs?: ((q: number, k: number) => boolean)|null,
   *   valueNorms?: ArrayLike<number>|null}} options
   * @returns {{weights: Float32Array, kept: Float32Array}} kept: share of each row that was not hidden */
  function shownMatrix(raw, queries, keys, options) {
    const { hiddenQueries, hiddenKeys, hiddenPairs: apart, valueNorms } = options;
    const weights = new Float32Array(queries * keys);
    const kept = new Float32Array(queries);
    const factor = new Float64Array(keys).fill(1);
    if (valueNorms) {
      for (let k = 0; k < keys; k++) factor[k] = Number.isFinite(valueNorms[k]) ? Math.max(0, valueNorms[k]) : 0;
    }
    const anyHidden = Boolean(apart) || (hiddenKeys !== undefined && hiddenKeys.includes(1));
    /** @param {number} q @param {number} k */
    const shows = (q, k) => !(hiddenKeys && hiddenKeys[k]) && !(apart && apart(q, k));
    for (let q = 0, row = 0; q < queries; q++, row += keys) {
      let all = 0;
      let left = 0;
      for (let k = 0; k < keys; k++) {
        const weight = raw[row + k] * factor[k];
        all += weight;
        if (shows(q, k)) left += weight;
      }
      kept[q] = all > 0 ? left / all : 0;
      if ((hiddenQueries && hiddenQueries[q]) || !(left > 0)) continue;
      const scale = anyHidden || valueNorms ? 1 / left : 1 / UNIT;
      for (let k = 0; k < keys; k++) {
        if (shows(q, k)) weights[row + k] = raw[row + k] * factor[k] * scale;
      }
    }
    return { weights, kept };
  }

  /** What one token reads (a query: its row) or who reads it (a key: its column).
   * @param {Float32Array} weights @param {number} queries @param {number} keys @param {"query"|"key"} side
   * @param {number} index */
  function lineOf(weights, queries, keys, side, index) {
    if (side === "query") return weights.slice(index * keys, (index + 1) * keys);
    const column = new Float32Array(queries);
    for (let q = 0; q < queries; q++) column[q] = weights[q * keys + index];
    return column;
  }

  /** Positions of the values worth showing, strongest first; ties keep their order.
   * @param {ArrayLike<number>} values @param {number} topk 0 = all @param {number} threshold */
  function strongest(values, topk, threshold) {
    const found = [];
    for (let i = 0; i < values.length; i++) if (values[i] > 0 && values[i] >= threshold) found.push(i);
    found.sort((a, b) => values[b] - values[a] || a - b);
    return topk > 0 ? found.slice(0, topk) : found;
  }

  /** The value that `rank` values are at least as large as (rank counts from 1). Changes `values`.
   * @param {Float32Array} values @param {number} rank */
  function kthLargest(values, rank) {
    let low = 0;
    let high = values.length - 1;
    const target = rank - 1;
    while (low < high) {
      const pivot = values[(low + high) >> 1];
      let i = low;
      let j = high;
      while (i <= j) {
        while (values[i] > pivot) i++;
        while (values[j] < pivot) j--;
        if (i <= j) {
          const swap = values[i];
          values[i++] = values[j];
          values[j--] = swap;
        }
      }
      if (target <= j) high = j;
      else if (target >= i) low = i;
      else break;
    }
    return values[target];
  }

  /** Step 6 for the whole picture.
   * @param {Float32Array} weights @param {number} queries @param {number} keys
   * @param {{topk?: number, threshold?: number, limit?: number}} options
   * @returns {{index: Uint32Array, candidates: number, cut: number}} flat positions, weakest first (so that strong
   *   lines are painted last); candidates: pairs that pass top k and threshold; cut: weight of the weakest drawn */
  function strongestPairs(weights, queries, keys, options) {
    const { topk: most = 0, threshold: least = 0, limit: room = 0 } = options;
    const topk = most > 0 && most < keys ? Math.floor(most) : 0;
    const threshold = least > 0 ? least : 0;
    const limit = room > 0 ? room : Infinity;
    let index = new Uint32Array(topk ? queries * topk : weights.length);
    let count = 0;
    if (topk) {
      for (let q = 0; q < queries; q++) {
        const row = weights.subarray(q * keys, (q + 1) * keys);
        for (const k of strongest(row, topk, threshold)) index[count++] = q * keys + k;
      }
    } else {
      for (let i = 0; i < weights.length; i++) if (weights[i] > 0 && weights[i] >= threshold) index[count++] = i;
    }
    index = index.subarray(0, count);
    const candidates = count;
    if (count > limit) {
      const cut = kthLargest(Float32Array.from(index, (i) => weights[i]), limit);
      let ties = limit;
      for (const i of index) if (weights[i] > cut) ties--;
      index = index.filter((i) => weights[i] > cut || (weights[i] === cut && ties-- > 0));
    }
    index = index.slice().sort((a, b) => weights[a] - weights[b] || b - a);
    return { index, candidates, cut: index.length ? weights[index[0]] : 0 };
  }

  /** @param {ArrayLike<number>} weights */
  function maximum(weights) {
    let max = 0;
    for (let i = 0; i < weights.length; i++) if (weights[i] > max) max = weights[i];
    return max;
  }

  const api = { UNIT, dequantise, flags, hiddenMask, hiddenPairs, shownMatrix, lineOf, strongest, kthLargest, strongestPairs, maximum };
  if (typeof module === "object" && module.exports) module.exports = api;
  else Object.assign((window.atlas_sentence_view ??= {}), { weights: api });
})();
