/** Draws the ground of the cells in view, and in it the thumbnails of their heads where there are such, in one call. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const shaders = atlas.shaders || require("./shaders.js");
  const grid = atlas.grid || require("./grid.js");
  const { TEXTURE_WIDTH, textureRows } = atlas.gpu || require("./gpu.js");

  const [TEXELS_UNIT, CELLS_UNIT] = [0, 9];
  /** Of two triangles. */
  const CORNERS = [0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 1];

  /** @typedef {InstanceType<Atlas.HeadSceneScripts["draw"]["Renderer"]>} Drawer */

  /** Places in view, from the first column and row on. @param {Atlas.Frame} frame @param {Atlas.Size} size  device px */
  function placesInView({ grid: { columns, rows, reach }, originX, originY, cell }, { width, height }) {
    const within = (/** @type {number} */ px, /** @type {number} */ most) => Math.min(most, Math.max(0, px / cell));
    const [left, top] = [Math.floor(within(-originX, columns)), Math.floor(within(-originY, reach || rows))];
    const across = Math.ceil(within(width - originX, columns)) - left;
    return { left, top, across, down: Math.ceil(within(height - originY, reach || rows)) - top };
  }

  /** Which places are cells, and where cells lie, unless they lie as they are numbered.
   * @param {Drawer} renderer @param {Atlas.Grid} cells */
  function usePlaces(renderer, cells) {
    if (renderer.placesOf === cells) return;
    renderer.placesOf = cells;
    const { order = [0], places = [0] } = cells;
    renderer.gpu.setValues("cellAt", Uint32Array.from(order, (cell) => cell + 1), textureRows(order.length));
    renderer.gpu.setValues("places", Uint32Array.from(places), textureRows(places.length));
  }

  /** Corners of so many cells. @param {Drawer} renderer @param {number} count */
  function bindCorners(renderer, count) {
    const { gl } = renderer;
    const old = renderer.corners;
    if (!old || old.count < count) {
      if (old) gl.deleteBuffer(old.buffer);
      const values = new Uint8Array(12 * count);
      for (let i = 0; i < values.length; i++) values[i] = CORNERS[i % 12];
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      renderer.corners = { buffer, count };
    } else gl.bindBuffer(gl.ARRAY_BUFFER, old.buffer);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.UNSIGNED_BYTE, false, 0, 0);
  }

  /** @param {Drawer} renderer @param {Atlas.Frame} frame */
  function drawCells(renderer, frame) {
    const { gl, gpu, canvas } = renderer;
    const { thumbnails } = frame;
    const { left, top, across, down } = placesInView(frame, canvas);
    if (across <= 0 || down <= 0) return;
    const defines = thumbnails ? ["THUMBNAILS"] : [];
    const u = gpu.program(`cells${defines}`, shaders.CELLS_VERTEX, shaders.CELLS_FRAGMENT, defines);
    // In double precision here: far into a head the matrix is millions of px wide.
    gl.uniform2f(u.uOrigin, frame.originX + left * frame.cell, frame.originY + top * frame.cell);
    gl.uniform2f(u.uViewport, canvas.width, canvas.height);
    gl.uniform1f(u.uCell, frame.cell);
    gl.uniform2i(u.uFirst, left, top);
    gl.uniform1i(u.uAcross, across);
    gl.uniform1i(u.uColumns, frame.grid.columns);
    gl.uniform1i(u.uPlaced, frame.grid.places ? 1 : 0);
    gpu.bindTexture(CELLS_UNIT, "cellAt");
    gl.uniform1i(u.uCellAt, CELLS_UNIT);
    const radius = Math.min(10 * frame.ratio, frame.cell * 0.05);
    gl.uniform1f(u.uEdge, (0.5 - grid.GAP * 0.5) * frame.cell - radius);
    gl.uniform1f(u.uRadius, radius);
    gl.uniform1f(u.uFill, frame.fill);
    gl.uniform3fv(u.uCanvas, frame.colours.canvas);
    gl.uniform3fv(u.uCellColour, frame.colours.cell);
    gl.uniform1i(u.uTilesAcross, thumbnails ? Math.floor(TEXTURE_WIDTH / thumbnails.side) : 1);
    if (thumbnails) thumbnailUniforms(renderer, u, frame, thumbnails);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.BLEND);
    gl.bindVertexArray(renderer.cellArray);
    bindCorners(renderer, across * down);
    gl.drawArrays(gl.TRIANGLES, 0, 6 * across * down);
  }

  /** @param {Drawer} renderer @param {Record<string, WebGLUniformLocation|null>} u @param {Atlas.Frame} frame
   * @param {Atlas.FrameThumbnails} thumbnails */
  function thumbnailUniforms({ gl, gpu }, u, frame, thumbnails) {
    gpu.bindTexture(TEXELS_UNIT, "thumbnails");
    gl.uniform1i(u.uThumbnails, TEXELS_UNIT);
    gl.uniform2f(u.uTexel, 1 / TEXTURE_WIDTH, 1 / gpu.textures.thumbnails.height);
    gl.uniform1f(u.uSide, thumbnails.side);
    gl.uniform1f(u.uHalf, frame.half);
    gl.uniform1f(u.uAlpha, thumbnails.alpha);
    gl.uniform3fv(u.uQuery, thumbnails.query);
    gl.uniform3fv(u.uKey, thumbnails.key);
  }

  const api = { drawCells, usePlaces, placesInView };
  atlas.drawCells = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
