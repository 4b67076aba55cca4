/** Two ways to draw the same picture: on a canvas, and as the text of an SVG file. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  const FONT = "Inter, system-ui, sans-serif";

  /** @implements {Atlas.FinderInk} */
  class CanvasInk {
    /** @param {CanvasRenderingContext2D} context @param {number} [ratio]  device px a CSS px */
    constructor(context, ratio = 1) {
      this.context = context;
      this.ratio = ratio;
      /** @type {Map<string, HTMLCanvasElement>} */
      this.stamps = new Map();
    }

    /** Thousands of marks of few kinds: each kind is drawn once and then copied.
     * @param {string} kind @param {number} x @param {number} y @param {number} reach  px about the place
     * @param {(ink: Atlas.FinderInk, x: number, y: number) => void} draw */
    stamp(kind, x, y, reach, draw) {
      const side = Math.ceil(2 * reach * this.ratio);
      let stamp = this.stamps.get(kind);
      if (!stamp) {
        stamp = document.createElement("canvas");
        stamp.width = stamp.height = side;
        const context = /** @type {CanvasRenderingContext2D} */ (stamp.getContext("2d"));
        context.scale(this.ratio, this.ratio);
        draw(new CanvasInk(context), side / this.ratio / 2, side / this.ratio / 2);
        this.stamps.set(kind, stamp);
      }
      const half = side / this.ratio / 2;
      this.context.drawImage(stamp, x - half, y - half, 2 * half, 2 * half);
    }

    /** @param {Atlas.FinderPaint} paint */
    ink({ fill, stroke, width = 1, alpha = 1 }) {
      const c = this.context;
      c.globalAlpha = alpha;
      if (fill) {
        c.fillStyle = fill;
        c.fill();
      }
      if (stroke) {
        c.strokeStyle = stroke;
        c.lineWidth = width;
        c.stroke();
      }
      c.globalAlpha = 1;
    }

    /** @param {number[][]} points @param {Atlas.FinderPaint} paint @param {boolean} [closed] */
    path(points, paint, closed = false) {
      const c = this.context;
      c.beginPath();
      points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
      if (closed) c.closePath();
      this.ink(paint);
    }

    /** @param {number} x @param {number} y @param {number} radius @param {Atlas.FinderPaint} paint */
    disc(x, y, radius, paint) {
      this.context.beginPath();
      this.context.arc(x, y, radius, 0, 2 * Math.PI);
      this.ink(paint);
    }

    /** @param {string} text @param {number} x @param {number} y @param {Atlas.FinderWords} words */
    text(text, x, y, { colour, size = 11, anchor = "start", turned = false, bold = false }) {
      const c = this.context;
      c.save();
      c.translate(x, y);
      if (turned) c.rotate(-Math.PI / 2);
      c.font = `${bold ? 600 : 400} ${size}px ${FONT}`;
      c.fillStyle = colour;
      c.textAlign = anchor === "middle" ? "center" : anchor;
      c.fillText(text, 0, 0);
      c.restore();
    }
  }

  /** @param {string} text */
  const escaped = (text) => text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] || "");
  /** @param {number} value */
  const short = (value) => String(Math.round(value * 10) / 10);

  /** @implements {Atlas.FinderInk} */
  class SvgInk {
    constructor() {
      /** @type {string[]} */
      this.parts = [];
    }

    /** @param {string} _kind @param {number} x @param {number} y @param {number} _reach
     * @param {(ink: Atlas.FinderInk, x: number, y: number) => void} draw */
    stamp(_kind, x, y, _reach, draw) {
      draw(this, x, y);
    }

    /** @param {Atlas.FinderPaint} paint */
    look({ fill = "none", stroke, width = 1, alpha = 1 }) {
      return `fill="${fill}"${stroke ? ` stroke="${stroke}" stroke-width="${width}"` : ""}${alpha < 1 ? ` opacity="${alpha}"` : ""}`;
    }

    /** @param {number[][]} points @param {Atlas.FinderPaint} paint @param {boolean} [closed] */
    path(points, paint, closed = false) {
      const places = points.map(([x, y]) => `${short(x)} ${short(y)}`).join("L");
      this.parts.push(`<path d="M${places}${closed ? "Z" : ""}" ${this.look(paint)}/>`);
    }

    /** @param {number} x @param {number} y @param {number} radius @param {Atlas.FinderPaint} paint */
    disc(x, y, radius, paint) {
      this.parts.push(`<circle cx="${short(x)}" cy="${short(y)}" r="${short(radius)}" ${this.look(paint)}/>`);
    }

    /** @param {string} text @param {number} x @param {number} y @param {Atlas.FinderWords} words */
    text(text, x, y, { colour, size = 11, anchor = "start", turned = false, bold = false }) {
      const turn = turned ? ` transform="rotate(-90 ${short(x)} ${short(y)})"` : "";
      const weight = bold ? ' font-weight="600"' : "";
      this.parts.push(`<text x="${short(x)}" y="${short(y)}" fill="${colour}" font-size="${size}" text-anchor="${anchor}"${weight}${turn}>${escaped(text)}</text>`);
    }

    /** @param {number} width @param {number} height @param {string} ground @param {string} title */
    file(width, height, ground, title) {
      return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">`
        + `<title>${escaped(title)}</title><rect width="100%" height="100%" fill="${ground}"/>${this.parts.join("")}</svg>`;
    }
  }

  const api = { CanvasInk, SvgInk };
  atlas.ink = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
