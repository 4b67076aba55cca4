/**
 * Without WebGL2: the matrix is the server's sprite under a grid of real buttons, one head is drawn with Canvas 2D.
 * `CanvasRenderer` answers to the same calls as draw.js's `Renderer`.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { GHOST_ALPHA } = atlas.draw || require("./draw.js");
  const { place } = atlas.pick || require("./pick.js");
  const grid = atlas.grid || require("./grid.js");
  const { searchQuery } = atlas.payload || require("./payload.js");
  const { element, contextOf } = atlas.overlay || require("./overlay.js");
  const { tracePart } = atlas.edge || require("./edge.js");
  const { sizePart } = atlas.pointColours || require("./point_colours.js");

  /** As the shader's: part of the opacity that is left to what does not stand out. */
  const GREYED = 0.3;

  /** Values of all slots, kept as they come; there are no heads but the open one. */
  class CanvasStore {
    constructor() {
      /** CSS colours @type {string[]} */
      this.palette = [];
      /** @type {Record<string, Uint8Array|Uint32Array>} */
      this.values = {};
      /** @type {ImageBitmap|null} */
      this.sheet = null;
    }

    /** @param {string} _name @param {ImageBitmap} image */
    setImage(_name, image) {
      this.sheet = image;
    }

    /** @param {Uint8Array} bytes */
    setPalette(bytes) {
      this.palette = Array.from({ length: 256 }, (_, i) => `rgb(${bytes[4 * i]},${bytes[4 * i + 1]},${bytes[4 * i + 2]})`);
    }

    /** @param {string} name @param {Uint8Array|Uint32Array} values */
    setValues(name, values) {
      this.values[name] = values;
    }

    setTiles() {}
    reserveHeads() {}
    setHeadValues() {}
    drop() {}
  }

  class CanvasRenderer {
    /** @param {HTMLCanvasElement} canvas */
    constructor(canvas) {
      this.canvas = canvas;
      this.context = contextOf(canvas);
      this.store = new CanvasStore();
      /** @type {Atlas.Frame|null} */
      this.frame = null;
      this.drawnPoints = 0;
      this.cursor = 0;
      this.waiting = false;
    }

    /** @param {number} width @param {number} height  device px */
    resize(width, height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }

    start() {}
    warm() {}
    setFence() {}
    dropFence() {}
    present() {}

    busy() {
      return false;
    }

    /** @param {Atlas.Frame} frame */
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
      if (!frame.ghost) return;
      const { ghost } = this.store.values;
      this.drawBlock(frame, frame.ghost.block, 0, (i) => ghost[i], { size: frame.size, alpha: GHOST_ALPHA, muted: true });
    }

    get finished() {
      return !this.frame || this.frame.open < 0 || this.cursor >= this.frame.chunks;
    }

    get presentable() {
      return true;
    }

    get hasMore() {
      return this.frame !== null && !this.finished && this.frame.blocksOf(this.cursor) !== null;
    }

    /** One chunk a call, so that a large head does not hold up the page; highlights after the last. */
    advance() {
      const { frame } = this;
      if (!frame || this.finished) return 0;
      const [block = null] = frame.blocksOf(this.cursor) || [];
      if (!block) return 0;
      const style = { size: frame.size, alpha: frame.alpha, muted: frame.muted > 0 };
      const start = (frame.open - block.firstCell) * block.count * block.dims;
      const first = this.cursor * frame.chunkSize;
      this.drawBlock(frame, block, start, (i) => first + i, style);
      this.cursor++;
      this.drawnPoints += block.count;
      if (this.finished && frame.highlight) {
        const marked = { size: frame.highlightSize, alpha: 1, muted: false };
        const { hits } = this.store.values;
        this.drawBlock(frame, frame.highlight.blocks[0], 0, (i) => hits[i], marked);
      }
      return block.count;
    }

    /**
     * @param {Atlas.Frame} frame @param {Atlas.Block} block @param {number} start  of the head's values in the block
     * @param {(i: number) => number} slotOf  the slot of the block's i-th point
     * @param {{size: number, alpha: number, muted: boolean}} style
     */
    drawBlock(frame, block, start, slotOf, style) {
      const c = this.context;
      const { palette, values: { index, kind, sizes, brush } } = this.store;
      const view = headView(frame, block.dims);
      c.globalAlpha = style.alpha;
      for (let i = 0; i < block.count; i++) {
        const slot = slotOf(i);
        const at = place(view, block.values, start + i * block.dims);
        const stands = !frame.brushed || brush[slot] === 1;
        if (!stands && style.size === frame.highlightSize) continue;
        c.globalAlpha = style.alpha * (stands ? 1 : GREYED);
        c.fillStyle = style.muted || !stands ? frame.fadedColour : palette[index[slot]];
        const part = frame.sizedCell >= 0 ? sizePart(sizes[slot]) : 1;
        if (frame.patches && this.store.sheet) {
          if (slot < frame.patches.most || style.size === frame.highlightSize) {
            this.patch(frame.patches, slot, at.x, at.y, style.size * at.near * part);
          }
        } else if (at.outside) {
          tracePart(c, at, style.size * at.near * part, kind[slot] > 0, view);
          c.fill();
        } else this.shape(at.x, at.y, style.size * at.near * part, kind[slot] > 0);
      }
      c.globalAlpha = 1;
    }

    /** @param {Atlas.FramePatches} patches @param {number} slot @param {number} x @param {number} y @param {number} size */
    patch({ form, cell, across }, slot, x, y, size) {
      const c = this.context;
      const row = this.store.values.patch[slot];
      const [left, top] = [x - size / 2, y - size / 2];
      const border = form === "border" ? Math.max(1.5, size / 8) : 0;
      c.fillRect(left, top, size, size);
      const { sheet } = this.store;
      if (!sheet) return;
      const alpha = c.globalAlpha;
      if (form === "fill") c.globalAlpha = alpha * 0.43;
      c.drawImage(sheet, (row % across) * cell, Math.floor(row / across) * cell, cell, cell,
        left + border, top + border, size - 2 * border, size - 2 * border);
      c.globalAlpha = alpha;
    }

    /** @param {number} x @param {number} y @param {number} size @param {boolean} key */
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

  /** How the open head lies on the canvas, device px. @param {Atlas.Frame} frame @param {number} dims @returns {Atlas.HeadView} */
  function headView(frame, dims) {
    const { column, row } = grid.cellPlace(frame.grid, frame.open);
    return {
      middleX: frame.originX + (column + 0.5) * frame.cell,
      middleY: frame.originY + (row + 0.5) * frame.cell,
      half: frame.half,
      dims,
      matrix: frame.matrix,
    };
  }

  /** The sprite's address with what else it is to show: hits of a search lit, every point in its frame.
   * @param {Atlas.SceneProps} props */
  function spriteOf({ sprite, search, whole }) {
    if (!sprite) return undefined;
    const [path, known] = sprite.split("?");
    const wishes = [known, search && searchQuery(search), whole && "frame=all"].filter(Boolean);
    return wishes.length ? `${path}?${wishes.join("&")}` : path;
  }

  /** The sprite and its buttons. One button is in the tab order; arrow keys move among them. */
  class SpriteMatrix {
    /** @param {HTMLElement} root @param {(cell: number) => void} onOpen @param {(cell: number) => void} onFocus */
    constructor(root, onOpen, onFocus) {
      this.node = element("div", "atlas-scene-sprite", root);
      this.onOpen = onOpen;
      this.onFocus = onFocus;
      /** @type {Atlas.Grid|null} */
      this.grid = null;
      /** one a cell @type {HTMLButtonElement[]} */
      this.buttons = [];
      /** @type {HTMLImageElement|null} */
      this.image = null;
      this.node.addEventListener("keydown", (event) => this.key(event));
      this.node.addEventListener("click", (event) => {
        const cell = this.cellOf(event);
        if (cell >= 0) this.onOpen(cell);
      });
    }

    /** The cell of the button that an event is of, or -1. @param {Event} event */
    cellOf(event) {
      return this.buttons.findIndex((button) => button === event.target);
    }

    /** @param {Atlas.Grid} matrix @param {string|undefined} sprite */
    build(matrix, sprite) {
      this.grid = matrix;
      this.node.replaceChildren();
      const { layers, heads } = matrix;
      const size = `${heads * 100}% ${layers * 100}%`;
      const share = (/** @type {number} */ i, /** @type {number} */ n) => `${n > 1 ? (100 * i) / (n - 1) : 0}%`;
      this.image = sprite && !matrix.order ? element("img", "", this.node, { alt: "", src: sprite }) : null;
      const names = Array.from({ length: layers * heads }, (_, cell) => grid.cellName(matrix, cell));
      this.buttons = names.map((name, cell) => {
        const tabindex = cell === grid.cellOf(matrix, 0) ? "0" : "-1";
        const label = { type: "button", "aria-label": `Open ${name}`, title: name, tabindex };
        const button = element("button", "", this.node, label);
        if (!matrix.order) return button;
        const { column, row } = grid.cellPlace(matrix, cell);
        const { layer, head } = grid.headOf(matrix, cell);
        Object.assign(button.style, { gridColumn: String(column + 1), gridRow: String(row + 1) });
        if (row >= matrix.rows) button.style.display = "none";
        // Elsewhere than on the sprite, each button shows its own part of it.
        if (sprite) {
          Object.assign(button.style, {
            backgroundImage: `url("${encodeURI(sprite)}")`, backgroundSize: size,
            backgroundPosition: `${share(head, heads)} ${share(layer, layers)}`,
          });
        }
        return button;
      });
    }

    /** Lay the sprite and its buttons where the camera shows the matrix.
     * @param {number} originX @param {number} originY @param {number} cell  CSS px @param {boolean} visible */
    arrange(originX, originY, cell, visible) {
      this.node.hidden = !visible;
      if (!this.grid) return;
      const { rows, columns } = this.grid;
      Object.assign(this.node.style, {
        left: `${originX}px`, top: `${originY}px`, width: `${columns * cell}px`, height: `${rows * cell}px`,
        gridTemplateColumns: `repeat(${columns}, 1fr)`, gridTemplateRows: `repeat(${rows}, 1fr)`,
      });
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      /** @type {Record<string, [number, number]>} */
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const cell = this.cellOf(event);
      if (cell < 0 || !this.grid || !moves[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      this.focus(grid.neighbour(this.grid, cell, ...moves[event.key]));
    }

    /** @param {number} cell */
    focus(cell) {
      this.buttons.forEach((button, i) => button.setAttribute("tabindex", i === cell ? "0" : "-1"));
      this.buttons[cell].focus();
      this.onFocus(cell);
    }

  }

  const api = { CanvasRenderer, SpriteMatrix, spriteOf };
  atlas.fallback = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
