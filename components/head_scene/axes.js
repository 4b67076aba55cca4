/** Paints the numbers of layers and heads, which stay in sight when the matrix moves, and how far one has scrolled. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { MATRIX_MARGINS } = atlas.view || require("./view.js");

  /** px that a number needs */
  const ROOM = 20;
  /** px of the row of layers without attention */
  const THIN = 12;
  /** px of the bar of folded layers */
  const FOLDED = 3;

  /** @typedef {Atlas.OverlayPainter} Painter */
  /** @typedef {NonNullable<ReturnType<Atlas.HeadSceneScripts["headings"]["headingsOf"]>>} Headings */

  /** @param {Painter} painter @param {Atlas.OverlayState} state @param {Headings|null} headings  null: heads have no rows and columns */
  function drawAxes(painter, state, headings) {
    if (state.scrolls || headings) drawGround(painter, state);
    if (headings) {
      drawRules(painter, state, headings);
      drawGaps(painter, state, headings);
      headings.tops.forEach((strip) => drawTop(painter, state, strip));
      headings.sides.forEach((strip) => drawSide(painter, state, strip));
      drawTitles(painter, state, headings);
    }
    if (state.scrolls) drawScroll(painter, state);
  }

  /** A ground for the numbers where the matrix runs under them. @param {Painter} painter @param {Atlas.OverlayState} state */
  function drawGround({ context: c, width, height }, state) {
    c.save();
    c.globalAlpha *= 0.9;
    c.fillStyle = state.colours.canvas;
    if (state.originX < MATRIX_MARGINS.left - 1) c.fillRect(0, 0, MATRIX_MARGINS.left - 4, height);
    if (state.originY < MATRIX_MARGINS.top - 1) c.fillRect(0, 0, width, MATRIX_MARGINS.top - 4);
    c.restore();
  }

  /** Where a heading stands: before its block, in sight as long as this is. @param {number} first @param {number} last
   * @param {number} margin  px */
  const sticking = (first, last, margin) => Math.min(Math.max(first, margin), Math.max(first, last));

  /** Every how many of the numbers there is room for. @param {number} cell */
  const stepOf = (cell) => Math.max(1, Math.ceil(ROOM / cell));

  /** @param {Painter} painter @param {Atlas.OverlayState} state @param {Headings["tops"][number]} strip */
  function drawTop(painter, state, { first, last, marks }) {
    const c = painter.context;
    const { originX, originY, cell, lit } = state;
    const y = sticking(originY + first * cell, originY + (last - 0.3) * cell, MATRIX_MARGINS.top) - 7;
    if (y < 0 || y > painter.height) return;
    c.font = `500 11px ${painter.font}`;
    c.textBaseline = "bottom";
    c.textAlign = "center";
    const step = stepOf(cell);
    for (let i = 0; i < marks.length; i += step) {
      const { at, text } = marks[i];
      const x = originX + (at + 0.5) * cell;
      const isLit = at === lit.column && lit.row >= first && lit.row < last;
      if (x > MATRIX_MARGINS.left && x < painter.width - 8) axisText(painter, state, text, x, y, isLit);
    }
  }

  /** @param {Painter} painter @param {Atlas.OverlayState} state @param {Headings["sides"][number]} strip */
  function drawSide(painter, state, { first, last, marks }) {
    const c = painter.context;
    const { originX, originY, cell, lit } = state;
    const x = sticking(originX + first * cell, originX + (last - 0.3) * cell, MATRIX_MARGINS.left) - 8;
    if (x < 0 || x > painter.width) return;
    c.font = `500 11px ${painter.font}`;
    c.textBaseline = "middle";
    c.textAlign = "right";
    const step = marks.length && marks[0].wide > 1 ? 1 : stepOf(cell);
    for (let i = 0; i < marks.length; i += step) {
      const { at, text, wide } = marks[i];
      // A layer of several rows is named at the first, or the first that is in sight.
      const y = wide > 1
        ? sticking(originY + (at + 0.5) * cell, originY + (at + wide - 0.5) * cell, MATRIX_MARGINS.top + 0.5 * Math.min(cell, ROOM))
        : originY + (at + 0.5) * cell;
      const isLit = lit.row >= at && lit.row < at + wide && lit.column >= first && lit.column < last;
      if (y > MATRIX_MARGINS.top && y < painter.height - 6) axisText(painter, state, text, x, y, isLit);
    }
  }

  /** Between layers of several rows, and between heads of different key heads.
   * @param {Painter} painter @param {Atlas.OverlayState} state @param {Headings} headings */
  function drawRules({ context: c }, { originX, originY, cell, colours }, { rules, bars }) {
    c.strokeStyle = colours.faded;
    c.lineWidth = 1;
    c.beginPath();
    for (const { row, first, last } of rules) {
      const y = Math.round(originY + row * cell) + 0.5;
      c.moveTo(originX + first * cell, y);
      c.lineTo(originX + last * cell, y);
    }
    for (const { column, first, last } of bars) {
      const x = Math.round(originX + column * cell) + 0.5;
      c.moveTo(x, originY + first * cell);
      c.lineTo(x, originY + last * cell);
    }
    c.stroke();
  }

  /** Layers without attention, or folded away: thin strips between the others. @param {Painter} painter
   * @param {Atlas.OverlayState} state @param {Headings} headings */
  function drawGaps(painter, { originX, originY, cell, colours }, { gaps }) {
    const c = painter.context;
    const size = Math.min(10, 0.16 * cell);
    for (const { at, first, last, upright, text, rows } of gaps) {
      const long = (last - first) * cell;
      const [x, y] = upright ? [originX + at * cell, originY + first * cell] : [originX + first * cell, originY + at * cell];
      /** @param {string} colour @param {number} thick  px */
      const bar = (colour, thick) => {
        c.fillStyle = colour;
        if (upright) c.fillRect(x - thick / 2, y, thick, long);
        else c.fillRect(x, y - thick / 2, long, thick);
      };
      bar(colours.canvas, THIN);
      bar(rows.length ? colours.muted : colours.faded, rows.length ? FOLDED : 1);
      if (upright) {
        // No room for words beside the strip: the tooltip has them.
        c.font = `700 12px ${painter.font}`;
        c.textBaseline = "bottom";
        c.textAlign = "center";
        axisText(painter, { colours }, "⋯", x, sticking(y, y + long, MATRIX_MARGINS.top) - 5, true);
        continue;
      }
      c.font = `500 ${size}px ${painter.font}`;
      c.textBaseline = "middle";
      c.textAlign = "left";
      const said = c.measureText(text).width + 8;
      if (said > long || size < 6) continue;
      const left = rows.length ? Math.max(x, MATRIX_MARGINS.left) : x;
      c.fillStyle = colours.canvas;
      c.fillRect(left + 8, y - THIN / 2, said, THIN);
      painter.haloText(text, left + 12, y, rows.length ? colours.text : colours.muted, colours.canvas);
    }
  }

  /** @param {Painter} painter @param {Pick<Atlas.OverlayState, "colours">} state @param {string} text @param {number} x @param {number} y
   * @param {boolean} lit */
  function axisText(painter, state, text, x, y, lit) {
    painter.haloText(text, x, y, lit ? state.colours.text : state.colours.muted, state.colours.canvas);
  }

  /** What the numbers are of: in one line where there is room left of them.
   * @param {Painter} painter @param {Atlas.OverlayState} state @param {Headings} headings */
  function drawTitles(painter, state, { along, down }) {
    const c = painter.context;
    const left = Math.max(MATRIX_MARGINS.left, state.originX) - 8;
    const top = Math.max(MATRIX_MARGINS.top, state.originY) - 7;
    const say = (/** @type {string} */ text, /** @type {number} */ x, /** @type {number} */ y) =>
      painter.haloText(text, x, y, state.colours.muted, state.colours.canvas);
    c.font = `600 11px ${painter.font}`;
    c.textBaseline = "bottom";
    c.textAlign = "right";
    const beside = along ? c.measureText(along).width + 10 : 0;
    if (left >= beside + c.measureText(down).width + 4) {
      if (along) say(along, left, top);
      say(down, left - beside, top);
      return;
    }
    say(down, Math.max(left, c.measureText(down).width) + 4, top);
    c.textAlign = "left";
    if (along) say(along, left + 8, top - 15);
  }

  /** Which part of the matrix is in sight. @param {Painter} painter @param {Atlas.OverlayState} state */
  function drawScroll({ context: c, width, height }, { grid, originY, cell, colours }) {
    const room = height - MATRIX_MARGINS.top - MATRIX_MARGINS.bottom;
    const whole = grid.rows * cell;
    if (whole <= room + 1) return;
    const part = (/** @type {number} */ px) => MATRIX_MARGINS.top + (room * Math.min(whole, Math.max(0, px))) / whole;
    const from = part(MATRIX_MARGINS.top - originY);
    const to = part(height - MATRIX_MARGINS.bottom - originY);
    c.fillStyle = colours.faded;
    c.beginPath();
    c.roundRect(width - 7, from, 4, Math.max(12, to - from), 2);
    c.fill();
  }

  const api = { drawAxes, sticking };
  atlas.axes = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
