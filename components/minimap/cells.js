/** Cells of the minimap: which head lies where, and which is next. Pure. */
(function (/** @type {Atlas.MinimapScripts} */ atlas) {
  /** px, the longer side of the map at most */
  const WIDEST = 132;
  const LARGEST = 10;

  /** @type {Record<string, [number, number]>} */
  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  /** @typedef {{layers: number, heads: number}} Matrix */

  /** Side of a cell, px. @param {Matrix} matrix */
  const cellSide = ({ layers, heads }) => Math.min(LARGEST, WIDEST / heads, WIDEST / layers);

  /** px between two cells of a side */
  const gapOf = (/** @type {number} */ side) => (side > 5 ? 1.5 : side > 2.5 ? 0.6 : 0);

  /** The head at a place, or null beside the map. @param {Matrix} matrix @param {number} x @param {number} y @returns {Atlas.Head|null} */
  function headAt(matrix, x, y) {
    const side = cellSide(matrix);
    const [layer, head] = [Math.floor(y / side), Math.floor(x / side)];
    return layer >= 0 && head >= 0 && layer < matrix.layers && head < matrix.heads ? { layer, head } : null;
  }

  /** The head one key further, the same at the edge; null for a key that is no step.
   * @param {Matrix} matrix @param {Atlas.Head} from @param {string} key @returns {Atlas.Head|null} */
  function stepped(matrix, from, key) {
    const step = STEPS[key];
    if (!step) return null;
    const within = (/** @type {number} */ value, /** @type {number} */ count) => Math.min(count - 1, Math.max(0, value));
    return { layer: within(from.layer + step[0], matrix.layers), head: within(from.head + step[1], matrix.heads) };
  }

  /** @param {Atlas.Head|null|undefined} a @param {Atlas.Head|null|undefined} b */
  const isSame = (a, b) => (a && b ? a.layer === b.layer && a.head === b.head : !a && !b);

  const api = { cellSide, gapOf, headAt, stepped, isSame };
  atlas.cells = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_minimap ??= {}));
