/**
 * One cache for all that the views of a page fetch. Payload addresses name content that never changes, so that an
 * answer is kept as long as there is room; equal requests under way are one; a failure is not kept.
 */
(function (/** @type {Atlas.ClientScripts} */ atlas) {
  const MOST_BYTES = 64 * 2 ** 20;
  const MOST_ENTRIES = 1000;
  /** Longest sentence of the server that is passed on. */
  const LONGEST = 200;

  /** The request failed; `status` 0: there was no answer. `said`: the server's own sentence, if it said one. */
  class FetchError extends Error {
    /** @param {number} status @param {string} said @param {unknown} [cause] */
    constructor(status, said, cause) {
      super(status ? `the server answered ${status}` : "the server did not answer", { cause });
      this.status = status;
      this.said = said;
    }
  }

  /**
   * @typedef {Object} Entry
   * @property {Promise<{value: any, bytes: number}>} answer
   * @property {AbortController} controller
   * @property {number} waiting  callers that still want it
   * @property {number} bytes  -1 while it is on its way
   */

  class FetchCache {
    /** @param {{bytes?: number, entries?: number}} [most] */
    constructor({ bytes = MOST_BYTES, entries = MOST_ENTRIES } = {}) {
      this.mostBytes = bytes;
      this.mostEntries = entries;
      this.bytes = 0;
      /** the longest unused first @type {Map<string, Entry>} */
      this.entries = new Map();
    }

    /** @param {string} url @param {Atlas.FetchOptions} [options] @returns {Promise<ArrayBuffer>} */
    buffer(url, options = {}) {
      return this.get(`buffer ${url}`, url, readBuffer, options);
    }

    /** @param {string} url @param {Atlas.FetchOptions} [options] @returns {Promise<any>} */
    json(url, options = {}) {
      return this.get(`json ${url}`, url, readJson, options);
    }

    /** Forget all that has arrived. */
    clear() {
      for (const [key, entry] of this.entries) if (entry.bytes >= 0) this.entries.delete(key);
      this.bytes = 0;
    }

    /**
     * @param {string} name @param {string} url
     * @param {(response: Response) => Promise<{value: any, bytes: number}>} read @param {Atlas.FetchOptions} options
     */
    async get(name, url, read, { signal, headers, keep = true, arrived }) {
      signal?.throwIfAborted();
      const key = headers ? `${name} ${JSON.stringify(headers)}` : name;
      const known = this.entries.get(key);
      const entry = known || this.ask(url, read, headers);
      this.entries.delete(key);
      this.entries.set(key, entry);
      entry.waiting++;
      if (!known) this.settle(key, entry, keep);
      const { value, bytes } = await (signal ? this.unless(signal, key, entry) : entry.answer);
      if (!known) arrived?.(bytes);
      return value;
    }

    /**
     * @param {string} url @param {(response: Response) => Promise<{value: any, bytes: number}>} read
     * @param {Record<string, string>|undefined} headers
     * @returns {Entry}
     */
    ask(url, read, headers) {
      const controller = new AbortController();
      return { answer: answerOf(url, read, { headers, signal: controller.signal }), controller, waiting: 0, bytes: -1 };
    }

    /** Keep the answer once it is there, or let the entry go.
     * @param {string} key @param {Entry} entry @param {Atlas.FetchOptions["keep"]} keep */
    async settle(key, entry, keep) {
      try {
        const { value, bytes } = await entry.answer;
        if (this.entries.get(key) !== entry) return;
        if (typeof keep === "function" ? keep(value) : keep) {
          entry.bytes = bytes;
          this.bytes += bytes;
          this.shrink();
        } else {
          this.entries.delete(key);
        }
      } catch {
        if (this.entries.get(key) === entry) this.entries.delete(key);
      }
    }

    /** The answer, unless the signal comes first; a request that nobody waits for any more is stopped.
     * @param {AbortSignal} signal @param {string} key @param {Entry} entry @returns {Entry["answer"]} */
    unless(signal, key, entry) {
      return new Promise((resolve, reject) => {
        const leave = () => {
          reject(signal.reason);
          entry.waiting--;
          if (entry.waiting > 0 || entry.bytes >= 0) return;
          if (this.entries.get(key) === entry) this.entries.delete(key);
          entry.controller.abort();
        };
        signal.addEventListener("abort", leave, { once: true });
        entry.answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
      });
    }

    /** Let the longest unused go until the rest fits. */
    shrink() {
      for (const [key, entry] of this.entries) {
        if (this.bytes <= this.mostBytes && this.entries.size <= this.mostEntries) return;
        if (entry.bytes < 0) continue;
        this.entries.delete(key);
        this.bytes -= entry.bytes;
      }
    }
  }

  /** @param {Response} response */
  async function readBuffer(response) {
    const value = await response.arrayBuffer();
    return { value, bytes: value.byteLength };
  }

  /** @param {Response} response */
  async function readJson(response) {
    const text = await response.text();
    return { value: JSON.parse(text), bytes: text.length };
  }

  /**
   * @param {string} url @param {(response: Response) => Promise<{value: any, bytes: number}>} read @param {RequestInit} init
   */
  async function answerOf(url, read, init) {
    let response;
    try {
      response = await fetch(url, { credentials: "same-origin", ...init });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new FetchError(0, "", error);
    }
    if (response.ok) return read(response);
    const said = (await response.text().catch(() => "")).trim().slice(0, LONGEST);
    throw new FetchError(response.status, said.startsWith("<") ? "" : said);
  }

  /** The one that all views of a page share. */
  const fetches = new FetchCache();

  const api = { FetchCache, FetchError, fetches };
  atlas.fetchCache = api;
  atlas.fetches = fetches;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_client ??= {}));
