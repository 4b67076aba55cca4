/** Paints means on a canvas: a heatmap by position, or bars by distance. */
(function (/** @type {Atlas.AverageViewScripts} */ atlas) {
  const { rowCounts } = atlas.means || require("./means.js");
  // Looked up when used: Dash promises no order among the scripts of two packages.
  /** @returns {typeof import("../sentence_view/colour.js")} */
  const colourOf = () => (typeof window === "undefined" ? require("../sentence_view/colour.js") : window.atlas_sentence_view.colour);

  const FONT = '11px "Inter", system-ui, sans-serif';
  /** Each so many bars have a number. */
  const LABELLED = 5;
  /** Room about the picture, px. */
  const EDGE = { left: 44, top: 34, right: 46, bottom: 34 };

  /**
   * @typedef {{text: string, muted: string, edge: string, ground: string, query: string, accent: string, dark: boolean}} Ink
   * @typedef {CanvasRenderingContext2D} Context
   */

  /** Where cells or bars lie, px. @param {Atlas.Size} size @param {Atlas.ShownMeans} shown */
  function geometry({ width, height }, { rows, columns }) {
    const inner = { width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom };
    return { inner, cell: Math.max(1, Math.min(inner.width / columns, inner.height / rows)) };
  }

  /** What lies at a place of the canvas.
   * @param {Atlas.AverageState} state @param {Atlas.Size} size @param {number} x @param {number} y @returns {Atlas.MeanCursor} */
  function cursorAt({ shown, bars, options }, size, x, y) {
    const { inner, cell } = geometry(size, shown);
    const [right, down] = [x - EDGE.left, y - EDGE.top];
    if (options.offsets) {
      const bar = Math.floor((right / inner.width) * bars.length);
      return bar >= 0 && bar < bars.length ? { bar } : null;
    }
    const [query, key] = [Math.floor(down / cell), Math.floor(right / cell)];
    return query >= 0 && key >= 0 && query < shown.rows && key < shown.columns ? { query, key } : null;
  }

  /** @param {Context} c  cleared, in CSS px @param {Atlas.Size} size @param {Atlas.AverageState} state @param {Ink} ink */
  function paint(c, size, state, ink) {
    c.font = FONT;
    if (state.options.offsets) paintBars(c, size, state, ink);
    else paintHeatmap(c, size, state, ink);
  }

  /** @param {Context} c @param {Atlas.Size} size @param {Atlas.AverageState} state @param {Ink} ink */
  function paintHeatmap(c, size, state, ink) {
    const { cell } = geometry(size, state.shown);
    const { rows, columns, max } = state.shown;
    const { parse, scale } = colourOf();
    const table = scale(parse(ink.ground) || [255, 255, 255], ink.dark);
    const css = (/** @type {number} */ level) => `rgb(${table[4 * level]}, ${table[4 * level + 1]}, ${table[4 * level + 2]})`;
    c.save();
    c.translate(EDGE.left, EDGE.top);
    paintCells(c, state.shown, cell, css);
    paintFew(c, state, cell, ink);
    c.strokeStyle = ink.edge;
    c.lineWidth = 1;
    c.strokeRect(-0.5, -0.5, columns * cell + 1, rows * cell + 1);
    paintCounts(c, state, cell, ink);
    paintAxes(c, state.shown, cell, ink);
    paintMarks(c, state, cell, ink);
    c.restore();
    paintLegend(c, css, max, rows * cell, ink);
  }

  /** @param {Context} c @param {Atlas.ShownMeans} shown @param {number} cell @param {(level: number) => string} css */
  function paintCells(c, { rows, columns, weights, max }, cell, css) {
    const gap = cell > 7 ? 0.6 : 0;
    for (let q = 0; q < rows; q++) {
      for (let k = 0; k < columns; k++) {
        const weight = weights[q * columns + k];
        if (!(weight > 0)) continue;
        c.fillStyle = css(Math.round(255 * Math.sqrt(weight / max)));
        c.fillRect(k * cell, q * cell, cell - gap, cell - gap);
      }
    }
  }

  /** Hatching over means of few inputs. @param {Context} c @param {Atlas.AverageState} state @param {number} cell @param {Ink} ink */
  function paintFew(c, { means, enough, shown: { rows, columns } }, cell, ink) {
    c.save();
    c.beginPath();
    for (let q = 0; q < rows; q++) {
      for (let k = 0; k < columns; k++) {
        const count = means.count[q * means.keys + k];
        if (count > 0 && count < enough) c.rect(k * cell, q * cell, cell, cell);
      }
    }
    c.clip();
    c.fillStyle = ink.ground;
    c.globalAlpha = 0.45;
    c.fillRect(0, 0, columns * cell, rows * cell);
    c.globalAlpha = 0.55;
    c.strokeStyle = ink.muted;
    c.lineWidth = 1;
    c.beginPath();
    for (let x = -rows * cell; x < columns * cell; x += 5) {
      c.moveTo(x, rows * cell);
      c.lineTo(x + rows * cell, 0);
    }
    c.stroke();
    c.restore();
  }

  /** How many inputs are as long as a row asks.
   * @param {Context} c @param {Atlas.AverageState} state @param {number} cell @param {Ink} ink */
  function paintCounts(c, { means, shown: { rows, columns } }, cell, ink) {
    const left = columns * cell + 6;
    const most = means.inputs || 1;
    c.fillStyle = ink.muted;
    rowCounts(means, rows).forEach((count, q) => {
      c.fillRect(left, q * cell, Math.max(count ? 1 : 0, (28 * count) / most), Math.max(0.8, cell - 1));
    });
    c.textAlign = "left";
    c.textBaseline = "bottom";
    c.fillText("inputs", left, -3);
  }

  /** @param {Context} c @param {Atlas.ShownMeans} shown @param {number} cell @param {Ink} ink */
  function paintAxes(c, { rows, columns }, cell, ink) {
    const step = [1, 2, 5, 10, 20].find((each) => each * cell >= 20) || 20;
    c.fillStyle = ink.muted;
    c.textAlign = "center";
    for (let k = 0; k < columns; k += step) c.fillText(String(k), (k + 0.5) * cell, -3);
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (let q = 0; q < rows; q += step) c.fillText(String(q), -5, (q + 0.5) * cell);
    c.fillStyle = ink.text;
    c.textAlign = "left";
    c.fillText("key position →", 0, -24);
    c.save();
    c.rotate(-Math.PI / 2);
    c.textAlign = "right";
    c.fillText("← query position", 0, -34);
    c.restore();
  }

  /** Row or column of the chosen token, and the cell pointed at.
   * @param {Context} c @param {Atlas.AverageState} state @param {number} cell @param {Ink} ink */
  function paintMarks(c, { shown: { rows, columns }, token, at }, cell, ink) {
    c.lineWidth = 2;
    const isQuery = token !== null && token.side === "query";
    if (token && token.position >= 0 && token.position < (isQuery ? rows : columns)) {
      c.strokeStyle = isQuery ? ink.query : ink.accent;
      if (isQuery) c.strokeRect(0, token.position * cell, columns * cell, cell);
      else c.strokeRect(token.position * cell, 0, cell, rows * cell);
    }
    if (!at || "bar" in at) return;
    c.strokeStyle = ink.text;
    c.strokeRect(at.key * cell - 1, at.query * cell - 1, cell + 2, cell + 2);
  }

  /** @param {Context} c @param {(level: number) => string} css @param {number} max @param {number} height @param {Ink} ink */
  function paintLegend(c, css, max, height, ink) {
    const y = EDGE.top + height + 10;
    for (let i = 0; i < 90; i++) {
      c.fillStyle = css(Math.round((255 * i) / 89));
      c.fillRect(EDGE.left + 14 + i, y, 1, 9);
    }
    c.strokeStyle = ink.edge;
    c.lineWidth = 1;
    c.strokeRect(EDGE.left + 13.5, y - 0.5, 91, 10);
    c.fillStyle = ink.muted;
    c.textAlign = "left";
    c.textBaseline = "middle";
    c.fillText("0", EDGE.left, y + 5);
    c.fillText(`${max.toFixed(2)}  mean weight, √ scale`, EDGE.left + 110, y + 5);
  }

  // --- by distance ----------------------------------------------------------------------------------------------

  /** @param {Context} c @param {Atlas.Size} size @param {Atlas.AverageState} state @param {Ink} ink */
  function paintBars(c, size, { means, shown, bars, at }, ink) {
    const { offsets } = means;
    if (!offsets || !bars.length) return;
    const { inner } = geometry(size, shown);
    const values = bars.map(({ index }) => offsets[index]);
    const top = Math.max(0.02, ...values);
    const floor = EDGE.top + inner.height;
    paintGuides(c, inner, top, ink);
    const width = inner.width / bars.length;
    bars.forEach((bar, i) => {
      const chosen = at !== null && "bar" in at && at.bar === i;
      const box = { x: EDGE.left + i * width, width, height: (inner.height * values[i]) / top };
      paintBar(c, box, floor, bar.offset, chosen, ink);
    });
    c.fillStyle = ink.text;
    c.textAlign = "left";
    c.textBaseline = "bottom";
    c.fillText("mean share of attention", EDGE.left, EDGE.top - 8);
    c.fillText("key position − query position →", EDGE.left, floor + 33);
  }

  /** @param {Context} c @param {Atlas.Size} inner @param {number} top @param {Ink} ink */
  function paintGuides(c, inner, top, ink) {
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const part of [0, 0.5, 1]) {
      const y = EDGE.top + inner.height * (1 - part);
      c.strokeStyle = ink.edge;
      c.globalAlpha = part ? 0.35 : 1;
      c.beginPath();
      c.moveTo(EDGE.left, Math.round(y) + 0.5);
      c.lineTo(EDGE.left + inner.width, Math.round(y) + 0.5);
      c.stroke();
      c.globalAlpha = 1;
      c.fillStyle = ink.muted;
      c.fillText((top * part).toFixed(2), EDGE.left - 5, y);
    }
  }

  /** @param {number} offset */
  function barLabel(offset) {
    if (!Number.isFinite(offset)) return offset < 0 ? "<" : ">";
    return offset > 0 ? `+${offset}` : String(offset).replace("-", "−");
  }

  /** @param {Context} c @param {{x: number, width: number, height: number}} box @param {number} floor @param {number} offset
   * @param {boolean} chosen @param {Ink} ink */
  function paintBar(c, { x, width, height }, floor, offset, chosen, ink) {
    const near = Number.isFinite(offset);
    c.fillStyle = offset === 0 ? ink.accent : ink.query;
    c.globalAlpha = near ? 1 : 0.5;
    c.fillRect(x + 1, floor - height, Math.max(1, width - 2), height);
    c.globalAlpha = 1;
    c.fillStyle = chosen ? ink.text : ink.muted;
    c.textAlign = "center";
    c.textBaseline = "top";
    if (chosen || !near || offset % LABELLED === 0) c.fillText(barLabel(offset), x + width / 2, floor + 5);
    if (!chosen) return;
    c.strokeStyle = ink.text;
    c.lineWidth = 1.5;
    c.strokeRect(x + 0.5, floor - height - 1, width - 1, height + 1);
  }

  const api = { EDGE, geometry, cursorAt, paint, barLabel };
  atlas.paint = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_average_view ??= {}));
