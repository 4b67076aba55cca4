/* Where things are: two columns of tokens with lines between them, or a heatmap. Pure geometry in CSS pixels;
   y counts from the top of the content, the scroll offset is added by the caller. */
(function () {
  "use strict";
  const BEND = 0.42; // how far the control points of a line reach inwards
  const BUTTON = 20; // room beside a heatmap's labels for the button that hides a token
  const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

  /** @param {{width: number, height: number, queries: number, keys: number, queryText: number, keyText: number,
   *           coarse?: boolean}} given  queryText, keyText: widest token of each side */
  function linesLayout(given) {
    const outer = given.coarse ? 28 : 22; // room for the button that hides a token
    const digits = 38;
    const gap = 9;
    const top = 6;
    const rows = Math.max(given.queries, given.keys, 1);
    // Whole inputs of about 40 tokens fit a panel; a finger needs more.
    const rowHeight = clamp(Math.floor((given.height - 2 * top) / rows), given.coarse ? 24 : 17, 30);
    const used = Math.min(given.width, 860);
    const left = Math.round((given.width - used) / 2);
    const most = Math.max(30, Math.floor((used - 2 * (outer + digits + gap)) * 0.33));
    const queryText = clamp(Math.ceil(given.queryText), 24, most);
    const keyText = clamp(Math.ceil(given.keyText), 24, most);
    return {
      mode: "lines",
      top,
      rowHeight,
      width: given.width,
      queries: given.queries,
      keys: given.keys,
      contentHeight: rows * rowHeight + 2 * top,
      contentWidth: given.width,
      queryText,
      keyText,
      gap,
      digits,
      outer,
      left,
      right: left + used,
      xQuery: left + outer + digits + queryText + gap,
      xKey: left + used - outer - digits - keyText - gap,
    };
  }

  const rowY = (layout, index) => layout.top + (index + 0.5) * layout.rowHeight;

  /** The token under a point. */
  function tokenAt(layout, x, y) {
    const index = Math.floor((y - layout.top) / layout.rowHeight);
    if (index < 0) return null;
    if (x >= layout.left && x <= layout.xQuery + 3) return index < layout.queries ? { side: "query", index } : null;
    if (x >= layout.xKey - 3 && x <= layout.right) return index < layout.keys ? { side: "key", index } : null;
    return null;
  }

  /** How far between its two ends, vertically, every line is at this x: they all bend alike. */
  function curveShare(layout, x) {
    const wanted = (x - layout.xQuery) / (layout.xKey - layout.xQuery);
    if (!(wanted > 0)) return 0;
    if (wanted >= 1) return 1;
    let low = 0;
    let high = 1;
    for (let step = 0; step < 24; step++) {
      const t = (low + high) / 2;
      const at = 3 * BEND * t * (1 - t) * (1 - t) + 3 * (1 - BEND) * t * t * (1 - t) + t * t * t;
      if (at < wanted) low = t;
      else high = t;
    }
    const t = (low + high) / 2;
    return t * t * (3 - 2 * t);
  }

  /** The line under a point: the nearest within reach, the stronger of two at about the same distance.
   * @param {ArrayLike<number>} pairs flat positions, weakest first */
  function lineAt(layout, pairs, x, y, reach) {
    if (x <= layout.xQuery + 3 || x >= layout.xKey - 3) return null;
    const share = curveShare(layout, x);
    let best = null;
    let distance = reach;
    for (let i = 0; i < pairs.length; i++) {
      const q = Math.floor(pairs[i] / layout.keys);
      const k = pairs[i] - q * layout.keys;
      const at = rowY(layout, q) + (rowY(layout, k) - rowY(layout, q)) * share;
      const away = Math.abs(at - y);
      if (away <= distance) {
        distance = Math.max(away, 1.25);
        best = { query: q, key: k };
      }
    }
    return best;
  }

  /** @param {{width: number, height: number, queries: number, keys: number, queryText: number, keyText: number,
   *           zoomed?: boolean}} given */
  function heatmapLayout(given) {
    const most = Math.max(34, Math.min(120, given.width * 0.24));
    const room = BUTTON + clamp(Math.ceil(given.queryText) + 12, 34, most);
    const head = BUTTON + clamp(Math.ceil(given.keyText) + 14, 34, Math.min(110, given.height * 0.24));
    const margin = 10;
    const wide = Math.max(20, given.width - room - margin);
    const high = Math.max(20, given.height - head - margin);
    const fitted = Math.min(wide / Math.max(1, given.keys), high / Math.max(1, given.queries), 34);
    const zoomable = fitted < 13;
    const cell = given.zoomed && zoomable ? 16 : fitted;
    const slack = Math.max(0, wide - cell * given.keys);
    return {
      mode: "heatmap",
      zoomable,
      zoomed: Boolean(given.zoomed && zoomable),
      cell,
      room,
      head,
      width: given.width,
      height: given.height,
      queries: given.queries,
      keys: given.keys,
      x: room + Math.floor(slack / 2), // first column
      y: head, // first row
      contentWidth: given.zoomed && zoomable ? room + cell * given.keys + margin : given.width,
      contentHeight: given.zoomed && zoomable ? head + cell * given.queries + margin : given.height,
    };
  }

  /** What is under a point of the view (not of the content: labels stay while cells scroll). */
  function heatmapAt(layout, x, y, scrollX, scrollY) {
    const key = Math.floor((x + scrollX - layout.x) / layout.cell);
    const query = Math.floor((y + scrollY - layout.y) / layout.cell);
    const inKeys = key >= 0 && key < layout.keys && x >= layout.x - (layout.zoomed ? 0 : 1);
    const inQueries = query >= 0 && query < layout.queries && y >= layout.y - (layout.zoomed ? 0 : 1);
    if (inKeys && inQueries) return { side: "pair", query, key };
    if (inQueries && x < layout.x) return { side: "query", query, key: null };
    if (inKeys && y < layout.y) return { side: "key", query: null, key };
    return null;
  }

  /** Every how many tokens a label fits. */
  const labelStep = (cell, line) => Math.max(1, Math.ceil(line / cell));

  /** Scroll offset that brings [start, end] into a view of this size, changing as little as possible. */
  function scrollInto(offset, view, start, end) {
    if (start < offset) return start;
    if (end > offset + view) return end - view;
    return offset;
  }

  const api = {
    BEND,
    BUTTON,
    clamp,
    linesLayout,
    rowY,
    tokenAt,
    curveShare,
    lineAt,
    heatmapLayout,
    heatmapAt,
    labelStep,
    scrollInto,
  };
  if (typeof module === "object" && module.exports) module.exports = api;
  else Object.assign((window.atlas_sentence_view ??= {}), { layout: api });
})();
