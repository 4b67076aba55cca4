/** The sentence of the chosen token, twice: what it attends to in either head, or for a key who attends to it. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  const MOST = 120; // tokens shown; of more, those with the largest weights in their order

  /**
   * @typedef {{title: string, payload: Atlas.Payload, place: Atlas.Head, selection: Atlas.Selection}} RowOf
   * @typedef {{tokens: string[], first: number, weights: Float64Array}} Row  first: row of the first token in its table
   */

  /** What the chosen token gives to each key, or is given by each query, with the tokens. @param {RowOf} of @returns {Promise<Row>} */
  async function read({ payload, place, selection }) {
    const { fetches } = window.atlas_client;
    const { base, stream } = payload;
    const { input, side } = selection;
    const [sides, buffer] = await Promise.all([
      fetches.json(`${base}/input/${stream}/${input}`), fetches.buffer(`${base}/attention/${stream}/${input}/${place.layer}/${place.head}`),
    ]);
    const { queries, keys } = /** @type {Atlas.InputSides} */ (sides);
    const all = new Uint16Array(buffer);
    const mine = side === "query" ? queries : keys;
    const others = side === "query" ? keys : queries;
    const at = /** @type {number} */ (selection.token) - mine.first;
    const of = (/** @type {number} */ i) => (side === "query" ? all[at * keys.tokens.length + i] : all[i * keys.tokens.length + at]);
    return { tokens: others.tokens, first: others.first, weights: Float64Array.from(others.tokens, (_, i) => of(i) / 65535) };
  }

  /** Which tokens are shown. @param {Row[]} rows */
  function kept(rows) {
    const count = Math.max(...rows.map(({ tokens }) => tokens.length));
    const places = Array.from({ length: count }, (_, i) => i);
    if (count <= MOST) return places;
    const largest = (/** @type {number} */ i) => Math.max(...rows.map(({ weights }) => weights[i] || 0));
    return places.sort((a, b) => largest(b) - largest(a)).slice(0, MOST).sort((a, b) => a - b);
  }

  class SentenceRows {
    /** @param {HTMLElement} parent @param {(pane: Atlas.CompareSide, side: Atlas.Side, row: number) => void} choose */
    constructor(parent, choose) {
      const { element } = window.atlas_head_finder.dom;
      this.choose = choose;
      this.root = element("section", { class: "compare-sentence", "aria-label": "Both rows of attention" }, parent);
      this.title = element("h2", {}, this.root);
      this.says = element("p", { class: "compare-says", role: "status" }, this.root);
      this.body = element("div", {}, this.root);
      this.turn = 0;
      this.asked = "";
    }

    /** @param {(RowOf|null)[]} of  of both panes; null: the chosen token is not there */
    async show(of) {
      const asked = JSON.stringify(of);
      if (asked === this.asked) return;
      this.asked = asked;
      const turn = ++this.turn;
      const known = of.filter((one) => one !== null);
      this.body.replaceChildren();
      this.says.textContent = "";
      this.title.textContent = "Both rows of attention";
      if (!known.length) {
        this.says.textContent = "Choose a token in a map or in the table.";
        return;
      }
      const none = known.find(({ payload }) => payload.unattended);
      if (none) {
        this.says.textContent = `${none.title}: ${none.payload.unattended}`;
        return;
      }
      try {
        const rows = await Promise.all(known.map(read));
        if (turn === this.turn) this.build(of, known, rows);
      } catch (error) {
        if (turn === this.turn) this.says.textContent = error.said || "The attention could not be read; load the page again.";
      }
    }

    /** @param {(RowOf|null)[]} of @param {RowOf[]} known @param {Row[]} rows */
    build(of, known, rows) {
      const { element } = window.atlas_head_finder.dom;
      const { side } = known[0].selection;
      const shown = kept(rows);
      this.title.textContent = side === "query" ? "What this query attends to" : "What attends to this key";
      const cut = shown.length < rows[0].tokens.length ? ` The ${shown.length} tokens with the largest weights of ${rows[0].tokens.length}.` : "";
      this.says.textContent = `The darker a token, the larger the weight; both rows have one scale.${cut}`;
      const most = Math.max(1e-6, ...rows.flatMap(({ weights }) => shown.map((i) => weights[i] || 0)));
      known.forEach((one, number) => {
        const { tokens, weights, first } = rows[number];
        const pane = /** @type {Atlas.CompareSide} */ (of.indexOf(one));
        const line = element("div", { class: "compare-line" }, this.body);
        element("span", { class: "compare-line-name" }, line).textContent = `${one.title} · ${atlas.pane.nameIn(one, one.place)}`;
        const text = element("div", { class: "compare-tokens", dir: "auto" }, line);
        for (const i of shown) {
          const share = weights[i] / most;
          const button = element("button", { type: "button", class: "compare-word", tabindex: "-1" }, text);
          button.style.setProperty("--share", `${Math.round(100 * Math.sqrt(share))}%`);
          button.textContent = tokens[i];
          button.title = `${tokens[i]}: ${weights[i].toFixed(3)}`;
          button.addEventListener("click", () => this.choose(pane, side === "query" ? "key" : "query", first + i));
        }
      });
    }
  }

  const api = { SentenceRows, kept };
  atlas.rows = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
