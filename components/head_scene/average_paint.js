/**
 * Paints mean attention by position: small heatmaps in place of the points, a large one with axes in the open head.
 * The colours are the sentence view's.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");
  const { FEW, LEVELS, weightOf } = atlas.average || require("./average.js");

  // Looked up when used: Dash promises no order among the scripts of two components.
  /** @returns {typeof import("../sentence_view/colour.js")} */
  const colourOf = () => (typeof window === "undefined" ? require("../sentence_view/colour.js") : window.atlas_sentence_view.colour);

  /** Room for the axes in the open head, CSS px. */
  const ROOM = 34;

  /**
   * @typedef {{x: number, y: number, side: number}} Box
   * @typedef {{of: Atlas.MeanAttention, ground: string, canvas: HTMLCanvasElement, table: Uint8ClampedArray}} Sheet
   *   all heads' heatmaps, a pixel a mean, in the order of layers and heads
   * @typedef {Object} Surface  what it paints on
   * @property {CanvasRenderingContext2D} context
   * @property {number} width
   * @property {number} height
   * @property {string} font
   * @property {(state: Atlas.OverlayState, cell: number) => Box} cellBox
   * @property {(state: Atlas.OverlayState, visit: (cell: number) => void) => void} visitCells
   * @property {Sheet|null} sheet  kept from picture to picture
   */

  /** Colours of weights, and of a mean of too few inputs: a chequered ground, neither a weight nor zero.
   * @param {Atlas.Colours} colours */
  function shades(colours) {
    const { parse, scale, isDark, mix } = colourOf();
    const ground = parse(colours.cell) || [245, 246, 248];
    const muted = parse(colours.faded) || [128, 128, 128];
    return { table: scale(ground, isDark(ground)), few: [ground, mix(ground, muted, 0.3)] };
  }

  /**
   * @param {Atlas.MeanAttention} mean @param {number} columns  heads a layer @param {ReturnType<typeof shades>} look
   * @returns {{width: number, height: number, pixels: Uint8ClampedArray}} RGBA
   */
  function sheetPixels({ queries, keys, levels }, columns, { table, few }) {
    const cells = levels.length / (queries * keys);
    const width = columns * keys;
    const height = (cells / columns) * queries;
    const pixels = new Uint8ClampedArray(4 * width * height);
    for (let cell = 0; cell < cells; cell++) {
      const [column, row] = [cell % columns, Math.floor(cell / columns)];
      for (let q = 0; q < queries; q++) {
        for (let k = 0; k < keys; k++) {
          const level = levels[(cell * queries + q) * keys + k];
          const shade = level === FEW ? few[(q + k) % 2] : table.subarray(4 * Math.round((level * 255) / LEVELS));
          pixels.set([shade[0], shade[1], shade[2], 255], 4 * ((row * queries + q) * width + column * keys + k));
        }
      }
    }
    return { width, height, pixels };
  }

  /** The sheet, made again when means or colours change.
   * @param {Surface} surface @param {Atlas.OverlayState} state @param {Atlas.MeanAttention} mean */
  function sheetOf(surface, state, mean) {
    const ground = state.colours.cell;
    if (surface.sheet && surface.sheet.of === mean && surface.sheet.ground === ground) return surface.sheet;
    const look = shades(state.colours);
    const { width, height, pixels } = sheetPixels(mean, state.grid.heads, look);
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    if (context) {
      const image = context.createImageData(width, height);
      image.data.set(pixels);
      context.putImageData(image, 0, 0);
    }
    surface.sheet = { of: mean, ground, canvas, table: look.table };
    return surface.sheet;
  }

  /** Cover the cells: with their heatmaps, or with nothing while these are on their way.
   * @param {Surface} surface @param {Atlas.OverlayState} state */
  function draw(surface, state) {
    const c = surface.context;
    const { average: mean, colours } = state;
    const sheet = mean && sheetOf(surface, state, mean);
    c.imageSmoothingEnabled = false;
    /** @param {number} cell */
    const paint = (cell) => {
      const { x, y, side } = surface.cellBox(state, cell);
      c.fillStyle = colours.cell;
      c.fillRect(x - 1, y - 1, side + 2, side + 2);
      if (!mean || !sheet) return;
      const { layer, head } = grid.headOf(state.grid, cell);
      const { queries, keys } = mean;
      const box = heatBox(state, cell, { x, y, side });
      c.drawImage(sheet.canvas, head * keys, layer * queries, keys, queries, box.x, box.y, box.side, box.side);
    };
    if (state.openness < 1) surface.visitCells(state, paint);
    if (state.open >= 0 && state.openness > 0) {
      c.fillStyle = colours.cell;
      c.globalAlpha = state.openness;
      c.fillRect(0, 0, surface.width, surface.height);
      paint(state.open);
      if (mean && state.openness > 0.98) drawAxes(surface, state, mean);
      c.globalAlpha = 1;
    }
    if (sheet) drawLegend(surface, state, sheet.table);
  }

  /** Where the heatmap lies in its cell: in the open head it leaves room for the axes.
   * @param {Pick<Atlas.OverlayState, "open" | "openness">} state @param {number} cell @param {Box} box @returns {Box} */
  function heatBox(state, cell, { x, y, side }) {
    if (state.open !== cell) return { x, y, side };
    const room = ROOM * state.openness;
    return { x: x + room, y: y + room * 0.6, side: side - room * 1.6 };
  }

  /** @param {Surface} surface @param {Atlas.OverlayState} state @param {Atlas.MeanAttention} mean */
  function drawAxes(surface, state, { queries, keys }) {
    const c = surface.context;
    const box = heatBox(state, state.open, surface.cellBox(state, state.open));
    c.fillStyle = state.colours.muted;
    c.strokeStyle = state.colours.muted;
    c.lineWidth = 1;
    c.strokeRect(box.x - 0.5, box.y - 0.5, box.side + 1, box.side + 1);
    c.font = `11px ${surface.font}`;
    const step = (/** @type {number} */ count) => [1, 2, 5, 10].find((each) => (each * box.side) / count >= 22) || 10;
    c.textAlign = "center";
    c.textBaseline = "bottom";
    for (let k = 0; k < keys; k += step(keys)) c.fillText(String(k), box.x + ((k + 0.5) * box.side) / keys, box.y - 4);
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (let q = 0; q < queries; q += step(queries)) c.fillText(String(q), box.x - 5, box.y + ((q + 0.5) * box.side) / queries);
    c.fillStyle = state.colours.text;
    c.font = `600 11px ${surface.font}`;
    c.textAlign = "left";
    c.fillText("key position →", box.x, box.y - 24);
    c.save();
    c.translate(box.x - 30, box.y);
    c.rotate(-Math.PI / 2);
    c.textAlign = "right";
    c.fillText("← query position", 0, 0);
    c.restore();
  }

  /** @param {Surface} surface @param {Atlas.OverlayState} state @param {Uint8ClampedArray} table */
  function drawLegend(surface, state, table) {
    const c = surface.context;
    const text = surface.width < 520 ? "1  mean weight (√)" : "1  mean weight (√ scale), query ↓ key →";
    c.font = `11px ${surface.font}`;
    const left = surface.width - 14 - 97 - c.measureText(text).width;
    // In the open head the top right is the minimap's.
    const middle = state.open >= 0 ? surface.height - 14 : 14;
    for (let i = 0; i < 80; i++) {
      const shade = table.subarray(4 * Math.round((255 * i) / 79));
      c.fillStyle = `rgb(${shade[0]}, ${shade[1]}, ${shade[2]})`;
      c.fillRect(left + 12 + i, middle - 5, 1, 9);
    }
    c.strokeStyle = state.colours.muted;
    c.lineWidth = 1;
    c.strokeRect(left + 11.5, middle - 5.5, 81, 10);
    c.fillStyle = state.colours.text;
    c.textAlign = "left";
    c.textBaseline = "middle";
    c.fillText("0", left, middle);
    c.fillText(text, left + 97, middle);
  }

  /** What is under a place in the open head, whose cell lies in `cellBox`.
   * @param {Atlas.OverlayState} state @param {Box} cellBox @param {number} x @param {number} y
   * @returns {Atlas.TooltipContent|null} */
  function tooltip(state, cellBox, x, y) {
    const { average: mean, open } = state;
    if (!mean) return null;
    const box = heatBox(state, open, cellBox);
    const query = Math.floor(((y - box.y) / box.side) * mean.queries);
    const key = Math.floor(((x - box.x) / box.side) * mean.keys);
    if (query < 0 || key < 0 || query >= mean.queries || key >= mean.keys) return null;
    const level = mean.levels[(open * mean.queries + query) * mean.keys + key];
    const title = level === FEW ? "too few inputs for a mean" : `mean weight ${weightOf(level).toFixed(3)}`;
    return { title, rows: [{ text: `query position ${query} → key position ${key}` }] };
  }

  const api = { draw, tooltip, heatBox, sheetPixels };
  atlas.averagePaint = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
