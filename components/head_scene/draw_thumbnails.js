/** Draws the thumbnails of heads into the picture: one pass over the screen, whatever their number. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const shaders = atlas.shaders || require("./shaders.js");

  /** px a texel */
  const SMOOTH_FROM = 1.3;
  const [TEXELS_UNIT, CELLS_UNIT] = [0, 9];

  /** @param {InstanceType<Atlas.HeadSceneScripts["draw"]["Renderer"]>} renderer @param {Atlas.Frame} frame
   * @param {Atlas.FrameThumbnails} thumbnails */
  function drawThumbnails(renderer, frame, thumbnails) {
    const { gl, gpu, canvas } = renderer;
    const u = gpu.program("thumbnails", shaders.SCREEN_VERTEX, shaders.THUMBNAIL_FRAGMENT);
    gpu.bindTexture(TEXELS_UNIT, "thumbnails");
    gpu.bindTexture(CELLS_UNIT, "cellAt");
    gl.uniform1i(u.uThumbnails, TEXELS_UNIT);
    gl.uniform1i(u.uCellAt, CELLS_UNIT);
    gl.uniform1i(u.uPlaced, frame.grid.places ? 1 : 0);
    gl.uniform1i(u.uSide, thumbnails.side);
    // Four texels a pixel are worth their time where a texel is larger than a pixel, and the picture rests.
    gl.uniform1i(u.uSmooth, !thumbnails.hasty && 2 * frame.half > SMOOTH_FROM * thumbnails.side ? 1 : 0);
    gl.uniform2f(u.uOrigin, frame.originX, frame.originY);
    gl.uniform2f(u.uViewport, canvas.width, canvas.height);
    gl.uniform2f(u.uGrid, frame.grid.columns, frame.grid.reach || frame.grid.rows);
    gl.uniform1f(u.uCell, frame.cell);
    gl.uniform1f(u.uHalf, frame.half);
    gl.uniform1f(u.uAlpha, thumbnails.alpha);
    gl.uniform3fv(u.uQuery, thumbnails.query);
    gl.uniform3fv(u.uKey, thumbnails.key);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    renderer.fillScreen();
  }

  const api = { drawThumbnails };
  atlas.drawThumbnails = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
