/** Drawing a box or a lasso over an open head, and what becomes of it: a set of points. */
(function (atlas) {
  const SVG = "http://www.w3.org/2000/svg";
  const STEP = 3; // px between two vertices of a lasso
  const MOST_DRAWN = 4000;

  class Lasso {
    /** @param {Scene} scene */
    constructor(scene) {
      this.scene = scene;
      this.svg = document.createElementNS(SVG, "svg");
      this.svg.setAttribute("class", "atlas-scene-lasso");
      this.svg.setAttribute("aria-hidden", "true");
      this.path = document.createElementNS(SVG, "path");
      this.svg.appendChild(this.path);
      scene.stage.appendChild(this.svg);
      this.vertices = null;
    }

    /**
     * Does this drag draw, and what? Shift draws a lasso with any tool; with a drawing tool, Shift or Ctrl adds.
     * @returns {{shape: "box"|"lasso", add: boolean}|null}
     */
    meant(event) {
      const { scene } = this;
      if (!scene.isOpen || event.button !== 0) return null;
      const tool = scene.props.tool;
      const more = event.ctrlKey || event.metaKey;
      if (tool === "box" || tool === "lasso") return { shape: tool, add: more || event.shiftKey };
      return event.shiftKey ? { shape: "lasso", add: more } : null;
    }

    get active() {
      return this.vertices !== null;
    }

    start(x, y, { shape, add }) {
      this.shape = shape;
      this.add = add;
      this.from = { x, y };
      this.vertices = [{ x, y }];
      this.scene.overlay.showTooltip(null);
    }

    move(x, y) {
      if (!this.active) return;
      if (this.shape === "box") {
        const { x: x0, y: y0 } = this.from;
        this.vertices = [{ x: x0, y: y0 }, { x, y: y0 }, { x, y }, { x: x0, y }];
      } else {
        const last = this.vertices[this.vertices.length - 1];
        if (Math.hypot(x - last.x, y - last.y) >= STEP && this.vertices.length < MOST_DRAWN) this.vertices.push({ x, y });
      }
      this.path.setAttribute("d", `M${this.vertices.map((v) => `${v.x.toFixed(1)} ${v.y.toFixed(1)}`).join("L")}Z`);
    }

    cancel() {
      this.vertices = null;
      this.path.removeAttribute("d");
    }

    end() {
      const drawn = this.vertices;
      this.cancel();
      if (!drawn || drawn.length < 3) return;
      const { scene } = this;
      const { sets, grid } = atlas;
      const view = scene.headView();
      const vertices = drawn.map(({ x, y }) => ({ x: (x - view.middleX) / view.half, y: (view.middleY - y) / view.half }));
      const { column, row } = grid.cellPlace(scene.grid, scene.open);
      const turn = scene.dims === 3 ? { ...scene.turn } : null;
      const place = { layer: row, head: column, projection: scene.data.set.projection.name, turn };
      const made = sets.region(place, vertices);
      const before = scene.props.tokenSet;
      scene.changeSet(this.add && before ? sets.addRegion(before.recipe, made) : made);
    }

    destroy() {
      this.svg.remove();
    }
  }

  atlas.lasso = { Lasso };
})(window.atlas_head_scene);
