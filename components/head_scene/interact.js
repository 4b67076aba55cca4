/** What the user's gestures and keys mean to the scene. */
(function (atlas) {
  const cam = atlas.camera;
  const grid = atlas.grid;

  const PICK_PX = 9;
  const TOUCH_PX = 18;
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  /** The number behind a palette index on the scale of one head; undefined where there is no such scale. */
  const inRange = (ranges, cell, index) => {
    if (!ranges || cell < 0) return undefined;
    const [low, high] = [ranges[2 * cell], ranges[2 * cell + 1]];
    return String(Number((low + ((index & 127) / 127) * (high - low)).toPrecision(3)));
  };

  class Interaction {
    /** @param {Scene} scene */
    constructor(scene) {
      this.scene = scene;
      this.stop = new AbortController();
      this.gestures = new atlas.gestures.Gestures(scene.canvas, {
        pan: (dx, dy) => this.pan(dx, dy),
        turn: (dx, dy) => this.turn(dx, dy),
        zoom: (factor, x, y) => this.zoom(factor, x, y),
        tap: (x, y, touch, event) => this.tap(x, y, touch, event),
        hover: (x, y, touch) => this.hover(x, y, touch),
        leave: () => this.unhover(),
        reset: () => this.reset(),
      }, (event) => this.turns(event), scene.lasso);
      const listen = (type, handler) => scene.stage.addEventListener(type, handler, { signal: this.stop.signal });
      listen("keydown", (event) => this.key(event));
      listen("focus", () => this.focused());
      listen("blur", () => scene.redrawOverlay());
    }

    destroy() {
      this.stop.abort();
      this.gestures.destroy();
    }

    /** In 3D a plain drag orbits an open head; in the matrix the right button or shift turns all heads. */
    turns(event) {
      if (this.scene.dims !== 3) return false;
      const other = event.shiftKey || event.button === 2;
      return this.scene.isOpen ? !other : other;
    }

    touched() {
      this.scene.touchedAt = performance.now();
      this.scene.redraw();
    }

    get flat() {
      return !this.scene.webgl && !this.scene.isOpen;
    }

    pan(dx, dy) {
      const { scene } = this;
      if (!scene.grid || this.flat || scene.openness.active) return;
      scene.camera.set(cam.keepInside(cam.pan(scene.camera.value, dx, dy), scene.area()));
      this.unhover();
      this.touched();
    }

    turn(dx, dy) {
      this.scene.turn = cam.orbit(this.scene.turn, dx, dy);
      this.unhover();
      this.touched();
    }

    /** Zoom towards a place; across a threshold the head there opens, or the open one closes. */
    zoom(factor, x, y) {
      const { scene } = this;
      // While a head opens or closes the rest of a wheel's swing would tear at the camera.
      if (!scene.grid || this.flat || scene.openness.active) return;
      const { enter, leave } = scene.thresholds();
      const { least, most } = scene.scales();
      const from = scene.camera.value;
      const scale = Math.min(most, Math.max(least, from.scale * factor));
      const to = cam.zoomAt(from, scene.view, x, y, scale / from.scale);
      scene.camera.set(cam.keepInView(to, scene.view, scene.area()));
      this.touched();
      if (!scene.isOpen && factor > 1 && scale >= enter) return this.enterAt(x, y);
      if (scene.isOpen && factor < 1 && scale <= leave) scene.leave(true);
      return this.unhover();
    }

    enterAt(x, y) {
      const world = cam.toWorld(this.scene.camera.value, this.scene.view, x, y);
      this.scene.enter(grid.nearestCell(this.scene.grid, world.x, world.y));
    }

    cellUnder(x, y) {
      const world = cam.toWorld(this.scene.camera.value, this.scene.view, x, y);
      return grid.cellAt(this.scene.grid, world.x, world.y);
    }

    tap(x, y, touch, event) {
      const { scene } = this;
      // The second click of a double click comes while a head opens: it means no point.
      if (!scene.grid || scene.openness.active) return;
      scene.stage.focus({ preventScroll: true });
      if (!scene.isOpen) {
        const cell = this.cellUnder(x, y);
        if (cell >= 0) scene.enter(cell);
        return;
      }
      if (scene.props.average) return;
      const slot = this.pick(x, y, touch ? TOUCH_PX : PICK_PX);
      const more = event && (event.shiftKey || event.ctrlKey || event.metaKey);
      if (more) {
        if (slot >= 0) scene.toggleInSet(slot);
      } else if (slot >= 0) this.selectSlot(slot);
      else if (scene.props.selection) scene.select(null);
      if (touch) this.hover(x, y, true);
    }

    async selectSlot(slot) {
      const { scene } = this;
      const { side, row } = atlas.payload.tokenOfPoint(scene.data.order[slot], scene.props.payload.queries);
      try {
        scene.select({ input: await scene.data.inputOf(side, row), token: row, side });
      } catch (error) {
        if (error.name !== "AbortError") scene.overlay.setMessage(`Could not load: ${error.message}.`, () => this.selectSlot(slot));
      }
    }

    /** The slot under a place; a highlighted one is preferred to its faded neighbours. */
    pick(x, y, radius) {
      const { scene } = this;
      const { data } = scene;
      if (!data.set || !data.order) return -1;
      const parts = data.set.headParts(scene.open);
      const reach = Math.max(radius, scene.diameter() / 2 + 2);
      const find = (accepts) =>
        atlas.pick.nearest(scene.headView(), parts, scene.props.payload.chunk, x, y, reach, accepts);
      if (data.marks.length) {
        const marked = find((slot) => data.marked[slot] === 1);
        if (marked >= 0) return marked;
      }
      return find();
    }

    hover(x, y, touch) {
      const { scene } = this;
      if (!scene.grid || scene.moving()) return;
      if (scene.isOpen) this.hoverPoint(x, y, touch);
      else this.hoverHead(x, y);
    }

    hoverHead(x, y) {
      const { scene } = this;
      const cell = this.cellUnder(x, y);
      scene.canvas.style.cursor = cell >= 0 ? "pointer" : "grab";
      const note = cell >= 0 && scene.notes().get(cell);
      const badge = cell >= 0 && scene.badges().get(cell);
      const rows = [note, badge && badge.title].filter(Boolean).map((text) => ({ text }));
      const content = cell >= 0 && { title: scene.nameOf(cell), rows };
      scene.overlay.showTooltip(content || null, x, y);
      if (cell === scene.hoverCell) return;
      scene.hoverCell = cell;
      scene.redrawOverlay();
    }

    hoverPoint(x, y, touch) {
      const { scene } = this;
      if (scene.props.average) return scene.overlay.showTooltip(atlas.average.tooltip(scene, x, y), x, y);
      const slot = this.pick(x, y, touch ? TOUCH_PX : PICK_PX);
      this.at = { x, y };
      const still = scene.props.tool === "box" || scene.props.tool === "lasso" ? "crosshair" : scene.dims === 3 ? "move" : "grab";
      scene.canvas.style.cursor = slot >= 0 ? "pointer" : still;
      scene.overlay.showTooltip(slot >= 0 ? this.pointTooltip(slot) : null, x, y);
      if (slot === scene.hoverSlot) return;
      scene.hoverSlot = slot;
      scene.rings.follow();
      scene.redrawOverlay();
    }

    /** Tokens may have arrived since: say now what was unknown when the pointer came. */
    refreshTooltip() {
      const { scene } = this;
      if (scene.isOpen && scene.hoverSlot >= 0 && this.at) {
        scene.overlay.showTooltip(this.pointTooltip(scene.hoverSlot), this.at.x, this.at.y);
      }
    }

    pointTooltip(slot) {
      const { scene } = this;
      const token = scene.data.token(slot);
      const side = scene.data.kinds[slot] ? "key" : "query";
      if (!token) return { title: "…", rows: [{ text: side }] };
      const rows = [
        { text: `${side === "key" ? "▲ key" : "● query"} · pos ${token.position} of ${token.length - 1}` },
        { text: `input ${token.input}` },
      ];
      const colour = this.colourRow(slot);
      return { title: token.text.trim() || "␣", rows: colour ? [...rows, colour] : rows };
    }

    /** The value a colour stands for: from `colour.values` where given, else its swatch and name. */
    colourRow(slot) {
      const { data, props, open } = this.scene;
      if (!props.colour) return null;
      const indices = props.colour.scope === "head" ? data.headIndices.get(open) : data.indices;
      if (!indices) return null;
      const index = indices[slot];
      const value = props.colour.values ? props.colour.values[index] : inRange(props.colour.ranges, open, index);
      const name = props.colour.label ?? props.colour.name;
      if (!name) return null; // the side is named above already
      return { swatch: props.colour.palette[index], text: value === undefined ? name : `${name}: ${value}` };
    }

    unhover() {
      const { scene } = this;
      scene.overlay.showTooltip(null);
      if (scene.hoverCell < 0 && scene.hoverSlot < 0) return;
      scene.hoverCell = scene.hoverSlot = -1;
      scene.rings.follow();
      scene.redrawOverlay();
    }

    reset() {
      if (this.scene.grid) this.scene.reset();
    }

    // --- keyboard ---------------------------------------------------------------------------------------------

    focused() {
      const { scene } = this;
      if (!scene.grid) return;
      // A pointer's click focuses too, and then opens a head: no ring flashes up for it.
      if (scene.focusCell < 0 && scene.stage.matches(":focus-visible")) scene.focusCell = grid.cellOf(scene.grid, 0);
      scene.describe(scene.focusCell);
      scene.redrawOverlay();
    }

    key(event) {
      const { scene } = this;
      if (!scene.grid || event.ctrlKey || event.metaKey || event.altKey || event.target !== scene.stage) return;
      const handled = ARROWS[event.key] ? this.arrow(...ARROWS[event.key]) : this.command(event.key);
      if (handled) event.preventDefault();
    }

    arrow(dColumn, dRow) {
      const { scene } = this;
      if (scene.focusCell < 0) {
        scene.focusCell = grid.cellOf(scene.grid, 0);
      } else {
        scene.focusCell = grid.neighbour(scene.grid, scene.focusCell, dColumn, dRow);
      }
      if (scene.isOpen) scene.enter(scene.focusCell);
      else this.bringIntoView(scene.focusCell);
      scene.describe(scene.focusCell);
      scene.redrawOverlay();
      return true;
    }

    bringIntoView(cell) {
      const { scene } = this;
      const { column, row } = grid.cellPlace(scene.grid, cell);
      const { x, y } = cam.toScreen(scene.camera.target, scene.view, column + 0.5, row + 0.5);
      const inside = x > 0 && y > 0 && x < scene.view.width && y < scene.view.height;
      if (inside) return;
      scene.camera.to({ x: column + 0.5, y: row + 0.5, scale: scene.camera.target.scale }, 250, performance.now());
      scene.redraw();
    }

    command(key) {
      const { scene } = this;
      const { width, height } = scene.view;
      if (key === "Enter" || key === " ") {
        if (scene.isOpen || scene.focusCell < 0) return false;
        scene.enter(scene.focusCell);
      } else if (key === "Escape") {
        if (scene.lasso.active) scene.lasso.cancel();
        else if (scene.props.tokenSet) scene.changeSet("");
        else if (scene.props.selection) scene.select(null);
        else if (scene.isOpen) scene.leave();
        else return false;
      } else if (key === "+" || key === "=") {
        this.zoom(1.35, width / 2, height / 2);
      } else if (key === "-" || key === "_") {
        this.zoom(1 / 1.35, width / 2, height / 2);
      } else if (key === "0") {
        scene.reset();
      } else {
        return false;
      }
      return true;
    }
  }

  atlas.interact = { Interaction };
})(window.atlas_head_scene);
