/** What stands beside and above the cells: numbers of layers and heads, and rules between layers and between key heads. Pure. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @type {Atlas.ClientScripts["layers"]} */
  const { numberOf } = globalThis.atlas_client?.layers || require("../client/layers.js");
  const { shapeOf } = atlas.arrange || require("./arrange.js");
  const { runsOf, wordsOf } = atlas.folds || require("./folds.js");

  /**
   * Headings of a grid in places. Each strip belongs to a block of cells and stays in sight as long as the block does.
   *   tops: over columns `from`…, while rows `first`…`last` are in view · sides: left of column `first`, beside rows
   * @typedef {{at: number, text: string, wide: number, row?: number}} Mark  wide: places that it stands for; row: its layer's
   * @typedef {{first: number, last: number, marks: Mark[]}} Strip
   * @typedef {{tops: Strip[], sides: Strip[], rules: {row: number, first: number, last: number}[],
   *   bars: {column: number, first: number, last: number}[], gaps: Seam[],
   *   along: string, down: string, short: boolean}} Headings  short: the cells need names of their own
   * @typedef {{at: number, first: number, last: number, upright: boolean, text: string, rows: number[]}} Seam  what lies
   *   between cells: layers without attention, or (rows) those that are folded away; at the upper edge of row `at` over
   *   columns `first`…, upright at the left edge of column `at` beside rows
   */

  /** @template T @param {number} count @param {(i: number) => T} make @returns {T[]} */
  const list = (count, make) => Array.from({ length: count }, (_, i) => make(i));

  /** @param {Atlas.Grid} grid @returns {Headings|null} null where heads lie in an order of their own */
  function headingsOf(grid) {
    const { heads, fold, gaps = [], group = heads } = grid;
    if (!fold) return null;
    const { wide, across } = fold;
    const layers = grid.shown ? grid.shown.length : grid.layers;
    const rowAt = (/** @type {number} */ layer) => (grid.shown ? grid.shown[layer] : layer);
    const { high, down, gapX, gapY, columns, rows } = shapeOf({ layers, heads, group: 1 }, fold);
    const number = (/** @type {number} */ at, /** @type {number} */ value) => ({ at, text: String(value), wide: 1 });
    if (wide === 1 && (heads > 1 || across > 1)) {
      const tops = Array.from({ length: down }, (_, block) => ({
        first: block * (high + gapY), last: block * (high + gapY) + high,
        marks: list(Math.min(across, layers - block * across), (i) => {
          const row = rowAt(block * across + i);
          return { ...number(i, numberOf(row)), row };
        }),
      }));
      const marks = Array.from({ length: down }, (_, block) => list(heads, (i) => number(block * (high + gapY) + i, i))).flat();
      const rules = Array.from({ length: down }, (_, block) => list(heads / group - 1, (i) => (
        { row: block * (high + gapY) + (i + 1) * group, first: 0, last: Math.min(across, layers - block * across) }
      ))).flat();
      const seams = foldedSeams(grid).map(({ before, ...seam }) => {
        const block = Math.min(down - 1, Math.floor(before / across));
        const top = block * (high + gapY);
        return { ...seam, at: before - block * across, first: top, last: top + high, upright: true };
      });
      return { tops, sides: [{ first: 0, last: columns, marks }], rules, bars: [], gaps: seams, along: "layer →", down: "head ↓", short: false };
    }
    const blocks = Array.from({ length: across }, (_, block) => (
      { left: block * (wide + gapX), layers: Math.min(down, layers - block * down) }
    ));
    const sides = blocks.map(({ left, layers: some }, block) => ({
      first: left, last: left + wide, marks: list(some, (i) => (
        { at: i * high, text: String(numberOf(rowAt(block * down + i))), wide: high, row: rowAt(block * down + i) }
      )),
    }));
    const whole = high === 1;
    const tops = whole ? [{ first: 0, last: rows, marks: blocks.flatMap(({ left }) => list(wide, (i) => number(left + i, i))) }] : [];
    const rules = whole ? [] : blocks.flatMap(({ left, layers: some }) =>
      Array.from({ length: some - 1 }, (_, i) => ({ row: (i + 1) * high, first: left, last: left + wide })));
    const bars = blocks.flatMap(({ left, layers: some }) => list(Math.max(0, wide / group - 1), (i) => (
      { column: left + (i + 1) * group, first: 0, last: some * high }
    )));
    const seams = foldedSeams(grid).map(({ before, ...seam }) => {
      const block = Math.min(across - 1, Math.floor(before / down));
      const { left } = blocks[block];
      return { ...seam, at: (before - block * down) * high, first: left, last: left + wide, upright: false };
    });
    const above = [...gaps.map(({ row, text }) => ({ at: row * high, first: 0, last: columns, upright: false, text, rows: [] })), ...seams];
    return { tops, sides, rules, bars, gaps: above, along: whole ? "head →" : "", down: "layer ↓", short: !whole };
  }

  /** Layers that are folded away, and how many of those that are not come before them. @param {Atlas.Grid} grid */
  function foldedSeams({ layers, shown }) {
    if (!shown) return [];
    const away = list(layers, (row) => row).filter((row) => !shown.includes(row));
    return runsOf(away).map(([first, last]) => {
      const rows = away.filter((row) => row >= first && row <= last);
      return { before: shown.filter((row) => row < first).length, rows, text: wordsOf(rows) };
    });
  }

  const api = { headingsOf };
  atlas.headings = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
