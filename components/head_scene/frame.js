/** One picture of the points, described for a renderer: what to draw, where, how large and in which colours. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");
  const { thumbnailsOf, headsInView } = atlas.thumbnails || require("./thumbnails.js");
  const { shareInView } = atlas.inView || require("./in_view.js");
  const { pointDiameter, pointAlpha } = atlas.draw || require("./draw.js");

  /** Points of one call: splits the matrix of very many heads. Beyond 4 million some drivers fail (KhronosGroup/WebGL #3402). */
  const MOST_A_RUN = 400_000;
  /** More lit points than these of thousands of heads are not drawn while the picture is moved by hand. */
  const MOST_MOVED_LIT = 20_000;
  /** The point size that leaves patches as they are. */
  const DEFAULT_POINT = 6;

  /**
   * Diameter of a point, CSS px.
   * @param {Atlas.View} view @param {Atlas.Points} points
   * @param {number|null|undefined} wished  of a point of a head that fills the view
   */
  function diameter(view, points, wished) {
    const { set, client, count } = points;
    const inView = set && set.inView && !view.isOpen ? shareInView(headsInView(view), count) : 0;
    const some = inView || (set && client ? set.wanted(view.open) * client.payload.chunk : count);
    const shown = Math.min(count, some) || count;
    const fitted = view.fittedScale;
    const auto = pointDiameter(view.camera.value.scale, shown, fitted);
    if (!wished) return auto;
    return Math.max(1, (auto * wished) / pointDiameter(fitted, shown, fitted));
  }

  /** Sides of patches, CSS px: so many in a cell that they can be told apart, and never larger than LARGEST. */
  const LARGEST_PATCH = 44;
  /** How often the area of a cell is covered by patches, before more of them would only hide each other. */
  const COVER = 1.25;

  /**
   * How patches are drawn: their side in CSS px, and of how many slots; null where points are points.
   * @param {Atlas.View} view @param {Atlas.SceneData} data @param {number|null|undefined} wished  as of `diameter`
   * @returns {Atlas.FramePatches|null}
   */
  function patchesOf(view, { sheet, points }, wished) {
    const { facts, image } = sheet;
    if (!facts || !image) return null;
    const cell = view.camera.value.scale;
    const auto = Math.min(LARGEST_PATCH, Math.max(3.5, 0.026 * cell + 2.4));
    const size = wished ? Math.max(2, (auto * wished) / DEFAULT_POINT) : auto;
    const most = Math.min(points.count, Math.max(40, Math.floor(COVER * (cell / size) ** 2)));
    const down = Math.ceil(image.height / facts.cell);
    return { form: sheet.form, size, most, cell: facts.cell, across: facts.across, down };
  }

  /**
   * In 3D points hide each other by depth, so they are opaque; beside highlights they fade, crowds more.
   * @param {Atlas.View} view @param {Atlas.Points} points @param {boolean} marked @param {number} size  CSS px
   * @param {boolean} [probing]  probes lie among them @param {number} [density]  of points in view, a px²; 0: unknown
   */
  function opacity(view, points, marked, size, probing = false, density = 0) {
    const crowd = pointAlpha(view.camera.value.scale, points.count, size, density);
    if (probing) return 0.5 * crowd;
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
   *   pointSize: number|null|undefined, crowd?: Atlas.Crowd, ghostCell?: number}} parts  `allHeads`: the renderer can draw the matrix
   * @param {{colours: Atlas.Colours, shades: Atlas.Shades, ratio: number}} look  ratio: device px a CSS px
   * @returns {Atlas.Frame}
   */
  function makeFrame({ view, data, textures, mix, allHeads, pointSize, crowd, ghostCell = -1 }, { colours, shades, ratio }) {
    const { points, highlights, inView } = data;
    const { set, client } = points;
    const { open, isOpen } = view;
    const origin = view.origin();
    const scale = view.camera.value.scale;
    const patches = patchesOf(view, data, pointSize);
    const size = patches ? patches.size : diameter(view, points, pointSize);
    const marked = highlights.active;
    const probing = !marked && data.probes.active;
    const chunkSize = client ? client.payload.chunk : 1;
    const thumbnails = allHeads && !patches ? thumbnailsOf(view, data, shades) : null;
    const alone = thumbnails !== null && thumbnails.alone;
    const passing = view.openness.value > 0;
    // Of thousands of heads in one piece each: the points of those in view.
    const seen = inView.active && !passing;
    const perRun = seen ? inView.sample.per || 1 : Math.min(points.count, chunkSize);
    const runs = set && (!alone || passing) ? frameRuns(view, perRun) : [];
    const gather = () => {
      if (isOpen) return textures.gather(open, 1, open);
      if (inView.active) {
        const heavy = data.thumbnails.touched && inView.slots.length * headsInView(view) > MOST_MOVED_LIT;
        return heavy ? null : textures.gatherInView();
      }
      return allHeads && client ? textures.gather(0, client.cells, open) : null;
    };
    const wanted = () => (!set ? 0 : seen ? 1 : set.wanted(open));
    const blocksOf = (/** @type {number} */ chunk) => {
      if (seen) return inView.blocks;
      const block = points.set && points.set.blockOf(chunk, view.open);
      return block ? [block] : null;
    };
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
      thumbnails,
      // Of a head that opens the points are there, whatever the others are drawn as.
      runs: alone ? runs.slice(-1) : runs,
      chunks: points.order && (!alone || passing) ? wanted() : 0,
      chunkSize,
      blocksOf,
      previousOf: (chunk) => (points.previous ? points.previous.blockOf(chunk, view.open) : null),
      mix,
      passing: view.passing,
      patches,
      size: size * ratio,
      alpha: opacity(view, points, marked, size, probing, crowd ? crowd.density() : 0),
      muted: marked ? 0.8 : probing ? 0.3 : 0,
      headRows: textures.headRows,
      brushed: data.brush.active,
      brushRows: textures.brushRows,
      sizedCell: data.colours.sizes ? data.colours.sizes.cell : -1,
      highlight: marked ? gather() : null,
      ghost: isOpen && ghostCell >= 0 && view.openness.value >= 1 ? textures.gatherGhost(ghostCell, open) : null,
      highlightRuns: isOpen ? [{ first: open, count: 1 }] : view.runs(Infinity),
      highlightSize: Math.max(3.6, patches ? size * 1.1 + 1 : size * 1.35 + 1.1) * ratio,
      highlightRim: size > 3 ? ratio : 0,
      colours: shades,
      cellColour: colours.cell,
      fadedColour: colours.faded,
      fill: view.openness.value,
    };
  }

  const api = { makeFrame, diameter, opacity, patchesOf };
  atlas.frame = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
