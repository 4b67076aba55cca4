/**
 * The DOM over the points: a canvas for what paint.js paints, tooltip, heading, message, progress, and the sentence
 * for screen readers. Token texts are only ever text nodes or canvas text.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { OverlayPainter } = atlas.paint || require("./paint.js");

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag @param {string} className @param {Element} parent @param {Record<string, string>} [attributes]
   */
  function element(tag, className, parent, attributes = {}) {
    const node = document.createElement(tag);
    node.className = className;
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    parent.appendChild(node);
    return node;
  }

  /** @param {HTMLCanvasElement} canvas */
  const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

  /** Side of a patch in a tooltip. */
  const PATCH_PX = 72;

  class Overlay {
    /** @param {HTMLElement} root */
    constructor(root) {
      this.canvas = element("canvas", "atlas-scene-overlay", root, { "aria-hidden": "true" });
      this.painter = new OverlayPainter(contextOf(this.canvas), this.readFont());
      this.heading = element("div", "atlas-scene-heading", root, { hidden: "" });
      this.tooltip = element("div", "atlas-scene-tooltip", root, { role: "tooltip", hidden: "" });
      this.note = element("div", "atlas-scene-note", root, { hidden: "" });
      this.message = element("div", "atlas-scene-message", root, { role: "alert", hidden: "" });
      this.progress = element("div", "atlas-scene-progress", root, { "aria-hidden": "true", hidden: "" });
      this.live = element("div", "atlas-scene-live", root, { "aria-live": "polite" });
    }

    /** The page's own font: canvas text does not inherit it. */
    readFont() {
      return getComputedStyle(this.canvas).fontFamily || "sans-serif";
    }

    /** Fonts have loaded. */
    useFont() {
      this.painter.setFont(this.readFont());
    }

    /** @param {number} width @param {number} height  CSS px @param {number} ratio */
    resize(width, height, ratio) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.painter.resize(width, height, ratio);
    }

    /** @param {Atlas.OverlayState} state */
    draw(state) {
      this.painter.draw(state);
    }

    clear() {
      this.painter.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    }

    /** Tell a screen reader. @param {string} sentence */
    say(sentence) {
      if (this.live.textContent !== sentence) this.live.textContent = sentence;
    }

    /** @param {string} text */
    setHeading(text) {
      this.heading.hidden = !text;
      this.heading.textContent = text;
    }

    /** What kind of picture this is, where that is not plain. @param {string} text */
    setNote(text) {
      this.note.hidden = !text;
      if (this.note.textContent !== text) this.note.textContent = text;
    }

    /** @param {number} part  0..1 */
    setProgress(part) {
      this.progress.hidden = part >= 1;
      this.progress.style.setProperty("--part", String(part));
    }

    /** @param {string|null} text @param {(() => void)|null} retry */
    setMessage(text, retry) {
      this.message.hidden = !text;
      this.message.replaceChildren();
      if (!text) return;
      element("span", "", this.message).textContent = text;
      if (!retry) return;
      const button = element("button", "atlas-scene-retry", this.message, { type: "button" });
      button.textContent = "Retry";
      button.addEventListener("click", retry);
    }

    /**
     * @param {Atlas.TooltipContent|null} content
     * @param {number} [x] @param {number} [y]  CSS px
     */
    showTooltip(content, x = 0, y = 0) {
      this.tooltip.hidden = !content;
      if (!content) return;
      this.tooltip.replaceChildren();
      if (content.picture) this.tooltip.appendChild(pictureOf(content.picture));
      element("strong", "", this.tooltip).textContent = content.title;
      for (const row of content.rows) {
        const line = element("div", "", this.tooltip);
        if (row.swatch) element("i", "atlas-scene-swatch", line).style.background = row.swatch;
        line.appendChild(document.createTextNode(row.text));
      }
      const { offsetWidth: w, offsetHeight: h } = this.tooltip;
      const left = x + 14 + w > this.painter.width ? x - w - 14 : x + 14;
      const top = y + 16 + h > this.painter.height ? y - h - 12 : y + 16;
      this.tooltip.style.transform = `translate(${Math.max(2, Math.round(left))}px, ${Math.max(2, Math.round(top))}px)`;
    }
  }

  /** A part of a sheet, enlarged. @param {NonNullable<Atlas.TooltipContent["picture"]>} part */
  function pictureOf({ image, x, y, side }) {
    const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", "atlas-scene-patch", document.createElement("div")));
    canvas.width = canvas.height = PATCH_PX;
    contextOf(canvas).drawImage(image, x, y, side, side, 0, 0, PATCH_PX, PATCH_PX);
    return canvas;
  }

  const api = { Overlay, element, contextOf };
  atlas.overlay = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
