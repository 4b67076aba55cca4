/**
 * Cell arithmetic of the matrix of heads: world coordinates in which one cell is one unit square, columns are heads
 * (x rightwards) and rows are layers (y downwards). Cell i is head i % columns of layer i / columns.
 */
(function (atlas) {
  /** Part of a cell left free on each side. */
  const GAP = 0.06;

  /** @typedef {{rows: number, columns: number}} Grid */

  /**
   * The cell under a world point, or -1 outside the grid.
   * @param {Grid} grid @param {number} x @param {number} y
   */
  function cellAt(grid, x, y) {
    const column = Math.floor(x);
    const row = Math.floor(y);
    const inside = column >= 0 && row >= 0 && column < grid.columns && row < grid.rows;
    return inside ? row * grid.columns + column : -1;
  }

  /** The cell whose centre is nearest to a world point, also outside the grid. */
  function nearestCell(grid, x, y) {
    const column = Math.min(grid.columns - 1, Math.max(0, Math.floor(x)));
    const row = Math.min(grid.rows - 1, Math.max(0, Math.floor(y)));
    return row * grid.columns + column;
  }

  /** @returns {{column: number, row: number}} */
  function cellPlace(grid, cell) {
    return { column: cell % grid.columns, row: Math.floor(cell / grid.columns) };
  }

  /** The neighbour of a cell, or the cell itself at the edge. */
  function neighbour(grid, cell, dColumn, dRow) {
    const { column, row } = cellPlace(grid, cell);
    const toColumn = Math.min(grid.columns - 1, Math.max(0, column + dColumn));
    const toRow = Math.min(grid.rows - 1, Math.max(0, row + dRow));
    return toRow * grid.columns + toColumn;
  }

  /**
   * Runs of consecutive cells inside a world rectangle, whole rows merged, none longer than `longest` cells.
   * @param {Grid} grid
   * @param {{left: number, top: number, right: number, bottom: number}} bounds
   * @param {number} longest
   * @returns {Array<{first: number, count: number}>}
   */
  function visibleRuns(grid, bounds, longest) {
    const c0 = Math.max(0, Math.floor(bounds.left));
    const c1 = Math.min(grid.columns - 1, Math.floor(bounds.right));
    const r0 = Math.max(0, Math.floor(bounds.top));
    const r1 = Math.min(grid.rows - 1, Math.floor(bounds.bottom));
    if (c1 < c0 || r1 < r0) return [];
    const whole = c0 === 0 && c1 === grid.columns - 1;
    if (whole) return splitRun(r0 * grid.columns, (r1 - r0 + 1) * grid.columns, longest);
    const runs = [];
    for (let row = r0; row <= r1; row++) {
      runs.push(...splitRun(row * grid.columns + c0, c1 - c0 + 1, longest));
    }
    return runs;
  }

  function splitRun(first, count, longest) {
    const runs = [];
    const step = Math.max(1, Math.floor(longest));
    for (let start = 0; start < count; start += step) {
      runs.push({ first: first + start, count: Math.min(step, count - start) });
    }
    return runs;
  }

  const headName = (layer, head) => `L${layer} H${head}`;

  /** @param {Grid} grid */
  function cellName(grid, cell) {
    const { column, row } = cellPlace(grid, cell);
    return headName(row, column);
  }

  atlas.grid = { GAP, cellAt, nearestCell, cellPlace, neighbour, visibleRuns, headName, cellName };
  if (typeof module !== "undefined") module.exports = atlas.grid;
})(typeof window === "undefined" ? {} : (window.atlas_head_scene = window.atlas_head_scene || {}));
