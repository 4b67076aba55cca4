/** Where patches and special tokens lie in the picture, and how weights become shades. Pure functions. */
(function (/** @type {Atlas.ImageViewScripts} */ atlas) {
  /** Height of the row of boxes for special tokens, and the space between boxes, CSS px. */
  const BOX = 26;
  const GAP = 6;
  /** Share of weights that a clipped scale shows in full. */
  const CLIP = 0.99;

  /**
   * The image as large as the width allows, special tokens as boxes below it.
   * @param {number} width  CSS px @param {number} most  height of the image at most @param {Atlas.ImageFacts} image
   * @param {number} specials
   * @returns {Atlas.ImageLayout}
   */
  function layoutOf(width, most, image, specials) {
    const scale = Math.max(0.05, Math.min(width / image.width, most / image.height));
    const wide = image.width * scale;
    const high = image.height * scale;
    const x = (width - wide) / 2;
    return {
      image: { x, y: 0, width: wide, height: high },
      rows: image.rows,
      columns: image.columns,
      specials,
      boxes: { x, y: high + GAP, width: specials ? Math.min(64, (wide - GAP * (specials - 1)) / specials) : 0, height: BOX },
      height: high + (specials ? GAP + BOX : 0),
    };
  }

  /** The rectangle of a token. @param {Atlas.ImageLayout} layout @param {number} position @returns {Atlas.Rectangle} */
  function boxOf({ image, rows, columns, specials, boxes }, position) {
    if (position < specials) {
      return { x: boxes.x + position * (boxes.width + GAP), y: boxes.y, width: boxes.width, height: boxes.height };
    }
    const patch = position - specials;
    const width = image.width / columns;
    const height = image.height / rows;
    return { x: image.x + (patch % columns) * width, y: image.y + Math.floor(patch / columns) * height, width, height };
  }

  /** The token under a place, or -1. @param {Atlas.ImageLayout} layout @param {number} x @param {number} y */
  function tokenAt(layout, x, y) {
    const { image, rows, columns, specials } = layout;
    const column = Math.floor(((x - image.x) / image.width) * columns);
    const row = Math.floor(((y - image.y) / image.height) * rows);
    if (column >= 0 && column < columns && row >= 0 && row < rows) return specials + row * columns + column;
    for (let position = 0; position < specials; position++) {
      const box = boxOf(layout, position);
      if (x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height) return position;
    }
    return -1;
  }

  /** Patches whose middle lies in a rectangle. @param {Atlas.ImageLayout} layout @param {Atlas.Rectangle} area */
  function tokensIn(layout, area) {
    const found = [];
    for (let position = layout.specials; position < layout.specials + layout.rows * layout.columns; position++) {
      const { x, y, width, height } = boxOf(layout, position);
      const [right, down] = [x + width / 2 - area.x, y + height / 2 - area.y];
      if (right >= 0 && right <= area.width && down >= 0 && down <= area.height) found.push(position);
    }
    return found;
  }

  /** The token a step of an arrow key leads to. @param {Atlas.ImageLayout} layout @param {number} position @param {string} key */
  function stepped({ rows, columns, specials }, position, key) {
    const patch = position - specials;
    const row = Math.floor(patch / columns);
    const column = patch - row * columns;
    if (position < specials) {
      if (key === "ArrowUp") return specials + (rows - 1) * columns + Math.min(columns - 1, position);
      if (key === "ArrowLeft") return Math.max(0, position - 1);
      return key === "ArrowRight" ? Math.min(specials - 1, position + 1) : position;
    }
    if (key === "ArrowLeft") return specials + row * columns + Math.max(0, column - 1);
    if (key === "ArrowRight") return specials + row * columns + Math.min(columns - 1, column + 1);
    if (key === "ArrowUp") return specials + Math.max(0, row - 1) * columns + column;
    if (row < rows - 1) return position + columns;
    return specials ? Math.min(specials - 1, column) : position;
  }

  /**
   * Weights as shades 0 … 1; `top` is the weight that has the full shade.
   * @param {Float32Array} weights @param {string} shade  "linear", "sqrt", or "clipped": linear up to the 99th percentile
   * @returns {{levels: Float32Array, top: number}}
   */
  function shades(weights, shade) {
    const sorted = weights.slice().sort();
    const most = sorted.length ? sorted[sorted.length - 1] : 0;
    const clipped = sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil(CLIP * sorted.length) - 1)] : 0;
    const top = shade === "clipped" && clipped > 0 ? clipped : most;
    const levels = weights.map((weight) => {
      const part = top > 0 ? Math.min(1, weight / top) : 0;
      return shade === "sqrt" ? Math.sqrt(part) : part;
    });
    return { levels, top };
  }

  /** Mean of what each key receives. @param {Float32Array} weights  [queries][keys] @param {number} queries @param {number} keys */
  function received(weights, queries, keys) {
    const mean = new Float32Array(keys);
    for (let q = 0; q < queries; q++) for (let k = 0; k < keys; k++) mean[k] += weights[q * keys + k] / queries;
    return mean;
  }

  const api = { layoutOf, boxOf, tokenAt, tokensIn, stepped, shades, received, BOX, GAP, CLIP };
  atlas.geometry = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_image_view ??= {}));
