/**
 * What the scene shows: where heads and points lie on the screen, and the description of one frame that draw.js,
 * fallback.js and overlay.js draw from. The scene itself, which changes all this, is scene.js.
 */
(function (atlas) {
  const cam = atlas.camera;
  const grid = atlas.grid;
  const draw = atlas.draw;
  const viewpoint = atlas.viewpoint;
  const { MARGINS } = atlas.overlay;

  const HEAD_MARGINS = { left: 24, top: 44, right: 24, bottom: 24 };
  /** Points of one call: splits the matrix of very many heads. Beyond 4 million some drivers fail (KhronosGroup/WebGL #3402). */
  const MOST_A_RUN = 400_000;
  /** Highlights copied for all heads at once; a prefix of the hits, which is a fair sample of them. */
  const MOST_MARKS = 2_000_000;
  const MOST_CANDIDATES = 2500;
  const MOST_ZOOM = 80;

  /** The part of the scene that only looks: everything here follows from its state, camera, data and props. */
  class Picture {
    // --- where things are ------------------------------------------------------------------------------------------

    get isOpen() {
      return this.open >= 0;
    }

    get dims() {
      return this.data.set ? this.data.set.dims : 2;
    }

    cellCamera(cell) {
      const { column, row } = grid.cellPlace(this.grid, cell);
      return cam.fit({ x: column, y: row, width: 1, height: 1 }, this.view, HEAD_MARGINS);
    }

    matrixCamera() {
      const margins = this.grid.columns * this.grid.rows === 1 ? HEAD_MARGINS : MARGINS;
      return cam.fit({ x: 0, y: 0, width: this.grid.columns, height: this.grid.rows }, this.view, margins);
    }

    /** Where the camera rests: the whole matrix, or the whole of the open head. */
    home() {
      return this.isOpen ? this.cellCamera(this.open) : this.matrixCamera();
    }

    /** @returns {{layer: number, head: number}|null} null: the matrix */
    get openHead() {
      return this.isOpen ? grid.headOf(this.grid, this.open) : null;
    }

    /** The part of the world one looks at: all cells, or the open head's. */
    area() {
      if (!this.isOpen) return { x: 0, y: 0, width: this.grid.columns, height: this.grid.rows };
      const { column, row } = grid.cellPlace(this.grid, this.open);
      return { x: column, y: row, width: 1, height: 1 };
    }

    /** How far out and in one can zoom, px a cell. */
    scales() {
      return { least: this.isOpen ? this.thresholds().leave : this.matrixCamera().scale * 0.7, most: this.cellCamera(0).scale * MOST_ZOOM };
    }

    /** Where the camera goes, beside its home. */
    stand() {
      return viewpoint.relative(this.camera.target, this.home());
    }

    isFitted() {
      if (!this.grid) return true;
      const { x, y, zoom } = this.stand();
      return Math.abs(Math.log(zoom)) < 0.01 && Math.hypot(x, y) * this.home().scale < 4;
    }

    /** Zoom scales at which the wheel enters and leaves a head; apart, so that it does not flicker. */
    thresholds() {
      const whole = this.matrixCamera().scale;
      const single = this.cellCamera(0).scale;
      return {
        enter: Math.max(0.6 * single, 1.25 * whole),
        leave: whole > 0.45 * single ? 0.8 * whole : 0.5 * single,
      };
    }

    /** @returns {Array<{first: number, count: number}>} cells in view */
    runs(longest) {
      return grid.visibleRuns(this.grid, cam.worldBounds(this.camera.value, this.view), longest);
    }

    origin() {
      return cam.toScreen(this.camera.value, this.view, 0, 0);
    }

    headAt(x, y) {
      if (!this.grid) return null;
      const world = cam.toWorld(this.camera.value, this.view, x, y);
      const cell = grid.cellAt(this.grid, world.x, world.y);
      if (cell < 0) return null;
      return grid.headOf(this.grid, cell);
    }

    /** How points of a head lie on the screen. */
    headView(cell = this.open) {
      const { column, row } = grid.cellPlace(this.grid, cell);
      const middle = cam.toScreen(this.camera.value, this.view, column + 0.5, row + 0.5);
      return {
        middleX: middle.x,
        middleY: middle.y,
        half: this.camera.value.scale * (0.5 - grid.GAP),
        dims: this.dims,
        matrix: cam.rotation(this.turn.yaw, this.turn.pitch),
      };
    }

    /** @returns {{x: number, y: number}|null} CSS px of a slot in the open (or given) head */
    slotPosition(slot, cell = this.open, view = null) {
      if (!this.data.set || cell < 0) return null;
      const chunk = Math.floor(slot / this.props.payload.chunk);
      const block = this.data.set.blockOf(chunk, cell);
      if (!block) return null;
      const inChunk = slot - chunk * this.props.payload.chunk;
      const at = ((cell - block.firstCell) * block.count + inChunk) * block.dims;
      return atlas.pick.place(view || this.headView(cell), block.values, at);
    }

    // --- points ----------------------------------------------------------------------------------------------------

    /** Diameter of a point, CSS px. */
    diameter(cell = this.camera.value.scale) {
      const { points } = this.data;
      const shown = Math.min(points, this.data.set ? this.data.set.wanted(this.open) * this.props.payload.chunk : points) || points;
      const fitted = this.cellCamera(0).scale;
      const auto = draw.pointDiameter(cell, shown, fitted);
      if (!this.props.pointSize) return auto;
      return Math.max(1, (auto * this.props.pointSize) / draw.pointDiameter(fitted, shown, fitted));
    }

    /** In 3D points hide each other by depth, so they are opaque; beside highlights they fade, crowds more. */
    alpha(marked, scale, diameter) {
      const crowd = draw.pointAlpha(scale, this.data.points, diameter);
      if (marked) return Math.max(this.isOpen ? 0.16 : 0.07, 0.3 * crowd * crowd);
      return this.dims === 3 ? 1 : crowd;
    }

    frameRuns() {
      const one = { first: this.shown, count: 1, alpha: 1 };
      if (this.openness.value >= 1) return [one];
      const longest = Math.max(1, MOST_A_RUN / Math.min(this.data.points, this.props.payload.chunk));
      const alpha = 1 - this.openness.value;
      const others = this.runs(longest).map((run) => ({ ...run, alpha }));
      return this.openness.value > 0 ? [...others, one] : others;
    }

    /** Positions of the highlighted points in all heads, or in the open one; kept until they change. */
    gatherMarks() {
      const { data } = this;
      if (this.marksBlock || !data.set || !data.order) return this.marksBlock;
      const all = data.marks;
      const cells = this.isOpen || !this.webgl ? 1 : data.client.cells;
      const first = this.isOpen ? this.open : 0;
      if (!this.isOpen && !this.webgl) return null;
      const slots = all.length * cells > MOST_MARKS ? all.slice(0, Math.floor(MOST_MARKS / cells)) : all;
      const block = data.set.gather(slots, first, cells, this.open);
      const previous = data.previous ? data.previous.gather(slots, first, cells, this.open) : null;
      if (this.marksBuffer) this.marksBuffer.forEach((old) => this.renderer.drop(old));
      this.marksBuffer = [block, previous];
      this.renderer.setValues("hits", slots.length ? slots : new Uint32Array(1), draw.textureRows(slots.length));
      this.marksBlock = { block, previous: previous && previous.count === block.count ? previous : null };
      return this.marksBlock;
    }

    frame() {
      const { data, ratio, camera } = this;
      const origin = this.origin();
      const scale = camera.value.scale;
      const diameter = this.diameter();
      const marked = data.marks.length > 0 || data.searchCount !== null;
      const highlight = marked ? this.gatherMarks() : null;
      return {
        grid: this.grid,
        ratio,
        originX: origin.x * ratio,
        originY: origin.y * ratio,
        cell: scale * ratio,
        half: scale * (0.5 - grid.GAP) * ratio,
        dims: this.dims,
        matrix: cam.rotation(this.turn.yaw, this.turn.pitch),
        open: this.shown >= 0 && this.openness.value > 0 ? this.shown : -1,
        runs: data.set ? this.frameRuns() : [],
        chunks: data.set && data.order ? data.set.wanted(this.open) : 0,
        chunkSize: this.props.payload.chunk,
        blockOf: (chunk) => (data.set ? data.set.blockOf(chunk, this.open) : null),
        previousOf: (chunk) => (data.previous ? data.previous.blockOf(chunk, this.open) : null),
        mix: this.mixing.value,
        passing: this.openness.active || (this.camera.active && this.openness.value < 1),
        size: diameter * ratio,
        alpha: this.alpha(marked, scale, diameter),
        muted: marked ? 0.8 : 0,
        headRows: this.headRows || 0,
        sizedCell: data.sizes ? data.sizes.cell : -1,
        highlight,
        highlightRuns: this.isOpen ? [{ first: this.open, count: 1 }] : this.runs(Infinity),
        highlightSize: Math.max(3.6, diameter * 1.35 + 1.1) * ratio,
        highlightRim: diameter > 3 ? ratio : 0,
        colours: this.shades,
        cellColour: this.colours.cell,
        fadedColour: this.colours.faded,
        fill: this.openness.value,
      };
    }

    // --- overlay ---------------------------------------------------------------------------------------------------

    /** What a cell is called: its head, or its own title. */
    nameOf(cell) {
      const title = (this.props.cellTitles || [])[cell];
      return title === undefined ? grid.cellName(this.grid, cell) : String(title);
    }

    overlayState() {
      const origin = this.origin();
      const lit = this.hoverCell >= 0 ? this.hoverCell : this.focusCell;
      const still = this.isOpen && this.openness.value > 0.98 && !this.mixing.active;
      return {
        grid: this.grid,
        originX: origin.x,
        originY: origin.y,
        cell: this.camera.value.scale,
        cells: this.runs(Infinity),
        single: this.grid.rows * this.grid.columns === 1,
        matrix: 1 - this.openness.value,
        colours: this.colours,
        hoverCell: this.hoverCell,
        focusCell: document.activeElement === this.stage ? this.focusCell : -1,
        rings: still ? this.rings.onScreen() : [],
        lit: lit >= 0 ? grid.cellPlace(this.grid, lit) : { column: -1, row: -1 },
        notes: this.notes(),
        nameOf: (cell) => this.nameOf(cell),
        framed: this.props.markedCells || [],
        axes: !this.props.cellTitles,
        badges: this.badges(),
        diameter: this.diameter(),
        zoom: this.camera.value.scale / this.cellCamera(0).scale,
        marked: this.data.marks.length > 0,
        average: this.props.average ? this.data.average : null,
        averaging: Boolean(this.props.average),
        open: this.open,
        openness: this.openness.value,
        lines: still && !this.props.average ? this.linesOnScreen() : [],
        hitsAt: still && !this.props.average ? this.hitsInSet() : [],
        ringAt: this.isOpen && !this.props.average && this.data.selectedSlot >= 0 ? this.slotPosition(this.data.selectedSlot) : null,
        hoverAt: this.hoverSlot >= 0 ? this.slotPosition(this.hoverSlot) : null,
        labels: still && !this.props.average && this.props.labels !== false ? this.labelCandidates() : [],
      };
    }

    notes() {
      return this.byCell(this.props.cellNotes, String);
    }

    badges() {
      if (this.badgesOf === this.props.badges && this.knownBadges) return this.knownBadges;
      this.badgesOf = this.props.badges;
      this.knownBadges = this.byCell(this.props.badges, (badge) => badge || {});
      return this.knownBadges;
    }

    /** What a prop says of heads, {"L-H": value}, by cell. */
    byCell(values, made) {
      const found = new Map();
      for (const [name, value] of Object.entries(values || {})) {
        const [layer, head] = name.split("-").map(Number);
        found.set(layer * this.grid.columns + head, made(value));
      }
      return found;
    }

    linesOnScreen() {
      const chosen = this.data.selectedSlot;
      const view = this.headView();
      return this.data.lines.flatMap((line) => {
        const from = this.slotPosition(line.query, this.open, view);
        const to = this.slotPosition(line.key, this.open, view);
        return from && to ? [{ from, to, weight: line.weight, chosen: line.query === chosen || line.key === chosen }] : [];
      });
    }

    /** With a set and a search: where the hits inside the set are. */
    hitsInSet() {
      const { data } = this;
      if (!data.setSlots || !data.hits.length) return [];
      const view = this.headView();
      const inside = data.hits.filter((slot) => data.inSet(slot)).slice(0, MOST_CANDIDATES);
      return Array.from(inside, (slot) => this.slotPosition(slot, this.open, view)).filter(Boolean);
    }

    /** Slots that may be labelled, most important first; null for all of them in draw order. */
    labelSlots() {
      const { data } = this;
      const chosen = data.selectedSlot;
      const marks = data.setSlots || (data.inputSlots.length ? data.inputSlots : data.hits);
      if (!marks.length && !data.searchCount) return null;
      return chosen >= 0 ? [chosen, ...marks.filter((slot) => slot !== chosen)] : marks;
    }

    labelCandidates() {
      const candidates = [];
      const { width, height } = this.view;
      const slots = this.labelSlots();
      const count = slots ? slots.length : this.data.points;
      const view = this.headView();
      for (let i = 0; i < count && candidates.length < MOST_CANDIDATES; i++) {
        const slot = slots ? slots[i] : i;
        const at = this.slotPosition(slot, this.open, view);
        if (!at || at.x < 0 || at.y < 0 || at.x > width || at.y > height) continue;
        const token = this.data.token(slot);
        if (token) candidates.push({ slot, text: token.text, side: token.side, x: at.x, y: at.y });
      }
      return candidates;
    }
  }

  atlas.Picture = Picture;
})(window.atlas_head_scene);
