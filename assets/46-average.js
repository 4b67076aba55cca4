/* The Average tab: mean attention by position as a heatmap, or by distance as bars, on one canvas; linked to the input shown. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none } = window.atlasCallback;
  const { inputOf, show, known } = window.atlasReading;
  const { enough: FEW, reach: REACH } = window.atlasTables.average;
  const FONT = '11px "Inter", system-ui, sans-serif';
  const EDGE = { left: 44, top: 34, right: 46, bottom: 34 };

  const memory = new Map();
  /** Bytes of one head's average (docs/payload.md), or the reason why there are none. */
  async function load(url) {
    if (memory.has(url)) return memory.get(url);
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) return { reason: (await response.text()).slice(0, 200) };
    const buffer = await response.arrayBuffer();
    const [queries, keys, inputs] = new Uint32Array(buffer, 0, 3);
    const cells = queries * keys;
    const part = (Kind, at, length) => (at + 4 * length <= buffer.byteLength ? new Kind(buffer, at, length) : null);
    const found = {
      queries, keys, inputs,
      mean: part(Float32Array, 12, cells), count: part(Uint32Array, 12 + 4 * cells, cells),
      offsets: part(Float32Array, 12 + 8 * cells, 2 * REACH + 3),
      offsetCounts: part(Uint32Array, 12 + 8 * cells + 4 * (2 * REACH + 3), 2 * REACH + 3),
    };
    if (memory.size > 60) memory.clear();
    memory.set(url, found);
    return found;
  }

  /** Means as shown: hidden tokens out, cut to an input; where either holds, each row is scaled to 1, never above.
   * @returns {{rows: number, columns: number, weights: Float32Array, max: number}} */
  function shown(found, reading, sides) {
    const { mean, queries, keys } = found;
    const rows = reading.cut && sides ? Math.min(queries, sides.queries.tokens.length) : queries;
    const columns = reading.cut && sides ? Math.min(keys, sides.keys.tokens.length) : keys;
    const hiddenQueries = new Set(sides ? reading.queries : []);
    const hiddenKeys = new Set(sides ? reading.keys : []);
    const scaled = reading.cut || hiddenKeys.size > 0;
    const weights = new Float32Array(rows * columns);
    let max = 0;
    for (let q = 0; q < rows; q++) {
      if (hiddenQueries.has(q)) continue;
      let total = 0;
      for (let k = 0; k < columns; k++) if (!hiddenKeys.has(k)) total += mean[q * keys + k];
      if (!(total > 0)) continue;
      for (let k = 0; k < columns; k++) {
        if (hiddenKeys.has(k)) continue;
        const weight = mean[q * keys + k] / (scaled ? total : 1);
        weights[q * columns + k] = weight;
        if (weight > max) max = weight;
      }
    }
    return { rows, columns, weights, max };
  }

  class Average {
    constructor(box) {
      const add = (tag, name, parent) => {
        const node = document.createElement(tag);
        node.className = name;
        parent.appendChild(node);
        return node;
      };
      this.box = box;
      this.frame = add("div", "average-canvas", box);
      this.canvas = add("canvas", "", this.frame);
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute("role", "application");
      this.canvas.setAttribute("aria-roledescription", "heatmap");
      this.says = add("p", "average-says", box);
      this.says.setAttribute("aria-live", "polite");
      this.strip = add("div", "average-tokens", box);
      this.strip.tabIndex = 0; // long inputs scroll
      this.at = null;
      new ResizeObserver(() => this.paint()).observe(this.frame);
      this.canvas.addEventListener("pointermove", (event) => this.point(event));
      this.canvas.addEventListener("pointerleave", () => this.mark(null));
      this.canvas.addEventListener("click", (event) => (this.point(event), this.pin()));
      this.canvas.addEventListener("keydown", (event) => this.key(event));
      this.canvas.addEventListener("blur", () => this.mark(null));
      box.atlasAverage = this;
    }

    set(state) {
      Object.assign(this, state);
      this.at = null;
      this.picture = this.found.reason ? null : shown(this.found, this.reading, this.sides);
      const what = this.reading.offsets ? "Mean attention by distance from query to key" : "Mean attention by position";
      this.canvas.setAttribute("aria-label", `${what}, head ${this.name}. Arrow keys move, Enter chooses the query.`);
      document.getElementById("average-note").hidden = this.reading.offsets;
      this.tokens();
      this.paint();
      this.say();
    }

    // ------------------------------------------------------------- geometry

    geometry() {
      const { clientWidth: width, clientHeight: height } = this.frame;
      const inner = { width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom };
      const { rows, columns } = this.picture;
      const cell = Math.max(1, Math.min(inner.width / columns, inner.height / rows));
      return { width, height, inner, cell };
    }

    point(event) {
      if (!this.picture) return;
      const box = this.canvas.getBoundingClientRect();
      const x = event.clientX - box.left - EDGE.left;
      const y = event.clientY - box.top - EDGE.top;
      const { inner, cell } = this.geometry();
      if (this.reading.offsets) {
        const columns = this.columns();
        const i = Math.floor((x / inner.width) * columns.length);
        return this.mark(columns[i] ? { column: i } : null);
      }
      const at = { query: Math.floor(y / cell), key: Math.floor(x / cell) };
      const inside = at.query >= 0 && at.key >= 0 && at.query < this.picture.rows && at.key < this.picture.columns;
      return this.mark(inside ? at : null);
    }

    key(event) {
      if (!this.picture) return;
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (event.key === "Enter") this.pin();
      if (!step) return;
      event.preventDefault();
      const move = (value, by, size) => Math.min(size - 1, Math.max(0, value + by));
      if (this.reading.offsets) {
        const { length } = this.columns();
        return length ? this.mark({ column: move(this.at ? this.at.column : Math.min(REACH, length - 1), step[1], length) }) : undefined;
      }
      const at = this.at || { query: 0, key: 0 };
      const { rows, columns } = this.picture;
      return this.mark(this.at ? { query: move(at.query, step[0], rows), key: move(at.key, step[1], columns) } : at);
    }

    mark(at) {
      if (JSON.stringify(at) === JSON.stringify(this.at)) return;
      this.at = at;
      this.paint();
      this.say();
      [...this.strip.children].forEach((node) => {
        const position = Number(node.dataset.position);
        node.classList.toggle("is-query", Boolean(at) && at.query === position);
        node.classList.toggle("is-key", Boolean(at) && at.key === position);
      });
      this.strip.querySelector(".is-query")?.scrollIntoView?.({ block: "nearest" });
    }

    /** The query of the cell becomes the chosen token of every view. */
    pin() {
      if (!this.at || this.reading.offsets || !this.sides || this.at.query >= this.sides.queries.tokens.length) return;
      show({ input: this.selection.input, token: this.sides.queries.first + this.at.query, side: "query" });
    }

    // ------------------------------------------------------------- words

    tokens() {
      this.strip.replaceChildren();
      if (!this.sides || this.reading.offsets) return;
      const off = new Set([...this.reading.queries, ...this.reading.keys]);
      this.sides.keys.tokens.slice(0, this.found.keys || 0).forEach((text, position) => {
        const node = document.createElement("span");
        node.textContent = text.trim() || "␣";
        node.dataset.position = String(position);
        node.title = `position ${position}`;
        if (off.has(position) || (this.reading.special && this.sides.keys.special[position])) node.className = "off";
        this.strip.appendChild(node);
      });
    }

    /** Whether the stream's mask hides every key at an offset from its query (but for global tokens). */
    masked(offset) {
      const [least, most] = this.mask.offsets;
      return (least !== null && offset < least) || (most !== null && offset > most);
    }

    /** Offsets of the bars: further back, −10 … +10, further on; without those that no query can see. */
    columns() {
      const near = Array.from({ length: 2 * REACH + 1 }, (_, i) => ({ offset: i - REACH, index: i }));
      const all = [{ offset: -Infinity, index: 2 * REACH + 1 }, ...near, { offset: Infinity, index: 2 * REACH + 2 }];
      if (!this.mask.offsets) return [];
      const counts = this.found.offsetCounts || [];
      return all.filter(({ offset, index }) => counts[index] > 0 || !this.masked(offset));
    }

    sentence() {
      if (this.found.reason) return this.found.reason;
      const weight = (value) => value.toFixed(value < 0.0995 ? 3 : 2);
      if (this.reading.offsets) {
        if (!this.found.offsets) return "This atlas is too large to work the profile out now; build it again to add it.";
        if (!this.mask.offsets) return "Queries and keys are tokens of different texts: there is no distance between them.";
        const words = this.reading.special ? "" : " Special tokens count as keys; leave them out above to compare words alone.";
        if (!this.at) return `Mean share of a query's attention by distance of the key.${words}`;
        const { offset, index } = this.columns()[this.at.column];
        const away = Math.abs(offset) === 1 ? "1 position" : `${Math.abs(offset)} positions`;
        const place = offset === 0 ? "at the query itself" : !Number.isFinite(offset)
          ? `more than ${REACH} positions ${offset < 0 ? "before" : "after"} the query`
          : `${away} ${offset < 0 ? "before" : "after"} the query`;
        return `Keys ${place}: ${weight(this.found.offsets[index])} of a query's attention. ${this.found.offsetCounts[index].toLocaleString("en")} queries have such a key.`;
      }
      if (!this.at) return "Rows ask, columns answer. Point at a cell for its mean and the number of inputs behind it.";
      const { query, key } = this.at;
      const count = this.found.count[query * this.found.keys + key];
      const hidden = this.mask.offsets && this.masked(key - query);
      if (!count) return `Query at ${query}, key at ${key}: ${hidden ? `${this.mask.hides} hides it` : "no input counts here"}.`;
      const texts = this.sides && [this.sides.queries.tokens[query], this.sides.keys.tokens[key]];
      const here = texts && texts.every(known) ? ` Here: “${texts[0].trim()}” → “${texts[1].trim()}”.` : "";
      const few = count < FEW ? ` Fewer than ${FEW}: read it with care.` : "";
      const inputs = count === 1 ? "1 input" : `${count} of ${this.found.inputs} inputs`;
      return `Query at ${query} → key at ${key}: ${weight(this.picture.weights[query * this.picture.columns + key])}, from ${inputs}.${few}${here}`;
    }

    say() {
      this.says.textContent = this.sentence();
    }

    // ------------------------------------------------------------- paint

    paint() {
      if (!this.found || !this.frame.clientWidth) return;
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      this.canvas.width = Math.round(this.frame.clientWidth * ratio);
      this.canvas.height = Math.round(this.frame.clientHeight * ratio);
      const c = this.canvas.getContext("2d");
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      if (!this.picture) return;
      const style = getComputedStyle(document.documentElement);
      const colour = (name) => style.getPropertyValue(name).trim();
      const names = { text: "text", muted: "muted", edge: "edge-strong", ground: "surface", query: "query", accent: "accent" };
      this.ink = Object.fromEntries(Object.entries(names).map(([name, property]) => [name, colour(`--atlas-${property}`)]));
      c.font = FONT;
      if (this.reading.offsets) this.paintBars(c);
      else this.paintCells(c);
    }

    scale() {
      const { colour } = window.atlas_sentence_view;
      const ground = colour.parse(this.ink.ground) || [255, 255, 255];
      return colour.scale(ground, document.documentElement.getAttribute("data-bs-theme") === "dark");
    }

    paintCells(c) {
      const { cell } = this.geometry();
      const { rows, columns, weights, max } = this.picture;
      const table = this.scale();
      const css = (level) => `rgb(${table[4 * level]}, ${table[4 * level + 1]}, ${table[4 * level + 2]})`;
      c.save();
      c.translate(EDGE.left, EDGE.top);
      const gap = cell > 7 ? 0.6 : 0;
      for (let q = 0; q < rows; q++) {
        for (let k = 0; k < columns; k++) {
          const weight = weights[q * columns + k];
          if (weight > 0) {
            c.fillStyle = css(Math.round(255 * Math.sqrt(weight / max)));
            c.fillRect(k * cell, q * cell, cell - gap, cell - gap);
          }
        }
      }
      this.paintFew(c, cell);
      c.strokeStyle = this.ink.edge;
      c.lineWidth = 1;
      c.strokeRect(-0.5, -0.5, columns * cell + 1, rows * cell + 1);
      this.paintCounts(c, cell);
      this.paintAxes(c, cell);
      this.paintMarks(c, cell);
      c.restore();
      this.paintLegend(c, css, max, rows * cell);
    }

    /** Hatching over means of fewer than FEW inputs. */
    paintFew(c, cell) {
      const { rows, columns } = this.picture;
      c.save();
      c.beginPath();
      for (let q = 0; q < rows; q++) {
        for (let k = 0; k < columns; k++) {
          const count = this.found.count[q * this.found.keys + k];
          if (count > 0 && count < FEW) c.rect(k * cell, q * cell, cell, cell);
        }
      }
      c.clip();
      c.fillStyle = this.ink.ground;
      c.globalAlpha = 0.45;
      c.fillRect(0, 0, columns * cell, rows * cell);
      c.globalAlpha = 0.55;
      c.strokeStyle = this.ink.muted;
      c.lineWidth = 1;
      c.beginPath();
      for (let x = -rows * cell; x < columns * cell; x += 5) {
        c.moveTo(x, rows * cell);
        c.lineTo(x + rows * cell, 0);
      }
      c.stroke();
      c.restore();
    }

    /** How many inputs are as long as a row asks. */
    paintCounts(c, cell) {
      const { rows, columns } = this.picture;
      const left = columns * cell + 6;
      const most = this.found.inputs || 1;
      const { count: inputs, keys } = this.found;
      const counts = Array.from({ length: rows }, (_, q) => Math.max(0, ...inputs.subarray(q * keys, (q + 1) * keys)));
      c.fillStyle = this.ink.muted;
      counts.forEach((count, q) => c.fillRect(left, q * cell, Math.max(count ? 1 : 0, (28 * count) / most), Math.max(0.8, cell - 1)));
      c.textAlign = "left";
      c.textBaseline = "bottom";
      c.fillText("inputs", left, -3);
    }

    paintAxes(c, cell) {
      const { rows, columns } = this.picture;
      const step = [1, 2, 5, 10, 20].find((each) => each * cell >= 20) || 20;
      c.fillStyle = this.ink.muted;
      c.textAlign = "center";
      for (let k = 0; k < columns; k += step) c.fillText(String(k), (k + 0.5) * cell, -3);
      c.textAlign = "right";
      c.textBaseline = "middle";
      for (let q = 0; q < rows; q += step) c.fillText(String(q), -5, (q + 0.5) * cell);
      c.fillStyle = this.ink.text;
      c.textAlign = "left";
      c.fillText("key position →", 0, -24);
      c.save();
      c.rotate(-Math.PI / 2);
      c.textAlign = "right";
      c.fillText("← query position", 0, -34);
      c.restore();
    }

    paintMarks(c, cell) {
      const { rows, columns } = this.picture;
      const { selection, sides } = this;
      c.lineWidth = 2;
      if (sides && selection && known(selection.token)) {
        const onQuery = selection.side === "query";
        const position = selection.token - (onQuery ? sides.queries : sides.keys).first;
        c.strokeStyle = onQuery ? this.ink.query : this.ink.accent;
        if (position >= 0 && position < (onQuery ? rows : columns)) {
          if (onQuery) c.strokeRect(0, position * cell, columns * cell, cell);
          else c.strokeRect(position * cell, 0, cell, rows * cell);
        }
      }
      if (!this.at) return;
      c.strokeStyle = this.ink.text;
      c.strokeRect(this.at.key * cell - 1, this.at.query * cell - 1, cell + 2, cell + 2);
    }

    paintLegend(c, css, max, height) {
      const y = EDGE.top + height + 10;
      for (let i = 0; i < 90; i++) {
        c.fillStyle = css(Math.round((255 * i) / 89));
        c.fillRect(EDGE.left + 14 + i, y, 1, 9);
      }
      c.strokeStyle = this.ink.edge;
      c.lineWidth = 1;
      c.strokeRect(EDGE.left + 13.5, y - 0.5, 91, 10);
      c.fillStyle = this.ink.muted;
      c.textAlign = "left";
      c.textBaseline = "middle";
      c.fillText("0", EDGE.left, y + 5);
      c.fillText(`${max.toFixed(2)}  mean weight, √ scale`, EDGE.left + 110, y + 5);
    }

    paintBars(c) {
      if (!this.found.offsets) return;
      const { inner } = this.geometry();
      const columns = this.columns();
      if (!columns.length) return;
      const width = inner.width / columns.length;
      const values = columns.map(({ index }) => this.found.offsets[index]);
      const top = Math.max(0.02, ...values);
      const floor = EDGE.top + inner.height;
      c.textAlign = "right";
      c.textBaseline = "middle";
      for (const part of [0, 0.5, 1]) {
        const y = floor - inner.height * part;
        c.strokeStyle = this.ink.edge;
        c.globalAlpha = part ? 0.35 : 1;
        c.beginPath();
        c.moveTo(EDGE.left, Math.round(y) + 0.5);
        c.lineTo(EDGE.left + inner.width, Math.round(y) + 0.5);
        c.stroke();
        c.globalAlpha = 1;
        c.fillStyle = this.ink.muted;
        c.fillText((top * part).toFixed(2), EDGE.left - 5, y);
      }
      columns.forEach(({ offset }, i) => {
        const chosen = this.at && this.at.column === i;
        const x = EDGE.left + i * width;
        const height = (inner.height * values[i]) / top;
        c.fillStyle = offset === 0 ? this.ink.accent : this.ink.query;
        c.globalAlpha = Number.isFinite(offset) ? 1 : 0.5;
        c.fillRect(x + 1, floor - height, Math.max(1, width - 2), height);
        c.globalAlpha = 1;
        c.fillStyle = chosen ? this.ink.text : this.ink.muted;
        c.textAlign = "center";
        c.textBaseline = "top";
        const label = Number.isFinite(offset) ? (offset > 0 ? `+${offset}` : String(offset).replace("-", "−")) : offset < 0 ? "<" : ">";
        if (chosen || !Number.isFinite(offset) || offset % 5 === 0) c.fillText(label, x + width / 2, floor + 5);
        if (chosen) {
          c.strokeStyle = this.ink.text;
          c.lineWidth = 1.5;
          c.strokeRect(x + 0.5, floor - height - 1, width - 1, height + 1);
        }
      });
      c.fillStyle = this.ink.text;
      c.textAlign = "left";
      c.textBaseline = "bottom";
      c.fillText("mean share of attention", EDGE.left, EDGE.top - 8);
      c.fillText("key position − query position →", EDGE.left, floor + 33);
    }
  }

  let latest = 0;
  async function draw(reading, view, selection, panel, _theme, payload) {
    const box = document.getElementById("average-picture");
    const visible = panel && panel.tab === "average" && view && known(view.layer) && known(view.head);
    if (!box || !visible) return none();
    const turn = ++latest;
    const words = ["special", "first", "values"].filter((name) => reading[name]).join("-");
    const url = `${payload.base}/average/${payload.stream}/${view.layer}/${view.head}${words && `/${words}`}`;
    const chosen = selection && known(selection.input);
    let found;
    let sides = null;
    try {
      [found, sides] = await Promise.all([load(url), chosen ? inputOf(payload, selection.input) : null]);
    } catch {
      found = { reason: "The server did not answer." };
    }
    if (turn !== latest) return none();
    const picture = box.atlasAverage || new Average(box);
    picture.set({ found, sides, reading, selection, mask: payload.mask, name: `L${view.layer} H${view.head}` });
    return url;
  }

  root.atlasAverage = { draw, shown };
})();
