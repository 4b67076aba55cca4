/** What is painted: the image, weights laid over it, arrows, outlines; and the small maps below. */
(function (/** @type {Atlas.ImageViewScripts} */ atlas) {
  const { boxOf } = atlas.geometry || require("./geometry.js");
  // Looked up when used: Dash promises no order among the scripts of two packages.
  /** @returns {typeof import("../sentence_view/colour.js")} */
  const colours = () => (typeof window === "undefined" ? require("../sentence_view/colour.js") : window.atlas_sentence_view.colour);

  /** Strokes of lines on any photograph: a light one inside a dark one. */
  const HALO = "rgba(10, 14, 20, 0.75)";
  const MOST_ARROWS = 1500;
  const TAU = 2 * Math.PI;

  /** @param {CanvasRenderingContext2D} context @param {Atlas.ImageScene} scene */
  function paint(context, scene) {
    context.clearRect(0, 0, scene.width, scene.layout.height + 2);
    pixels(context, scene);
    shapes(context, scene);
  }

  /** The image, and weights laid over it. @param {CanvasRenderingContext2D} context @param {Atlas.ImageScene} scene */
  function pixels(context, scene) {
    const { layout, picture, look } = scene;
    const { x, y, width, height } = layout.image;
    context.imageSmoothingEnabled = true;
    if (look.opacity < 1) context.drawImage(picture, x, y, width, height);
    if (scene.levels) overlay(context, scene, scene.levels);
  }

  /** What has no pixels: boxes, arrows, outlines; of a canvas, or of what writes SVG.
   * @param {CanvasRenderingContext2D} context @param {Atlas.ImageScene} scene */
  function shapes(context, scene) {
    boxes(context, scene);
    if (scene.pairs) arrows(context, scene, scene.pairs);
    outlines(context, scene);
  }

  /** Special tokens: boxes with their names. @param {CanvasRenderingContext2D} context @param {Atlas.ImageScene} scene */
  function boxes(context, { layout, names, colours: c, font, levels, table }) {
    context.font = font;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let position = 0; position < layout.specials; position++) {
      const box = boxOf(layout, position);
      context.fillStyle = c.cell;
      context.fillRect(box.x, box.y, box.width, box.height);
      if (levels && levels[position] > 0) {
        const at = 4 * Math.round(255 * levels[position]);
        context.fillStyle = `rgb(${table[at]}, ${table[at + 1]}, ${table[at + 2]})`;
        context.fillRect(box.x, box.y + box.height - 6, box.width, 6);
      }
      context.strokeStyle = c.muted;
      context.lineWidth = 1;
      frame(context, box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1);
      context.fillStyle = c.text;
      context.fillText(names[position], box.x + box.width / 2, box.y + box.height / 2, box.width - 4);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Atlas.ImageScene} scene @param {Float32Array} levels */
  function overlay(context, { layout, look, table }, levels) {
    // As one picture of a pixel a patch: drawn one by one, neighbours would overlap in seams.
    const map = document.createElement("canvas");
    small(map, layout.rows, layout.columns, levels.subarray(layout.specials), table);
    const { x, y, width, height } = layout.image;
    context.globalAlpha = look.opacity;
    context.imageSmoothingEnabled = false;
    context.drawImage(map, x, y, width, height);
    context.imageSmoothingEnabled = true;
    context.globalAlpha = 1;
  }

  /** @param {Atlas.Rectangle} box */
  const middle = (box) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });

  /**
   * From each query to its key; attention of a patch to itself is a ring.
   * @param {CanvasRenderingContext2D} context @param {Atlas.ImageScene} scene @param {Uint32Array} pairs  weakest first
   */
  function arrows(context, { layout, weights, keys, colours: c }, pairs) {
    const shown = pairs.length > MOST_ARROWS ? pairs.subarray(pairs.length - MOST_ARROWS) : pairs;
    context.lineCap = "round";
    for (const pair of shown) {
      const query = Math.floor(pair / keys);
      const key = pair - query * keys;
      const weight = weights[pair];
      const wide = 0.8 + 3.2 * Math.sqrt(weight);
      const alpha = Math.min(1, 0.25 + 0.9 * Math.sqrt(weight));
      for (const [style, extra] of /** @type {[string, number][]} */ ([[HALO, 1.6], [c.arrow, 0]])) {
        context.strokeStyle = context.fillStyle = style;
        context.globalAlpha = alpha;
        context.lineWidth = wide + extra;
        if (query === key) ring(context, boxOf(layout, query));
        else arrow(context, middle(boxOf(layout, query)), middle(boxOf(layout, key)), wide);
      }
    }
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context @param {Atlas.Rectangle} box */
  function ring(context, box) {
    const { x, y } = middle(box);
    context.beginPath();
    context.arc(x, y, Math.min(box.width, box.height) * 0.3, 0, TAU);
    context.stroke();
  }

  /** @param {CanvasRenderingContext2D} context @param {Atlas.Point} from @param {Atlas.Point} to @param {number} wide */
  function arrow(context, from, to, wide) {
    const angle = Math.atan2(to.y - from.y, to.x - from.x);
    const head = 3.5 + 1.6 * wide;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    for (const turn of [0.45, -0.45]) {
      context.moveTo(to.x, to.y);
      context.lineTo(to.x - head * Math.cos(angle + turn), to.y - head * Math.sin(angle + turn));
    }
    context.stroke();
  }

  /** The chosen patch, the one under the pointer, and those of the set. @param {CanvasRenderingContext2D} context
   * @param {Atlas.ImageScene} scene */
  function outlines(context, { layout, chosen, side, hover, drag, colours: c }) {
    if (drag) outline(context, drag, c.arrow, 1.5);
    if (hover >= 0) outline(context, boxOf(layout, hover), c.text, 1.5);
    if (chosen >= 0) outline(context, boxOf(layout, chosen), side === "key" ? c.key : c.query, 3);
  }

  /** @param {CanvasRenderingContext2D} context @param {Atlas.Rectangle} box @param {string} colour @param {number} wide */
  function outline(context, box, colour, wide) {
    for (const [style, extra] of /** @type {[string, number][]} */ ([[HALO, 2], [colour, 0]])) {
      context.strokeStyle = style;
      context.lineWidth = wide + extra;
      frame(context, box.x, box.y, box.width, box.height);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} width @param {number} height */
  function frame(context, x, y, width, height) {
    context.beginPath();
    context.rect(x, y, width, height);
    context.stroke();
  }

  /** A map of one value a patch, as many pixels as patches. @param {HTMLCanvasElement} canvas @param {number} rows
   * @param {number} columns @param {ArrayLike<number>} levels  0 … 1 @param {Uint8ClampedArray} table */
  function small(canvas, rows, columns, levels, table) {
    canvas.width = columns;
    canvas.height = rows;
    const image = new ImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++) {
      const at = 4 * Math.round(255 * Math.min(1, Math.max(0, levels[i])));
      image.data.set(table.subarray(at, at + 4), 4 * i);
    }
    /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).putImageData(image, 0, 0);
  }

  const api = { paint, pixels, shapes, small, colours, MOST_ARROWS };
  atlas.paint = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_image_view ??= {}));
