/**
 * Without WebGL2: the matrix is the server's sprite under a grid of real buttons, one head is drawn with Canvas 2D.
 * `CanvasRenderer` answers to the same calls as draw.js's `Renderer`.
 */
(function (atlas) {
  const { place } = atlas.pick || require("./pick.js");
  const grid = atlas.grid || require("./grid.js");

  class CanvasRenderer {
    constructor(canvas) {
      this.canvas = canvas;
      this.context = canvas.getContext("2d");
      this.values = {};
      this.drawnPoints = 0;
      this.cursor = 0;
    }

    resize(width, height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }

    setPalette(bytes) {
      this.palette = Array.from({ length: 256 }, (_, i) => `rgb(${bytes[4 * i]},${bytes[4 * i + 1]},${bytes[4 * i + 2]})`);
    }

    setValues(name, values) {
      this.values[name] = values;
    }

    warm() {}
    reserveHeads() {}
    setHeadValues() {}
    drop() {}
    setFence() {}
    present() {}

    busy() {
      return false;
    }

    begin(frame) {
      this.frame = frame;
      this.cursor = 0;
      this.drawnPoints = 0;
      const c = this.context;
      c.setTransform(1, 0, 0, 1, 0, 0);
      c.clearRect(0, 0, this.canvas.width, this.canvas.height);
      if (frame.open < 0) return;
      c.globalAlpha = frame.fill;
      c.fillStyle = frame.cellColour;
      c.fillRect(0, 0, this.canvas.width, this.canvas.height);
      c.globalAlpha = 1;
    }

    get finished() {
      return !this.frame || this.frame.open < 0 || this.cursor >= this.frame.chunks;
    }

    get presentable() {
      return true;
    }

    /** One chunk a call, so that a large head does not hold up the page; highlights after the last. */
    advance() {
      const { frame } = this;
      if (this.finished) return 0;
      const block = frame.blockOf(this.cursor);
      if (!block) return 0;
      const style = { size: frame.size, alpha: frame.alpha, muted: frame.muted > 0 };
      const start = (frame.open - block.firstCell) * block.count * block.dims;
      this.drawBlock(block, start, this.cursor * frame.chunkSize, style, null);
      this.cursor++;
      this.drawnPoints += block.count;
      if (this.finished && frame.highlight) {
        const marked = { size: frame.highlightSize, alpha: 1, muted: false };
        this.drawBlock(frame.highlight.block, 0, 0, marked, this.values.hits);
      }
      return block.count;
    }

    drawBlock(block, start, slot, style, slots) {
      const c = this.context;
      const view = this.headView(block.dims);
      c.globalAlpha = style.alpha;
      for (let i = 0; i < block.count; i++) {
        const s = slots ? slots[i] : slot + i;
        const at = place(view, block.values, start + i * block.dims);
        c.fillStyle = style.muted ? this.frame.fadedColour : this.palette[this.values.index[s]];
        const part = this.frame.sizedCell >= 0 ? 0.375 + (1.25 * (this.values.sizes[s] & 127)) / 127 : 1;
        this.shape(at.x, at.y, style.size * at.near * part, this.values.kind[s]);
      }
      c.globalAlpha = 1;
    }

    headView(dims) {
      const { frame } = this;
      const { column, row } = grid.cellPlace(frame.grid, frame.open);
      return {
        middleX: frame.originX + (column + 0.5) * frame.cell,
        middleY: frame.originY + (row + 0.5) * frame.cell,
        half: frame.half,
        dims,
        matrix: frame.matrix,
      };
    }

    shape(x, y, size, key) {
      const c = this.context;
      c.beginPath();
      if (key) {
        const r = size * 0.69;
        c.moveTo(x, y - r);
        c.lineTo(x + r * 0.866, y + r * 0.5);
        c.lineTo(x - r * 0.866, y + r * 0.5);
      } else {
        c.arc(x, y, size / 2, 0, 2 * Math.PI);
      }
      c.fill();
    }

    destroy() {}
  }

  /** The sprite's address while something is searched for: the server lights the hits in the picture. */
  function withSearch(sprite, search) {
    const [path, known] = sprite.split("?");
    const question = new URLSearchParams(known);
    question.set("q", search.query);
    if (search.mode) question.set("mode", search.mode);
    if (search.case) question.set("case", "1");
    return `${path}?${question}`;
  }

  /** The sprite and its buttons. One button is in the tab order; arrow keys move among them. */
  class SpriteMatrix {
    /** @param {HTMLElement} root @param {(cell: number) => void} onOpen @param {(cell: number) => void} onFocus */
    constructor(root, onOpen, onFocus) {
      this.node = atlas.overlay.element("div", "atlas-scene-sprite", root);
      this.onOpen = onOpen;
      this.onFocus = onFocus;
      this.buttons = [];
      this.node.addEventListener("keydown", (event) => this.key(event));
      this.node.addEventListener("click", (event) => {
        const cell = this.buttons.indexOf(event.target);
        if (cell >= 0) this.onOpen(cell);
      });
    }

    /** @param {Grid} matrix @param {string|undefined} sprite */
    build(matrix, sprite) {
      this.grid = matrix;
      this.node.replaceChildren();
      const size = `${matrix.columns * 100}% ${matrix.rows * 100}%`;
      const share = (i, n) => `${n > 1 ? (100 * i) / (n - 1) : 0}%`;
      this.image = sprite && !matrix.order ? atlas.overlay.element("img", "", this.node, { alt: "", src: sprite }) : null;
      const names = Array.from({ length: matrix.rows * matrix.columns }, (_, cell) => grid.cellName(matrix, cell));
      this.buttons = names.map((name, cell) => {
        const label = { type: "button", "aria-label": `Open ${name}`, title: name, tabindex: cell === grid.cellOf(matrix, 0) ? "0" : "-1" };
        const button = atlas.overlay.element("button", "", this.node, label);
        if (!matrix.order) return button;
        const { column, row } = grid.cellPlace(matrix, cell);
        const { layer, head } = grid.headOf(matrix, cell);
        Object.assign(button.style, { gridColumn: String(column + 1), gridRow: String(row + 1) });
        // Sorted, each button shows its own part of the sprite.
        if (sprite) Object.assign(button.style, {
          backgroundImage: `url("${encodeURI(sprite)}")`, backgroundSize: size,
          backgroundPosition: `${share(head, matrix.columns)} ${share(layer, matrix.rows)}`,
        });
        return button;
      });
    }

    /** Lay the sprite and its buttons where the camera shows the matrix. */
    arrange(originX, originY, cell, visible) {
      this.node.hidden = !visible;
      if (!this.grid) return;
      const { rows, columns } = this.grid;
      Object.assign(this.node.style, {
        left: `${originX}px`, top: `${originY}px`, width: `${columns * cell}px`, height: `${rows * cell}px`,
        gridTemplateColumns: `repeat(${columns}, 1fr)`, gridTemplateRows: `repeat(${rows}, 1fr)`,
      });
    }

    key(event) {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const cell = this.buttons.indexOf(event.target);
      if (cell < 0 || !moves[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      this.focus(grid.neighbour(this.grid, cell, ...moves[event.key]));
    }

    focus(cell) {
      this.buttons.forEach((button, i) => button.setAttribute("tabindex", i === cell ? "0" : "-1"));
      this.buttons[cell].focus();
      this.onFocus(cell);
    }

    destroy() {
      this.node.remove();
    }
  }

  atlas.fallback = { CanvasRenderer, SpriteMatrix, withSearch };
  if (typeof module !== "undefined") module.exports = atlas.fallback;
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
