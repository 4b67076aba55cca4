/**
 * The scene's picture for a file: points as shapes (one head, up to 10,000) or as pixels of any scale, and over them
 * what the overlay shows. The same frame, camera, colours and order as on screen.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");
  const { parseHex } = atlas.payload || require("./payload.js");
  const { tracePart } = atlas.edge || require("./edge.js");
  const { sizePart } = atlas.pointColours || require("./point_colours.js");
  const { OverlayPainter } = atlas.paint || require("./paint.js");
  const { contextOf } = atlas.overlay || require("./overlay.js");
  const { GHOST_ALPHA, GHOST_MUTED } = atlas.draw || require("./draw.js");
  const { NEUTRAL } = atlas.textures || require("./textures.js");

  const MOST_SHAPES = 10_000;
  /** Shapes further outside the picture are left out, CSS px. */
  const EDGE = 20;

  /** @param {number[]} a @param {number[]} b @param {number} t */
  const mix = (a, b, t) => a.map((value, i) => value + (b[i] - value) * t);
  /** @param {number} value  0..1 */
  const byte = (value) => Math.round(255 * Math.min(1, Math.max(0, value))).toString(16).padStart(2, "0");
  /** @param {number[]} rgb */
  const hex = (rgb) => `#${rgb.map(byte).join("")}`;

  /**
   * @typedef {{fill: string, slot: number, size: number, part: number} & Atlas.Place} Shape  part: of the opacity
   */

  /** The page's colours on white paper. @param {Atlas.Look} look @param {boolean} isOpen @returns {Atlas.Look} */
  function onPaper({ colours, shades }, isOpen) {
    const white = [1, 1, 1];
    return {
      colours: { ...colours, canvas: "#ffffff", cell: isOpen ? "#ffffff" : "#f6f7f9" },
      shades: { ...shades, canvas: white, cell: isOpen ? white : [0.965, 0.97, 0.976] },
    };
  }

  /**
   * @typedef {Object} CaptureParts
   * @property {Atlas.View} view
   * @property {Atlas.SceneData} data
   * @property {Atlas.PointPlaces} places
   * @property {Atlas.Renderer} renderer
   * @property {HTMLCanvasElement} canvas  the renderer's
   * @property {Atlas.FrameLoop} loop
   * @property {boolean} webgl
   * @property {string} font
   * @property {Atlas.Look} look  of the page
   * @property {(look: Atlas.Look, ratio: number) => Atlas.Frame} frame
   * @property {(colours: Atlas.Colours) => Atlas.OverlayState} overlayState
   * @property {HTMLImageElement|null} sprite  the server's picture of the matrix, where there is no WebGL2
   */

  class Capture {
    /** @param {CaptureParts} parts @param {{white: boolean}} options  `white`: on white paper instead of the page's ground */
    constructor(parts, { white }) {
      this.parts = parts;
      this.size = { ...parts.view.size };
      this.look = white ? onPaper(parts.look, parts.view.isOpen) : parts.look;
    }

    /** Few enough points for shapes? */
    get vector() {
      const { view, data } = this.parts;
      return view.isOpen && data.points.count <= MOST_SHAPES;
    }

    get ground() {
      return this.parts.view.isOpen ? this.look.colours.cell : this.look.colours.canvas;
    }

    /** The whole picture as shapes. @param {CanvasRenderingContext2D} c  or an SvgContext; origin at its corner, CSS px */
    draw(c) {
      const frame = this.parts.frame(this.look, this.parts.view.ratio);
      c.fillStyle = frame.open >= 0 ? this.look.colours.cell : this.look.colours.canvas;
      c.fillRect(0, 0, this.size.width, this.size.height);
      if (frame.open >= 0) this.drawPoints(c, frame);
      this.drawOverlay(c, 1);
    }

    /** Points of the open head as shapes, in the shader's order. @param {CanvasRenderingContext2D} c @param {Atlas.Frame} frame */
    drawPoints(c, frame) {
      const { points, highlights } = this.parts.data;
      if (frame.ghost) {
        const { slots, cell } = frame.ghost;
        this.drawShapes(c, frame, slots, { muted: GHOST_MUTED, size: frame.size / frame.ratio, alpha: GHOST_ALPHA, rim: 0 }, cell);
      }
      const all = Uint32Array.from({ length: points.count }, (_, slot) => slot);
      this.drawShapes(c, frame, all, { muted: frame.muted, size: frame.size / frame.ratio, alpha: frame.alpha, rim: 0 });
      if (!frame.highlight) return;
      const rim = frame.highlightRim / frame.ratio;
      this.drawShapes(c, frame, highlights.slots, { muted: 0, size: frame.highlightSize / frame.ratio, alpha: 1, rim, lit: true });
    }

    /** @param {CanvasRenderingContext2D} c @param {Atlas.Frame} frame @param {Uint32Array} slots @param {Atlas.PointStyle} style
     * @param {number} [cell]  where they lie, if not as in the open head */
    drawShapes(c, frame, slots, style, cell = this.parts.view.open) {
      const shapes = this.shapes(frame, slots, style, cell);
      if (frame.dims === 3) shapes.sort((a, b) => a.depth - b.depth);
      const { kinds } = this.parts.data.points;
      const view = this.parts.places.headView();
      for (const shape of shapes) {
        drawShape(c, shape, Boolean(kinds && kinds[shape.slot]), style, this.look.colours.canvas, view);
      }
    }

    /**
     * The shader's arithmetic.
     * @param {Atlas.Frame} frame @param {Uint32Array} slots @param {Atlas.PointStyle} style @param {number} cell
     */
    shapes(frame, slots, style, cell) {
      const { view, data, places } = this.parts;
      const { points, colours } = data;
      const headView = places.headView();
      const indices = colours.indicesOf(view.open);
      const palette = (colours.shown ? colours.shown.palette : [NEUTRAL]).map((text) => parseHex(text).map((v) => v / 255));
      const sizes = frame.sizedCell === view.open && colours.sizes ? colours.sizes.values : null;
      const limit = points.set ? points.set.loaded(view.open) * frame.chunkSize : 0;
      /** @type {Shape[]} */
      const found = [];
      for (const slot of slots) {
        const at = slot < limit ? places.at(slot, cell, headView) : null;
        if (!at || at.x < -EDGE || at.y < -EDGE || at.x > this.size.width + EDGE || at.y > this.size.height + EDGE) continue;
        const fog = frame.dims === 3 ? Math.min(0.62, Math.max(0, 0.3 - 0.32 * at.depth)) : 0;
        const base = palette[indices ? indices[slot] : 0] || [0.5, 0.5, 0.5];
        const stands = data.brush.keeps(slot, view.open);
        if (!stands && style.lit) continue;
        const fill = hex(mix(base, this.look.shades.faded, Math.max(style.muted, fog, stands ? 0 : 0.85)));
        found.push({ ...at, slot, fill, part: stands ? 1 : 0.3, size: style.size * at.near * (sizes ? sizePart(sizes[slot]) : 1) });
      }
      return found;
    }

    /** What lies over the points, without what follows pointer and focus. @param {CanvasRenderingContext2D} c @param {number} ratio */
    drawOverlay(c, ratio) {
      const painter = new OverlayPainter(c, this.parts.font);
      painter.resize(this.size.width, this.size.height, ratio);
      const state = this.parts.overlayState(this.look.colours);
      painter.draw({ ...state, hoverCell: -1, hoverAt: null, focusCell: -1, lit: { column: -1, row: -1 } });
    }

    /**
     * The picture as pixels, `scale` a CSS px, drawn by the scene's own renderer in a few turns of the event loop.
     * @param {number} scale @param {boolean} withOverlay
     */
    async pixels(scale, withOverlay = true) {
      const { view, webgl } = this.parts;
      const canvas = this.sheet(scale);
      const c = contextOf(canvas);
      c.fillStyle = this.ground;
      c.fillRect(0, 0, canvas.width, canvas.height);
      if (!webgl && !view.isOpen) this.drawSprite(c, scale);
      else await this.paintPoints(c, scale);
      if (!withOverlay) return canvas;
      const over = this.sheet(scale);
      this.drawOverlay(contextOf(over), scale);
      c.drawImage(over, 0, 0);
      return canvas;
    }

    /** @param {number} scale */
    sheet(scale) {
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(this.size.width * scale);
      canvas.height = Math.round(this.size.height * scale);
      return canvas;
    }

    /** @param {CanvasRenderingContext2D} c @param {number} scale */
    async paintPoints(c, scale) {
      const { renderer, loop, view, canvas, frame } = this.parts;
      loop.stop(); // the page's picture stands still meanwhile
      try {
        renderer.resize(c.canvas.width, c.canvas.height);
        renderer.begin(frame(this.look, scale));
        while (!renderer.finished && renderer.advance(100)) {
          await new Promise((resolve) => setTimeout(resolve));
          if (loop.closed) return;
        }
        renderer.present();
        c.drawImage(canvas, 0, 0);
      } finally {
        renderer.dropFence();
        renderer.resize(Math.round(view.size.width * view.ratio), Math.round(view.size.height * view.ratio));
        loop.resume();
      }
    }

    /** Without WebGL2 the matrix is the server's picture. @param {CanvasRenderingContext2D} c @param {number} scale */
    drawSprite(c, scale) {
      const { view, sprite } = this.parts;
      if (!sprite) return;
      const { x, y } = view.origin();
      const cell = view.camera.value.scale * scale;
      const { layers, heads } = view.grid;
      const [width, height] = [sprite.naturalWidth / heads, sprite.naturalHeight / layers];
      for (let index = 0; index < layers * heads; index++) {
        const { layer, head } = grid.headOf(view.grid, index);
        const { column, row } = grid.cellPlace(view.grid, index);
        c.drawImage(sprite, head * width, layer * height, width, height, x * scale + column * cell, y * scale + row * cell, cell, cell);
      }
    }
  }

  /**
   * A disc for a query, a triangle about its centroid for a key.
   * @param {CanvasRenderingContext2D} c @param {Shape} shape @param {boolean} isKey @param {Atlas.PointStyle} style
   * @param {string} rimColour @param {Atlas.HeadView} view
   */
  function drawShape(c, shape, isKey, { alpha, rim }, rimColour, view) {
    const { x, y, fill, size } = shape;
    c.globalAlpha = alpha * shape.part;
    c.fillStyle = fill;
    c.beginPath();
    if (shape.outside) {
      tracePart(c, shape, size, isKey, view);
    } else if (isKey) {
      const r = 0.69 * size;
      c.moveTo(x, y - r);
      c.lineTo(x + 0.866 * r, y + r / 2);
      c.lineTo(x - 0.866 * r, y + r / 2);
      c.closePath();
    } else {
      c.arc(x, y, size / 2, 0, 2 * Math.PI);
    }
    c.fill();
    if (rim > 0) {
      c.lineWidth = rim;
      c.strokeStyle = rimColour;
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  const api = { Capture, MOST_SHAPES, onPaper, hex };
  atlas.capture = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
