/**
 * How points crowd: counts on a grid, smoothed; the levels within which a share of the points lies, and outlines of them.
 * Grids are rows of cells in one array, from the top left.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /**
   * Counts of points on a grid; points outside are left out.
   * @param {ArrayLike<number>} places  x, y, x, y … in cells of the grid
   * @param {number} columns @param {number} rows
   */
  function counted(places, columns, rows) {
    const grid = new Float32Array(columns * rows);
    for (let i = 0; i < places.length; i += 2) {
      const [x, y] = [Math.floor(places[i]), Math.floor(places[i + 1])];
      if (x >= 0 && y >= 0 && x < columns && y < rows) grid[y * columns + x] += 1;
    }
    return grid;
  }

  /** Three means over a window come close to a normal distribution (the central limit theorem), at the cost of one sum each. */
  const PASSES = 3;

  /**
   * @param {Float32Array} from @param {Float32Array} to
   * @param {number} count @param {number} first @param {number} step @param {number} radius
   */
  function means(from, to, count, first, step, radius) {
    let sum = 0;
    const width = 2 * radius + 1;
    for (let i = -radius; i < count; i++) {
      if (i + radius < count) sum += from[first + (i + radius) * step];
      if (i - radius - 1 >= 0) sum -= from[first + (i - radius - 1) * step];
      if (i >= 0) to[first + i * step] = sum / width;
    }
  }

  /**
   * A grid smoothed both ways; what would leave it is lost.
   * @param {Float32Array} grid @param {number} columns @param {number} rows @param {number} radius  cells
   */
  function smoothed(grid, columns, rows, radius) {
    const [now, next] = [Float32Array.from(grid), new Float32Array(grid.length)];
    for (let pass = 0; pass < PASSES && radius > 0; pass++) {
      for (let y = 0; y < rows; y++) means(now, next, columns, y * columns, 1, radius);
      for (let x = 0; x < columns; x++) means(next, now, rows, x, columns, radius);
    }
    return now;
  }

  /**
   * The density above which lies a share of the points: inside its outline is the smallest area that holds them
   * (highest density region; Hyndman 1996).
   * @param {Float32Array} grid  densities @param {number} share  0..1
   */
  function levelOf(grid, share) {
    const sorted = Float32Array.from(grid).sort();
    let total = 0;
    for (const value of sorted) total += value;
    let inside = 0;
    for (let i = sorted.length - 1; i >= 0; i--) {
      inside += sorted[i];
      if (inside >= share * total) return sorted[i];
    }
    return 0;
  }

  /** Of each cell of a grid, the share of points where it is no denser: 0 in the emptiest, 1 in the densest. @param {Float32Array} grid */
  function ranks(grid) {
    const order = Uint32Array.from(grid, (_, i) => i).sort((a, b) => grid[a] - grid[b]);
    const found = new Float32Array(grid.length);
    let total = 0;
    for (const value of grid) total += value;
    let below = 0;
    for (const i of order) {
      below += grid[i];
      found[i] = total > 0 && grid[i] > 0 ? below / total : 0;
    }
    return found;
  }

  /** Where the sides of a square of four middles of cells are crossed, by which of its corners are inside (marching squares). */
  const CROSSED = [
    [], [3, 0], [0, 1], [3, 1], [1, 2], [3, 0, 1, 2], [0, 2], [3, 2],
    [2, 3], [0, 2], [0, 1, 2, 3], [1, 2], [1, 3], [0, 1], [0, 3], [],
  ];
  /** A place on a side, given where between its ends: top, right, bottom, left. @type {Array<(t: number) => [number, number]>} */
  const SIDES = [(t) => [t, 0], (t) => [1, t], (t) => [t, 1], (t) => [0, t]];

  /**
   * The outline of what is at least as dense as a level: pieces of line x0, y0, x1, y1 … in cells of the grid.
   * @param {Float32Array} grid @param {number} columns @param {number} rows @param {number} level
   * @returns {number[]}
   */
  function outline(grid, columns, rows, level) {
    /** Beyond the grid nothing lies, so that outlines close. @param {number} x @param {number} y */
    const at = (x, y) => (x < 0 || y < 0 || x >= columns || y >= rows ? 0 : grid[y * columns + x]);
    /** @param {number} a @param {number} b  where between two values the level lies */
    const part = (a, b) => (a === b ? 0.5 : (level - a) / (b - a));
    /** @type {number[]} */
    const found = [];
    for (let y = -1; y < rows; y++) {
      for (let x = -1; x < columns; x++) {
        const [a, b, c, d] = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
        const sides = CROSSED[(a >= level ? 1 : 0) + (b >= level ? 2 : 0) + (c >= level ? 4 : 0) + (d >= level ? 8 : 0)];
        const parts = [part(a, b), part(b, c), part(d, c), part(a, d)];
        for (const side of sides) {
          const [dx, dy] = SIDES[side](parts[side]);
          found.push(x + dx + 0.5, y + dy + 0.5);
        }
      }
    }
    return found;
  }

  const api = { counted, smoothed, levelOf, ranks, outline };
  atlas.density = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
