/**
 * Where the heads of a model lie in the matrix: in which rows and columns cells are largest in the room there is.
 * A layer is a block, `wide` heads in a row; blocks lie `across` beside each other. One layer a row is the matrix as
 * one knows it (wide: all heads, across: 1), one layer a column its transpose (wide: 1, across: all layers); between
 * and beyond are folded ones.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** Cells are at least so large where the matrix rests, CSS px: a finger's width. What then finds no room is scrolled to. */
  const LEAST = 44;
  /** How much larger a fold must make cells to be worth its reading: whole layers beside each other, layers of several rows. */
  const WORTH = { whole: 1.1, broken: 1.4 };

  /**
   * @typedef {{layers: number, heads: number, group: number, gaps?: Atlas.Gap[], away?: number[]}} Matrix  group: heads that
   *   share a key head; gaps: layers without attention, for whose names rows are wanted; away: layers that are folded away
   * @typedef {{wide: number, across: number}} Fold
   */

  /** Places of a fold, with one free between blocks that need a heading of their own. @param {Matrix} matrix @param {Fold} fold */
  function shapeOf({ layers, heads }, { wide, across }) {
    const high = heads / wide;
    const down = Math.ceil(layers / across);
    const gapX = wide > 1 && across > 1 ? 1 : 0;
    const gapY = wide === 1 && down > 1 ? 1 : 0;
    return { high, down, gapX, gapY, columns: across * (wide + gapX) - gapX, rows: down * (high + gapY) - gapY };
  }

  /** The plain matrix first, its transpose, and the others: rows of whole groups, so that these stand together.
   * @param {Matrix} matrix @returns {Fold[]} */
  function foldsOf({ layers, heads, group, gaps }) {
    const simple = [{ wide: heads, across: 1 }, { wide: 1, across: layers }];
    const others = [];
    for (let wide = heads; wide >= 1; wide--) {
      if (heads % wide || (wide > 1 && wide % group)) continue;
      for (let across = 1; across <= layers; across++) {
        // Blocks of equal height: 29 across 30 layers would leave 28 places bare.
        if (across === Math.ceil(layers / Math.ceil(layers / across))) others.push({ wide, across });
      }
    }
    // Rows of layers without attention lie between layers that stand below each other.
    const all = [...simple, ...others];
    return gaps?.length ? all.filter(({ wide, across }) => across === 1 && (wide > 1 || heads === 1)) : all;
  }

  /** px a cell where all find room. @param {{columns: number, rows: number}} shape @param {Atlas.Size} room */
  const scaleOf = ({ columns, rows }, room) => Math.min(room.width / columns, room.height / rows);

  /** @param {Matrix} matrix @param {Atlas.Size} room  CSS px @param {number} least  px a cell @returns {Fold} */
  function foldFor(matrix, room, least) {
    const folds = foldsOf(matrix);
    let best = folds[0];
    let most = 0;
    const worth = (/** @type {Fold} */ fold) =>
      fold === folds[0] || fold === folds[1] ? 1 : fold.wide === 1 || fold.wide === matrix.heads ? WORTH.whole : WORTH.broken;
    for (const fold of folds) {
      const scale = scaleOf(shapeOf(matrix, fold), room);
      if (scale >= least && scale / worth(fold) > most * 1.001) [best, most] = [fold, scale / worth(fold)];
    }
    if (most) return best;
    // None has room: one scrolls down, never sideways. The fewest rows among those that are not too wide.
    let fewest = Infinity;
    for (const fold of folds) {
      const { columns, rows } = shapeOf(matrix, fold);
      if (columns * least <= room.width && rows * worth(fold) < fewest) [best, fewest] = [fold, rows * worth(fold)];
    }
    return best;
  }

  /** @param {Matrix} matrix @param {Fold} fold @returns {Atlas.Grid} */
  function folded(matrix, fold) {
    const { layers, heads, group } = matrix;
    const { wide, across } = fold;
    const shape = shapeOf(matrix, fold);
    const { columns, rows, high, down, gapX, gapY } = shape;
    const plain = wide === heads && across === 1;
    const named = { ...(matrix.gaps?.length ? { gaps: matrix.gaps } : {}), ...(group > 1 ? { group } : {}) };
    if (plain) return { layers, heads, columns, rows, fold, ...named };
    const order = new Array(columns * rows).fill(-1);
    const places = new Array(layers * heads);
    for (let layer = 0; layer < layers; layer++) {
      // Columns of layers are read along, blocks of rows down and then beside, as columns of a newspaper are.
      const [bx, by] = wide === 1 ? [layer % across, Math.floor(layer / across)] : [Math.floor(layer / down), layer % down];
      for (let head = 0; head < heads; head++) {
        const column = bx * (wide + gapX) + (head % wide);
        const row = by * (high + gapY) + Math.floor(head / wide);
        const place = row * columns + column;
        order[place] = layer * heads + head;
        places[layer * heads + head] = place;
      }
    }
    return { layers, heads, columns, rows, fold, order, places, ...named };
  }

  /** Rows between some heads and the others, which lie out of sight below them until one of them is opened. */
  const BELOW = 60;

  /** The layers that are not folded away, arranged as if they were all; the others lie out of sight below them.
   * @param {Matrix} matrix @param {Atlas.Size|null} room @param {number} least @returns {Atlas.Grid} */
  function withoutFolded(matrix, room, least) {
    const { layers, heads, gaps, away = [] } = matrix;
    const shown = Array.from({ length: layers }, (_, row) => row).filter((row) => !away.includes(row));
    const moved = gaps?.map(({ row, text }) => ({ row: shown.filter((other) => other < row).length, text }));
    const made = arrange({ ...matrix, layers: shown.length, gaps: moved, away: [] }, null, room, least);
    const { columns, rows } = made;
    const cells = made.order || Array.from({ length: columns * rows }, (_, place) => place);
    const order = cells.map((cell) => (cell < 0 ? -1 : shown[Math.floor(cell / heads)] * heads + (cell % heads)));
    const rest = away.flatMap((row) => Array.from({ length: heads }, (_, head) => row * heads + head));
    return { ...made, layers, shown, ...below(order, rest, layers * heads, columns, rows) };
  }

  /** Places with the others far below. @param {number[]} order @param {number[]} rest  cells @param {number} count  of all cells
   * @param {number} columns @param {number} rows */
  function below(order, rest, count, columns, rows) {
    const first = (rows + BELOW) * columns;
    const all = [...order, ...new Array(first - order.length).fill(-1), ...rest];
    while (all.length % columns) all.push(-1);
    /** @type {number[]} */
    const places = new Array(count).fill(-1);
    all.forEach((cell, place) => {
      if (cell >= 0) places[cell] = place;
    });
    return { order: all, places, reach: all.length / columns };
  }

  /** Heads in an order of their own, row by row, in as many columns as make cells largest.
   * @param {Matrix} matrix @param {number[]} sorted  cells, not all of them where only some are to be seen
   * @param {Atlas.Size} room @param {number} least @returns {Atlas.Grid} */
  function inOrder({ layers, heads }, sorted, room, least) {
    const count = sorted.length;
    let columns = 1;
    let most = 0;
    for (let some = 1; some <= count; some++) {
      const scale = scaleOf({ columns: some, rows: Math.ceil(count / some) }, room);
      if (scale > most) [columns, most] = [some, scale];
    }
    if (most < least) columns = Math.max(1, Math.min(count, Math.floor(room.width / least)));
    const rows = Math.ceil(count / columns);
    const order = [...sorted, ...new Array(rows * columns - count).fill(-1)];
    /** @type {number[]} */
    const places = new Array(layers * heads).fill(-1);
    sorted.forEach((cell, place) => (places[cell] = place));
    if (count === layers * heads) return { layers, heads, columns, rows, order, places, sorted: true };
    const rest = places.flatMap((place, cell) => (place < 0 ? [cell] : []));
    return { layers, heads, columns, rows, sorted: true, ...below(order, rest, layers * heads, columns, rows) };
  }

  /** Are they cells, each once, and not all in their own order?
   * @param {number} count @param {unknown} order @returns {order is number[]} */
  function isOrder(count, order) {
    if (!Array.isArray(order) || !order.length || order.length > count) return false;
    const seen = new Set(order.filter((cell) => Number.isInteger(cell) && cell >= 0 && cell < count));
    return seen.size === order.length && (order.length < count || order.some((cell, place) => cell !== place));
  }

  /**
   * @param {Matrix} matrix @param {unknown} order  of the cells, or of some: only these are seen; their own for anything else
   * @param {Atlas.Size|null} room  CSS px; null: one layer a row, whatever the room @param {number} least  px a cell
   * @returns {Atlas.Grid}
   */
  function arrange(matrix, order, room, least = LEAST) {
    const { layers, heads } = matrix;
    const own = room || { width: heads, height: layers };
    if (isOrder(layers * heads, order)) return inOrder(matrix, order, own, room ? least : 0);
    if (matrix.away?.length) return withoutFolded(matrix, room, least);
    return folded(matrix, room ? foldFor(matrix, room, least) : { wide: heads, across: 1 });
  }

  const api = { LEAST, arrange, shapeOf, foldFor };
  atlas.arrange = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
