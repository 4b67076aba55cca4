/** All heads: how much each changed, and which head of the other stream attends most like it. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  const layers = globalThis.atlas_client?.layers || require("../client/layers.js");

  /**
   * @typedef {Object} HeadsHooks
   * @property {(first: number, second: number) => void} open  cells of both panes
   * @property {(name: string, text: string) => void} save
   */

  /** @param {number} cell @param {Atlas.CompareShape} shape */
  const name = (cell, { heads, numbers }) => layers.nameOf(Math.floor(cell / heads), cell % heads, numbers);
  const bits = (/** @type {number|null|undefined} */ value) => (value === null || value === undefined ? "–" : value.toFixed(3));

  /** A row of the table and of its file. @param {Atlas.CompareChanges} found @param {number} cell */
  function rowOf(found, cell) {
    const [mine, its] = found.shapes;
    const best = found.best?.[cell] ?? -1;
    const taken = found.taken?.[cell] ?? -1;
    return {
      head: name(cell, mine),
      change: found.change?.[cell] ?? null, low: found.low?.[cell] ?? null, high: found.high?.[cell] ?? null,
      best, bestName: best < 0 ? "" : name(best, its), bestBits: found.best_bits?.[cell] ?? null,
      taken, takenName: taken < 0 ? "" : name(taken, its), takenBits: found.taken_bits?.[cell] ?? null,
    };
  }

  /** @param {Atlas.CompareChanges} found */
  function csv(found) {
    const [{ layers: rows, heads }] = found.shapes;
    const lines = Array.from({ length: rows * heads }, (_, cell) => {
      const { head, change, low, high, bestName, bestBits, takenName, takenBits } = rowOf(found, cell);
      return [head, change, low, high, bestName, bestBits, takenName, takenBits].map((value) => value ?? "").join(",");
    });
    return ["head,change_bits,low,high,best_match,best_bits,one_to_one,one_to_one_bits", ...lines, ""].join("\n");
  }

  /** Cells by what is sorted by, the largest change or the worst match first. @param {Atlas.CompareChanges} found @param {string} order */
  function sorted(found, order) {
    const [{ layers: rows, heads }] = found.shapes;
    const cells = Array.from({ length: rows * heads }, (_, cell) => cell);
    const values = order === "change" ? found.change : order === "best" ? found.best_bits : order === "taken" ? found.taken_bits : null;
    return values ? cells.sort((a, b) => (values[b] ?? -1) - (values[a] ?? -1) || a - b) : cells;
  }

  class AllHeads {
    /** @param {HTMLElement} parent @param {HeadsHooks} hooks */
    constructor(parent, hooks) {
      const { element } = window.atlas_head_finder.dom;
      this.hooks = hooks;
      this.root = element("section", { class: "compare-heads", "aria-label": "Every head" }, parent);
      this.says = element("p", { class: "compare-says", role: "status" }, this.root);
      const both = (this.both = element("div", { class: "compare-below" }, this.root));
      const left = element("div", {}, both);
      this.title = element("h2", {}, left);
      this.matrix = new atlas.matrix.Matrix(left, (cell) => this.openCell(cell));
      const right = element("div", { class: "compare-table" }, both);
      const top = element("div", { class: "compare-table-top" }, right);
      element("h2", {}, top).textContent = "Head by head";
      this.save = element("button", { type: "button", class: "text-button", title: "All heads with their numbers" }, top);
      this.save.textContent = "CSV";
      this.save.addEventListener("click", () => this.found && hooks.save("heads", csv(this.found)));
      this.frame = element("div", { class: "compare-rows", tabindex: "0", role: "region", "aria-label": "Table of heads" }, right);
      /** @type {Atlas.CompareChanges|null} */
      this.found = null;
      this.order = "";
    }

    /** @param {Atlas.CompareChanges|null} found @param {string} says @param {number} open  the first pane's cell */
    show(found, says, open) {
      this.both.hidden = !found;
      if (found !== this.found) {
        this.found = found;
        this.order = found?.change ? "change" : "best";
        this.build();
      }
      this.says.textContent = found ? this.caption(found) : says;
      this.matrix.mark(open);
      for (const row of this.frame.querySelectorAll("tbody tr")) row.classList.toggle("marked", /** @type {HTMLElement} */ (row).dataset.cell === String(open));
    }

    /** @param {Atlas.CompareChanges} found */
    caption(found) {
      const rows = (/** @type {number} */ count) => `${count.toLocaleString("en")} rows of attention`;
      const changed = found.change
        ? `Change: Jensen–Shannon divergence of a head's rows from those of the same head, mean over ${rows(found.rows)} of ${found.inputs} inputs, in bits, with its 95 % interval over inputs.`
        : "The streams have other shapes or layers, so that no head is the same head of the other.";
      const match = found.best
        ? `Match: the head of the second that attends most like it on ${rows(found.matchRows)}; two heads at random differ by ${bits(found.typical)} (median). One to one: the assignment that is best as a whole.`
        : "There are too many pairs of heads to find each one's match.";
      return `${changed} ${match}`;
    }

    /** @param {number} cell */
    openCell(cell) {
      const { found } = this;
      if (found) this.hooks.open(cell, found.change ? cell : found.best ? found.best[cell] : 0);
    }

    build() {
      const { found } = this;
      this.title.textContent = found ? (found.change ? "How much each head changed" : "How far each head's best match is") : "";
      const values = found && (found.change || found.best_bits);
      this.matrix.build(found && values && {
        ...found.shapes[0], values,
        says: (cell) => {
          const one = rowOf(found, cell);
          if (one.change === null) return `${one.head}: best match ${one.bestName}, ${bits(one.bestBits)} bits`;
          return `${one.head}: ${bits(one.change)} bits${one.low === null ? "" : ` (${bits(one.low)} – ${bits(one.high)})`}`;
        },
      });
      this.buildTable();
    }

    buildTable() {
      const { element } = window.atlas_head_finder.dom;
      const { found, order } = this;
      this.frame.replaceChildren();
      if (!found) return;
      const table = element("table", {}, this.frame);
      const head = element("tr", {}, element("thead", {}, table));
      const columns = [["", "Head"], ...(found.change ? [["change", "Change"]] : []), ...(found.best ? [["best", "Best match"], ["taken", "One to one"]] : [])];
      for (const [key, label] of columns) {
        const cell = element("th", { scope: "col", "aria-sort": key === order ? (key ? "descending" : "ascending") : "none" }, head);
        const sort = element("button", { type: "button", class: "compare-sort" }, cell);
        sort.textContent = key === order && key ? `${label} ↓` : label;
        sort.addEventListener("click", () => {
          this.order = key;
          this.buildTable();
        });
      }
      const body = element("tbody", {}, table);
      for (const cell of sorted(found, order)) {
        const one = rowOf(found, cell);
        const row = element("tr", { "data-cell": String(cell) }, body);
        /** @param {Element} parent @param {string} text @param {number} second @param {string} more */
        const link = (parent, text, second, more) => {
          const button = element("button", { type: "button", class: "compare-token", title: "Open both" }, parent);
          button.textContent = text;
          button.addEventListener("click", () => this.hooks.open(cell, second));
          if (more) element("span", {}, parent).textContent = ` ${more}`;
        };
        link(element("th", { scope: "row" }, row), one.head, found.change ? cell : Math.max(0, one.best), "");
        if (found.change) {
          const interval = one.low === null ? "" : ` (${bits(one.low)} – ${bits(one.high)})`;
          element("td", {}, row).textContent = `${bits(one.change)}${interval}`;
        }
        if (!found.best) continue;
        link(element("td", {}, row), one.bestName, one.best, bits(one.bestBits));
        const last = element("td", {}, row);
        if (one.taken < 0) last.textContent = "none left";
        else link(last, one.takenName, one.taken, bits(one.takenBits));
      }
    }
  }

  const api = { AllHeads, csv, sorted };
  atlas.heads = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
