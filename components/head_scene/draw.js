/**
 * WebGL2. The picture grows in batches: each batch is drawn into a framebuffer once the last one's fence has passed,
 * so that neither a software renderer nor ten million points can freeze the page. Highlights have a layer of their
 * own, drawn first and laid on top of every state of the picture.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const shaders = atlas.shaders || require("./shaders.js");
  const camera = atlas.camera || require("./camera.js");
  const grid = atlas.grid || require("./grid.js");
  const { drawThumbnails } = atlas.drawThumbnails || require("./draw_thumbnails.js");
  const { OUTSIDE } = atlas.edge || require("./edge.js");
  const { Gpu, textureRows } = atlas.gpu || require("./gpu.js");

  const [CELLS_UNIT, PLACES_UNIT, BRUSH_UNIT] = [0, 7, 8];

  const FINE_FROM = 2.6;
  const MOST_A_BATCH = 8_000_000;
  const FRAME_MS = 24;
  const LEAST_A_HEAD = 60;
  /** Where tokens were in the head before: opacity, and how much of their colour is gone. */
  const [GHOST_ALPHA, GHOST_MUTED] = [0.3, 0.6];
  /** Part of a patch's colour that is the attribute's, where it lies over the picture: 145 of 255, as Yeh et al. 2023. */
  const TINT = 0.57;

  /**
   * Diameter of a point in CSS px: grows with the cell, shrinks with the crowd, and grows slower than the zoom.
   * @param {number} cell  px a cell @param {number} points  points a head  @param {number} fitted  px of a cell that fills the view
   */
  function pointDiameter(cell, points, fitted) {
    const atFit = Math.min(10, Math.max(3.2, (0.62 * fitted) / Math.sqrt(points)));
    if (cell >= fitted) return Math.min(18, atFit * Math.pow(cell / fitted, 0.45));
    const plain = (0.75 * cell) / Math.sqrt(points);
    const blend = Math.pow(cell / fitted, 0.6) * atFit;
    return Math.min(atFit, Math.max(1.25, Math.min(plain + 0.6, blend)));
  }

  /** Opacity that keeps crowded cells from turning into one block of colour.
   * @param {number} cell  px @param {number} points  a head @param {number} diameter  px
   * @param {number} [density]  of points about a point in view, a px²; 0: unknown, they count as spread over the cell */
  function pointAlpha(cell, points, diameter, density = 0) {
    const cover = (density || points / (cell * cell)) * diameter * diameter;
    return Math.min(0.88, Math.max(0.34, 0.86 * Math.pow(cover, -0.3)));
  }

  /** @typedef {{texture: WebGLTexture, buffer: WebGLFramebuffer}} Layer */

  class Renderer {
    /** @param {HTMLCanvasElement} canvas @returns {Renderer|null} null without WebGL2 */
    static create(canvas) {
      const gl = canvas.getContext("webgl2", { antialias: false, alpha: false, depth: false, stencil: false });
      return gl ? new Renderer(canvas, gl) : null;
    }

    /** @param {HTMLCanvasElement} canvas @param {WebGL2RenderingContext} gl */
    constructor(canvas, gl) {
      this.canvas = canvas;
      this.gl = gl;
      this.gpu = new Gpu(gl);
      /** points a ms */
      this.rate = 4000;
      /** points of the last batch */
      this.batch = 0;
      this.drawnPoints = 0;
      /** @type {"alone"|"beneath"|null} */
      this.drawnThumbnails = null;
      /** @type {Atlas.Frame|null} */
      this.frame = null;
      /** @type {Atlas.Grid|null} */
      this.placesOf = null;
      /** the next chunk, and the next run of cells in it @type {{chunk: number, run: number}} */
      this.cursor = { chunk: 0, run: 0 };
      /** @type {WebGLSync|null} */
      this.fence = null;
      this.fenceAt = 0;
      /** @type {{width: number, height: number, depth: WebGLRenderbuffer, picture: Layer, highlights: Layer}|null} */
      this.layers = null;
      this.start();
    }

    /** Everything that dies with a context; data are uploaded again when next needed. */
    start() {
      const gl = this.gl;
      this.gpu.forget();
      this.fence = null;
      this.layers = null;
      this.frame = null;
      this.placesOf = null;
      /** @type {WebGLVertexArrayObject|null} */
      this.pointArray = gl.createVertexArray();
      /** @type {WebGLVertexArrayObject|null} */
      this.screenArray = gl.createVertexArray();
      /** @type {WebGLBuffer|null} */
      this.screenBuffer = gl.createBuffer();
      gl.bindVertexArray(this.screenArray);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.screenBuffer);
      gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
      gl.enableVertexAttribArray(0);
      gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
      gl.bindVertexArray(null);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    }

    /**
     * The old picture stays, stretched, until the next one is drawn: a canvas of a new size would be black.
     * @param {number} width @param {number} height  device px
     */
    resize(width, height) {
      if (this.canvas.width === width && this.canvas.height === height) return;
      this.canvas.width = width;
      this.canvas.height = height;
      if (this.layers) this.blit(this.layers, this.gl.LINEAR);
    }

    /** Where values of all slots are put. @returns {Atlas.ValueStore} */
    get store() {
      return this.gpu;
    }

    /** Copy the picture to the canvas. @param {NonNullable<Renderer["layers"]>} layers @param {GLenum} filter */
    blit(layers, filter) {
      const gl = this.gl;
      const { width, height } = this.canvas;
      gl.bindFramebuffer(gl.READ_FRAMEBUFFER, layers.picture.buffer);
      gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
      gl.viewport(0, 0, width, height);
      gl.blitFramebuffer(0, 0, layers.width, layers.height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, filter);
    }

    /** Compile what the next click will need: up to 0.1 s a program, which is better spent while nothing moves. @param {boolean} deep */
    warm(deep) {
      for (const names of [["FINE"], ["HITS"], ["FINE", "HITS"]]) {
        const defines = deep ? ["DEEP", ...names] : names;
        this.gpu.program(defines.join(), shaders.POINT_VERTEX, shaders.POINT_FRAGMENT, defines);
      }
      this.gpu.program("copy", shaders.SCREEN_VERTEX, shaders.COPY_FRAGMENT);
    }

    // --- layers -----------------------------------------------------------------------------------------------

    /** Two framebuffers, the picture and the highlights, which share one depth buffer. */
    makeLayers() {
      const gl = this.gl;
      const { width, height } = this.canvas;
      if (this.layers && this.layers.width === width && this.layers.height === height) return this.layers;
      this.dropLayers();
      const depth = gl.createRenderbuffer();
      gl.bindRenderbuffer(gl.RENDERBUFFER, depth);
      gl.renderbufferStorage(gl.RENDERBUFFER, gl.DEPTH_COMPONENT24, width, height);
      /** @returns {Layer} */
      const layer = () => {
        const texture = gl.createTexture();
        gl.activeTexture(gl.TEXTURE0);
        gl.bindTexture(gl.TEXTURE_2D, texture);
        gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
        this.gpu.nearestFilter();
        const buffer = gl.createFramebuffer();
        gl.bindFramebuffer(gl.FRAMEBUFFER, buffer);
        gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
        gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.RENDERBUFFER, depth);
        return { texture, buffer };
      };
      return { width, height, depth, picture: layer(), highlights: layer() };
    }

    dropLayers() {
      if (!this.layers) return;
      const gl = this.gl;
      for (const { texture, buffer } of [this.layers.picture, this.layers.highlights]) {
        gl.deleteTexture(texture);
        gl.deleteFramebuffer(buffer);
      }
      gl.deleteRenderbuffer(this.layers.depth);
      this.layers = null;
    }

    /** @param {Layer} layer @param {[number, number, number, number]} colour */
    clear(layer, colour) {
      const gl = this.gl;
      gl.bindFramebuffer(gl.FRAMEBUFFER, layer.buffer);
      gl.viewport(0, 0, this.canvas.width, this.canvas.height);
      gl.disable(gl.SCISSOR_TEST);
      gl.depthMask(true);
      gl.clearColor(...colour);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    }

    // --- one picture ------------------------------------------------------------------------------------------

    /**
     * Start a picture anew: background and highlights at once, points in the batches that follow.
     * @param {Atlas.Frame} frame
     */
    begin(frame) {
      const layers = (this.layers = this.makeLayers());
      this.frame = frame;
      this.cursor = { chunk: 0, run: 0 };
      this.drawnPoints = 0;
      if (frame.highlight) {
        this.clear(layers.highlights, [0, 0, 0, 0]);
        this.drawHighlight(frame, frame.highlight);
      }
      const [red, green, blue] = frame.colours.canvas;
      this.clear(layers.picture, [red, green, blue, 1]);
      this.usePlaces(frame.grid);
      this.drawCells(frame);
      this.drawnThumbnails = frame.thumbnails ? (frame.thumbnails.alone ? "alone" : "beneath") : null;
      if (frame.thumbnails) drawThumbnails(this, frame, frame.thumbnails);
      if (frame.ghost) this.drawGhost(frame, frame.ghost.block);
    }

    /** @param {Atlas.Frame} frame @param {Atlas.Block} block */
    drawGhost(frame, block) {
      if (!block.count) return;
      const style = { size: frame.size, alpha: GHOST_ALPHA, muted: GHOST_MUTED, rim: 0, slots: "ghost" };
      this.drawPoints(frame, block, null, { first: block.firstCell, count: 1, slot: 0 }, style, true);
    }

    /** Where cells lie, and which places are cells, unless they lie as they are numbered. @param {Atlas.Grid} cells */
    usePlaces(cells) {
      if (this.placesOf === cells) return;
      this.placesOf = cells;
      const { order = [0], places = [0] } = cells;
      this.gpu.setValues("cellAt", Uint32Array.from(order, (cell) => cell + 1), textureRows(order.length));
      this.gpu.setValues("places", Uint32Array.from(places), textureRows(places.length));
    }

    /** @param {Atlas.Frame} frame */
    drawCells(frame) {
      const gl = this.gl;
      const u = this.gpu.program("cells", shaders.SCREEN_VERTEX, shaders.CELLS_FRAGMENT);
      gl.uniform2f(u.uOrigin, frame.originX, frame.originY);
      gl.uniform2f(u.uViewport, this.canvas.width, this.canvas.height);
      gl.uniform2f(u.uGrid, frame.grid.columns, frame.grid.reach || frame.grid.rows);
      this.gpu.bindTexture(CELLS_UNIT, "cellAt");
      gl.uniform1i(u.uCellAt, CELLS_UNIT);
      gl.uniform1i(u.uPlaced, frame.grid.places ? 1 : 0);
      gl.uniform1f(u.uCell, frame.cell);
      gl.uniform1f(u.uGap, grid.GAP * 0.5);
      gl.uniform1f(u.uRadius, Math.min(10 * frame.ratio, frame.cell * 0.05));
      gl.uniform1f(u.uFill, frame.fill);
      gl.uniform3fv(u.uCanvas, frame.colours.canvas);
      gl.uniform3fv(u.uCellColour, frame.colours.cell);
      this.fillScreen();
    }

    fillScreen() {
      const gl = this.gl;
      gl.disable(gl.DEPTH_TEST);
      gl.bindVertexArray(this.screenArray);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }

    /** The picture of the frame is whole, as far as its data have arrived. */
    get finished() {
      return !this.frame || this.cursor.chunk >= this.frame.chunks;
    }

    get hasMore() {
      return this.frame !== null && !this.finished && this.frame.blockOf(this.cursor.chunk) !== null;
    }

    /** Points may be shown: at least one chunk of every head in view is drawn, so no part of the matrix is bare. */
    get presentable() {
      return !this.frame || this.finished || this.cursor.chunk > 0 || !this.frame.blockOf(0);
    }

    /**
     * Draw the next batch: what was drawn in `target` ms lately, and the first batch of a picture in one frame.
     * @param {number} target @returns {number} points drawn
     */
    advance(target) {
      let drawn = 0;
      const { frame, cursor } = this;
      if (!frame) return 0;
      const budget = Math.min(MOST_A_BATCH, this.rate * (this.drawnPoints ? target : FRAME_MS));
      const most = frame.passing ? this.sampleSize(frame) : Infinity;
      while (cursor.chunk < frame.chunks && (drawn === 0 || drawn < budget)) {
        const block = frame.blockOf(cursor.chunk);
        if (!block) break;
        const runs = frame.runs;
        if (cursor.run < runs.length) drawn += this.drawRun(frame, cursor.chunk, block, runs[cursor.run++], most);
        if (cursor.run >= runs.length) {
          cursor.chunk++;
          cursor.run = 0;
        }
      }
      this.drawnPoints += drawn;
      this.batch = drawn;
      return drawn;
    }

    /** Heads that only pass by, in a flight, get as many points each as one frame can hold: the first are a fair sample.
     * @param {Atlas.Frame} frame */
    sampleSize(frame) {
      const heads = frame.runs.reduce((sum, run) => sum + run.count, 0);
      return Math.max(LEAST_A_HEAD, Math.floor((this.rate * FRAME_MS) / heads));
    }

    /** @param {Atlas.Frame} frame @param {number} chunk @param {Atlas.Block} block @param {Atlas.FrameRun} run
     * @param {number} most  points of a head */
    drawRun(frame, chunk, block, run, most) {
      const first = Math.max(run.first, block.firstCell);
      const count = Math.min(run.first + run.count, block.firstCell + block.cells) - first;
      if (count <= 0) return 0;
      const style = { size: frame.size, alpha: frame.alpha * run.alpha, muted: frame.muted, rim: 0 };
      if (this.layers) this.gl.bindFramebuffer(this.gl.FRAMEBUFFER, this.layers.picture.buffer);
      const previous = frame.previousOf(chunk);
      const slot = chunk * frame.chunkSize;
      if (run.alpha === 1 || most >= block.count) {
        this.drawPoints(frame, block, previous, { first, count, slot }, style, false);
        return count * block.count;
      }
      for (let cell = first; cell < first + count; cell++) {
        this.drawPoints(frame, block, previous, { first: cell, count: 1, slot, points: most }, style, false);
      }
      return count * most;
    }

    /** @param {Atlas.Frame} frame @param {Atlas.Highlight} highlight */
    drawHighlight(frame, { block, previous }) {
      if (!block.count) return;
      const style = { size: frame.highlightSize, alpha: 1, muted: 0, rim: frame.highlightRim };
      for (const run of frame.highlightRuns) {
        this.drawPoints(frame, block, previous, { first: run.first, count: run.count, slot: 0 }, style, true);
      }
    }

    /**
     * @param {Atlas.Frame} frame
     * @param {Atlas.Block} block @param {Atlas.Block|null} previous  where the points come from, while a projection changes
     * @param {{first: number, count: number, slot: number, points?: number}} run  points: of one head, all if left out
     * @param {Atlas.PointStyle} style @param {boolean} hits  they are highlights
     */
    drawPoints(frame, block, previous, run, style, hits) {
      const gl = this.gl;
      const deep = frame.dims === 3;
      const fine = style.size >= FINE_FROM * frame.ratio;
      const { patches } = frame;
      const shape = patches ? "PATCH" : fine ? "FINE" : "";
      const defines = [deep ? "DEEP" : "", shape, hits ? "HITS" : "", frame.brushed ? "BRUSH" : ""].filter(Boolean);
      const u = this.gpu.program(defines.join(), shaders.POINT_VERTEX, shaders.POINT_FRAGMENT, defines);
      ["index", "palette", "kind", style.slots || "hits", "sizes"].forEach((name, unit) => this.gpu.bindTexture(unit, name));
      if (patches) this.patchUniforms(u, patches, hits);
      if (frame.brushed) {
        this.gpu.bindTexture(BRUSH_UNIT, "brush");
        gl.uniform1i(u.uBrush, BRUSH_UNIT);
        gl.uniform1i(u.uBrushRows, frame.brushRows);
      }
      gl.uniform1i(u.uIndex, 0);
      gl.uniform1i(u.uPalette, 1);
      if (u.uKind) gl.uniform1i(u.uKind, 2);
      if (u.uHits) gl.uniform1i(u.uHits, 3);
      gl.uniform1i(u.uSizes, 4);
      gl.uniform1f(u.uBySize, frame.sizedCell === run.first && run.count === 1 ? 1 : 0);
      this.pointUniforms(u, frame, style);
      const place = grid.cellPlace(frame.grid, run.first);
      const placed = Boolean(frame.grid.places) && run.count > 1;
      this.gpu.bindTexture(PLACES_UNIT, "places");
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
      gl.bindVertexArray(this.pointArray);
      const offset = (/** @type {Atlas.Block} */ b) => (run.first - b.firstCell) * b.count * b.dims * 2;
      this.gpu.bindBlock(block);
      gl.enableVertexAttribArray(0);
      gl.vertexAttribPointer(0, block.dims, gl.UNSIGNED_SHORT, true, 0, offset(block));
      if (previous) {
        this.gpu.bindBlock(previous);
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

    /** @param {Record<string, WebGLUniformLocation|null>} u @param {Atlas.FramePatches} patches @param {boolean} hits */
    patchUniforms(u, patches, hits) {
      const gl = this.gl;
      this.gpu.bindTexture(5, "patch");
      this.gpu.bindTexture(6, "sheet");
      gl.uniform1i(u.uPatch, 5);
      gl.uniform1i(u.uSheet, 6);
      gl.uniform1i(u.uAcross, patches.across);
      gl.uniform1i(u.uMost, hits ? 2 ** 30 : patches.most);
      gl.uniform2f(u.uSheetCells, patches.across, patches.down);
      gl.uniform1f(u.uSheetCell, patches.cell);
      gl.uniform1f(u.uBorder, patches.form === "border" || hits ? 1 : 0);
      gl.uniform1f(u.uTint, patches.form === "fill" ? TINT : 0);
    }

    /** @param {Record<string, WebGLUniformLocation|null>} u @param {Atlas.Frame} frame @param {Atlas.PointStyle} style */
    pointUniforms(u, frame, style) {
      const gl = this.gl;
      gl.uniform1i(u.uColumns, frame.grid.columns);
      gl.uniform1i(u.uHeadRows, frame.headRows);
      gl.uniform2f(u.uViewport, this.canvas.width, this.canvas.height);
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

    /** Picture, then highlights, onto the canvas. */
    present() {
      const { gl, layers, frame } = this;
      if (!layers || !frame) return;
      this.blit(layers, gl.NEAREST);
      if (!frame.highlight) return;
      const u = this.gpu.program("copy", shaders.SCREEN_VERTEX, shaders.COPY_FRAGMENT);
      gl.activeTexture(gl.TEXTURE0);
      gl.bindTexture(gl.TEXTURE_2D, layers.highlights.texture);
      gl.uniform1i(u.uLayer, 0);
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
      this.fillScreen();
    }

    // --- pacing -----------------------------------------------------------------------------------------------

    get waiting() {
      return this.fence !== null;
    }

    dropFence() {
      this.fence = null;
    }

    setFence() {
      const gl = this.gl;
      this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
      this.fenceAt = performance.now();
      gl.flush();
    }

    /** The last batch is still being drawn. Its time tells how many points the next one may have. */
    busy() {
      if (!this.fence) return false;
      const gl = this.gl;
      const state = gl.clientWaitSync(this.fence, 0, 0);
      if (state === gl.TIMEOUT_EXPIRED) return true;
      gl.deleteSync(this.fence);
      this.fence = null;
      const took = performance.now() - this.fenceAt;
      // A batch that was done within the frame says only that more would have fitted.
      if (this.batch) this.rate = took < 20 ? Math.max(this.rate * 1.6, this.batch / took) : this.batch / took;
      return false;
    }

    /** Free the context at once: a page has few of them. */
    destroy() {
      const extension = this.gl.getExtension("WEBGL_lose_context");
      if (extension && !this.gl.isContextLost()) extension.loseContext();
    }
  }

  const api = { Renderer, pointDiameter, pointAlpha, GHOST_ALPHA, GHOST_MUTED };
  atlas.draw = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
