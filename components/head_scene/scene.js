/**
 * The scene: props in, picture out. It owns the camera and the open head.
 * What a frame looks like is picture.js, when it is drawn loop.js, what becomes of new data arrivals.js; fetching is
 * data.js, drawing draw.js (or fallback.js) and overlay.js, pointer and keyboard are interact.js.
 */
(function (atlas) {
  const grid = atlas.grid;
  const draw = atlas.draw;
  const { Overlay, element } = atlas.overlay;
  const { Tween, number, between } = atlas.motion;
  const { same } = atlas.payload;
  const cam = atlas.camera;
  const viewpoint = atlas.viewpoint;

  const ENTER_MS = 620;
  /** After so long without a movement the viewpoint is told. */
  const STILL_MS = 250;
  /** Props that come in; the others only go out. */
  const INPUTS = [
    "payload", "projection", "colour", "head", "selection", "search", "lines", "average", "pointSize", "labels", "theme", "sprite",
    "cellNotes", "sizeByNorm", "tokenSet", "tool", "badges", "order", "rings",
    "cellTitles", "markedCells", "live", "viewpoint",
  ];
  /** Props that need nothing fetched. */
  const AT_ONCE = ["pointSize", "labels", "theme", "cellNotes", "badges", "order", "cellTitles", "markedCells"];

  class Scene extends atlas.Arrivals {
    /**
     * @param {HTMLElement} root
     * @param {(props: Object) => void} setProps
     */
    constructor(root, setProps) {
      super();
      this.root = root;
      this.setProps = setProps;
      this.props = {};
      this.open = -1;
      this.shown = -1;
      this.focusCell = -1;
      this.hoverCell = -1;
      this.hoverSlot = -1;
      this.view = { width: 1, height: 1 };
      this.ratio = 1;
      this.turn = { ...viewpoint.REST };
      this.camera = new Tween({ x: 0, y: 0, scale: 1 }, between);
      this.openness = new Tween(0, number);
      this.mixing = new Tween(1, number);
      this.waiting = [];
      this.timing = {};
      this.marksBlock = null;
      this.frames = 0;
      this.build();
      this.observe();
    }

    // --- set-up -----------------------------------------------------------------------------------------------

    build() {
      this.stage = element("div", "atlas-scene-stage", this.root, {
        tabindex: "0", role: "application", "aria-roledescription": "map of attention heads", "aria-label": "Attention heads",
      });
      this.canvas = element("canvas", "atlas-scene-points", this.stage, { "aria-hidden": "true" });
      const refused = new URLSearchParams(window.location.search).get("webgl") === "0";
      const renderer = refused ? null : draw.Renderer.create(this.canvas);
      this.webgl = renderer !== null;
      this.renderer = renderer || new atlas.fallback.CanvasRenderer(this.canvas);
      if (!this.webgl) {
        this.sprites = new atlas.fallback.SpriteMatrix(this.stage, (cell) => this.enter(cell), (cell) => this.describe(cell));
      }
      this.overlay = new Overlay(this.stage);
      this.probe = document.createElement("canvas").getContext("2d");
      this.data = new atlas.data.SceneData({
        onChange: (what, detail) => this.dataChanged(what, detail),
        drop: (block) => this.renderer.drop(block),
      }, !this.webgl);
      this.rings = new atlas.rings.Rings(this);
      this.lasso = new atlas.lasso.Lasso(this);
      this.interaction = new atlas.interact.Interaction(this);
    }

    observe() {
      this.stop = new AbortController();
      this.sizes = new ResizeObserver(() => this.resize());
      this.sizes.observe(this.root);
      this.themes = new MutationObserver(() => this.readColours());
      const attributes = { attributes: true, attributeFilter: ["class", "style", "data-theme", "data-bs-theme", "data-palette"] };
      this.themes.observe(document.documentElement, attributes);
      this.canvas.addEventListener("webglcontextlost", (event) => {
        event.preventDefault();
        cancelAnimationFrame(this.ticking);
        this.ticking = null;
        this.lost = true;
      }, { signal: this.stop.signal });
      this.canvas.addEventListener("webglcontextrestored", () => {
        this.lost = false;
        this.renderer.start();
        this.redraw();
      }, { signal: this.stop.signal });
      this.readColours();
      this.resize();
      document.fonts.addEventListener("loadingdone", () => {
        this.overlay.readFont();
        this.redraw();
      }, { signal: this.stop.signal });
    }

    destroy() {
      this.destroyed = true;
      cancelAnimationFrame(this.ticking);
      clearTimeout(this.still);
      this.stop.abort();
      this.sizes.disconnect();
      this.themes.disconnect();
      this.interaction.destroy();
      this.lasso.destroy();
      this.data.close();
      this.renderer.destroy();
      this.stage.remove();
      this.finishWaiting();
    }

    resize() {
      const width = Math.max(1, this.root.clientWidth);
      const height = Math.max(1, this.root.clientHeight);
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      if (width === this.view.width && height === this.view.height && ratio === this.ratio) return;
      const stand = this.grid && this.stand();
      this.view = { width, height };
      this.ratio = ratio;
      this.renderer.resize(Math.round(width * ratio), Math.round(height * ratio));
      this.overlay.resize(width, height, ratio);
      if (stand) this.camera.set(viewpoint.absolute(stand, this.home()));
      this.redraw();
    }

    readColours() {
      const style = getComputedStyle(this.root);
      this.colours = atlas.colours.themeColours((name) => style.getPropertyValue(name), this.props.theme || "light");
      const numbers = (name) => atlas.colours.colourNumbers(this.probe, this.colours[name]);
      this.shades = { canvas: numbers("canvas"), cell: numbers("cell"), faded: numbers("faded") };
      for (const name of ["canvas", "cell", "text", "muted", "ring"]) {
        this.stage.style.setProperty(`--scene-${name}`, this.colours[name]);
      }
      this.redraw();
    }

    // --- props ------------------------------------------------------------------------------------------------

    /** @param {Object} next  all props */
    update(next) {
      const before = this.props;
      this.props = next;
      const changed = (name) => !same(before[name], next[name]);
      // What comes back from our own setProps must not start the picture anew.
      if (!INPUTS.some(changed)) return;
      if (changed("theme")) this.readColours();
      const fresh = changed("payload");
      if (fresh) this.setPayload(next.payload);
      if (fresh || changed("order")) this.setOrder();
      if (fresh || changed("sprite")) this.setSprite();
      if (fresh || changed("projection")) this.setProjection();
      if (fresh || changed("colour")) this.data.setColour(next.colour || null);
      if (fresh || changed("sizeByNorm")) this.data.setSizes(Boolean(next.sizeByNorm));
      if (fresh || changed("head")) this.followHead(fresh);
      if (fresh ? next.viewpoint : changed("viewpoint")) this.takeViewpoint();
      if (fresh || changed("live")) this.setLive();
      if (fresh || changed("selection")) this.data.setSelection(next.selection || null);
      if (fresh || changed("tokenSet")) this.followSet();
      if (fresh || changed("search")) this.data.setSearch(next.search || null);
      if (!fresh && changed("search")) this.setSprite();
      if (fresh || ["selection", "lines", "head"].some(changed)) this.askForLines();
      if (fresh || changed("average")) this.setAverage();
      if (fresh || ["selection", "rings", "head"].some(changed)) this.rings.follow();
      // The others are redrawn when their data arrive: earlier would throw away half a picture for nothing.
      if (fresh || AT_ONCE.some(changed)) this.redraw();
    }

    setPayload(payload) {
      this.timing = { start: performance.now() };
      this.written = null;
      this.renderer.drawnPoints = 0;
      this.open = this.shown = -1;
      this.openness.set(0);
      this.data.setPayload(payload || null);
      this.grid = payload ? { rows: payload.layers, columns: payload.heads } : null;
      this.focusCell = this.hoverCell = this.hoverSlot = -1;
      if (this.grid) this.camera.set(this.home());
    }

    setSprite() {
      if (!this.sprites || !this.grid) return;
      const { sprite, search } = this.props;
      this.sprites.build(this.grid, sprite && search ? atlas.fallback.withSearch(sprite, search) : sprite);
    }

    /** Cells change their places; an open head takes the view along. */
    setOrder() {
      if (!this.grid) return;
      const stand = this.stand();
      this.grid = grid.ordered(this.grid, this.props.order);
      this.hoverCell = this.hoverSlot = -1;
      if (!this.isOpen) this.focusCell = -1;
      this.overlay.showTooltip(null);
      this.camera.set(viewpoint.absolute(stand, this.home()));
      this.setSprite();
    }

    setProjection() {
      this.data.setProjection(this.props.projection || null);
    }

    setLive() {
      const live = this.props.live;
      const cell = live && this.grid ? live.layer * this.grid.columns + live.head : -1;
      this.data.setLive(live ? { path: live.path, cell, dims: live.dims, method: live.method, move: Boolean(live.move) } : null);
    }

    followHead(fresh) {
      const head = this.props.head;
      const cell = this.grid && head ? head.layer * this.grid.columns + head.head : -1;
      const known = cell >= 0 && head.head < this.grid.columns && head.layer < this.grid.rows ? cell : -1;
      if (known !== this.open) this.show(known, fresh ? 0 : ENTER_MS);
    }

    // --- viewpoint --------------------------------------------------------------------------------------------

    /** @returns {{head: Object|null, at: string}|null} null at home */
    viewpoint() {
      const { projection } = this.props;
      const at = viewpoint.write(this.isFitted() ? null : this.stand(), projection && projection.dims === 3 ? this.turn : null);
      return at && { head: this.openHead, at };
    }

    /** Look from where the props say; one of another head means nothing here. */
    takeViewpoint() {
      if (!this.grid) return;
      const wanted = this.props.viewpoint;
      const found = wanted && same(wanted.head, this.openHead) ? viewpoint.read(wanted.at) : null;
      const camera = found ? viewpoint.absolute(found.stand, this.home()) : this.home();
      const { least, most } = this.scales();
      camera.scale = Math.min(most, Math.max(least, camera.scale));
      this.camera.set(cam.keepInView(camera, this.view, this.area()));
      this.turn = found && found.turn ? cam.orbit(found.turn, 0, 0) : { ...viewpoint.REST };
      this.redraw();
    }

    /** Once nothing has moved for a moment. */
    tellViewpointSoon() {
      clearTimeout(this.still);
      this.still = setTimeout(() => {
        const now = this.grid && !this.moving() ? this.viewpoint() : this.props.viewpoint;
        if (same(now, this.props.viewpoint)) return;
        this.props = { ...this.props, viewpoint: now };
        this.setProps({ viewpoint: now });
      }, STILL_MS);
    }

    askForLines() {
      this.data.setLines(this.props.lines || null, this.open);
    }

    setAverage() {
      this.overlay.showTooltip(null);
      this.hoverSlot = -1;
      this.data.setAverage(Boolean(this.props.average));
      this.redraw();
    }

    // --- heads ------------------------------------------------------------------------------------------------

    /** Open a head, or the matrix (-1), without telling the server. */
    show(cell, duration, keepCamera = false) {
      if (!this.grid) return;
      this.open = cell;
      if (cell >= 0) this.shown = cell;
      if (cell >= 0) this.focusCell = cell;
      this.hoverCell = this.hoverSlot = -1;
      const now = performance.now();
      if (!keepCamera) this.camera.to(this.home(), duration, now);
      this.openness.to(cell >= 0 ? 1 : 0, duration * 0.7, now);
      this.data.openHead(cell);
      this.rings.follow();
      this.useColour();
      this.marksBlock = null;
      this.overlay.showTooltip(null);
      if (this.sprites) this.arrangeSprites();
      this.describe(cell);
      this.redraw();
    }

    /** The buttons are the matrix's way in by keyboard, the stage is the open head's: focus goes along. */
    arrangeSprites() {
      const inside = this.stage.contains(document.activeElement);
      const origin = this.origin();
      this.sprites.arrange(origin.x, origin.y, this.camera.value.scale, !this.isOpen);
      this.stage.setAttribute("tabindex", this.isOpen ? "0" : "-1");
      if (inside && this.isOpen) this.stage.focus({ preventScroll: true });
      if (inside && !this.isOpen && document.activeElement === this.stage) this.sprites.focus(Math.max(0, this.shown));
    }

    enter(cell) {
      if (cell === this.open) return;
      this.show(cell, ENTER_MS);
      this.tellHead();
    }

    /** @param {boolean} keepCamera  zoomed out by hand: the neighbours appear where one looks */
    leave(keepCamera = false) {
      if (!this.isOpen) return;
      this.show(-1, ENTER_MS, keepCamera && this.camera.value.scale > this.matrixCamera().scale);
      this.tellHead();
    }

    tellHead() {
      // Known before Dash hands it back, so that it is not taken for a new wish.
      const told = { head: this.openHead, viewpoint: this.viewpoint() };
      this.props = { ...this.props, ...told };
      this.setProps(told);
      this.askForLines();
    }

    /** @param {{input: number, token: number, side: string}|null} selection */
    select(selection) {
      this.props = { ...this.props, selection };
      this.setProps({ selection });
      this.data.setSelection(selection);
      this.askForLines();
      this.redraw();
    }

    // --- sets -------------------------------------------------------------------------------------------------

    followSet() {
      this.data.setTokenSet(this.props.tokenSet || null, (setCount) => {
        this.setProps({ setCount });
        const sentence = setCount.points === 1 ? "1 point is in the set." : `${setCount.points} points are in the set.`;
        this.overlay.say(setCount.points ? sentence : "No point lies inside.");
        if (!setCount.points) this.changeSet("");
      });
    }

    /** @param {string} recipe  as in sets.js; empty for no set */
    changeSet(recipe) {
      if (recipe && !atlas.sets.fits(recipe)) {
        return this.overlay.setMessage("This set has too many parts for a link. Press Escape to start a new one.", null);
      }
      this.overlay.setMessage(null, null);
      const tokenSet = recipe ? { recipe } : null;
      this.props = { ...this.props, tokenSet };
      this.setProps({ tokenSet });
      return this.followSet();
    }

    toggleInSet(slot) {
      const now = this.props.tokenSet;
      this.changeSet(atlas.sets.toggle(now ? now.recipe : "", this.data.order[slot], this.data.inSet(slot)));
    }

    describe(cell) {
      if (!this.grid) return;
      if (this.isOpen) return this.overlay.say(`${this.nameOf(this.open)} is open.`);
      if (cell >= 0) return this.overlay.say(`${this.nameOf(cell)} in focus. Enter opens it.`);
      if (this.grid.order) return this.overlay.say(`${this.grid.order.length} heads, sorted.`);
      return this.overlay.say(`Matrix of ${this.grid.rows} layers with ${this.grid.columns} heads each.`);
    }

    reset() {
      this.camera.to(this.home(), ENTER_MS * 0.6, performance.now());
      if (this.dims === 3) this.turn = { ...viewpoint.REST };
      this.redraw();
    }

    // --- tests and benchmarks ---------------------------------------------------------------------------------

    stats() {
      const { data } = this;
      return {
        webgl: this.webgl, mode: this.isOpen ? "head" : "matrix", open: this.open, dims: this.dims,
        cells: data.client ? data.client.cells : 0, points: data.points, drawnPoints: this.renderer.drawnPoints,
        residentChunks: data.set ? data.set.resident : 0, loadedChunks: data.set ? data.set.loaded(this.open) : 0,
        bytes: data.client ? data.client.bytes : 0, marks: data.marks.length, lines: data.lines.length,
        set: data.setSlots ? data.setSlots.length : null,
        average: data.average !== null,
        labels: this.overlay.labelBoxes.map(({ text, side, box, slot }) => ({ text, side, box, slot })),
        camera: { ...this.camera.value }, turn: { ...this.turn }, diameter: this.grid ? this.diameter() : 0, frames: this.frames,
        firstMs: this.timing.first ?? null, fullMs: this.timing.full ?? null, pending: data.pending,
        hoverCell: this.hoverCell, focusCell: this.focusCell, hoverSlot: this.hoverSlot,
        order: this.grid && this.grid.order ? [...this.grid.order] : null,
        badges: this.grid ? this.badges().size : 0,
        rings: this.grid ? this.rings.targets.map(({ slot, weight }) => ({ slot, weight })) : [],
        moving: this.moving(),
        projection: data.set ? data.set.projection.key : null, live: data.set && data.set.override ? data.live.path : null,
      };
    }

    /** @param {number} point  point id @param {number} [cell]  the open head if left out */
    screenPosition(point, cell = this.open) {
      if (!this.data.slotOf) return null;
      const at = this.slotPosition(this.data.slotOf[point], cell);
      return at && { x: at.x, y: at.y };
    }
  }

  atlas.Scene = Scene;
})(window.atlas_head_scene);
