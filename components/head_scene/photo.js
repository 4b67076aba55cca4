/**
 * The scene's picture for a file: points as shapes (one head, up to 10,000) or as pixels of any scale, and over them
 * what the overlay draws. The same frame, camera, colours and order as on screen.
 */
(function (atlas) {
  const MOST_SHAPES = 10_000;
  const mix = (a, b, t) => a.map((value, i) => value + (b[i] - value) * t);
  const hex = (rgb) => `#${rgb.map((value) => Math.round(255 * Math.min(1, Math.max(0, value))).toString(16).padStart(2, "0")).join("")}`;

  class Photo {
    /** @param {Scene} scene @param {{white: boolean}} options  `white`: on white paper instead of the page's ground */
    constructor(scene, options) {
      this.scene = scene;
      this.white = options.white;
      this.size = { ...scene.view };
    }

    /** Few enough points for shapes? */
    get vector() {
      const { scene } = this;
      return scene.isOpen && scene.data.points <= MOST_SHAPES;
    }

    /** Run with the scene's colours on white paper. */
    onPaper(work) {
      const { scene } = this;
      const [colours, shades] = [scene.colours, scene.shades];
      if (this.white) {
        scene.colours = { ...colours, canvas: "#ffffff", cell: "#ffffff" };
        scene.shades = { ...shades, canvas: [1, 1, 1], cell: scene.isOpen ? [1, 1, 1] : [0.965, 0.97, 0.976] };
        if (!scene.isOpen) scene.colours.cell = "#f6f7f9";
      }
      const restore = () => Object.assign(scene, { colours, shades });
      let result;
      try {
        result = work();
      } catch (error) {
        restore();
        throw error;
      }
      return result instanceof Promise ? result.finally(restore) : (restore(), result);
    }

    /** @param {SvgContext|CanvasRenderingContext2D} c  origin at the corner of the picture, CSS px */
    draw(c) {
      this.onPaper(() => {
        const frame = this.scene.frame();
        c.fillStyle = frame.open >= 0 ? this.scene.colours.cell : this.scene.colours.canvas;
        c.fillRect(0, 0, this.size.width, this.size.height);
        if (frame.open >= 0) this.drawPoints(c, frame);
        this.drawOverlay(c, 1);
      });
    }

    /** Points of the open head as shapes: the shader's arithmetic, in the shader's order. */
    drawPoints(c, frame) {
      const { scene } = this;
      const { data } = scene;
      const colour = data.shownColour;
      const values = colour && (colour.scope === "head" ? data.headIndices.get(scene.open) : data.indices);
      const palette = (colour ? colour.palette : ["#7b8794"]).map((text) => atlas.payload.parseHex(text).map((v) => v / 255));
      const view = scene.headView();
      const bySize = frame.sizedCell === scene.open ? data.sizes.values : null;
      const limit = data.set.loaded(scene.open) * scene.props.payload.chunk;
      const shapes = (slots, style) => {
        const found = [];
        for (const slot of slots) {
          const at = slot < limit ? scene.slotPosition(slot, scene.open, view) : null;
          if (!at || at.x < -20 || at.y < -20 || at.x > this.size.width + 20 || at.y > this.size.height + 20) continue;
          const fog = frame.dims === 3 ? Math.min(0.62, Math.max(0, 0.3 - 0.32 * at.depth)) : 0;
          const base = palette[values ? values[slot] : 0] || [0.5, 0.5, 0.5];
          const rgb = mix(base, scene.shades.faded, Math.max(style.muted, fog));
          const part = bySize ? 0.375 + (1.25 * (bySize[slot] & 127)) / 127 : 1;
          found.push({ ...at, slot, fill: hex(rgb), size: style.size * at.near * part });
        }
        if (frame.dims === 3) found.sort((a, b) => a.depth - b.depth);
        for (const shape of found) this.shape(c, shape, data.kinds[shape.slot], style);
      };
      const all = Uint32Array.from({ length: data.points }, (_, slot) => slot);
      shapes(all, { muted: frame.muted, size: frame.size / frame.ratio, alpha: frame.alpha, rim: 0 });
      if (!frame.highlight) return;
      const rim = frame.highlightRim / frame.ratio;
      shapes(data.marks, { muted: 0, size: frame.highlightSize / frame.ratio, alpha: 1, rim });
    }

    /** A disc for a query, a triangle about its centroid for a key. */
    shape(c, { x, y, fill, size }, isKey, { alpha, rim }) {
      c.globalAlpha = alpha;
      c.fillStyle = fill;
      c.beginPath();
      if (isKey) {
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
        c.strokeStyle = this.scene.colours.canvas;
        c.stroke();
      }
      c.globalAlpha = 1;
    }

    /** What lies over the points, without what follows pointer and focus. */
    drawOverlay(c, ratio) {
      const { scene } = this;
      const overlay = Object.assign(Object.create(scene.overlay), {
        context: c, ratio, width: this.size.width, height: this.size.height,
      });
      overlay.draw({ ...scene.overlayState(), hoverCell: -1, hoverAt: null, focusCell: -1, lit: { column: -1, row: -1 } });
    }

    /**
     * The picture as pixels, `scale` a CSS px, drawn by the scene's own renderer in a few turns of the event loop.
     * @returns {Promise<HTMLCanvasElement>}
     */
    pixels(scale, withOverlay = true) {
      return this.onPaper(() => this.paint(scale, withOverlay));
    }

    async paint(scale, withOverlay) {
      const { scene } = this;
      const { width, height } = this.size;
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      const c = canvas.getContext("2d");
      c.fillStyle = scene.isOpen ? scene.colours.cell : scene.colours.canvas;
      c.fillRect(0, 0, canvas.width, canvas.height);
      if (!scene.webgl && !scene.isOpen) this.drawSprite(c, scale);
      else await this.paintPoints(c, scale);
      if (!withOverlay) return canvas;
      const over = document.createElement("canvas");
      over.width = canvas.width;
      over.height = canvas.height;
      this.drawOverlay(over.getContext("2d"), scale);
      c.drawImage(over, 0, 0);
      return canvas;
    }

    async paintPoints(c, scale) {
      const { scene } = this;
      const { renderer, ratio } = scene;
      cancelAnimationFrame(scene.ticking);
      scene.ticking = null;
      scene.lost = true; // the drawing loop stands still meanwhile
      try {
        scene.ratio = scale;
        renderer.resize(c.canvas.width, c.canvas.height);
        renderer.begin(scene.frame());
        while (!renderer.finished && renderer.advance(100)) {
          await new Promise((resolve) => setTimeout(resolve));
          if (scene.destroyed) return;
        }
        renderer.present();
        c.drawImage(scene.canvas, 0, 0);
      } finally {
        scene.ratio = ratio;
        scene.lost = false;
        renderer.fence = null;
        renderer.resize(Math.round(this.size.width * ratio), Math.round(this.size.height * ratio));
        scene.redraw();
      }
    }

    /** Without WebGL2 the matrix is the server's picture. */
    drawSprite(c, scale) {
      const image = spriteImage(this.scene);
      if (!image) return;
      const { x, y } = this.scene.origin();
      const cell = this.scene.camera.value.scale * scale;
      c.drawImage(image, x * scale, y * scale, cell * this.scene.grid.columns, cell * this.scene.grid.rows);
    }
  }

  const spriteImage = (scene) => scene.stage.querySelector(".atlas-scene-sprite img");

  atlas.photo = { Photo, MOST_SHAPES };
})(window.atlas_head_scene);
