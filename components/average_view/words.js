/** What the view says in words: of all means, of one cell, of one distance. Pure. */
(function (/** @type {Atlas.AverageViewScripts} */ atlas) {
  const { isMasked } = atlas.means || require("./means.js");

  /** @param {number} value */
  const weight = (value) => value.toFixed(value < 0.0995 ? 3 : 2);

  /** @param {number} offset @param {number} reach */
  function placeOf(offset, reach) {
    if (offset === 0) return "at the query itself";
    const side = offset < 0 ? "before" : "after";
    if (!Number.isFinite(offset)) return `more than ${reach} positions ${side} the query`;
    return `${Math.abs(offset) === 1 ? "1 position" : `${Math.abs(offset)} positions`} ${side}`;
  }

  /** @param {Atlas.AverageState} state */
  function barSentence({ means, bars, options, mask, at }) {
    const { offsets, offsetCounts } = means;
    if (!offsets || !offsetCounts) return "This atlas is too large to work the profile out now; build it again to add it.";
    if (!mask.offsets) return "Queries and keys are tokens of different texts: there is no distance between them.";
    if (!at || !("bar" in at)) {
      const words = options.special ? "" : " Special tokens count as keys; leave them out above to compare words alone.";
      return `Mean share of a query's attention by distance of the key.${words}`;
    }
    const { offset, index } = bars[at.bar];
    const count = offsetCounts[index].toLocaleString("en");
    return `Keys ${placeOf(offset, means.reach)}: ${weight(offsets[index])} of a query's attention. ${count} queries have such a key.`;
  }

  /** @param {Atlas.AverageState} state */
  function cellSentence({ means, shown, sides, mask, enough, at }) {
    if (!at || "bar" in at) return "Rows ask, columns answer. Point at a cell for its mean and the number of inputs behind it.";
    const { query, key } = at;
    const count = means.count[query * means.keys + key];
    if (!count) {
      const why = isMasked(mask, key - query) ? `${mask.hides} hides it` : "no input counts here";
      return `Query at ${query}, key at ${key}: ${why}.`;
    }
    const [asking, asked] = sides ? [sides.queries.tokens[query], sides.keys.tokens[key]] : [];
    const here = asking !== undefined && asked !== undefined ? ` Here: “${asking.trim()}” → “${asked.trim()}”.` : "";
    const few = count < enough ? ` Fewer than ${enough}: read it with care.` : "";
    const inputs = count === 1 ? "1 input" : `${count} of ${means.inputs} inputs`;
    const mean = weight(shown.weights[query * shown.columns + key]);
    return `Query at ${query} → key at ${key}: ${mean}, from ${inputs}.${few}${here}`;
  }

  /** @param {Atlas.AverageState} state */
  const sentence = (state) => (state.options.offsets ? barSentence(state) : cellSentence(state));

  /** What the picture is, for a screen reader. @param {Atlas.AverageOptions} options @param {string} head */
  function label({ offsets }, head) {
    const what = offsets ? "Mean attention by distance from query to key" : "Mean attention by position";
    return `${what}, head ${head}. Arrow keys move, Enter chooses the query.`;
  }

  const api = { sentence, label, placeOf, weight };
  atlas.words = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_average_view ??= {}));
