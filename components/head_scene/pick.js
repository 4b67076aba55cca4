/**
 * Where the points of one head are on the screen, and which one is nearest to the pointer. Brute force: 0.1–0.2 ms
 * for 10,000 points, which no index repays.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const camera = atlas.camera || require("./camera.js");
  const { isOutside } = atlas.edge || require("./edge.js");

  /** @param {Atlas.HeadView} view @param {Uint16Array} values @param {number} at  index of the point's first value
   * @returns {Atlas.Place} */
  function place(view, values, at) {
    const x = values[at] / 32767.5 - 1;
    const y = values[at + 1] / 32767.5 - 1;
    const outside = isOutside(values, at, view.dims);
    if (view.dims === 2) return { x: view.middleX + x * view.half, y: view.middleY - y * view.half, depth: 0, near: 1, outside };
    const p = camera.projectCube(view.matrix, x, y, values[at + 2] / 32767.5 - 1);
    return { x: view.middleX + p.x * view.half, y: view.middleY - p.y * view.half, depth: p.depth, near: p.near, outside };
  }

  /**
   * The slot nearest to a place within a radius, or -1. In 3D the nearer of two close points wins.
   * @param {Atlas.HeadView} view
   * @param {Array<{values: Uint16Array, start: number, count: number}|null>} chunks  `start`: first value of the head
   * @param {number} chunkSize @param {number} x @param {number} y @param {number} radius  px
   * @param {(slot: number) => boolean} [accepts]
   */
  function nearest(view, chunks, chunkSize, x, y, radius, accepts) {
    let best = -1;
    let bestScore = radius * radius;
    for (let c = 0; c < chunks.length; c++) {
      const chunk = chunks[c];
      if (!chunk) continue;
      for (let j = 0; j < chunk.count; j++) {
        const at = chunk.start + j * view.dims;
        const score = view.dims === 2
          ? flatDistance(view, chunk.values, at, x, y)
          : deepDistance(view, chunk.values, at, x, y, radius);
        if (score < bestScore && (!accepts || accepts(c * chunkSize + j))) {
          bestScore = score;
          best = c * chunkSize + j;
        }
      }
    }
    return best;
  }

  /**
   * Slots of the other points that lie at exactly a slot's place: equal vectors are one place.
   * @param {Array<{values: Uint16Array, start: number, count: number}|null>} chunks @param {number} dims
   * @param {number} chunkSize @param {number} slot @param {(slot: number) => boolean} accepts
   */
  function copies(chunks, dims, chunkSize, slot, accepts) {
    const own = chunks[Math.floor(slot / chunkSize)];
    /** @type {number[]} */
    const found = [];
    if (!own) return found;
    const from = own.start + (slot % chunkSize) * dims;
    chunks.forEach((chunk, c) => {
      for (let j = 0; chunk && j < chunk.count; j++) {
        const at = chunk.start + j * dims;
        let d = 0;
        while (d < dims && chunk.values[at + d] === own.values[from + d]) d++;
        if (d === dims && c * chunkSize + j !== slot && accepts(c * chunkSize + j)) found.push(c * chunkSize + j);
      }
    });
    return found;
  }

  /** @param {Atlas.HeadView} view @param {Uint16Array} values @param {number} at @param {number} x @param {number} y */
  function flatDistance(view, values, at, x, y) {
    const dx = view.middleX + (values[at] / 32767.5 - 1) * view.half - x;
    const dy = view.middleY - (values[at + 1] / 32767.5 - 1) * view.half - y;
    return dx * dx + dy * dy;
  }

  /**
   * @param {Atlas.HeadView} view @param {Uint16Array} values @param {number} at @param {number} x @param {number} y
   * @param {number} radius
   */
  function deepDistance(view, values, at, x, y, radius) {
    const p = place(view, values, at);
    const dx = p.x - x;
    const dy = p.y - y;
    const squared = dx * dx + dy * dy;
    if (squared >= radius * radius) return Infinity;
    return squared * (1.2 - 0.4 * p.depth);
  }

  const api = { place, nearest, copies };
  atlas.pick = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
