/** Draws points of consecutive cells: queries and keys, what is lit, ghosts, patches. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const shaders = atlas.shaders || require("./shaders.js");
  const camera = atlas.camera || require("./camera.js");
  const grid = atlas.grid || require("./grid.js");
  const { OUTSIDE } = atlas.edge || require("./edge.js");

  const [PLACES_UNIT, BRUSH_UNIT] = [7, 8];

  const FINE_FROM = 2.6;
  /** Part of a patch's colour that is the attribute's, where it lies over the picture: 145 of 255, as Yeh et al. 2023. */
  const TINT = 0.57;

  /** @typedef {InstanceType<Atlas.HeadSceneScripts["draw"]["Renderer"]>} Drawer */

  /**
   * @param {Drawer} renderer @param {Atlas.Frame} frame
   * @param {Atlas.Block} block @param {Atlas.Block|null} previous  where the points come from, while a projection changes
   * @param {{first: number, count: number, slot: number, points?: number}} run  points: of one head, all if left out
   * @param {Atlas.PointStyle} style @param {boolean} hits  they are highlights
   */
  function drawPoints(renderer, frame, block, previous, run, style, hits) {
    const { gl, gpu } = renderer;
    const deep = frame.dims === 3;
    const fine = style.size >= FINE_FROM * frame.ratio;
    const { patches } = frame;
    const shape = patches ? "PATCH" : fine ? "FINE" : "";
    const defines = [deep ? "DEEP" : "", shape, hits ? "HITS" : "", frame.brushed ? "BRUSH" : ""].filter(Boolean);
    const u = gpu.program(defines.join(), shaders.POINT_VERTEX, shaders.POINT_FRAGMENT, defines);
    ["index", "palette", "kind", style.slots || "hits", "sizes"].forEach((name, unit) => gpu.bindTexture(unit, name));
    if (patches) patchUniforms(renderer, u, patches, hits);
    if (frame.brushed) {
      gpu.bindTexture(BRUSH_UNIT, "brush");
      gl.uniform1i(u.uBrush, BRUSH_UNIT);
      gl.uniform1i(u.uBrushRows, frame.brushRows);
    }
    gl.uniform1i(u.uIndex, 0);
    gl.uniform1i(u.uPalette, 1);
    if (u.uKind) gl.uniform1i(u.uKind, 2);
    if (u.uHits) gl.uniform1i(u.uHits, 3);
    gl.uniform1i(u.uSizes, 4);
    gl.uniform1f(u.uBySize, frame.sizedCell === run.first && run.count === 1 ? 1 : 0);
    pointUniforms(renderer, u, frame, style);
    const place = grid.cellPlace(frame.grid, run.first);
    const placed = Boolean(frame.grid.places) && run.count > 1;
    gpu.bindTexture(PLACES_UNIT, "places");
    gl.uniform1i(u.uPlaces, PLACES_UNIT);
    gl.uniform1i(u.uPlaced, placed ? 1 : 0);
    gl.uniform1i(u.uPer, block.count);
    gl.uniform1i(u.uSlot, run.slot);
    gl.uniform1i(u.uHead, run.first);
    // Counted from the run's first cell: for a run of one, wherever it lies, from its number.
    const { columns } = frame.grid;
    if (placed) gl.uniform2i(u.uPlace, place.column, place.row);
    else gl.uniform2i(u.uPlace, run.first % columns, Math.floor(run.first / columns));
    // In double precision here: far into a head the matrix is millions of px wide.
    gl.uniform2f(u.uMiddle, frame.originX + (place.column + 0.5) * frame.cell, frame.originY + (place.row + 0.5) * frame.cell);
    gl.bindVertexArray(renderer.pointArray);
    const offset = (/** @type {Atlas.Block} */ b) => (run.first - b.firstCell) * b.count * b.dims * 2;
    gpu.bindBlock(block);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, block.dims, gl.UNSIGNED_SHORT, true, 0, offset(block));
    if (previous) {
      gpu.bindBlock(previous);
      gl.enableVertexAttribArray(1);
      gl.vertexAttribPointer(1, previous.dims, gl.UNSIGNED_SHORT, true, 0, offset(previous));
    } else {
      gl.disableVertexAttribArray(1);
    }
    gl.uniform1f(u.uMix, previous ? frame.mix : 1);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    if (deep) gl.enable(gl.DEPTH_TEST);
    else gl.disable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.drawArrays(gl.POINTS, 0, run.points || run.count * block.count);
  }

  /** @param {Drawer} renderer @param {Record<string, WebGLUniformLocation|null>} u
   * @param {Atlas.FramePatches} patches @param {boolean} hits */
  function patchUniforms({ gl, gpu }, u, patches, hits) {
    gpu.bindTexture(5, "patch");
    gpu.bindTexture(6, "sheet");
    gl.uniform1i(u.uPatch, 5);
    gl.uniform1i(u.uSheet, 6);
    gl.uniform1i(u.uAcross, patches.across);
    gl.uniform1i(u.uMost, hits ? 2 ** 30 : patches.most);
    gl.uniform2f(u.uSheetCells, patches.across, patches.down);
    gl.uniform1f(u.uSheetCell, patches.cell);
    gl.uniform1f(u.uBorder, patches.form === "border" || hits ? 1 : 0);
    gl.uniform1f(u.uTint, patches.form === "fill" ? TINT : 0);
  }

  /** @param {Drawer} renderer @param {Record<string, WebGLUniformLocation|null>} u
   * @param {Atlas.Frame} frame @param {Atlas.PointStyle} style */
  function pointUniforms({ gl, canvas }, u, frame, style) {
    gl.uniform1i(u.uColumns, frame.grid.columns);
    gl.uniform1i(u.uHeadRows, frame.headRows);
    gl.uniform2f(u.uViewport, canvas.width, canvas.height);
    gl.uniform1f(u.uCell, frame.cell);
    gl.uniform1f(u.uHalf, frame.half);
    gl.uniform1f(u.uSize, style.size);
    gl.uniform1f(u.uAlpha, style.alpha);
    gl.uniform1f(u.uMuted, style.muted);
    gl.uniform1f(u.uOutside, OUTSIDE);
    gl.uniform3fv(u.uMutedColour, frame.colours.faded);
    const [red, green, blue] = frame.colours.canvas;
    if (u.uRim) gl.uniform4f(u.uRim, red, green, blue, 1);
    if (u.uRimWidth) gl.uniform1f(u.uRimWidth, style.rim);
    if (u.uRotation) {
      gl.uniformMatrix3fv(u.uRotation, false, frame.matrix);
      gl.uniform1f(u.uEye, camera.EYE);
      gl.uniform1f(u.uShrink, camera.SHRINK);
    }
  }

  const api = { drawPoints };
  atlas.drawPoints = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
