/* Fetching: one load at a time, aborted when another is asked for; what was fetched is kept for going back. */
(function () {
  "use strict";

  const number = (value) => Number.isInteger(value) && value >= 0;

  /** The addresses of one head on one input, or null when the props name none. */
  function addresses(props) {
    const { payload, layer, head, input } = props;
    if (!payload || typeof payload.base !== "string" || !payload.stream) return null;
    if (!number(layer) || !number(head) || !number(input)) return null;
    const base = payload.base.replace(/\/+$/, "");
    const stream = encodeURIComponent(payload.stream);
    return {
      input: `${base}/input/${stream}/${input}`,
      attention: `${base}/attention/${stream}/${input}/${layer}/${head}`,
      values: props.byValueNorm ? `${base}/values/${stream}/${input}/${layer}/${head}` : null,
    };
  }

  /** A small memory of the latest answers, oldest out first. */
  class Memory {
    constructor(size) {
      this.size = size;
      this.items = new Map();
    }
    get(key) {
      const value = this.items.get(key);
      if (value !== undefined) {
        this.items.delete(key);
        this.items.set(key, value);
      }
      return value;
    }
    set(key, value) {
      this.items.set(key, value);
      if (this.items.size > this.size) this.items.delete(this.items.keys().next().value);
    }
  }

  async function get(url, kind, signal, memory) {
    const known = memory.get(url);
    if (known !== undefined) return known;
    let response;
    try {
      response = await fetch(url, { signal, credentials: "same-origin" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The server did not answer.", { cause: error });
    }
    if (!response.ok) {
      const said = (await response.text().catch(() => "")).trim().slice(0, 160);
      throw new Error(said && !said.startsWith("<") ? said : `The server answered ${response.status}.`);
    }
    const value = kind === "json" ? await response.json() : await response.arrayBuffer();
    memory.set(url, value);
    return value;
  }

  function side(given) {
    const tokens = given && Array.isArray(given.tokens) ? given.tokens.map((text) => String(text)) : null;
    if (!tokens) throw new Error("The answer of the server has no tokens.");
    return { first: Number(given.first) || 0, tokens, special: Array.isArray(given.special) ? given.special : [] };
  }

  /** Everything that one picture needs.
   * @returns {Promise<{queries: object, keys: object, pairs: number, raw: Uint16Array, valueNorms: Float32Array|null}>} */
  async function load(urls, signal, memory) {
    const [input, attention, values] = await Promise.all([
      get(urls.input, "json", signal, memory),
      get(urls.attention, "bytes", signal, memory),
      urls.values ? get(urls.values, "bytes", signal, memory) : null,
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

  const api = { addresses, load, Memory };
  if (typeof module === "object" && module.exports) module.exports = api;
  else Object.assign((window.atlas_sentence_view ??= {}), { data: api });
})();
