/**
 * The part of a 2D canvas context that the scene draws with, written as SVG: text stays text, markers stay shapes.
 */
(function (atlas) {
  const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  /** Characters that XML 1.0 has no room for, and halves of surrogate pairs. */
  // eslint-disable-next-line no-control-regex
  const FOREIGN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

  const escapeXml = (text) => String(text).replace(FOREIGN, "\ufffd").replace(/[&<>"]/g, (letter) => ESCAPES[letter]);
  const short = (value) => String(Math.round(value * 100) / 100);
  const ANCHORS = { left: "start", start: "start", center: "middle", right: "end", end: "end" };
  const STATE = [
    "globalAlpha", "fillStyle", "strokeStyle", "lineWidth", "lineJoin", "lineCap", "font", "textAlign", "textBaseline",
  ];

  class SvgContext {
    /** @param {CanvasRenderingContext2D} measuring  for the widths of texts */
    constructor(measuring) {
      this.measuring = measuring;
      this.out = [];
      this.path = [];
      this.stack = [];
      this.dashes = [];
      Object.assign(this, {
        globalAlpha: 1, fillStyle: "#000000", strokeStyle: "#000000", lineWidth: 1, lineJoin: "miter", lineCap: "butt",
        font: "10px sans-serif", textAlign: "start", textBaseline: "alphabetic",
      });
    }

    save() {
      this.stack.push(Object.fromEntries(STATE.map((name) => [name, this[name]])));
    }

    restore() {
      Object.assign(this, this.stack.pop() || {});
    }

    setTransform() {}
    clearRect() {}

    measureText(text) {
      this.measuring.font = this.font;
      return this.measuring.measureText(text);
    }

    setLineDash(dashes) {
      this.dashes = dashes;
    }

    beginPath() {
      this.path = [];
    }

    moveTo(x, y) {
      this.path.push(`M${short(x)} ${short(y)}`);
    }

    lineTo(x, y) {
      this.path.push(`${this.path.length ? "L" : "M"}${short(x)} ${short(y)}`);
    }

    bezierCurveTo(a, b, c, d, x, y) {
      this.path.push(`C${[a, b, c, d, x, y].map(short).join(" ")}`);
    }

    closePath() {
      this.path.push("Z");
    }

    rect(x, y, width, height) {
      this.path.push(`M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`);
    }

    roundRect(x, y, width, height, radius) {
      const r = Math.min(radius, width / 2, height / 2);
      const arc = (dx, dy) => `a${short(r)} ${short(r)} 0 0 1 ${short(dx)} ${short(dy)}`;
      this.path.push(
        `M${short(x + r)} ${short(y)}h${short(width - 2 * r)}${arc(r, r)}v${short(height - 2 * r)}${arc(-r, r)}` +
        `h${short(2 * r - width)}${arc(-r, -r)}v${short(2 * r - height)}${arc(r, -r)}Z`);
    }

    /** Only whole circles are drawn. */
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

    fillRect(x, y, width, height) {
      const box = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
      this.out.push(`<rect ${box} fill="${escapeXml(this.fillStyle)}"${this.alpha()}/>`);
    }

    /** A halo comes before its text: kept back, so that both become one element. */
    strokeText(text, x, y) {
      this.halo = { text, x, y, colour: this.strokeStyle, width: this.lineWidth };
    }

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

    /** Editors of SVG know no other baseline than the alphabetic one. */
    baseline(text, y) {
      if (this.textBaseline === "alphabetic") return y;
      this.measuring.font = this.font;
      this.measuring.textBaseline = this.textBaseline;
      const there = this.measuring.measureText(text).actualBoundingBoxAscent;
      this.measuring.textBaseline = "alphabetic";
      return y + this.measuring.measureText(text).actualBoundingBoxAscent - there;
    }

    /** @param {HTMLCanvasElement} canvas  embedded as a PNG */
    drawImage(canvas, x, y, width, height) {
      const box = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
      this.out.push(`<image ${box} href="${canvas.toDataURL("image/png")}"/>`);
    }

    /** A group moved and cut to a box, with what `work` draws. */
    group(x, y, width, height, work) {
      SvgContext.clips = (SvgContext.clips || 0) + 1;
      const id = `part${SvgContext.clips}`;
      this.out.push(`<clipPath id="${id}"><rect width="${short(width)}" height="${short(height)}"/></clipPath>`);
      this.out.push(`<g transform="translate(${short(x)} ${short(y)})" clip-path="url(#${id})">`);
      work(this);
      this.out.push("</g>");
    }

    /** The whole file. */
    file(width, height, title) {
      const size = `width="${short(width)}" height="${short(height)}" viewBox="0 0 ${short(width)} ${short(height)}"`;
      return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img"><title>${escapeXml(title)}</title>\n${this.out.join("\n")}\n</svg>\n`;
    }
  }

  atlas.vector = { SvgContext, escapeXml };
  if (typeof module !== "undefined") module.exports = atlas.vector;
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
