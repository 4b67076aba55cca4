/** The table beside the picture: only the rows in sight are there, so that thousands scroll. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  const ROW = 30;
  const SPARE = 8;

  /**
   * @typedef {Object} TableHooks
   * @property {(cell: number) => string} href  of a head
   * @property {(order: string) => void} sort
   * @property {(cell: number) => void} point  at a head, -1: at none
   */

  class HeadTable {
    /** @param {HTMLElement} parent @param {TableHooks} hooks */
    constructor(parent, hooks) {
      this.hooks = hooks;
      /** @type {Atlas.FinderColumns|null} */
      this.columns = null;
      /** @type {number[]} */
      this.cells = [];
      /** @type {string[]} */
      this.names = [];
      this.marked = -1;
      const { element } = atlas.dom;
      this.frame = element("div", { class: "finder-rows", tabindex: "0", role: "region", "aria-label": "Table of heads: arrow keys move, Enter opens" }, parent);
      this.table = element("table", { class: "finder-table", role: "table" }, this.frame);
      this.head = element("thead", {}, this.table);
      this.body = element("tbody", {}, this.table);
      this.frame.addEventListener("scroll", () => this.fill());
      this.frame.addEventListener("keydown", (event) => this.key(event));
      this.body.addEventListener("pointerover", (event) => this.hooks.point(this.cellOf(event)));
      this.body.addEventListener("pointerleave", () => this.hooks.point(-1));
      this.sizes = new ResizeObserver(() => this.fill());
      this.sizes.observe(this.frame);
    }

    destroy() {
      this.sizes.disconnect();
    }

    /** @param {Event} event */
    cellOf(event) {
      const row = /** @type {HTMLElement} */ (event.target).closest?.("tr");
      return row?.dataset.cell ? Number(row.dataset.cell) : -1;
    }

    /** @param {Atlas.FinderColumns} columns @param {number[]} cells  in their order
     * @param {string[]} names @param {string} order */
    show(columns, cells, names, order) {
      const same = this.cells.length === cells.length && this.cells.every((cell, i) => cell === cells[i]);
      Object.assign(this, { columns, cells, names });
      this.table.setAttribute("aria-rowcount", String(cells.length + 1));
      this.heading(order);
      if (!same) this.frame.scrollTop = 0;
      this.fill();
    }

    /** @param {string} order */
    heading(order) {
      const { element } = atlas.dom;
      const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.column : undefined;
      const inside = this.head.contains(document.activeElement);
      this.head.replaceChildren();
      const row = element("tr", { "aria-rowindex": "1" }, this.head);
      element("th", { scope: "col", class: "finder-name" }, row).textContent = "Head";
      for (const name of this.names) {
        const one = this.columns?.get(name);
        if (!one) continue;
        const sorted = order === name ? "ascending" : order === `-${name}` ? "descending" : "none";
        const th = element("th", { scope: "col", "aria-sort": sorted }, row);
        const button = element("button", { type: "button", class: "finder-sort", title: `${one.sentence} Sort.`, "data-column": name }, th);
        button.textContent = one.label + { ascending: " ↑", descending: " ↓", none: "" }[sorted];
        // The largest first at first: those are what one looks for.
        button.addEventListener("click", () => this.hooks.sort(sorted === "descending" ? name : `-${name}`));
        if (inside && focused === name) button.focus();
      }
    }

    /** The rows in sight. */
    fill() {
      const { columns, cells, names } = this;
      if (!columns) return;
      const { element } = atlas.dom;
      const first = Math.max(0, Math.floor(this.frame.scrollTop / ROW) - SPARE);
      const count = Math.ceil(this.frame.clientHeight / ROW) + 2 * SPARE;
      const last = Math.min(cells.length, first + count);
      this.body.replaceChildren();
      const gap = (/** @type {number} */ rows) => {
        if (rows > 0) element("tr", { class: "finder-gap", style: `height:${rows * ROW}px`, "aria-hidden": "true" }, this.body);
      };
      gap(first);
      for (let i = first; i < last; i++) {
        const cell = cells[i];
        const row = element("tr", { "data-cell": String(cell), "aria-rowindex": String(i + 2), class: cell === this.marked ? "marked" : "" }, this.body);
        const name = element("th", { scope: "row", class: "finder-name" }, row);
        element("a", { href: this.hooks.href(cell) }, name).textContent = columns.name(cell);
        for (const column of names) {
          const one = columns.get(column);
          if (!one) continue;
          const td = element("td", {}, row);
          td.textContent = columns.text(one, cell);
          const why = one.reasons.get(cell);
          if (why) td.title = `Not defined: ${why}`;
        }
      }
      gap(cells.length - last);
    }

    /** The row of a head, if it is in sight. @param {number} cell @returns {HTMLElement|null} */
    rowOf(cell) {
      return this.body.querySelector(`tr[data-cell="${cell}"]`);
    }

    /** Mark the row of a head; -1: none. @param {number} cell @param {boolean} [seen]  bring it into sight */
    mark(cell, seen = false) {
      this.marked = cell;
      const at = this.cells.indexOf(cell);
      if (seen && at >= 0) {
        const top = at * ROW;
        const { scrollTop, clientHeight } = this.frame;
        if (top < scrollTop || top > scrollTop + clientHeight - 3 * ROW) this.frame.scrollTop = Math.max(0, top - clientHeight / 2);
      }
      for (const row of this.body.children) {
        if (row instanceof HTMLElement) row.classList.toggle("marked", row.dataset.cell === String(cell));
      }
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      if (event.target !== this.frame || !this.cells.length) return;
      const at = this.cells.indexOf(this.marked);
      /** @type {Record<string, number>} */
      const next = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), Home: 0, End: this.cells.length - 1 };
      if (event.key === "Enter" && at >= 0) this.rowOf(this.marked)?.querySelector("a")?.click();
      else if (event.key in next) {
        const cell = this.cells[Math.min(this.cells.length - 1, next[event.key])];
        this.mark(cell, true);
        this.hooks.point(cell);
      } else return;
      event.preventDefault();
    }
  }

  const api = { HeadTable };
  atlas.table = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
