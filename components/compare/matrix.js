/** One number a head as a grid of cells, a layer a row: arrows walk, Enter or a click opens the head in both panes. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  /** @type {Record<string, [number, number]>} */
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  /**
   * @typedef {Object} Grid
   * @property {number} layers @property {number} heads @property {number[]} numbers  the model's, of its layers
   * @property {(number|null)[]} values  a cell each
   * @property {(cell: number) => string} says  of a cell, in words
   */

  class Matrix {
    /** @param {HTMLElement} parent @param {(cell: number) => void} open */
    constructor(parent, open) {
      const { element } = window.atlas_head_finder.dom;
      this.open = open;
      this.root = element("div", { class: "compare-matrix", role: "grid", "aria-label": "All heads: how much each changed" }, parent);
      /** @type {HTMLButtonElement[]} */
      this.cells = [];
      this.columns = 1;
      /** the cell that Tab leads to */
      this.at = 0;
      this.root.addEventListener("focusin", (/** @type {FocusEvent} */ event) => {
        const cell = this.cells.indexOf(/** @type {HTMLButtonElement} */ (event.target));
        if (cell >= 0) this.focus(cell, false);
      });
      this.root.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
    }

    /** @param {Grid|null} grid */
    build(grid) {
      const { element } = window.atlas_head_finder.dom;
      this.root.replaceChildren();
      this.cells = [];
      this.root.hidden = !grid;
      if (!grid) return;
      this.columns = grid.heads;
      this.root.style.setProperty("--heads", String(grid.heads));
      const most = Math.max(1e-9, ...grid.values.map((value) => value ?? 0));
      for (let layer = 0; layer < grid.layers; layer++) {
        const row = element("div", { role: "row", class: "compare-matrix-row" }, this.root);
        element("span", { role: "rowheader", class: "compare-layer" }, row).textContent = `L${window.atlas_client.layers.numberOf(layer, grid.numbers)}`;
        for (let head = 0; head < grid.heads; head++) {
          const cell = layer * grid.heads + head;
          const value = grid.values[cell];
          const button = element("button", { type: "button", role: "gridcell", tabindex: "-1", title: grid.says(cell), "aria-label": grid.says(cell) }, row);
          button.style.setProperty("--share", `${Math.round(100 * ((value ?? 0) / most))}%`);
          button.classList.toggle("unknown", value === null);
          button.addEventListener("click", () => {
            this.focus(cell);
            this.open(cell);
          });
          this.cells.push(button);
        }
      }
      this.focus(Math.min(this.at, this.cells.length - 1), false);
    }

    /** @param {number} cell @param {boolean} [move]  the keyboard goes there */
    focus(cell, move = true) {
      this.cells[this.at]?.setAttribute("tabindex", "-1");
      this.at = cell;
      this.cells[cell]?.setAttribute("tabindex", "0");
      if (move) this.cells[cell]?.focus();
    }

    /** The head that is open. @param {number} cell */
    mark(cell) {
      this.cells.forEach((button, i) => button.toggleAttribute("aria-current", i === cell));
      this.cells.forEach((button, i) => button.classList.toggle("marked", i === cell));
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      const step = STEPS[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const [row, column] = [Math.floor(this.at / this.columns) + step[0], (this.at % this.columns) + step[1]];
      const inside = column >= 0 && column < this.columns && row >= 0 && row * this.columns < this.cells.length;
      if (inside) this.focus(row * this.columns + column);
    }
  }

  const api = { Matrix };
  atlas.matrix = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
