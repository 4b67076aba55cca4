/* Fetching: one load at a time, aborted when another is asked for. */
(function () {
  "use strict";

  // Looked up when used: Dash promises no order among the scripts of two packages.
  /** @returns {Atlas.FetchCache} */
  const fetches = () => (typeof module === "object" ? require("../client/fetch_cache.js").fetches : window.atlas_client.fetches);

  const number = (value) => Number.isInteger(value) && value >= 0;

  /** The addresses of one head on one input, or null when the props name none. */
  function addresses(props) {
    const { payload, layer, head, selection } = props;
    const input = selection ? selection.input : null;
    if (!payload || typeof payload.base !== "string" || !payload.stream || payload.unattended) return null;
    if (!number(layer) || !number(head) || !number(input)) return null;
    const base = payload.base.replace(/\/+$/, "");
    const stream = encodeURIComponent(payload.stream);
    return {
      input: `${base}/input/${stream}/${input}`,
      attention: `${base}/attention/${stream}/${input}/${layer}/${head}`,
      values: props.byValueNorm ? `${base}/values/${stream}/${input}/${layer}/${head}` : null,
    };
  }

  /** What a failed request comes to for a reader. @param {any} error */
  function sentenceOf(error) {
    if (typeof error.status !== "number") return error.message;
    return error.said || (error.status ? `The server answered ${error.status}.` : "The server did not answer.");
  }

  function side(given) {
    const tokens = given && Array.isArray(given.tokens) ? given.tokens.map((text) => String(text)) : null;
    if (!tokens) throw new Error("The answer of the server has no tokens.");
    const [special, texts] = [given.special, given.texts].map((list) => (Array.isArray(list) ? list : undefined));
    return { first: Number(given.first) || 0, tokens, special: special ?? [], texts };
  }

  /** Everything that one picture needs.
   * @returns {Promise<{queries: object, keys: object, pairs: number, raw: Uint16Array, valueNorms: Float32Array|null}>} */
  async function load(urls, signal) {
    const cache = fetches();
    const [input, attention, values] = await Promise.all([
      cache.json(urls.input, { signal }),
      cache.buffer(urls.attention, { signal }),
      urls.values ? cache.buffer(urls.values, { signal }) : null,
    ]);
    const queries = side(input.queries);
    const keys = side(input.keys);
    if (attention.byteLength !== 2 * queries.tokens.length * keys.tokens.length) {
      throw new Error("The attention of this input has the wrong size.");
    }
    if (values && values.byteLength !== 4 * keys.tokens.length) {
      throw new Error("The value norms of this input have the wrong size.");
    }
    // Pairs that the stream's mask shows, as the server counts them.
    const pairs = Number.isInteger(input.pairs) ? input.pairs : queries.tokens.length * keys.tokens.length;
    return { queries, keys, pairs, raw: new Uint16Array(attention), valueNorms: values && new Float32Array(values) };
  }

  const api = { addresses, load, sentenceOf };
  if (typeof module === "object" && module.exports) module.exports = api;
  else Object.assign((window.atlas_sentence_view ??= {}), { data: api });
})();
