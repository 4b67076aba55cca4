/** Points outside the frame of their head: they stand at its edge. How many there are, and in which heads. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** Part of the way from the middle of a cell to its edge: beyond it there are only points from outside. */
  const { outside: OUTSIDE } = globalThis.atlasTables.frames;
  const LEAST = Math.floor((1 - OUTSIDE) * 32767.5);
  const MOST = Math.ceil((1 + OUTSIDE) * 32767.5);

  /** Does a stored point stand at the edge? @param {Uint16Array} values @param {number} at  of its first value @param {number} dims */
  function isOutside(values, at, dims) {
    for (let axis = at; axis < at + dims; axis++) if (values[axis] <= LEAST || values[axis] >= MOST) return true;
    return false;
  }

  /** A disc or a key's triangle about the origin, as corners. @param {number} size @param {boolean} isKey */
  const corners = (size, isKey) => Array.from({ length: isKey ? 3 : 24 }, (_, i) => {
    const angle = (2 * Math.PI * i) / (isKey ? 3 : 24) - Math.PI / 2;
    const radius = isKey ? 0.69 * size : size / 2;
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
  });

  /**
   * The mark of a point outside, on a context's path: its shape without the half on the side where the way leads on.
   * @param {CanvasRenderingContext2D} c @param {Atlas.Point} at @param {number} size @param {boolean} isKey
   * @param {{middleX: number, middleY: number}} view  of the head
   */
  function tracePart(c, at, size, isKey, view) {
    const way = { x: at.x - view.middleX, y: at.y - view.middleY };
    /** @param {Atlas.Point} p */
    const along = (p) => p.x * way.x + p.y * way.y;
    const shape = corners(size, isKey);
    /** @type {Atlas.Point[]} */
    const kept = [];
    shape.forEach((p, i) => {
      const next = shape[(i + 1) % shape.length];
      const [here, there] = [along(p), along(next)];
      if (here <= 0) kept.push(p);
      if (here * there < 0) {
        const t = here / (here - there);
        kept.push({ x: p.x + t * (next.x - p.x), y: p.y + t * (next.y - p.y) });
      }
    });
    c.beginPath();
    kept.forEach((p, i) => (i ? c.lineTo(at.x + p.x, at.y + p.y) : c.moveTo(at.x + p.x, at.y + p.y)));
    c.closePath();
  }

  /** Of each cell of a block, counted once. @type {WeakMap<Atlas.Block, Uint32Array>} */
  const counted = new WeakMap();

  /** Points outside, cell after cell of a block. @param {Atlas.Block} block */
  function countsOf(block) {
    const known = counted.get(block);
    if (known) return known;
    const counts = new Uint32Array(block.cells);
    const { values, count, dims } = block;
    for (let cell = 0, at = 0; cell < block.cells; cell++) {
      for (let point = 0; point < count; point++, at += dims) if (isOutside(values, at, dims)) counts[cell]++;
    }
    counted.set(block, counts);
    return counts;
  }

  /**
   * Points outside, of the open head, or of each head (-1), as far as positions are there.
   * @param {Atlas.PositionSet} set @param {number} open
   * @returns {Atlas.Outside}
   */
  function outsideOf(set, open) {
    const cells = open < 0 ? set.client.cells : 1;
    const totals = new Uint32Array(cells);
    for (let chunk = 0; chunk < set.wanted(open); chunk++) {
      const block = set.blockOf(chunk, open);
      const counts = block && countsOf(block);
      for (let cell = 0; counts && cell < cells; cell++) totals[cell] += counts[(open < 0 ? cell : open) - block.firstCell];
    }
    return { points: totals.reduce((sum, count) => sum + count, 0), heads: totals.filter((count) => count > 0).length, open: open >= 0 };
  }

  const api = { OUTSIDE, isOutside, outsideOf, tracePart };
  atlas.edge = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
