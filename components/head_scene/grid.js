/**
 * Cell arithmetic of the matrix of heads: cell i is head i % heads of layer i / heads, and lies at a place. Places are
 * counted row by row, each one unit square of world coordinates (x rightwards, y downwards); some may be empty (-1).
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @type {Atlas.ClientScripts["layers"]} */
  const { nameOf } = globalThis.atlas_client?.layers || require("../client/layers.js");

  /** Part of a cell left free on each side. */
  const GAP = 0.06;

  /** The cell at a place, -1 where there is none. @param {Atlas.Grid} grid @param {number} place */
  const cellOf = (grid, place) => (grid.order ? grid.order[place] : place);
  /** @param {Atlas.Grid} grid @param {number} cell */
  const placeOf = (grid, cell) => (grid.places ? grid.places[cell] : cell);

  /**
   * The cell under a world point, or -1 outside the grid.
   * @param {Atlas.Grid} grid @param {number} x @param {number} y
   */
  function cellAt(grid, x, y) {
    const column = Math.floor(x);
    const row = Math.floor(y);
    const inside = column >= 0 && row >= 0 && column < grid.columns && row < (grid.reach || grid.rows);
    return inside ? cellOf(grid, row * grid.columns + column) : -1;
  }

  /** The cell whose centre is nearest to a world point, also outside the grid.
   * @param {Atlas.Grid} grid @param {number} x @param {number} y */
  function nearestCell(grid, x, y) {
    const column = Math.min(grid.columns - 1, Math.max(0, Math.floor(x)));
    const row = Math.min(grid.rows - 1, Math.max(0, Math.floor(y)));
    const cell = cellOf(grid, row * grid.columns + column);
    if (cell >= 0) return cell;
    let [nearest, least] = [0, Infinity];
    for (let other = 0; other < grid.layers * grid.heads; other++) {
      const at = cellPlace(grid, other);
      if (at.row >= grid.rows) continue;
      const distance = Math.hypot(at.column + 0.5 - x, at.row + 0.5 - y);
      if (distance < least) [nearest, least] = [other, distance];
    }
    return nearest;
  }

  /** Where a cell lies. @returns {{column: number, row: number}} @param {Atlas.Grid} grid @param {number} cell */
  function cellPlace(grid, cell) {
    const place = placeOf(grid, cell);
    return { column: place % grid.columns, row: Math.floor(place / grid.columns) };
  }

  /** Which head a cell is, wherever it lies. @returns {{layer: number, head: number}}
   * @param {Atlas.Grid} grid @param {number} cell */
  function headOf(grid, cell) {
    return { layer: Math.floor(cell / grid.heads), head: cell % grid.heads };
  }

  /** The neighbour of a cell, over empty places, or the cell itself at the edge.
   * @param {Atlas.Grid} grid @param {number} cell @param {number} dColumn @param {number} dRow */
  function neighbour(grid, cell, dColumn, dRow) {
    let { column, row } = cellPlace(grid, cell);
    for (;;) {
      column += dColumn;
      row += dRow;
      if (column < 0 || row < 0 || column >= grid.columns || row >= grid.rows) return cell;
      const found = cellOf(grid, row * grid.columns + column);
      if (found >= 0) return found;
    }
  }

  /** So many heads and layers further, wherever that lies, or the cell itself where there is none.
   * @param {Atlas.Grid} grid @param {number} cell @param {number} heads @param {number} layers */
  function nextHead(grid, cell, heads, layers) {
    const at = headOf(grid, cell);
    const [layer, head] = [at.layer + layers, at.head + heads];
    const known = layer >= 0 && head >= 0 && layer < grid.layers && head < grid.heads;
    return known ? layer * grid.heads + head : cell;
  }

  /**
   * Cells inside a world rectangle, as runs of consecutive ones, none longer than `longest`.
   * @param {Atlas.Grid} grid
   * @param {Atlas.Bounds} bounds
   * @param {number} longest
   * @returns {Atlas.Run[]}
   */
  function visibleRuns(grid, bounds, longest) {
    const c0 = Math.max(0, Math.floor(bounds.left));
    const c1 = Math.min(grid.columns - 1, Math.floor(bounds.right));
    const r0 = Math.max(0, Math.floor(bounds.top));
    const r1 = Math.min((grid.reach || grid.rows) - 1, Math.floor(bounds.bottom));
    if (c1 < c0 || r1 < r0) return [];
    const all = c0 === 0 && r0 === 0 && c1 === grid.columns - 1 && r1 === (grid.reach || grid.rows) - 1;
    if (all) return splitRun(0, grid.layers * grid.heads, longest);
    const cells = [];
    for (let row = r0; row <= r1; row++) {
      for (let column = c0; column <= c1; column++) {
        const cell = cellOf(grid, row * grid.columns + column);
        if (cell >= 0) cells.push(cell);
      }
    }
    cells.sort((a, b) => a - b);
    /** @type {Atlas.Run[]} */
    const runs = [];
    for (const cell of cells) {
      const last = runs[runs.length - 1];
      if (last && cell === last.first + last.count) last.count++;
      else runs.push({ first: cell, count: 1 });
    }
    return runs.flatMap(({ first, count }) => splitRun(first, count, longest));
  }

  /** @param {number} first @param {number} count @param {number} longest */
  function splitRun(first, count, longest) {
    const runs = [];
    const step = Math.max(1, Math.floor(longest));
    for (let start = 0; start < count; start += step) {
      runs.push({ first: first + start, count: Math.min(step, count - start) });
    }
    return runs;
  }

  /** @param {Atlas.Grid} grid @param {number} cell @param {number[]} [numbers]  the model's, of layers; else the page's own */
  function cellName(grid, cell, numbers) {
    const { layer, head } = headOf(grid, cell);
    return nameOf(layer, head, numbers);
  }

  const api = { GAP, cellAt, nearestCell, cellPlace, cellOf, headOf, neighbour, nextHead, visibleRuns, cellName };
  atlas.grid = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
