/**
 * The part of a 2D canvas context that the scene draws with, written as SVG: text stays text, markers stay shapes.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @type {Record<string, string>} */
  const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  /** Characters that XML 1.0 has no room for, and halves of surrogate pairs. */
  // eslint-disable-next-line no-control-regex
  const FOREIGN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

  /** @param {unknown} text */
  const escapeXml = (text) => String(text).replace(FOREIGN, "\ufffd").replace(/[&<>"]/g, (letter) => ESCAPES[letter]);
  /** @param {number} value */
  const short = (value) => String(Math.round(value * 100) / 100);
  /** @type {Record<string, string>} */
  const ANCHORS = { left: "start", start: "start", center: "middle", right: "end", end: "end" };

  /** What `save` keeps. @param {SvgContext} c */
  const stateOf = ({ globalAlpha, fillStyle, strokeStyle, lineWidth, lineJoin, lineCap, font, textAlign, textBaseline }) =>
    ({ globalAlpha, fillStyle, strokeStyle, lineWidth, lineJoin, lineCap, font, textAlign, textBaseline });

  /** Clip paths made so far: their names must differ within a page. */
  let clips = 0;

  class SvgContext {
    /** @param {CanvasRenderingContext2D} measuring  for the widths of texts */
    constructor(measuring) {
      this.measuring = measuring;
      /** @type {string[]} */
      this.out = [];
      /** @type {string[]} */
      this.path = [];
      /** @type {Array<ReturnType<typeof stateOf>>} */
      this.stack = [];
      /** @type {number[]} */
      this.dashes = [];
      /** the outline of the text that follows @type {{text: string, x: number, y: number, colour: string, width: number}|null} */
      this.halo = null;
      this.globalAlpha = 1;
      this.fillStyle = "#000000";
      this.strokeStyle = "#000000";
      this.lineWidth = 1;
      this.lineJoin = "miter";
      this.lineCap = "butt";
      this.font = "10px sans-serif";
      this.textAlign = "start";
      /** @type {CanvasTextBaseline} */
      this.textBaseline = "alphabetic";
    }

    save() {
      this.stack.push(stateOf(this));
    }

    restore() {
      Object.assign(this, this.stack.pop());
    }

    setTransform() {}
    clearRect() {}

    /** @param {string} text */
    measureText(text) {
      this.measuring.font = this.font;
      return this.measuring.measureText(text);
    }

    /** @param {number[]} dashes */
    setLineDash(dashes) {
      this.dashes = dashes;
    }

    beginPath() {
      this.path = [];
    }

    /** @param {number} x @param {number} y */
    moveTo(x, y) {
      this.path.push(`M${short(x)} ${short(y)}`);
    }

    /** @param {number} x @param {number} y */
    lineTo(x, y) {
      this.path.push(`${this.path.length ? "L" : "M"}${short(x)} ${short(y)}`);
    }

    /**
     * @param {number} a @param {number} b @param {number} c @param {number} d
     * @param {number} x @param {number} y
     */
    bezierCurveTo(a, b, c, d, x, y) {
      this.path.push(`C${[a, b, c, d, x, y].map(short).join(" ")}`);
    }

    closePath() {
      this.path.push("Z");
    }

    /** @param {number} x @param {number} y @param {number} width @param {number} height */
    rect(x, y, width, height) {
      this.path.push(`M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`);
    }

    /**
     * @param {number} x @param {number} y @param {number} width @param {number} height
     * @param {number} radius
     */
    roundRect(x, y, width, height, radius) {
      const r = Math.min(radius, width / 2, height / 2);
      /** @param {number} dx @param {number} dy */
      const arc = (dx, dy) => `a${short(r)} ${short(r)} 0 0 1 ${short(dx)} ${short(dy)}`;
      this.path.push(
        `M${short(x + r)} ${short(y)}h${short(width - 2 * r)}${arc(r, r)}v${short(height - 2 * r)}${arc(-r, r)}` +
        `h${short(2 * r - width)}${arc(-r, -r)}v${short(2 * r - height)}${arc(r, -r)}Z`);
    }

    /** Only whole circles are drawn. @param {number} x @param {number} y @param {number} radius */
    arc(x, y, radius) {
      const r = short(radius);
      this.path.push(`M${short(x - radius)} ${short(y)}a${r} ${r} 0 1 0 ${short(2 * radius)} 0a${r} ${r} 0 1 0 ${short(-2 * radius)} 0Z`);
    }

    alpha() {
      return this.globalAlpha < 1 ? ` opacity="${short(this.globalAlpha)}"` : "";
    }

    dash() {
      return this.dashes.length ? ` stroke-dasharray="${this.dashes.map(short).join(" ")}"` : "";
    }

    fill() {
      this.out.push(`<path d="${this.path.join("")}" fill="${escapeXml(this.fillStyle)}"${this.alpha()}/>`);
    }

    stroke() {
      const line = `stroke="${escapeXml(this.strokeStyle)}" stroke-width="${short(this.lineWidth)}"`;
      const ends = this.lineCap === "butt" ? "" : ` stroke-linecap="${this.lineCap}"`;
      this.out.push(`<path d="${this.path.join("")}" fill="none" ${line}${ends}${this.dash()}${this.alpha()}/>`);
    }

    /** @param {number} x @param {number} y @param {number} width @param {number} height */
    fillRect(x, y, width, height) {
      const box = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
      this.out.push(`<rect ${box} fill="${escapeXml(this.fillStyle)}"${this.alpha()}/>`);
    }

    /** A halo comes before its text: kept back, so that both become one element.
     * @param {string} text @param {number} x @param {number} y */
    strokeText(text, x, y) {
      this.halo = { text, x, y, colour: this.strokeStyle, width: this.lineWidth };
    }

    /** @param {string} text @param {number} x @param {number} y */
    fillText(text, x, y) {
      const { halo } = this;
      this.halo = null;
      const with_ = halo && halo.text === text && halo.x === x && halo.y === y;
      const edge = with_
        ? ` stroke="${escapeXml(halo.colour)}" stroke-width="${short(halo.width)}" stroke-linejoin="round" paint-order="stroke"`
        : "";
      const style = `text-anchor="${ANCHORS[this.textAlign]}" fill="${escapeXml(this.fillStyle)}"${edge}${this.alpha()}`;
      const place = `x="${short(x)}" y="${short(this.baseline(text, y))}"`;
      this.out.push(`<text ${place} style="font:${escapeXml(this.font)}" xml:space="preserve" ${style}>${escapeXml(text)}</text>`);
    }

    /** Editors of SVG know no other baseline than the alphabetic one. @param {string} text @param {number} y */
    baseline(text, y) {
      if (this.textBaseline === "alphabetic") return y;
      this.measuring.font = this.font;
      this.measuring.textBaseline = this.textBaseline;
      const there = this.measuring.measureText(text).actualBoundingBoxAscent;
      this.measuring.textBaseline = "alphabetic";
      return y + this.measuring.measureText(text).actualBoundingBoxAscent - there;
    }

    /** @param {HTMLCanvasElement} canvas  embedded as a PNG
     * @param {number} x @param {number} y @param {number} width @param {number} height */
    drawImage(canvas, x, y, width, height) {
      const box = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
      this.out.push(`<image ${box} href="${canvas.toDataURL("image/png")}"/>`);
    }

    /** A group moved and cut to a box, with what `work` draws.
     * @param {number} x @param {number} y @param {number} width @param {number} height @param {(c: SvgContext) => void} work */
    group(x, y, width, height, work) {
      clips += 1;
      const id = `part${clips}`;
      this.out.push(`<clipPath id="${id}"><rect width="${short(width)}" height="${short(height)}"/></clipPath>`);
      this.out.push(`<g transform="translate(${short(x)} ${short(y)})" clip-path="url(#${id})">`);
      work(this);
      this.out.push("</g>");
    }

    /** The whole file. @param {number} width @param {number} height @param {string} title */
    file(width, height, title) {
      const size = `width="${short(width)}" height="${short(height)}" viewBox="0 0 ${short(width)} ${short(height)}"`;
      return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img"><title>${escapeXml(title)}</title>\n${this.out.join("\n")}\n</svg>\n`;
    }
  }

  const api = { SvgContext, escapeXml };
  atlas.vector = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
