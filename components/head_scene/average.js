/**
 * Mean attention by position: small heatmaps in place of the points, a large one with axes in the open head.
 * Which weights are shown, and their colours, are the sentence view's.
 */
(function (atlas) {
  const node = typeof module !== "undefined";
  // Looked up when used: Dash promises no order among the scripts of two components.
  const weightsOf = () => (node ? require("../sentence_view/weights.js") : window.atlas_sentence_view.weights);
  const FEW = 255;
  const LEVELS = 254;

  /** The pairs that lines are drawn for: the sentence view's weights under the same choices.
   * @param {Uint16Array} raw @param {Object} sides @param {Float32Array|null} valueNorms @param {Object} lines
   * @returns {Array<{query: number, key: number, weight: number}>} weakest first, so that strong lines lie on top */
  function shownPairs(raw, sides, valueNorms, lines) {
    const W = weightsOf();
    const queries = sides.queries.tokens.length;
    const keys = sides.keys.tokens.length;
    const hidden = lines.hidden || {};
    const { weights } = W.shownMatrix(raw, queries, keys, {
      hiddenQueries: W.hiddenMask(queries, sides.queries.special, hidden.queries, lines),
      hiddenKeys: W.hiddenMask(keys, sides.keys.special, hidden.keys, lines),
      valueNorms,
    });
    const { index } = W.strongestPairs(weights, queries, keys, { topk: lines.topk, threshold: lines.threshold, limit: 5000 });
    return Array.from(index, (i) => ({ query: Math.floor(i / keys), key: i % keys, weight: weights[i] }));
  }

  /** @param {Uint8Array} bytes  queries, keys, then a level for each head, query and key @param {number} cells */
  function readCells(bytes, cells) {
    const [queries, keys] = bytes;
    const levels = bytes.subarray(2);
    if (levels.length !== cells * queries * keys) throw new Error("the mean attention has the wrong size");
    return { queries, keys, levels };
  }

  const weightOf = (level) => (level / LEVELS) ** 2;

  /** One picture of all heads, made again when colours change. */
  function sheet(overlay, state) {
    const { average, colours } = state;
    const name = colours.cell;
    if (overlay.averageSheet?.of === average && overlay.averageSheet.name === name) return overlay.averageSheet;
    const { queries, keys, levels } = average;
    const { rows, columns } = state.grid;
    const { colour } = window.atlas_sentence_view;
    const ground = colour.parse(colours.cell) || [245, 246, 248];
    const table = colour.scale(ground, colour.isDark(ground));
    const muted = colour.parse(colours.faded) || [128, 128, 128];
    const canvas = document.createElement("canvas");
    canvas.width = columns * keys;
    canvas.height = rows * queries;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let cell = 0; cell < rows * columns; cell++) {
      const [column, row] = [cell % columns, Math.floor(cell / columns)];
      for (let q = 0; q < queries; q++) {
        for (let k = 0; k < keys; k++) {
          const level = levels[(cell * queries + q) * keys + k];
          const at = 4 * ((row * queries + q) * canvas.width + column * keys + k);
          // Too few inputs: a chequered ground, so that it is neither a weight nor zero.
          const few = (q + k) % 2 ? colour.mix(ground, muted, 0.3) : ground;
          const shade = level === FEW ? few : table.subarray(4 * Math.round((level * 255) / LEVELS));
          image.data.set([shade[0], shade[1], shade[2], 255], at);
        }
      }
    }
    context.putImageData(image, 0, 0);
    overlay.averageSheet = { of: average, name, canvas, table };
    return overlay.averageSheet;
  }

  /** Cover the cells: with their heatmaps, or with nothing while these are on their way. */
  function draw(overlay, state) {
    const c = overlay.context;
    const { average, colours } = state;
    const made = average && sheet(overlay, state);
    c.imageSmoothingEnabled = false;
    const paint = (cell) => {
      const { x, y, side } = overlay.cellBox(state, cell);
      c.fillStyle = colours.cell;
      c.fillRect(x - 1, y - 1, side + 2, side + 2);
      if (!made) return;
      const { columns } = state.grid; // the sheet keeps the order of layers and heads, whatever the cells are sorted by
      const [column, row] = [cell % columns, Math.floor(cell / columns)];
      const { queries, keys } = average;
      const box = heatBox(state, cell, { x, y, side });
      c.drawImage(made.canvas, column * keys, row * queries, keys, queries, box.x, box.y, box.side, box.side);
    };
    if (state.openness < 1) overlay.visitCells(state, paint);
    if (state.open >= 0 && state.openness > 0) {
      c.fillStyle = colours.cell;
      c.globalAlpha = state.openness;
      c.fillRect(0, 0, overlay.width, overlay.height);
      paint(state.open);
      if (made && state.openness > 0.98) drawAxes(overlay, state);
      c.globalAlpha = 1;
    }
    if (made) drawLegend(overlay, state, made.table);
  }

  /** Where the heatmap lies in its cell: in the open head it leaves room for the axes. */
  function heatBox(state, cell, { x, y, side }) {
    if (state.open !== cell) return { x, y, side };
    const room = 34 * state.openness;
    return { x: x + room, y: y + room * 0.6, side: side - room * 1.6 };
  }

  function drawAxes(overlay, state) {
    const c = overlay.context;
    const box = heatBox(state, state.open, overlay.cellBox(state, state.open));
    const { queries, keys } = state.average;
    c.fillStyle = state.colours.muted;
    c.strokeStyle = state.colours.muted;
    c.lineWidth = 1;
    c.strokeRect(box.x - 0.5, box.y - 0.5, box.side + 1, box.side + 1);
    c.font = `11px ${overlay.font}`;
    const step = (count) => [1, 2, 5, 10].find((each) => (each * box.side) / count >= 22) || 10;
    c.textAlign = "center";
    c.textBaseline = "bottom";
    for (let k = 0; k < keys; k += step(keys)) c.fillText(String(k), box.x + ((k + 0.5) * box.side) / keys, box.y - 4);
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (let q = 0; q < queries; q += step(queries)) c.fillText(String(q), box.x - 5, box.y + ((q + 0.5) * box.side) / queries);
    c.fillStyle = state.colours.text;
    c.font = `600 11px ${overlay.font}`;
    c.textAlign = "left";
    c.fillText("key position →", box.x, box.y - 24);
    c.save();
    c.translate(box.x - 30, box.y);
    c.rotate(-Math.PI / 2);
    c.textAlign = "right";
    c.fillText("← query position", 0, 0);
    c.restore();
  }

  function drawLegend(overlay, state, table) {
    const c = overlay.context;
    const text = overlay.width < 520 ? "1  mean weight (√)" : "1  mean weight (√ scale), query ↓ key →";
    c.font = `11px ${overlay.font}`;
    const left = overlay.width - 14 - 97 - c.measureText(text).width;
    // In the open head the top right is the minimap's.
    const middle = state.open >= 0 ? overlay.height - 14 : 14;
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

  /** What is under the pointer in the open head. */
  function tooltip(scene, x, y) {
    const { average } = scene.data;
    if (!average) return null;
    const state = scene.overlayState();
    const box = heatBox(state, scene.open, scene.overlay.cellBox(state, scene.open));
    const query = Math.floor(((y - box.y) / box.side) * average.queries);
    const key = Math.floor(((x - box.x) / box.side) * average.keys);
    if (query < 0 || key < 0 || query >= average.queries || key >= average.keys) return null;
    const level = average.levels[(scene.open * average.queries + query) * average.keys + key];
    const title = level === FEW ? "too few inputs for a mean" : `mean weight ${weightOf(level).toFixed(3)}`;
    return { title, rows: [{ text: `query position ${query} → key position ${key}` }] };
  }

  atlas.average = { shownPairs, readCells, weightOf, draw, tooltip };
  if (node) module.exports = atlas.average;
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
