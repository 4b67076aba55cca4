/** The minimap on its canvas, with a cursor that pointer and keys move. */
(function (/** @type {Atlas.MinimapScripts} */ atlas) {
  /** @type {Atlas.ClientScripts["layers"]} */
  const { nameOf } = globalThis.atlas_client?.layers || require("../client/layers.js");
  const { cellSide, gapOf, headAt, stepped, isSame } = atlas.cells || require("./cells.js");

  class HeadMap {
    /** @param {HTMLElement} node @param {(head: Atlas.Head) => void} choose */
    constructor(node, choose) {
      this.node = node;
      this.choose = choose;
      this.matrix = { layers: 1, heads: 1 };
      /** rows that are folded away in the matrix @type {number[]} */
      this.folded = [];
      /** the open one @type {Atlas.Head|null} */
      this.head = null;
      /** the one pointed at @type {Atlas.Head|null} */
      this.cursor = null;
      this.canvas = node.appendChild(document.createElement("canvas"));
      this.canvas.setAttribute("aria-hidden", "true");
      this.name = node.appendChild(document.createElement("div"));
      this.name.className = "minimap-name";
      this.name.setAttribute("aria-live", "polite");
      node.addEventListener("pointermove", (event) => this.point(this.headUnder(event)));
      node.addEventListener("pointerleave", () => this.point(null));
      node.addEventListener("click", (event) => this.open(this.headUnder(event)));
      node.addEventListener("keydown", (event) => this.key(event));
      node.addEventListener("blur", () => this.point(null));
    }

    /** @param {Atlas.Head|null} head @param {{layers: number, heads: number}} matrix @param {number[]} [folded]  rows */
    show(head, matrix, folded = []) {
      this.folded = folded;
      this.head = head;
      this.matrix = matrix;
      this.point(null);
    }

    /** @param {MouseEvent} event */
    headUnder(event) {
      const box = this.canvas.getBoundingClientRect();
      return headAt(this.matrix, event.clientX - box.left, event.clientY - box.top);
    }

    /** @param {Atlas.Head|null} head */
    point(head) {
      this.cursor = head;
      const named = head || this.head;
      this.name.textContent = named ? nameOf(named.layer, named.head) : "";
      this.draw();
    }

    /** @param {Atlas.Head|null} head */
    open(head) {
      if (head && !isSame(head, this.head)) this.choose(head);
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      const at = this.cursor || this.head || { layer: 0, head: 0 };
      const next = stepped(this.matrix, at, event.key);
      if (!next && event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      if (next) this.point(next);
      else this.open(at);
    }

    draw() {
      const { layers, heads } = this.matrix;
      const side = cellSide(this.matrix);
      const gap = gapOf(side);
      const ratio = window.devicePixelRatio || 1;
      const style = getComputedStyle(this.node);
      const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
      this.canvas.width = Math.ceil(heads * side * ratio);
      this.canvas.height = Math.ceil(layers * side * ratio);
      this.canvas.style.width = `${heads * side}px`;
      this.canvas.style.height = `${layers * side}px`;
      const c = this.canvas.getContext("2d");
      if (!c) return;
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      const [plain, cross] = [colour("--atlas-edge"), colour("--atlas-edge-strong")];
      /** @param {Atlas.Head} at @param {string} fill @param {number} [by]  px larger on each side */
      const box = (at, fill, by = 0) => {
        c.fillStyle = fill;
        c.fillRect(at.head * side - by, at.layer * side - by, side - gap + 2 * by, side - gap + 2 * by);
      };
      for (let layer = 0; layer < layers; layer++) {
        for (let head = 0; head < heads; head++) {
          const onCross = this.head !== null && (layer === this.head.layer || head === this.head.head);
          c.globalAlpha = (onCross ? 0.45 : 1) * (this.folded.includes(layer) ? 0.35 : 1);
          box({ layer, head }, onCross ? cross : plain);
        }
      }
      c.globalAlpha = 1;
      if (this.cursor) box(this.cursor, colour("--atlas-text"), 0.5);
      if (this.head) box(this.head, colour("--atlas-accent"), 1);
    }
  }

  const api = { HeadMap };
  atlas.map = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_minimap ??= {}));
