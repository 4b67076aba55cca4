/** The picture: where heads lie, axes, marks; what is under a place, and what an outline holds. Pure but for the ink. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  const { format } = atlas.columns || require("./columns.js");

  const MARGIN = { left: 54, right: 16, top: 14, bottom: 40 };
  /** Without axes: a map has none that mean anything. */
  const BARE = { left: 16, right: 16, top: 16, bottom: 16 };

  /** Round numbers of an axis. @param {number} low @param {number} high @param {number} most @returns {number[]} */
  function ticksOf(low, high, most) {
    const raw = (high - low) / Math.max(1, most);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw) || raw;
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.push(i * step);
    return ticks;
  }

  /** @param {ArrayLike<number>} values @returns {[number, number]} */
  function rangeOf(values) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < values.length; i++) {
      if (values[i] < low) low = values[i];
      if (values[i] > high) high = values[i];
    }
    if (low > high) return [0, 1];
    const room = low === high ? Math.abs(low) * 0.1 || 0.5 : (high - low) * 0.04;
    return [low - room, high + room];
  }

  /** Digits that tell the ticks of an axis apart. @param {number[]} ticks @param {Atlas.FinderForm} form */
  function tickTexts(ticks, form) {
    const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) * form.factor : 1;
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return ticks.map((value) => format({ ...form, digits, unit: form.unit.trim() === "%" ? " %" : "" }, value));
  }

  /** @param {Atlas.Size} size @param {Atlas.FinderAxis} x @param {Atlas.FinderAxis} y
   * @param {boolean} map  two coordinates of one scale, without axes @returns {Atlas.FinderPlaces} */
  function place(size, x, y, map) {
    const margin = map ? BARE : MARGIN;
    const { left, top } = margin;
    const [right, bottom] = [Math.max(left + 20, size.width - margin.right), Math.max(top + 20, size.height - margin.bottom)];
    const area = { left, top, right, bottom };
    let [[x0, x1], [y0, y1]] = [rangeOf(x.values), rangeOf(y.values)];
    const [width, height] = [area.right - area.left, area.bottom - area.top];
    if (map) {
      const scale = Math.max((x1 - x0) / width, (y1 - y0) / height);
      const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
      [x0, x1, y0, y1] = [cx - scale * width / 2, cx + scale * width / 2, cy - scale * height / 2, cy + scale * height / 2];
    }
    const toX = (/** @type {number} */ value) => area.left + ((value - x0) / (x1 - x0)) * width;
    const toY = (/** @type {number} */ value) => area.bottom - ((value - y0) / (y1 - y0)) * height;
    /** @param {Atlas.FinderAxis} axis @param {number} low @param {number} high @param {number} most @param {(v: number) => number} to */
    const ticks = (axis, low, high, most, to) => {
      const values = ticksOf(low, high, most);
      const texts = tickTexts(values, axis.form);
      return values.map((value, i) => ({ at: to(value), text: texts[i] }));
    };
    const count = x.values.length;
    const at = { x: new Float64Array(count), y: new Float64Array(count) };
    for (let cell = 0; cell < count; cell++) {
      [at.x[cell], at.y[cell]] = [toX(x.values[cell]), toY(y.values[cell])];
    }
    return {
      ...at, area,
      xTicks: map ? [] : ticks(x, x0, x1, Math.max(2, width / 80), toX),
      yTicks: map ? [] : ticks(y, y0, y1, Math.max(2, height / 50), toY),
    };
  }

  /** Radius of a mark, px: smaller where there are many. @param {number} count */
  const radiusOf = (count) => Math.min(6.5, Math.max(2.2, 60 / Math.sqrt(count)));

  /** @param {Atlas.FinderInk} ink @param {Atlas.FinderPlaces} places
   * @param {{x: string, y: string}} labels @param {Atlas.FinderColours} colours */
  function paintAxes(ink, { xTicks, yTicks, area }, labels, colours) {
    for (const { at, text } of xTicks) {
      ink.path([[at, area.top], [at, area.bottom]], { stroke: colours.edge, width: 0.6 });
      ink.text(text, at, area.bottom + 14, { colour: colours.muted, anchor: "middle" });
    }
    for (const { at, text } of yTicks) {
      ink.path([[area.left, at], [area.right, at]], { stroke: colours.edge, width: 0.6 });
      ink.text(text, area.left - 6, at + 4, { colour: colours.muted, anchor: "end" });
    }
    /** @type {Atlas.FinderWords} */
    const words = { colour: colours.text, anchor: "middle", size: 12, bold: true };
    if (xTicks.length) ink.text(labels.x, (area.left + area.right) / 2, area.bottom + 33, words);
    if (yTicks.length) ink.text(labels.y, 13, (area.top + area.bottom) / 2, { ...words, turned: true });
  }

  /** @type {Record<string, number[][]>} corners of marks about a disc of radius 1 */
  const CORNERS = {
    triangle: [[0, -1.25], [1.1, 0.75], [-1.1, 0.75]],
    flipped: [[0, 1.25], [1.1, -0.75], [-1.1, -0.75]],
    square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
    diamond: [[0, -1.3], [1.15, 0], [0, 1.3], [-1.15, 0]],
    cross: [
      [-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4],
      [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4],
    ],
  };

  /** @param {Atlas.FinderInk} ink @param {Atlas.FinderLook["shape"]} shape @param {number} x @param {number} y @param {number} r
   * @param {Atlas.FinderPaint} paint */
  function mark(ink, shape, x, y, r, paint) {
    const corners = CORNERS[shape];
    if (corners) ink.path(corners.map(([dx, dy]) => [x + dx * r, y + dy * r]), paint, true);
    else if (shape === "ring") ink.disc(x, y, r, { stroke: paint.fill, width: 1, alpha: paint.alpha });
    else ink.disc(x, y, r, paint);
  }

  /** Heads, those that are left out beneath the others. @param {Atlas.FinderInk} ink @param {Atlas.FinderPlaces} places
   * @param {(cell: number) => Atlas.FinderLook} lookOf @param {Atlas.FinderColours} colours */
  function paintHeads(ink, { x, y }, lookOf, colours) {
    const r = radiusOf(x.length);
    const apart = x.length < 1500;
    for (const faint of [true, false]) {
      for (let cell = 0; cell < x.length; cell++) {
        if (Number.isNaN(x[cell]) || Number.isNaN(y[cell])) continue;
        const look = lookOf(cell);
        if (look.faint !== faint) continue;
        const kind = faint ? "faint" : `${look.shape} ${look.colour}`;
        ink.stamp(kind, x[cell], y[cell], 1.5 * r + 2, (on, cx, cy) => {
          if (faint) on.disc(cx, cy, Math.max(1.4, r * 0.5), { fill: colours.muted, alpha: 0.35 });
          else mark(on, look.shape, cx, cy, r, { fill: look.colour, stroke: apart ? colours.ground : undefined, width: 0.8 });
        });
      }
    }
  }

  /** The nearest head within so many px, or -1.
   * @param {Atlas.FinderPlaces} places @param {number} x @param {number} y @param {number} most */
  function nearest(places, x, y, most) {
    let [found, least] = [-1, most];
    for (let cell = 0; cell < places.x.length; cell++) {
      const distance = Math.hypot(places.x[cell] - x, places.y[cell] - y);
      if (distance <= least) [found, least] = [cell, distance];
    }
    return found;
  }

  /** The next head in a direction, the nearest about it, or the same.
   * @param {Atlas.FinderPlaces} places @param {number} from @param {string} key */
  function stepped(places, from, key) {
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[key];
    if (!way) return from;
    let [found, least] = [from, Infinity];
    for (let cell = 0; cell < places.x.length; cell++) {
      const [dx, dy] = [places.x[cell] - places.x[from], places.y[cell] - places.y[from]];
      const along = dx * way[0] + dy * way[1];
      const aside = Math.abs(dx * way[1] + dy * way[0]);
      if (cell === from || !(along > 0.5) || aside > 2 * along) continue;
      const cost = along + 2 * aside;
      if (cost < least) [found, least] = [cell, cost];
    }
    return found;
  }

  /** Heads inside an outline, by the even-odd rule. @param {Atlas.FinderPlaces} places @param {number[][]} outline */
  function inside(places, outline) {
    const found = [];
    for (let cell = 0; cell < places.x.length; cell++) {
      const [x, y] = [places.x[cell], places.y[cell]];
      let odd = false;
      for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
        const [[ax, ay], [bx, by]] = [outline[i], outline[j]];
        if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) odd = !odd;
      }
      if (odd) found.push(cell);
    }
    return found;
  }

  const api = { place, ticksOf, rangeOf, radiusOf, paintAxes, paintHeads, mark, nearest, stepped, inside };
  atlas.plot = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
