/** One picture of the points, described for a renderer: what to draw, where, how large and in which colours. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");
  const { pointDiameter, pointAlpha } = atlas.draw || require("./draw.js");

  /** Points of one call: splits the matrix of very many heads. Beyond 4 million some drivers fail (KhronosGroup/WebGL #3402). */
  const MOST_A_RUN = 400_000;

  /**
   * Diameter of a point, CSS px.
   * @param {Atlas.View} view @param {Atlas.Points} points
   * @param {number|null|undefined} wished  of a point of a head that fills the view
   */
  function diameter(view, points, wished) {
    const { set, client, count } = points;
    const some = set && client ? set.wanted(view.open) * client.payload.chunk : count;
    const shown = Math.min(count, some) || count;
    const fitted = view.fittedScale;
    const auto = pointDiameter(view.camera.value.scale, shown, fitted);
    if (!wished) return auto;
    return Math.max(1, (auto * wished) / pointDiameter(fitted, shown, fitted));
  }

  /**
   * In 3D points hide each other by depth, so they are opaque; beside highlights they fade, crowds more.
   * @param {Atlas.View} view @param {Atlas.Points} points @param {boolean} marked @param {number} size  CSS px
   */
  function opacity(view, points, marked, size) {
    const crowd = pointAlpha(view.camera.value.scale, points.count, size);
    if (marked) return Math.max(view.isOpen ? 0.16 : 0.07, 0.3 * crowd * crowd);
    return points.dims === 3 ? 1 : crowd;
  }

  /** The head that is open or passes by, and the others as far as they can be seen. @param {Atlas.View} view @param {number} perRun */
  function frameRuns(view, perRun) {
    const one = { first: view.shown, count: 1, alpha: 1 };
    const openness = view.openness.value;
    if (openness >= 1) return [one];
    const others = view.runs(Math.max(1, MOST_A_RUN / perRun)).map((run) => ({ ...run, alpha: 1 - openness }));
    return openness > 0 ? [...others, one] : others;
  }

  /**
   * @param {{view: Atlas.View, data: Atlas.SceneData, textures: Atlas.Textures, mix: number, allHeads: boolean,
   *   pointSize: number|null|undefined}} parts  `allHeads`: the renderer can draw the matrix
   * @param {{colours: Atlas.Colours, shades: Atlas.Shades, ratio: number}} look  ratio: device px a CSS px
   * @returns {Atlas.Frame}
   */
  function makeFrame({ view, data, textures, mix, allHeads, pointSize }, { colours, shades, ratio }) {
    const { points, highlights } = data;
    const { set, client } = points;
    const { open, isOpen } = view;
    const origin = view.origin();
    const scale = view.camera.value.scale;
    const size = diameter(view, points, pointSize);
    const marked = highlights.active;
    const chunkSize = client ? client.payload.chunk : 1;
    const gather = () => (isOpen ? textures.gather(open, 1, open) : allHeads && client ? textures.gather(0, client.cells, open) : null);
    return {
      grid: view.grid,
      ratio,
      originX: origin.x * ratio,
      originY: origin.y * ratio,
      cell: scale * ratio,
      half: scale * (0.5 - grid.GAP) * ratio,
      dims: points.dims,
      matrix: view.rotation(),
      open: view.shown >= 0 && view.openness.value > 0 ? view.shown : -1,
      runs: set ? frameRuns(view, Math.min(points.count, chunkSize)) : [],
      chunks: set && points.order ? set.wanted(open) : 0,
      chunkSize,
      blockOf: (chunk) => (points.set ? points.set.blockOf(chunk, view.open) : null),
      previousOf: (chunk) => (points.previous ? points.previous.blockOf(chunk, view.open) : null),
      mix,
      passing: view.passing,
      size: size * ratio,
      alpha: opacity(view, points, marked, size),
      muted: marked ? 0.8 : 0,
      headRows: textures.headRows,
      sizedCell: data.colours.sizes ? data.colours.sizes.cell : -1,
      highlight: marked ? gather() : null,
      highlightRuns: isOpen ? [{ first: open, count: 1 }] : view.runs(Infinity),
      highlightSize: Math.max(3.6, size * 1.35 + 1.1) * ratio,
      highlightRim: size > 3 ? ratio : 0,
      colours: shades,
      cellColour: colours.cell,
      fadedColour: colours.faded,
      fill: view.openness.value,
    };
  }

  const api = { makeFrame, diameter, opacity };
  atlas.frame = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
