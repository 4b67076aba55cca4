/* What is said in words: the line under the picture, the sentence for screen readers, the table of pairs. Pure. */
(function () {
  "use strict";
  const node = typeof module === "object" && module.exports;
  const T = node ? require("./tokens.js") : window.atlas_sentence_view.tokens;
  const W = node ? require("./weights.js") : window.atlas_sentence_view.weights;
  const count = (value) => value.toLocaleString("en-US");
  const short = (text) => {
    const whole = Array.from(T.plain(text));
    return whole.length > 40 ? `${whole.slice(0, 40).join("")}…` : whole.join("");
  };

  /** Which pairs the picture shows, or "" when it shows them all.
   * @param {{drawn: number, candidates: number, total: number, cut: number, topk: number, threshold: number,
   *          mode: string}} picture */
  function coverage(picture) {
    const { drawn, candidates, total, cut, topk, threshold } = picture;
    const rules = [];
    if (topk > 0) rules.push(`top ${topk} of each query`);
    if (threshold > 0) rules.push(`weight ≥ ${threshold}`);
    if (drawn < candidates) {
      const of = rules.length ? `${count(candidates)} (${rules.join(", ")})` : count(total);
      return `Showing the ${count(drawn)} strongest of ${of} pairs, down to ${T.number(cut)}. Hover a token for all of its own.`;
    }
    if (rules.length) return `Showing ${count(drawn)} of ${count(total)} pairs: ${rules.join(", ")}.`;
    return "";
  }

  /** One sentence about a token. @param {Float32Array} line its weights on the other side */
  function token(side, text, line, texts, note) {
    const found = W.strongest(line, 3, 0);
    const name = side === "query" ? `Query “${short(text)}”` : `Key “${short(text)}”`;
    if (!found.length) return `${name} ${side === "query" ? "attends to nothing shown" : "is read by nothing shown"}.`;
    const list = found.map((i) => `“${short(texts[i])}” ${T.number(line[i])}`).join(", ");
    return `${name} ${side === "query" ? "attends most to" : "is read most by"} ${list}.${note ? ` ${note}` : ""}`;
  }

  const pair = (query, key, weight) => `“${short(query)}” attends to “${short(key)}” with ${T.number(weight)}.`;

  const api = { coverage, token, pair, short, count };
  if (node) module.exports = api;
  else Object.assign(window.atlas_sentence_view, { describe: api });
})();
