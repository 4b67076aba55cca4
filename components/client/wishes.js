/** What a view wants from the server, by what it is for: only the answer to the newest wish counts. */
(function (/** @type {Atlas.ClientScripts} */ atlas) {
  class Wishes {
    /** @param {() => void} changed  called after an answer or a failure was taken
     * @param {{json: (url: string) => Promise<any>}} [fetches]  from what answers come */
    constructor(changed, fetches = atlas.fetches) {
      this.changed = changed;
      this.fetches = fetches;
      /** the address wished for last, by what it is for @type {Record<string, string>} */
      this.known = {};
    }

    /**
     * Fetch what is not there already.
     * @param {string} what @param {string} url  "": nothing
     * @param {(value: any) => void} take @param {(error: Atlas.FetchError) => void} fail
     */
    async want(what, url, take, fail) {
      if (this.known[what] === url) return;
      this.known[what] = url;
      if (!url) return;
      const then = await this.fetches.json(url).then((value) => () => take(value), (error) => () => fail(error));
      if (this.known[what] !== url) return; // something else is wanted by now
      then();
      this.changed();
    }

    /** Take no answer any more that is under way. */
    forget() {
      this.known = {};
    }
  }

  const api = { Wishes };
  atlas.wishes = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_client ??= {}));
