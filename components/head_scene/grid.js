/**
 * Cell arithmetic of the matrix of heads: world coordinates in which one cell is one unit square, columns are heads
 * (x rightwards) and rows are layers (y downwards). Cell i is head i % columns of layer i / columns.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** Part of a cell left free on each side. */
  const GAP = 0.06;

  /**
   * The grid with its cells in another order, or in their own for anything that is no permutation of them.
   * @param {Atlas.Grid} grid @param {unknown} order @returns {Atlas.Grid}
   */
  function ordered({ rows, columns }, order) {
    const count = rows * columns;
    if (!Array.isArray(order) || order.length !== count) return { rows, columns };
    const places = new Array(count).fill(-1);
    order.forEach((cell, place) => { if (Number.isInteger(cell) && cell >= 0 && cell < count) places[cell] = place; });
    if (places.includes(-1) || order.every((cell, place) => cell === place)) return { rows, columns };
    return { rows, columns, order: [...order], places };
  }

  /** The cell at a place, counted row by row. @param {Atlas.Grid} grid @param {number} place */
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
    const inside = column >= 0 && row >= 0 && column < grid.columns && row < grid.rows;
    return inside ? cellOf(grid, row * grid.columns + column) : -1;
  }

  /** The cell whose centre is nearest to a world point, also outside the grid.
   * @param {Atlas.Grid} grid @param {number} x @param {number} y */
  function nearestCell(grid, x, y) {
    const column = Math.min(grid.columns - 1, Math.max(0, Math.floor(x)));
    const row = Math.min(grid.rows - 1, Math.max(0, Math.floor(y)));
    return cellOf(grid, row * grid.columns + column);
  }

  /** Where a cell lies. @returns {{column: number, row: number}} @param {Atlas.Grid} grid @param {number} cell */
  function cellPlace(grid, cell) {
    const place = placeOf(grid, cell);
    return { column: place % grid.columns, row: Math.floor(place / grid.columns) };
  }

  /** Which head a cell is, wherever it lies. @returns {{layer: number, head: number}}
   * @param {Atlas.Grid} grid @param {number} cell */
  function headOf(grid, cell) {
    return { layer: Math.floor(cell / grid.columns), head: cell % grid.columns };
  }

  /** The neighbour of a cell, or the cell itself at the edge.
   * @param {Atlas.Grid} grid @param {number} cell @param {number} dColumn @param {number} dRow */
  function neighbour(grid, cell, dColumn, dRow) {
    const { column, row } = cellPlace(grid, cell);
    const toColumn = Math.min(grid.columns - 1, Math.max(0, column + dColumn));
    const toRow = Math.min(grid.rows - 1, Math.max(0, row + dRow));
    return cellOf(grid, toRow * grid.columns + toColumn);
  }

  /**
   * Runs of consecutive cells inside a world rectangle, whole rows merged, none longer than `longest` cells.
   * @param {Atlas.Grid} grid
   * @param {Atlas.Bounds} bounds
   * @param {number} longest
   * @returns {Atlas.Run[]}
   */
  function visibleRuns(grid, bounds, longest) {
    const c0 = Math.max(0, Math.floor(bounds.left));
    const c1 = Math.min(grid.columns - 1, Math.floor(bounds.right));
    const r0 = Math.max(0, Math.floor(bounds.top));
    const r1 = Math.min(grid.rows - 1, Math.floor(bounds.bottom));
    if (c1 < c0 || r1 < r0) return [];
    const whole = c0 === 0 && c1 === grid.columns - 1;
    if (whole) return cellRuns(grid, r0 * grid.columns, (r1 - r0 + 1) * grid.columns, longest);
    const runs = [];
    for (let row = r0; row <= r1; row++) {
      runs.push(...cellRuns(grid, row * grid.columns + c0, c1 - c0 + 1, longest));
    }
    return runs;
  }

  /** Consecutive places as runs of cells that are consecutive too, in one row by number and by place.
   * @param {Atlas.Grid} grid @param {number} first @param {number} count @param {number} longest @returns {Atlas.Run[]} */
  function cellRuns(grid, first, count, longest) {
    if (!grid.order) return splitRun(first, count, longest);
    /** @type {Atlas.Run[]} */
    const runs = [];
    for (let place = first; place < first + count; place++) {
      const cell = grid.order[place];
      const last = runs[runs.length - 1];
      const sameRow = cell % grid.columns > 0 && place % grid.columns > 0;
      if (last && sameRow && cell === last.first + last.count && last.count < longest) last.count++;
      else runs.push({ first: cell, count: 1 });
    }
    return runs;
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

  /** @param {number} layer @param {number} head */
  const headName = (layer, head) => `L${layer} H${head}`;

  /** @param {Atlas.Grid} grid @param {number} cell */
  function cellName(grid, cell) {
    const { layer, head } = headOf(grid, cell);
    return headName(layer, head);
  }

  const api = { GAP, cellAt, nearestCell, cellPlace, cellOf, headOf, ordered, neighbour, visibleRuns, headName, cellName };
  atlas.grid = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
