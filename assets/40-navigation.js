/* Moving among heads: neighbours, jump, minimap, hints. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggeredIds: triggered } = window.atlasCallback;

  // --- neighbours and jump ------------------------------------------------------------------------------------

  const STEPS = { "head-left": [0, -1], "head-right": [0, 1], "head-up": [-1, 0], "head-down": [1, 0] };

  /** The head one step away, or null at the edge. */
  function neighbour(head, [dLayer, dHead], size) {
    const next = { layer: head.layer + dLayer, head: head.head + dHead };
    const inside = next.layer >= 0 && next.head >= 0 && next.layer < size.layers && next.head < size.heads;
    return inside ? next : null;
  }

  const EMPTY = "none";
  const isChosen = (value) => value !== EMPTY && value !== null && value !== undefined && value !== "";

  /** The head that the selects name; one that is left empty counts as 0 once the other is chosen. */
  function named(from, layer, head) {
    const chosen = (from.includes("jump-layer") && isChosen(layer)) || (from.includes("jump-head") && isChosen(head));
    return chosen ? { layer: Number(layer) || 0, head: Number(head) || 0 } : null;
  }

  const counted = {};

  /** All steps since the last call: of keys pressed faster than callbacks run none is lost. */
  function walked(from, arrows, clicks, size) {
    let at = from;
    for (const id of arrows) {
      const steps = clicks[id] > (counted[id] || 0) ? clicks[id] - (counted[id] || 0) : 1; // a page that was made anew counts from 1
      counted[id] = clicks[id];
      for (let i = 0; i < steps; i++) at = neighbour(at, STEPS[id], size) || at;
    }
    return at;
  }

  function navigate(left, right, up, down, layer, head, open, payload) {
    const from = triggered();
    const clicks = { "head-left": left, "head-right": right, "head-up": up, "head-down": down };
    const arrows = Object.keys(STEPS).filter((id) => from.includes(id) && clicks[id]);
    let wanted = null;
    if (arrows.length && open) wanted = walked(open, arrows, clicks, payload);
    else if (!from.includes("scene")) wanted = named(from, layer, head);
    const shown = wanted || open || null;
    if (wanted && !same(wanted, open)) root.set_props("scene", { head: wanted });
    const edge = (id) => !shown || !neighbour(shown, STEPS[id], payload);
    const text = (name) => (shown ? String(shown[name]) : EMPTY);
    const place = shown ? " at-head" : "";
    return [
      text("layer") === layer ? none() : text("layer"), text("head") === head ? none() : text("head"),
      edge("head-left"), edge("head-right"), edge("head-up"), edge("head-down"),
      `navigation${place}`, `minimap-frame${place}`,
    ];
  }

  // --- minimap ------------------------------------------------------------------------------------------------

  const WIDEST = 132;

  class Minimap {
    constructor(node) {
      this.node = node;
      this.canvas = node.appendChild(document.createElement("canvas"));
      this.canvas.setAttribute("aria-hidden", "true");
      this.name = node.appendChild(document.createElement("div"));
      this.name.className = "minimap-name";
      this.name.setAttribute("aria-live", "polite");
      this.cursor = null;
      node.addEventListener("pointermove", (event) => this.point(this.headAt(event)));
      node.addEventListener("pointerleave", () => this.point(null));
      node.addEventListener("click", (event) => this.open(this.headAt(event)));
      node.addEventListener("keydown", (event) => this.key(event));
      node.addEventListener("blur", () => this.point(null));
      if (window.matchMedia("(max-width: 760px)").matches) node.closest("details").open = false;
    }

    show(head, size) {
      this.head = head;
      this.size = size;
      this.cell = Math.min(10, WIDEST / size.heads, WIDEST / size.layers);
      this.point(null);
    }

    headAt(event) {
      const box = this.canvas.getBoundingClientRect();
      const head = Math.floor((event.clientX - box.left) / this.cell);
      const layer = Math.floor((event.clientY - box.top) / this.cell);
      const inside = head >= 0 && layer >= 0 && head < this.size.heads && layer < this.size.layers;
      return inside ? { layer, head } : null;
    }

    point(head) {
      this.cursor = head;
      const place = head || this.head;
      this.name.textContent = place ? `L${place.layer} H${place.head}` : "";
      this.draw();
    }

    open(head) {
      if (head && !same(head, this.head)) root.set_props("scene", { head });
    }

    key(event) {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step && event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      const at = this.cursor || this.head || { layer: 0, head: 0 };
      if (step) this.point(neighbour(at, step, this.size) || at);
      else this.open(at);
    }

    draw() {
      const { layers, heads } = this.size;
      const ratio = window.devicePixelRatio || 1;
      const style = getComputedStyle(this.node);
      const colour = (name) => style.getPropertyValue(name).trim();
      this.canvas.width = Math.ceil(heads * this.cell * ratio);
      this.canvas.height = Math.ceil(layers * this.cell * ratio);
      this.canvas.style.width = `${heads * this.cell}px`;
      this.canvas.style.height = `${layers * this.cell}px`;
      const c = this.canvas.getContext("2d");
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      const [plain, cross] = [colour("--atlas-edge"), colour("--atlas-edge-strong")];
      const gap = this.cell > 5 ? 1.5 : this.cell > 2.5 ? 0.6 : 0;
      const box = (head, by = 0) =>
        c.fillRect(head.head * this.cell - by, head.layer * this.cell - by, this.cell - gap + 2 * by, this.cell - gap + 2 * by);
      for (let layer = 0; layer < layers; layer++) {
        for (let head = 0; head < heads; head++) {
          const onCross = this.head && (layer === this.head.layer || head === this.head.head);
          c.fillStyle = onCross ? cross : plain;
          c.globalAlpha = onCross ? 0.45 : 1;
          box({ layer, head });
        }
      }
      c.globalAlpha = 1;
      if (this.cursor) { c.fillStyle = colour("--atlas-text"); box(this.cursor, 0.5); }
      if (this.head) { c.fillStyle = colour("--atlas-accent"); box(this.head, 1); }
    }
  }

  function minimap(head, _theme, payload) {
    const node = document.getElementById("minimap");
    if (!node || !payload) return none();
    node.atlasMinimap ??= new Minimap(node);
    node.atlasMinimap.show(head || null, { layers: payload.layers, heads: payload.heads });
    return none();
  }

  // --- hints --------------------------------------------------------------------------------------------------

  const HINTS = "atlas-hints-done";

  function done() {
    try { return JSON.parse(window.localStorage.getItem(HINTS) || "{}") || {}; } catch { return {}; }
  }

  function remember(name) {
    try { window.localStorage.setItem(HINTS, JSON.stringify({ ...done(), [name]: 1 })); } catch { /* switched off */ }
  }

  function hint(head, selection) {
    const chosen = selection && selection.input !== null && selection.input !== undefined;
    if (head) remember("head");
    if (head && chosen) remember("token");
    const known = done();
    if (!head) return known.head ? "" : "Click a head to open it";
    return known.token ? "" : "Click a token to see its attention";
  }

  /** On a phone the controls of the map open and close by a button. */
  const unfold = (clicks) => (clicks % 2 ? ["toolbar open", "true"] : ["toolbar", "false"]);

  // --- the picture --------------------------------------------------------------------------------------------

  function recentre(clicks) {
    const scene = document.getElementById("scene");
    if (clicks && scene && scene.atlasScene) scene.atlasScene.recentre();
    return none();
  }

  root.atlasNavigation = { navigate, unfold, minimap, hint, recentre };
})();
