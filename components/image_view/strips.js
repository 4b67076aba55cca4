/** Rows of small maps below the image: the chosen patch in all heads, and what the head does on average. */
(function (/** @type {Atlas.ImageViewScripts} */ atlas) {
  const { shades } = atlas.geometry || require("./geometry.js");
  const { small } = atlas.paint || require("./paint.js");

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

  class Strips {
    /** @param {HTMLElement} root @param {(head: Atlas.Head) => void} open */
    constructor(root, open) {
      this.open = open;
      this.heads = element("div", "image-strip", root);
      this.layers = element("div", "image-strip", root);
      this.offsets = element("div", "image-offsets", root);
      this.clear();
    }

    clear() {
      for (const box of [this.heads, this.layers, this.offsets]) box.replaceChildren();
      for (const box of [this.heads, this.layers, this.offsets]) box.hidden = true;
    }

    /**
     * The chosen token in all heads of a layer, and in one head of all layers.
     * @param {Float32Array} values  [layers][heads][tokens] @param {{layers: number, heads: number}} size
     * @param {Atlas.Head} place @param {Atlas.ImageData} data @param {string} shade @param {Uint8ClampedArray} table
     */
    showHeads(values, { layers, heads }, { layer, head }, data, shade, table) {
      const map = (/** @type {number} */ l, /** @type {number} */ h) => {
        const start = (l * heads + h) * data.count + data.specials;
        return shades(values.slice(start, start + data.facts.rows * data.facts.columns), shade).levels;
      };
      const { numberOf } = window.atlas_client.layers;
      const row = (/** @type {HTMLElement} */ box, /** @type {string} */ title, /** @type {Atlas.Head[]} */ places) => {
        box.hidden = false;
        box.replaceChildren();
        element("span", "image-strip-title", box).textContent = title;
        const maps = element("div", "image-strip-maps", box);
        for (const at of places) {
          const now = at.layer === layer && at.head === head;
          const name = window.atlas_client.layers.nameOf(at.layer, at.head);
          const button = element("button", now ? "image-map now" : "image-map", maps, {
            type: "button", title: now ? `${name}, shown above` : `Open ${name}`, "aria-label": now ? name : `Open ${name}`,
          });
          if (now) button.setAttribute("aria-current", "true");
          small(element("canvas", "", button), data.facts.rows, data.facts.columns, map(at.layer, at.head), table);
          element("span", "", button).textContent = box === this.heads ? `H${at.head}` : `L${numberOf(at.layer)}`;
          button.addEventListener("click", () => this.open(at));
        }
      };
      row(this.heads, `All heads of layer ${numberOf(layer)}`, Array.from({ length: heads }, (_, h) => ({ layer, head: h })));
      row(this.layers, `Head ${head} of all layers`, Array.from({ length: layers }, (_, l) => ({ layer: l, head })));
    }

    hideHeads() {
      this.heads.hidden = this.layers.hidden = true;
    }

    /** @param {Atlas.OffsetMeans} means @param {string} shade @param {Uint8ClampedArray} table */
    showOffsets(means, shade, table) {
      const box = this.offsets;
      box.hidden = false;
      box.replaceChildren();
      element("span", "image-strip-title", box).textContent = "Mean over all images, by rows and columns apart";
      const weights = Float32Array.from(means.mean, (value) => value ?? 0);
      const { levels, top } = shades(weights, shade);
      const canvas = element("canvas", "image-offset-map", box, {
        role: "img", tabindex: "0",
        "aria-label": `Mean attention by rows and columns apart, at most ${top.toFixed(4)}; the middle is the patch itself.`,
      });
      small(canvas, means.rows, means.columns, levels, table);
      const says = element("p", "image-offset-says", box);
      const plain = `The middle is the patch itself. Full shade: ${top.toFixed(4)}.`;
      says.textContent = plain;
      canvas.addEventListener("pointerleave", () => (says.textContent = plain));
      canvas.addEventListener("pointermove", (event) => {
        const place = canvas.getBoundingClientRect();
        const column = Math.floor(((event.clientX - place.left) / place.width) * means.columns);
        const row = Math.floor(((event.clientY - place.top) / place.height) * means.rows);
        const at = row * means.columns + column;
        const mean = means.mean[at];
        if (mean === undefined || column < 0 || column >= means.columns) return;
        const apart = (/** @type {number} */ n, /** @type {string} */ more, /** @type {string} */ less) =>
          (n === 0 ? "" : `${Math.abs(n)} ${n > 0 ? more : less}`);
        const words = [apart(row - (means.rows - 1) / 2, "down", "up"), apart(column - (means.columns - 1) / 2, "right", "left")];
        const where = words.filter(Boolean).join(", ") || "the patch itself";
        says.textContent = mean === null ? `${where}: no pairs` : `${where}: ${mean.toFixed(4)} (${means.count[at].toLocaleString("en")} pairs)`;
      });
    }
  }

  const api = { Strips, element };
  atlas.strips = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_image_view ??= {}));
