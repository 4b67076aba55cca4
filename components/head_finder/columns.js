/** What is known of all heads, column by column: measures by the registry's groups, and what the page adds. Pure. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  /** @type {Atlas.ClientScripts["layers"]} */
  const layers = globalThis.atlas_client?.layers || require("../client/layers.js");

  /** @type {Atlas.FinderForm} */
  const COUNT = { factor: 1, digits: 0, unit: "" };
  const PLACE = "Place in the model";
  const ALIKE = "Attention alike";

  /** @param {string} name @param {string} label @param {string} sentence @param {string} group @param {Atlas.FinderForm} form
   * @param {ArrayLike<number>} values @returns {Atlas.FinderColumn} */
  const column = (name, label, sentence, group, form, values) =>
    ({ name, label, sentence, group, form, scope: "page", listed: true, values, reasons: new Map() });

  class Columns {
    /** @param {Atlas.FinderPayload} payload */
    constructor({ layers: rows, heads, measures, values, reasons }) {
      this.layers = rows;
      this.heads = heads;
      this.count = rows * heads;
      /** @type {Map<string, Atlas.FinderColumn>} */
      this.all = new Map();
      /** @type {WeakMap<Atlas.FinderColumn, {count: number, low: number, high: number}>} */
      this.ranges = new WeakMap();
      const cells = Array.from({ length: this.count }, (_, cell) => cell);
      this.add(column("layer", "Layer", "From 0.", PLACE, COUNT, cells.map((cell) => layers.numberOf(Math.floor(cell / heads)))));
      this.add(column("head", "Head", "Its number within the layer, from 0.", PLACE, COUNT, cells.map((cell) => cell % heads)));
      for (const one of measures) {
        const why = new Map(Object.entries(reasons[one.name] || {}).flatMap(([reason, some]) => some.map((cell) => [cell, reason])));
        const numbers = Float64Array.from(values[one.name], (value) => (value === null ? NaN : value));
        this.add({ ...one, values: numbers, reasons: why });
      }
    }

    /** @param {Atlas.FinderColumn} one */
    add(one) {
      this.all.set(one.name, one);
    }

    /** The family of each head, counted from 1. @param {number[]} family */
    setFamilies(family) {
      this.add(column("family", "Family", "Heads that attend alike (or have like weights, if these place them), the largest family first.", ALIKE, COUNT, family.map((one) => (one < 0 ? NaN : one + 1))));
    }

    /** How differently every head attends from one. @param {string} of  its name @param {number[]|null} divergence  bits */
    setUnlike(of, divergence) {
      if (!divergence) this.all.delete("unlike");
      else this.add(column("unlike", `Unlike ${of}`, `Mean Jensen–Shannon divergence of rows of attention from those of ${of}: 0 bits where they are the same.`, ALIKE, { factor: 1, digits: 3, unit: " bits" }, divergence));
    }

    /** @param {string} name */
    get(name) {
      return this.all.get(name);
    }

    /** Those that menus offer, by group. @returns {[string, Atlas.FinderColumn[]][]} */
    groups() {
      /** @type {Map<string, Atlas.FinderColumn[]>} */
      const found = new Map();
      for (const one of this.all.values()) {
        if (!one.listed) continue;
        const group = found.get(one.group) || [];
        group.push(one);
        found.set(one.group, group);
      }
      return [...found];
    }

    /** @param {string} name @param {number} cell @returns {number} NaN: not defined, or no such column */
    value(name, cell) {
      const found = this.all.get(name);
      return found ? found.values[cell] : NaN;
    }

    /** How many heads have a number, and the least and the largest; worked out once. @param {Atlas.FinderColumn} one */
    range(one) {
      let found = this.ranges.get(one);
      if (!found) {
        found = { count: 0, low: Infinity, high: -Infinity };
        for (let cell = 0; cell < this.count; cell++) {
          const value = one.values[cell];
          if (Number.isNaN(value)) continue;
          found.count++;
          found.low = Math.min(found.low, value);
          found.high = Math.max(found.high, value);
        }
        this.ranges.set(one, found);
      }
      return found;
    }

    /** Measures of the heads themselves that any has, in the registry's order: what a table shows where nothing is asked for. */
    main() {
      const all = [...this.all.values()].filter(({ listed, scope }) => listed && scope === "head");
      return all.filter((one) => this.range(one).count).map(({ name }) => name);
    }

    /** As a reader sees it. @param {Atlas.FinderColumn} one @param {number} cell */
    text(one, cell) {
      const value = one.values[cell];
      return Number.isNaN(value) ? "n/a" : format(one.form, value);
    }

    /** @param {number} cell */
    name(cell) {
      return layers.nameOf(Math.floor(cell / this.heads), cell % this.heads);
    }

    /** Cells in the order of a column, those without a number last.
     * @param {number[]} cells @param {string} order  a name, with - before it from the largest */
    sorted(cells, order) {
      const down = order.startsWith("-");
      const one = this.all.get(down ? order.slice(1) : order);
      if (!one) return cells;
      const way = down ? -1 : 1;
      return [...cells].sort((a, b) => {
        const [x, y] = [one.values[a], one.values[b]];
        if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
        return way * (x - y) || a - b;
      });
    }

    /** A table as CSV: numbers as they are, nothing where there is none. @param {number[]} cells @param {string[]} names */
    csv(cells, names) {
      const quoted = (/** @type {string} */ text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      const columns = names.flatMap((name) => this.all.get(name) || []);
      const lines = cells.map((cell) => columns.map(({ values }) => (Number.isNaN(values[cell]) ? "" : String(values[cell]))).join(","));
      return `${[columns.map(({ name }) => quoted(name)).join(","), ...lines].join("\r\n")}\r\n`;
    }
  }

  /** @param {Atlas.FinderForm} form @param {number} value */
  const format = ({ factor, digits, unit }, value) => `${(factor * value).toFixed(digits)}${unit}`.replace("-", "−");

  const api = { Columns, format };
  atlas.columns = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
