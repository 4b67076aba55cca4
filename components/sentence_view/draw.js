/* Painting on a canvas. Two layers: the picture at rest (all lines, or all cells) and what follows the pointer
   (tokens, the lines of one token, numbers); hovering never repaints the first. */
(function () {
  "use strict";
  const { layout: L, tokens: T, colour: C } = window.atlas_sentence_view;
  const TAU = 2 * Math.PI;

  /** Opacity and width of a line. Concave and the same for every head, so that heads can be compared. */
  const lineAlpha = (weight, strong) => Math.min(1, strong ? 0.05 + 0.95 * weight ** 0.55 : 0.92 * weight ** 0.72);
  const lineWidth = (weight) => 0.7 + 3.1 * Math.sqrt(weight);

  function clear(context, view) {
    context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    context.globalAlpha = 1;
  }

  /** Colour everything painted so far from query to key. The colour of a line depends on x alone, so that lines are
   * stroked in one colour and coloured together, which is several times faster than a gradient in each stroke. */
  function tint(context, scene) {
    const { layout, view, colours } = scene;
    const made = context.createLinearGradient(layout.xQuery, 0, layout.xKey, 0);
    for (let i = 0; i <= 6; i++) made.addColorStop(i / 6, C.css(C.between(colours.query, colours.key, i / 6)));
    context.globalCompositeOperation = "source-atop";
    context.fillStyle = made;
    context.fillRect(layout.xQuery - 2, 0, layout.xKey - layout.xQuery + 4, view.height);
    context.globalCompositeOperation = "source-over";
  }

  function strokePair(context, layout, scroll, query, key) {
    const y0 = L.rowY(layout, query) - scroll;
    const y1 = L.rowY(layout, key) - scroll;
    const bend = (layout.xKey - layout.xQuery) * L.BEND;
    context.beginPath();
    context.moveTo(layout.xQuery, y0);
    if (query === key) context.lineTo(layout.xKey, y1);
    else context.bezierCurveTo(layout.xQuery + bend, y0, layout.xKey - bend, y1, layout.xKey, y1);
    context.stroke();
  }

  // A line to a token out of sight is drawn faintly: else, in a long input, those cover the ones that can be read.
  const OUT_OF_SIGHT = 0.3;

  /** Lines, to be coloured by `tint`; since all have one colour until then, their order makes no difference.
   * @param {ArrayLike<number>} pairs weakest first; painted from the end
   * @param {{start?: number, most?: number, strong?: boolean, fade?: number, extra?: number}} options
   * @returns {{drawn: number, rest: number}} how many were in sight, and how many pairs were not come to */
  function lines(context, scene, pairs, options = {}) {
    const { layout, view, weights } = scene;
    context.strokeStyle = "#000";
    context.lineCap = "butt";
    const top = view.scrollY - 4;
    const bottom = view.scrollY + view.height + 4;
    let drawn = 0;
    let rest = options.start ?? pairs.length;
    while (rest > 0 && drawn < (options.most ?? Infinity)) {
      const pair = pairs[--rest];
      const query = Math.floor(pair / layout.keys);
      const key = pair - query * layout.keys;
      const y0 = L.rowY(layout, query);
      const y1 = L.rowY(layout, key);
      if ((y0 < top && y1 < top) || (y0 > bottom && y1 > bottom)) continue;
      const leaves = Math.min(y0, y1) < top || Math.max(y0, y1) > bottom;
      const shown = leaves ? OUT_OF_SIGHT * lineAlpha(weights[pair], false) : lineAlpha(weights[pair], options.strong);
      const alpha = shown * (options.fade ?? 1);
      if (alpha < 0.004) continue;
      context.globalAlpha = alpha;
      context.lineWidth = lineWidth(weights[pair]) + (options.extra || 0);
      strokePair(context, layout, view.scrollY, query, key);
      drawn++;
    }
    context.globalAlpha = 1;
    return { drawn, rest };
  }

  /** Token text in its runs, from the left edge. */
  function text(context, scene, fitted, x, y, look) {
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.direction = "ltr";
    for (const part of fitted.parts) {
      context.fillStyle = part.dim ? C.css(scene.colours.muted, 0.85 * look.alpha) : C.css(look.colour, look.alpha);
      context.fillText(part.text, x, y);
      x += part.width;
    }
  }

  function pill(context, x, y, width, height, radius) {
    context.beginPath();
    context.roundRect(x, y, width, height, radius);
  }

  function marker(context, side, x, y, size) {
    context.beginPath();
    if (side === "query") context.arc(x, y, size, 0, TAU);
    else {
      const r = size * 1.45; // a triangle, as keys are in the map
      context.moveTo(x, y - r);
      context.lineTo(x + 0.87 * r, y + 0.5 * r);
      context.lineTo(x - 0.87 * r, y + 0.5 * r);
      context.closePath();
    }
    context.fill();
  }

  /** Both columns. `line`: weights of the focused token on the other side. */
  function columns(context, scene, state) {
    const { layout, view, colours } = scene;
    const { focus, pair, pinned, cursor, line } = state;
    const first = Math.max(0, Math.floor((view.scrollY - layout.top) / layout.rowHeight));
    const last = Math.ceil((view.scrollY + view.height - layout.top) / layout.rowHeight);
    const high = layout.rowHeight - 3;
    for (const side of ["query", "key"]) {
      const own = colours[side];
      const data = scene.sides[side];
      const wide = side === "query" ? layout.queryText : layout.keyText;
      for (let i = first; i < Math.min(last, data.tokens.length); i++) {
        const y = L.rowY(layout, i) - view.scrollY;
        const fitted = scene.fit(side, i, wide);
        const x = side === "query" ? layout.xQuery - layout.gap - fitted.width : layout.xKey + layout.gap;
        const boxX = side === "query" ? layout.xQuery - layout.gap - wide - 5 : layout.xKey + layout.gap - 5;
        const isFocus = focus && focus.side === side && focus.index === i;
        const inPair = pair && pair[side] === i;
        const isPinned = pinned && pinned.side === side && pinned.index === i;
        const other = focus && focus.side !== side;
        const weight = other ? line[i] : 0;
        const hidden = data.hidden[i];
        if (isFocus) {
          context.fillStyle = C.css(own, 0.16);
          pill(context, x - 6, y - high / 2, fitted.width + 12, high, 5);
          context.fill();
        } else if (other && weight > 0.003) {
          context.fillStyle = C.css(own, Math.min(1, weight));
          pill(context, boxX, y - high / 2, wide + 10, high, 4);
          context.fill();
          context.strokeStyle = C.css(own, Math.min(0.6, 0.05 + 3 * weight));
          context.lineWidth = 1;
          context.stroke();
        }
        if (isPinned || inPair || (cursor && cursor.side === side && cursor[side] === i)) {
          context.strokeStyle = C.css(own, isPinned ? 1 : 0.75);
          context.lineWidth = isPinned ? 1.6 : 1.2;
          if (other) pill(context, boxX, y - high / 2, wide + 10, high, 4);
          else pill(context, x - 6, y - high / 2, fitted.width + 12, high, 5);
          context.stroke();
        }
        const box = C.mix(colours.canvas, own, Math.min(1, weight));
        const onBox = other && C.contrast(colours.canvas, box) > C.contrast(colours.text, box);
        const inSet = state.inSet && state.inSet(side, i);
        const quiet = (focus && !isFocus && !inPair && !(other && weight >= 0.01)) || (!focus && state.inSet && !inSet);
        const colour = onBox ? colours.canvas : data.special[i] ? colours.muted : colours.text;
        context.font = isFocus ? scene.boldFont : scene.font;
        const drawn = isFocus ? scene.fit(side, i, wide, true) : fitted;
        const textX = isFocus && side === "query" ? layout.xQuery - layout.gap - drawn.width : x;
        text(context, onBox ? { ...scene, colours: { ...colours, muted: colours.canvas } } : scene, drawn, textX, y, {
          colour,
          alpha: hidden ? 0.45 : quiet ? 0.5 : 1,
        });
        if (hidden) {
          context.strokeStyle = C.css(colours.muted, 0.8);
          context.lineWidth = 1;
          context.beginPath();
          context.moveTo(x - 2, y + 0.5);
          context.lineTo(x + fitted.width + 2, y + 0.5);
          context.stroke();
        }
        if (inSet) {
          context.fillStyle = C.css(own);
          context.fillRect(x, y + high / 2 - 2.5, fitted.width, 2);
        }
        context.fillStyle = C.css(own, hidden ? 0.2 : quiet ? 0.3 : 0.9);
        marker(context, side, side === "query" ? layout.xQuery : layout.xKey, y, isFocus || inPair ? 3 : 1.7);
        if (other && weight > 0 && (weight >= 0.0095 || inPair)) {
          context.font = inPair || weight >= 0.1 ? scene.boldNumberFont : scene.numberFont;
          context.fillStyle = C.css(colours.text, inPair || weight >= 0.1 ? 1 : 0.75);
          context.textAlign = side === "query" ? "right" : "left";
          const at = side === "query" ? boxX - 5 : boxX + wide + 15;
          context.fillText(T.number(weight), at, y);
        }
      }
    }
  }

  /** Weight → position in the colour table: a square root, else one strong cell would blacken the rest. */
  const shade = (weight, max) => (max > 0 ? Math.round(255 * Math.sqrt(Math.min(1, weight / max))) : 0);

  /** The matrix as a bitmap of at most `wide` × `high`; where several cells share a pixel the strongest shows.
   * @returns {HTMLCanvasElement} */
  function bitmap(scene, wide, high) {
    const { weights, layout, max, table, colours } = scene;
    const { queries, keys } = layout;
    const w = Math.min(keys, Math.max(1, wide));
    const h = Math.min(queries, Math.max(1, high));
    const pooled = new Float32Array(w * h);
    const visible = scene.visible;
    const offWide = new Uint8Array(w).fill(1);
    const offHigh = new Uint8Array(h).fill(1);
    const columnsOf = Int32Array.from({ length: keys }, (_, k) => Math.floor((k * w) / keys));
    for (let k = 0; k < keys; k++) if (!scene.sides.key.hidden[k]) offWide[columnsOf[k]] = 0;
    for (let q = 0; q < queries; q++) {
      const y = Math.floor((q * h) / queries);
      if (!scene.sides.query.hidden[q]) offHigh[y] = 0;
      for (let k = 0; k < keys; k++) {
        const i = q * keys + k;
        const value = visible && !visible[i] ? 0 : weights[i];
        const at = y * w + columnsOf[k];
        if (value > pooled[at]) pooled[at] = value;
      }
    }
    const image = new ImageData(w, h);
    const off = C.mix(colours.canvas, colours.muted, 0.14);
    for (let y = 0, at = 0; y < h; y++) {
      for (let x = 0; x < w; x++, at++) {
        if (offWide[x] || offHigh[y]) image.data.set([off[0], off[1], off[2], 255], at * 4);
        else {
          const from = shade(pooled[at], max) * 4;
          image.data.set(table.subarray(from, from + 4), at * 4);
        }
      }
    }
    const canvas = document.createElement("canvas");
    canvas.width = w;
    canvas.height = h;
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  function clipCells(context, layout, view) {
    context.beginPath();
    context.rect(layout.zoomed ? layout.room : 0, layout.zoomed ? layout.head : 0, view.width, view.height);
    context.clip();
  }

  function heatmap(context, scene) {
    const { layout, view, colours } = scene;
    const { cell } = layout;
    const wide = cell * layout.keys;
    const high = cell * layout.queries;
    const image = bitmap(scene, Math.floor(wide * view.ratio), Math.floor(high * view.ratio));
    context.save();
    clipCells(context, layout, view);
    const x = layout.x - view.scrollX;
    const y = layout.y - view.scrollY;
    context.imageSmoothingEnabled = false;
    context.drawImage(image, x, y, wide, high);
    if (cell >= 9) {
      context.strokeStyle = C.css(colours.canvas, 1);
      context.lineWidth = cell >= 16 ? 1 : 0.5;
      context.beginPath();
      for (let k = 1; k < layout.keys; k++) {
        context.moveTo(x + k * cell, y);
        context.lineTo(x + k * cell, y + high);
      }
      for (let q = 1; q < layout.queries; q++) {
        context.moveTo(x, y + q * cell);
        context.lineTo(x + wide, y + q * cell);
      }
      context.stroke();
    }
    context.strokeStyle = C.css(colours.muted, 0.45);
    context.lineWidth = 1;
    context.strokeRect(x - 0.5, y - 0.5, wide + 1, high + 1);
    context.restore();
  }

  /** Labels, and the row and column under the pointer or pinned. */
  function heatmapFront(context, scene, state) {
    const { layout, view, colours } = scene;
    const { cell } = layout;
    const x0 = layout.x - view.scrollX;
    const y0 = layout.y - view.scrollY;
    const wide = cell * layout.keys;
    const high = cell * layout.queries;
    const lit = { query: new Map(), key: new Map() };
    const light = (side, index, strength) => index !== null && lit[side].set(index, strength);
    if (state.pinned) light(state.pinned.side, state.pinned.index, "pinned");
    if (state.hover) {
      light("query", state.hover.query, "hover");
      light("key", state.hover.key, "hover");
    }
    context.save();
    clipCells(context, layout, view);
    const thick = Math.max(cell, 2);
    for (const [index, strength] of lit.query) {
      context.strokeStyle = C.css(colours.query, strength === "pinned" ? 1 : 0.8);
      context.lineWidth = strength === "pinned" ? 2 : 1.25;
      context.strokeRect(x0 - 0.5, y0 + index * cell - (thick - cell) / 2, wide + 1, thick);
    }
    for (const [index, strength] of lit.key) {
      context.strokeStyle = C.css(colours.key, strength === "pinned" ? 1 : 0.8);
      context.lineWidth = strength === "pinned" ? 2 : 1.25;
      context.strokeRect(x0 + index * cell - (thick - cell) / 2, y0 - 0.5, thick, high + 1);
    }
    if (state.pair) {
      context.strokeStyle = C.css(colours.text);
      context.lineWidth = 2;
      context.strokeRect(x0 + state.pair.key * cell - 1, y0 + state.pair.query * cell - 1, cell + 2, cell + 2);
    }
    context.restore();
    if (layout.zoomed) {
      context.clearRect(0, 0, view.width, layout.head);
      context.clearRect(0, 0, layout.room, view.height);
      context.fillStyle = C.css(colours.canvas);
      context.fillRect(0, 0, view.width, layout.head);
      context.fillRect(0, 0, layout.room, view.height);
    }
    labels(context, scene, lit, "query", x0, y0, state.inSet);
    labels(context, scene, lit, "key", x0, y0, state.inSet);
    context.font = scene.numberFont;
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.direction = "ltr";
  }

  function labels(context, scene, lit, side, x0, y0, inSet) {
    const { layout, view, colours } = scene;
    const { cell } = layout;
    const size = Math.max(9, Math.min(12.5, cell - 1));
    const step = L.labelStep(cell, size + 1.5);
    const data = scene.sides[side];
    const room = (side === "query" ? layout.room - 10 : layout.head - 12) - L.BUTTON;
    const start = side === "query" ? y0 : x0;
    const end = side === "query" ? view.height : view.width;
    const edge = side === "query" ? layout.head : layout.room;
    const fits = (i) => {
      const at = start + (i + 0.5) * cell;
      return at > (layout.zoomed ? edge : start) && at < end;
    };
    // A lit label displaces its neighbours.
    const near = Math.ceil((size + 1.5) / cell);
    const shown = [];
    for (let i = 0; i < data.tokens.length; i += step) {
      if (fits(i) && ![...lit[side].keys()].some((other) => other !== i && Math.abs(other - i) < near)) shown.push(i);
    }
    for (const index of lit[side].keys()) if (fits(index) && !shown.includes(index)) shown.push(index);
    for (const i of shown) {
      const strength = lit[side].get(i) || (inSet && inSet(side, i) ? "set" : undefined);
      const fitted = scene.fitLabel(side, i, room, size, Boolean(strength));
      const at = start + (i + 0.5) * cell;
      context.save();
      if (side === "query") context.translate(x0 < layout.room || layout.zoomed ? layout.room - 6 : layout.x - 6, at);
      else {
        context.translate(at, layout.head - 6);
        context.rotate(-Math.PI / 2);
      }
      context.font = scene.fontOf(size, Boolean(strength));
      const x = side === "query" ? -fitted.width : 0;
      const hidden = data.hidden[i];
      const colour = strength ? colours[side] : data.special[i] ? colours.muted : colours.text;
      text(context, scene, fitted, x, 0.5, { colour, alpha: hidden ? 0.45 : 1 });
      if (hidden) {
        context.strokeStyle = C.css(colours.muted, 0.8);
        context.lineWidth = 1;
        context.beginPath();
        context.moveTo(x - 1, 0.5);
        context.lineTo(x + fitted.width + 1, 0.5);
        context.stroke();
      }
      context.restore();
    }
  }

  const api = { clear, lines, tint, columns, heatmap, heatmapFront, lineAlpha, lineWidth, shade };
  Object.assign(window.atlas_sentence_view, { draw: api });
})();
