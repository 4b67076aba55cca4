/**
 * What one looks at and from where: the size of the view, the grid of heads, which head is open, the camera, and how
 * heads are turned. Pure arithmetic over its own state; nothing here draws or fetches.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");
  const { LEAST, arrange } = atlas.arrange || require("./arrange.js");
  const cam = atlas.camera || require("./camera.js");
  const viewpoint = atlas.viewpoint || require("./viewpoint.js");
  const { standOf, cameraAt } = atlas.stands || require("./stands.js");
  const { Tween, number, between } = atlas.motion || require("./motion.js");

  /** Room at the edges of the matrix for layer and head numbers, CSS px. */
  const MATRIX_MARGINS = { left: 46, top: 40, right: 14, bottom: 14 };
  const HEAD_MARGINS = { left: 24, top: 44, right: 24, bottom: 24 };
  const MOST_ZOOM = 80;
  /** @type {Atlas.Grid & {group: number}} */
  const NO_GRID = { layers: 1, heads: 1, group: 1, rows: 1, columns: 1 };

  class View {
    constructor() {
      /** @type {Atlas.Size} */
      this.size = { width: 1, height: 1 };
      /** device px a CSS px */
      this.ratio = 1;
      /** null: nothing to look at @type {Atlas.Grid|null} */
      this.cells = null;
      /** what the cells are of; free: they lie where there is room; least: px a cell before one scrolls
       * @type {{layers: number, heads: number, group: number, gaps: Atlas.Gap[], away: number[], free: boolean, least: number}} */
      this.matrix = { layers: 1, heads: 1, group: 1, gaps: [], away: [], free: false, least: 0 };
      /** that the heads are to lie in @type {number[]|null} */
      this.order = null;
      /** the open head's cell, or -1 for the matrix */
      this.open = -1;
      /** the head opened last: it stays in sight while it closes */
      this.shown = -1;
      /** @type {Atlas.Turn} */
      this.turn = { ...viewpoint.REST };
      /** @type {Atlas.Tween<Atlas.Camera>} */
      this.camera = new Tween({ x: 0, y: 0, scale: 1 }, between);
      /** 0 at the matrix, 1 at the open head @type {Atlas.Tween<number>} */
      this.openness = new Tween(0, number);
    }

    // --- what there is to see -----------------------------------------------------------------------------------

    /**
     * Look at other heads, from home.
     * @param {{layers: number, heads: number, group?: number, gaps?: Atlas.Gap[]}|null} matrix  group: heads that share a
     *   key head; gaps: layers without attention
     * @param {boolean} [free]  they may lie otherwise than one layer a row @param {number} [least]  px a cell before one scrolls
     */
    setCells(matrix, free = true, least = LEAST) {
      const { layers, heads, group = 1 } = matrix || NO_GRID;
      const gaps = matrix?.gaps || [];
      this.matrix = { layers, heads, group, gaps, away: [], free, least };
      this.order = null;
      this.cells = matrix && this.arranged();
      this.open = this.shown = -1;
      this.openness.set(0);
      if (matrix) this.camera.set(this.home());
    }

    /** Cells change their places; an open head takes the view along. @param {number[]|null|undefined} order */
    sort(order) {
      const stand = this.stand();
      this.order = order || null;
      this.cells = this.arranged();
      this.camera.set(this.cameraAt(stand));
    }

    /** Layers fold away, or come back. @param {number[]} away  rows, rising */
    fold(away) {
      const stand = this.stand();
      const { x, y, scale } = this.camera.target;
      const cell = grid.nearestCell(this.grid, x, y);
      const from = grid.cellPlace(this.grid, cell);
      const zoom = scale / this.home().scale;
      this.matrix = { ...this.matrix, away };
      this.cells = this.arranged();
      if (this.isOpen || this.isAtHome(stand)) {
        this.camera.set(this.cameraAt(stand));
        return;
      }
      // What one looks at stays where it is, or the layer next to it comes there.
      const { layer, head } = grid.headOf(this.grid, cell);
      const to = grid.cellPlace(this.grid, this.nearestShown(layer) * this.grid.heads + head);
      const home = this.home();
      const camera = { x: to.column + x - from.column, y: to.row + y - from.row, scale: home.scale * zoom };
      this.camera.set(this.scrolls ? this.withinEdges(camera, home) : camera);
    }

    /** Room for the matrix, CSS px. @returns {Atlas.Size} */
    get room() {
      const { left, right, top, bottom } = MATRIX_MARGINS;
      return { width: Math.max(1, this.size.width - left - right), height: Math.max(1, this.size.height - top - bottom) };
    }

    arranged() {
      const { free, least } = this.matrix;
      return arrange(this.matrix, this.order, free ? this.room : null, least);
    }

    get grid() {
      return this.cells || NO_GRID;
    }

    /** Heads that are to be seen. */
    get count() {
      const { layers, heads, order, rows, columns } = this.grid;
      return order ? order.slice(0, rows * columns).filter((cell) => cell >= 0).length : layers * heads;
    }

    get isOpen() {
      return this.open >= 0;
    }

    get isSingle() {
      return this.grid.layers * this.grid.heads === 1;
    }

    /** @returns {Atlas.Head|null} null: the matrix */
    get openHead() {
      return this.isOpen ? grid.headOf(this.grid, this.open) : null;
    }

    /** The cell of a head, or -1 where there is none. @param {Atlas.Head|null|undefined} head */
    cellOf(head) {
      if (!this.cells || !head) return -1;
      const { layers, heads } = this.grid;
      const cell = head.layer * heads + head.head;
      return cell >= 0 && head.head < heads && head.layer < layers ? cell : -1;
    }

    /** The part of the world one looks at: all cells, or the open head's. @returns {Atlas.Rectangle} */
    area() {
      if (!this.isOpen) return { x: 0, y: 0, width: this.grid.columns, height: this.grid.rows };
      const { column, row } = grid.cellPlace(this.grid, this.open);
      return { x: column, y: row, width: 1, height: 1 };
    }

    // --- where the camera may be --------------------------------------------------------------------------------

    /** @param {number} cell @returns {Atlas.Camera} */
    cellCamera(cell) {
      const { column, row } = grid.cellPlace(this.grid, cell);
      return cam.fit({ x: column, y: row, width: 1, height: 1 }, this.size, HEAD_MARGINS);
    }

    /** px a cell where all of the matrix is in sight */
    get wholeScale() {
      return this.wholeCamera().scale;
    }

    wholeCamera() {
      const margins = this.isSingle ? HEAD_MARGINS : MATRIX_MARGINS;
      return cam.fit({ x: 0, y: 0, width: this.grid.columns, height: this.grid.rows }, this.size, margins);
    }

    /** All of the matrix, or, where its cells would be too small, its first rows. */
    matrixCamera() {
      const whole = this.wholeCamera();
      if (!this.scrolls) return whole;
      const { least } = this.matrix;
      const [columns, rows] = [this.room.width / least, this.room.height / least];
      return cam.fit({ x: Math.min(0, (this.grid.columns - columns) / 2), y: 0, width: columns, height: rows }, this.size, MATRIX_MARGINS);
    }

    /** One has to scroll to see all heads. */
    get scrolls() {
      return !this.isSingle && this.matrix.free && this.wholeScale < this.matrix.least;
    }

    /** Where the camera rests: the whole matrix, or the whole of the open head. */
    home() {
      return this.isOpen ? this.cellCamera(this.open) : this.matrixCamera();
    }

    /** px a cell where one head fills the view */
    get fittedScale() {
      return this.cellCamera(0).scale;
    }

    /** How far out and in one can zoom, px a cell. */
    scales() {
      const least = this.isOpen ? this.thresholds().leave : this.wholeScale * 0.7;
      return { least, most: this.fittedScale * MOST_ZOOM };
    }

    /** Zoom scales at which the wheel enters and leaves a head; apart, so that it does not flicker. */
    thresholds() {
      const whole = this.matrixCamera().scale;
      const single = this.fittedScale;
      return {
        enter: Math.max(0.6 * single, 1.25 * whole),
        leave: whole > 0.45 * single ? 0.8 * whole : 0.5 * single,
      };
    }

    /** Where the camera goes, as links and other sizes of the window have it: stands.js. @returns {Atlas.Stand} */
    stand() {
      return standOf(this);
    }

    /** The camera of a stand. @param {Atlas.Stand} stand */
    cameraAt(stand) {
      return cameraAt(this, stand);
    }

    /** The cell, or one beside it, or the first, where it lies out of sight below the others. @param {number} cell */
    visibleCell(cell) {
      if (grid.cellPlace(this.grid, cell).row < this.grid.rows) return cell;
      const { layer, head } = grid.headOf(this.grid, cell);
      return this.grid.shown ? this.nearestShown(layer) * this.grid.heads + head : grid.cellOf(this.grid, 0);
    }

    /** The layer, or the next to it that is not folded away. @param {number} layer */
    nearestShown(layer) {
      const { shown } = this.grid;
      return shown ? shown.reduce((best, row) => (Math.abs(row - layer) < Math.abs(best - layer) ? row : best)) : layer;
    }

    /** @param {Atlas.Stand} stand */
    isAtHome({ x, y, zoom }) {
      return Math.abs(Math.log(zoom)) < 0.01 && Math.hypot(x, y) * this.home().scale < 4;
    }

    isFitted() {
      if (!this.cells) return true;
      return this.isAtHome(viewpoint.relative(this.camera.target, this.home()));
    }

    /** As words of a link, null at home. @param {number} dims */
    viewpoint(dims) {
      const at = viewpoint.write(this.isFitted() ? null : this.stand(), dims === 3 ? this.turn : null);
      return at === null ? null : { head: this.openHead, at };
    }

    // --- changes ------------------------------------------------------------------------------------------------

    /** @param {number} width @param {number} height @param {number} ratio @returns {boolean} something is different */
    resize(width, height, ratio) {
      if (width === this.size.width && height === this.size.height && ratio === this.ratio) return false;
      const stand = this.cells && this.stand();
      this.size = { width, height };
      this.ratio = ratio;
      if (stand) {
        this.cells = this.arranged();
        this.camera.set(this.cameraAt(stand));
      }
      return true;
    }

    /**
     * Open a head, or the matrix (-1).
     * @param {number} cell @param {number} duration  ms @param {number} now @param {boolean} keepCamera
     */
    openCell(cell, duration, now, keepCamera) {
      this.open = cell;
      if (cell >= 0) this.shown = cell;
      if (!keepCamera) this.camera.to(cell < 0 ? this.matrixAround(this.shown) : this.home(), duration, now);
      this.openness.to(cell >= 0 ? 1 : 0, duration * 0.7, now);
    }

    /** Look from a place as a link names it, or (null) from home. @param {string|null} at */
    look(at) {
      const found = at === null ? null : viewpoint.read(at);
      const camera = found ? this.cameraAt(found.stand) : this.home();
      const { least, most } = this.scales();
      camera.scale = Math.min(most, Math.max(least, camera.scale));
      this.camera.set(cam.keepInView(camera, this.size, this.area()));
      this.turn = found && found.turn ? cam.orbit(found.turn, 0, 0) : { ...viewpoint.REST };
    }

    /** @param {number} duration @param {number} now @param {boolean} turnToo */
    reset(duration, now, turnToo) {
      this.camera.to(this.home(), duration, now);
      if (turnToo) this.turn = { ...viewpoint.REST };
    }

    /** Move by a drag, CSS px. @param {number} dx @param {number} dy */
    pan(dx, dy) {
      this.camera.set(cam.keepInside(cam.pan(this.camera.value, dx, dy), this.area()));
    }

    /** Move a matrix that is larger than the view, no further than to its edges. @param {number} dx @param {number} dy  CSS px */
    scroll(dx, dy) {
      const from = this.camera.value;
      this.camera.set(this.withinEdges({ x: from.x + dx / from.scale, y: from.y + dy / from.scale, scale: from.scale }, from));
    }

    /** Where the matrix is larger than the view its edges stay outside; elsewhere it stays as it rests.
     * @param {Atlas.Camera} camera @param {Atlas.Camera} rest @returns {Atlas.Camera} */
    withinEdges({ x, y, scale }, rest) {
      const { width, height } = this.size;
      const { left, top, right, bottom } = MATRIX_MARGINS;
      const { columns, rows } = this.grid;
      /** @param {number} at @param {number} resting @param {number} least @param {number} most */
      const within = (at, resting, least, most) => (most < least ? resting : Math.min(most, Math.max(least, at)));
      return {
        x: within(x, rest.x, (width / 2 - left) / scale, columns - (width / 2 - right) / scale),
        y: within(y, rest.y, (height / 2 - top) / scale, rows - (height / 2 - bottom) / scale),
        scale,
      };
    }

    /** The matrix with a head in sight. @param {number} cell */
    matrixAround(cell) {
      const rest = this.matrixCamera();
      if (!this.scrolls || cell < 0) return rest;
      const { column, row } = grid.cellPlace(this.grid, cell);
      return this.withinEdges({ x: column + 0.5, y: row + 0.5, scale: rest.scale }, rest);
    }

    /** @param {number} dx @param {number} dy */
    orbit(dx, dy) {
      this.turn = cam.orbit(this.turn, dx, dy);
    }

    /** Zoom towards a place. @param {number} factor @param {number} x @param {number} y @returns {number} px a cell */
    zoom(factor, x, y) {
      const { least, most } = this.scales();
      const from = this.camera.value;
      const scale = Math.min(most, Math.max(least, from.scale * factor));
      const to = cam.zoomAt(from, this.size, x, y, scale / from.scale);
      this.camera.set(cam.keepInView(to, this.size, this.area()));
      return scale;
    }

    /** Bring a cell into the middle unless its middle is in sight. @param {number} cell @param {number} now */
    show(cell, now) {
      const { column, row } = grid.cellPlace(this.grid, cell);
      const { x, y } = cam.toScreen(this.camera.target, this.size, column + 0.5, row + 0.5);
      if (x > MATRIX_MARGINS.left && y > MATRIX_MARGINS.top && x < this.size.width && y < this.size.height) return false;
      this.camera.to({ x: column + 0.5, y: row + 0.5, scale: this.camera.target.scale }, 250, now);
      return true;
    }

    /** @param {number} now @returns {boolean} something moved */
    step(now) {
      const moved = this.camera.step(now);
      return this.openness.step(now) || moved;
    }

    get moving() {
      return this.camera.active || this.openness.active;
    }

    /** Heads only pass by, on the way into one or out. */
    get passing() {
      return this.openness.active || (this.camera.active && this.openness.value < 1);
    }

    // --- from world to screen and back --------------------------------------------------------------------------

    /** @param {number} longest @returns {Atlas.Run[]} cells in view */
    runs(longest) {
      return grid.visibleRuns(this.grid, cam.worldBounds(this.camera.value, this.size), longest);
    }

    /** Where the matrix begins, CSS px. @returns {Atlas.Point} */
    origin() {
      return cam.toScreen(this.camera.value, this.size, 0, 0);
    }

    /** The cell under a place, or -1. @param {number} x @param {number} y  CSS px */
    cellAt(x, y) {
      const world = cam.toWorld(this.camera.value, this.size, x, y);
      return this.cells ? grid.cellAt(this.cells, world.x, world.y) : -1;
    }

    /** @param {number} x @param {number} y @returns {number} */
    nearestCell(x, y) {
      const world = cam.toWorld(this.camera.value, this.size, x, y);
      return grid.nearestCell(this.grid, world.x, world.y);
    }

    rotation() {
      return cam.rotation(this.turn.yaw, this.turn.pitch);
    }

    /** How points of a head lie on the screen. @param {number} cell @param {number} dims @returns {Atlas.HeadView} */
    headView(cell, dims) {
      const { column, row } = grid.cellPlace(this.grid, cell);
      const middle = cam.toScreen(this.camera.value, this.size, column + 0.5, row + 0.5);
      return {
        middleX: middle.x,
        middleY: middle.y,
        half: this.camera.value.scale * (0.5 - grid.GAP),
        dims,
        matrix: this.rotation(),
      };
    }
  }

  const api = { View, MATRIX_MARGINS, HEAD_MARGINS };
  atlas.view = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
