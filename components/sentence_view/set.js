/* The set of tokens that all views share: which tokens of this input are in it, and Shift-click to change it. */
(function () {
  "use strict";
  const A = window.atlas_sentence_view;

  class SetMarks {
    /** @param {() => void} changed  the marks are others now */
    constructor(changed) {
      this.changed = changed;
      this.mask = null;
      this.url = null;
    }

    /** Fetch the mask of the set when the props name another one. */
    async follow({ tokenSet, payload }) {
      const definition = tokenSet && typeof tokenSet.definition === "string" ? tokenSet.definition : "";
      const known = definition && payload && payload.stream && Number.isInteger(payload.queries);
      const url = known ? `${payload.base}/set/${encodeURIComponent(payload.stream)}?s=${encodeURIComponent(definition)}` : null;
      if (url === this.url) return;
      this.url = url;
      let mask = null;
      try {
        if (url) mask = new Uint8Array(await window.atlas_client.fetches.buffer(url));
      } catch (error) {
        // Without an answer the next change of props asks again; a refusal is an answer.
        if (this.url === url && !error.status) this.url = null;
      }
      if (url && this.url !== url) return;
      this.mask = mask;
      this.queries = known ? payload.queries : 0;
      this.changed();
    }

    /** @returns {((side: string, row: number) => boolean)|null} null without a set */
    get has() {
      if (!this.mask) return null;
      return (side, row) => {
        const point = side === "query" ? row : this.queries + row;
        return Boolean((this.mask[point >> 3] >> (point & 7)) & 1);
      };
    }
  }

  Object.assign(A, { SetMarks });
})();
