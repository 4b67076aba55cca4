/** The tokens that differ most between the two heads, and the way to each. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  /** @typedef {{choose: (token: string) => void, sort: (order: string) => void, save: () => void}} TableHooks */

  const COLUMNS = /** @type {const} */ ([
    ["moved", "Moved", "How far it lies from where the other head has it, after fitting, in sizes of the first map"],
    ["attended", "Attends differently", "Jensen–Shannon divergence of its two rows of attention, in bits: 0 … 1"],
  ]);

  class DifferenceTable {
    /** @param {HTMLElement} parent @param {TableHooks} hooks */
    constructor(parent, hooks) {
      const { element } = window.atlas_head_finder.dom;
      this.hooks = hooks;
      this.root = element("section", { class: "compare-table", "aria-label": "Tokens that differ most" }, parent);
      const top = element("div", { class: "compare-table-top" }, this.root);
      element("h2", {}, top).textContent = "Tokens that differ most";
      this.save = element("button", { type: "button", class: "text-button", title: "All shared tokens with their numbers" }, top);
      this.save.textContent = "CSV";
      this.save.addEventListener("click", hooks.save);
      this.says = element("p", { class: "compare-says", role: "status" }, this.root);
      this.frame = element("div", { class: "compare-rows", tabindex: "0", role: "region", "aria-label": "Table of tokens" }, this.root);
      /** what is shown, so that the table is not built anew for a change elsewhere */
      this.shown = "";
    }

    /** @param {Atlas.CompareRanked|null} found @param {string} problem @param {Atlas.CompareState} state */
    show(found, problem, state) {
      this.save.hidden = !found;
      this.says.textContent = problem || (found ? this.caption(found, state.order) : "Comparing tokens …");
      const now = JSON.stringify([found, state.order]);
      if (now !== this.shown) {
        this.shown = now;
        this.build(found, state.order);
      }
      for (const row of this.frame.querySelectorAll("tbody tr")) {
        row.classList.toggle("marked", /** @type {HTMLElement} */ (row).dataset.token === state.token);
      }
    }

    /** @param {Atlas.CompareRanked} found @param {string} order */
    caption(found, order) {
      const what = order === "moved" ? "points" : "queries";
      const mean = found.mean[order === "moved" ? "moved" : "attended"];
      const shown = `The ${found.rows.length} of ${found.of.toLocaleString("en")} ${what} that differ most; their mean is ${mean?.toFixed(3) ?? "not known"}.`;
      return [shown, found.why.moved, found.why.attended].filter(Boolean).join(" ");
    }

    /** @param {Atlas.CompareRanked|null} found @param {string} order */
    build(found, order) {
      const { element } = window.atlas_head_finder.dom;
      this.frame.replaceChildren();
      const table = element("table", {}, this.frame);
      const head = element("tr", {}, element("thead", {}, table));
      element("th", { scope: "col" }, head).textContent = "Token";
      element("th", { scope: "col" }, head).textContent = "Where";
      for (const [name, label, title] of COLUMNS) {
        const cell = element("th", { scope: "col", "aria-sort": name === order ? "descending" : "none" }, head);
        const sort = element("button", { type: "button", class: "compare-sort", title }, cell);
        sort.textContent = name === order ? `${label} ↓` : label;
        sort.addEventListener("click", () => this.hooks.sort(name));
      }
      if (!found) return;
      const body = element("tbody", {}, table);
      for (const one of found.rows) {
        const token = atlas.partner.tokenText(0, one.side, one.row);
        const row = element("tr", { "data-token": token }, body);
        const name = element("th", { scope: "row" }, row);
        const choose = element("button", { type: "button", class: "compare-token" }, name);
        element("span", { class: `legend-marker legend-marker-${one.side} compare-${one.side}` }, choose);
        element("span", { dir: "auto" }, choose).textContent = one.text;
        choose.title = "Show it in both maps, and both rows of attention";
        choose.addEventListener("click", () => this.hooks.choose(token));
        element("td", {}, row).textContent = `${one.side} ${one.position} of input ${one.input}`;
        for (const [kind] of COLUMNS) element("td", {}, row).textContent = one[kind]?.toFixed(3) ?? "–";
      }
    }
  }

  const api = { DifferenceTable };
  atlas.table = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
