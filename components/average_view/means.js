/** Means of one head: read from the server's bytes, and as a reader's choices show them. Pure. */
(function (/** @type {Atlas.AverageViewScripts} */ atlas) {
  /**
   * Bytes of docs/payload.md: three counts, means, inputs behind each, and where it is known the profile by distance:
   * one value for each distance up to a reach, then one for all further before and one for all further after.
   * @param {ArrayBuffer} buffer @returns {Atlas.HeadMeans}
   */
  function readMeans(buffer) {
    const [queries, keys, inputs] = new Uint32Array(buffer, 0, 3);
    const cells = queries * keys;
    const profile = 12 + 8 * cells;
    const bars = (buffer.byteLength - profile) / 8;
    return {
      queries, keys, inputs,
      reach: (bars - 3) / 2,
      mean: new Float32Array(buffer, 12, cells),
      count: new Uint32Array(buffer, 12 + 4 * cells, cells),
      offsets: bars > 0 ? new Float32Array(buffer, profile, bars) : null,
      offsetCounts: bars > 0 ? new Uint32Array(buffer, profile + 4 * bars, bars) : null,
    };
  }

  /**
   * Means as shown: hidden tokens out, cut to an input; where either holds, each row is scaled to 1, never above.
   * @param {Pick<Atlas.HeadMeans, "mean" | "queries" | "keys">} means @param {Atlas.AverageOptions} options
   * @param {Atlas.InputSides|null} sides  of the chosen input
   * @returns {Atlas.ShownMeans}
   */
  function shownMeans({ mean, queries, keys }, options, sides) {
    const rows = options.cut && sides ? Math.min(queries, sides.queries.tokens.length) : queries;
    const columns = options.cut && sides ? Math.min(keys, sides.keys.tokens.length) : keys;
    const hiddenQueries = new Set(sides ? options.queries : []);
    const hiddenKeys = new Set(sides ? options.keys : []);
    const scaled = options.cut || hiddenKeys.size > 0;
    const weights = new Float32Array(rows * columns);
    let max = 0;
    for (let q = 0; q < rows; q++) {
      if (hiddenQueries.has(q)) continue;
      let total = 0;
      for (let k = 0; k < columns; k++) if (!hiddenKeys.has(k)) total += mean[q * keys + k];
      if (!(total > 0)) continue;
      for (let k = 0; k < columns; k++) {
        if (hiddenKeys.has(k)) continue;
        const weight = mean[q * keys + k] / (scaled ? total : 1);
        weights[q * columns + k] = weight;
        if (weight > max) max = weight;
      }
    }
    return { rows, columns, weights, max };
  }

  /** Whether the stream's mask hides every key at a distance from its query (but for global tokens).
   * @param {Atlas.StreamMask} mask @param {number} offset */
  function isMasked({ offsets }, offset) {
    if (!offsets) return false;
    const [least, most] = offsets;
    return (least !== null && offset < least) || (most !== null && offset > most);
  }

  /**
   * Bars from far before the query to far after it, without those that no query can see; none where queries and keys
   * are tokens of different texts.
   * @param {Pick<Atlas.HeadMeans, "reach" | "offsetCounts">} means @param {Atlas.StreamMask} mask @returns {Atlas.DistanceBar[]}
   */
  function distanceBars({ reach, offsetCounts }, mask) {
    if (!mask.offsets || !offsetCounts) return [];
    const near = Array.from({ length: 2 * reach + 1 }, (_, i) => ({ offset: i - reach, index: i }));
    const all = [{ offset: -Infinity, index: 2 * reach + 1 }, ...near, { offset: Infinity, index: 2 * reach + 2 }];
    return all.filter(({ offset, index }) => offsetCounts[index] > 0 || !isMasked(mask, offset));
  }

  /** How many inputs reach each row: as many as its best founded mean. @param {Atlas.HeadMeans} means @param {number} rows */
  function rowCounts({ count, keys }, rows) {
    return Array.from({ length: rows }, (_, q) => Math.max(0, ...count.subarray(q * keys, (q + 1) * keys)));
  }

  /**
   * The cursor one key further: cells in a heatmap, else bars.
   * @param {Pick<Atlas.AverageState, "means" | "shown" | "bars" | "options">} state @param {Atlas.MeanCursor} at @param {string} key
   * @returns {Atlas.MeanCursor|undefined} undefined for a key that is no step
   */
  function stepped({ means, shown, bars, options }, at, key) {
    /** @type {Record<string, [number, number]>} */
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const step = steps[key];
    if (!step) return undefined;
    /** @param {number} value @param {number} by @param {number} count */
    const moved = (value, by, count) => Math.min(count - 1, Math.max(0, value + by));
    if (options.offsets) {
      const from = at && "bar" in at ? at.bar : Math.min(means.reach, bars.length - 1);
      return bars.length ? { bar: moved(from, step[1], bars.length) } : null;
    }
    if (!at || "bar" in at) return { query: 0, key: 0 };
    return { query: moved(at.query, step[0], shown.rows), key: moved(at.key, step[1], shown.columns) };
  }

  const api = { readMeans, shownMeans, isMasked, distanceBars, rowCounts, stepped };
  atlas.means = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_average_view ??= {}));
