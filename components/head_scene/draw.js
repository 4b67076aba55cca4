/**
 * WebGL2. The picture grows in batches: each batch is drawn into a framebuffer once the last one's fence has passed,
 * so that neither a software renderer nor ten million points can freeze the page. Highlights have a layer of their
 * own, drawn first and laid on top of every state of the picture.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const shaders = atlas.shaders || require("./shaders.js");
  const { Gpu } = atlas.gpu || require("./gpu.js");
  const { Framebuffers } = atlas.framebuffers || require("./framebuffers.js");
  const { drawCells, usePlaces } = atlas.drawCells || require("./draw_cells.js");
  const { drawPoints } = atlas.drawPoints || require("./draw_points.js");

  const MOST_A_BATCH = 8_000_000;
  const FRAME_MS = 24;
  const LEAST_A_HEAD = 60;
  /** Where tokens were in the head before: opacity, and how much of their colour is gone. */
  const [GHOST_ALPHA, GHOST_MUTED] = [0.3, 0.6];

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

  /** Cells of a run that a block holds. @param {Atlas.Run} run @param {Atlas.Block} block @returns {Atlas.Run} */
  function partOf(run, block) {
    const first = Math.max(run.first, block.firstCell);
    return { first, count: Math.min(run.first + run.count, block.firstCell + block.cells) - first };
  }

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
      /** @type {InstanceType<Atlas.HeadSceneScripts["framebuffers"]["Framebuffers"]>|null} */
      this.layers = null;
      /** corners of cells @type {{buffer: WebGLBuffer, count: number}|null} */
      this.corners = null;
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
      this.corners = null;
      /** @type {WebGLVertexArrayObject|null} */
      this.cellArray = gl.createVertexArray();
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
      if (this.isDirect && this.frame) this.begin(this.frame);
      else if (this.layers) this.layers.blit(width, height, this.gl.LINEAR);
    }

    /** Where values of all slots are put. @returns {Atlas.ValueStore} */
    get store() {
      return this.gpu;
    }

    /** Compile what the next click will need: up to 0.1 s a program, which is better spent while nothing moves. @param {boolean} deep */
    warm(deep) {
      for (const names of [["FINE"], ["HITS"], ["FINE", "HITS"]]) {
        const defines = deep ? ["DEEP", ...names] : names;
        this.gpu.program(defines.join(), shaders.POINT_VERTEX, shaders.POINT_FRAGMENT, defines);
      }
      this.gpu.program("copy", shaders.SCREEN_VERTEX, shaders.COPY_FRAGMENT);
    }

    /** @returns {NonNullable<Renderer["layers"]>} */
    fittingLayers() {
      const { width, height } = this.canvas;
      if (this.layers && this.layers.fit(width, height)) return this.layers;
      if (this.layers) this.layers.drop();
      return (this.layers = new Framebuffers(this.gpu, width, height));
    }

    /** Thumbnails that nothing lies over go onto the canvas itself: two clears and a copy less. */
    get isDirect() {
      const { frame } = this;
      return Boolean(frame && frame.thumbnails?.alone && !frame.chunks && !frame.highlight && !frame.ghost);
    }

    // --- one picture ------------------------------------------------------------------------------------------

    /**
     * Start a picture anew: background and highlights at once, points in the batches that follow.
     * @param {Atlas.Frame} frame
     */
    begin(frame) {
      const layers = this.fittingLayers();
      this.frame = frame;
      this.cursor = { chunk: 0, run: 0 };
      this.drawnPoints = 0;
      usePlaces(this, frame.grid);
      if (frame.highlight) {
        layers.clear(layers.highlights, [0, 0, 0, 0]);
        this.drawHighlight(frame, frame.highlight);
      }
      const { canvas, cell } = frame.colours;
      layers.clear(this.isDirect ? null : layers.picture, [...canvas.map((value, i) => value + (cell[i] - value) * frame.fill), 1]);
      drawCells(this, frame);
      this.drawnThumbnails = frame.thumbnails ? (frame.thumbnails.alone ? "alone" : "beneath") : null;
      if (frame.ghost) this.drawGhost(frame, frame.ghost.block);
    }

    /** @param {Atlas.Frame} frame @param {Atlas.Block} block */
    drawGhost(frame, block) {
      if (!block.count) return;
      const style = { size: frame.size, alpha: GHOST_ALPHA, muted: GHOST_MUTED, rim: 0, slots: "ghost" };
      drawPoints(this, frame, block, null, { first: block.firstCell, count: 1, slot: 0 }, style, true);
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
      return this.frame !== null && !this.finished && this.frame.blocksOf(this.cursor.chunk) !== null;
    }

    /** Points may be shown: at least one chunk of every head in view is drawn, so no part of the matrix is bare. */
    get presentable() {
      return !this.frame || this.finished || this.cursor.chunk > 0 || !this.frame.blocksOf(0);
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
        const blocks = frame.blocksOf(cursor.chunk);
        if (!blocks) break;
        const runs = frame.runs;
        if (cursor.run < runs.length) {
          const run = runs[cursor.run++];
          for (const block of blocks) drawn += this.drawRun(frame, cursor.chunk, block, run, most);
        }
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
      const { first, count } = partOf(run, block);
      if (count <= 0) return 0;
      const style = { size: frame.size, alpha: frame.alpha * run.alpha, muted: frame.muted, rim: 0 };
      if (this.layers) this.gl.bindFramebuffer(this.gl.FRAMEBUFFER, this.layers.picture.buffer);
      const previous = frame.previousOf(chunk);
      const slot = chunk * frame.chunkSize;
      if (run.alpha === 1 || most >= block.count) {
        drawPoints(this, frame, block, previous, { first, count, slot }, style, false);
        return count * block.count;
      }
      for (let cell = first; cell < first + count; cell++) {
        drawPoints(this, frame, block, previous, { first: cell, count: 1, slot, points: most }, style, false);
      }
      return count * most;
    }

    /** @param {Atlas.Frame} frame @param {Atlas.Highlight} highlight */
    drawHighlight(frame, { blocks, previous }) {
      const style = { size: frame.highlightSize, alpha: 1, muted: 0, rim: frame.highlightRim };
      for (const run of frame.highlightRuns) {
        for (const block of blocks) {
          const { first, count } = partOf(run, block);
          if (count > 0 && block.count) drawPoints(this, frame, block, previous, { first, count, slot: 0 }, style, true);
        }
      }
    }

    /** Picture, then highlights, onto the canvas. */
    present() {
      const { gl, layers, frame } = this;
      if (!layers || !frame || this.isDirect) return;
      layers.blit(this.canvas.width, this.canvas.height, gl.NEAREST);
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
