/**
 * The scene: props in, picture out. It makes the parts, gives each what it needs, and tells them of each other's
 * changes; what a part does is in its own file.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");
  const { same, tokenOfPoint } = atlas.payload || require("./payload.js");
  const { outsideOf } = atlas.edge || require("./edge.js");
  const { PointMotion } = atlas.pointMotion || require("./point_motion.js");
  const { TokenSetEditor } = atlas.tokenSet || require("./token_set.js");
  const { Heads } = atlas.heads || require("./heads.js");
  const { Folder } = atlas.folder || require("./folder.js");
  const { ViewpointProp } = atlas.viewpointProp || require("./viewpoint_prop.js");
  const { follow } = atlas.follow || require("./follow.js");
  const { dataHooks, loopHooks } = atlas.sceneHooks || require("./scene_hooks.js");
  const { sceneStats } = atlas.stats || require("./stats.js");
  const { Theme } = atlas.theme || require("./theme.js");
  const { View } = atlas.view || require("./view.js");
  const { SceneData } = atlas.data || require("./data.js");
  const { Textures } = atlas.textures || require("./textures.js");
  const { PointPlaces } = atlas.places || require("./places.js");
  const { Overlay, element } = atlas.overlay || require("./overlay.js");
  const { FrameLoop } = atlas.loop || require("./loop.js");
  const { Progress } = atlas.progress || require("./progress.js");
  const { Crowd } = atlas.crowd || require("./crowd.js");
  const { Picture } = atlas.picture || require("./picture.js");
  const { Copies } = atlas.copies || require("./copies.js");
  const { Controls } = atlas.controls || require("./controls.js");
  const { Rings } = atlas.rings || require("./rings.js");
  const { Renderer } = atlas.draw || require("./draw.js");
  const { CanvasRenderer, SpriteMatrix, spriteOf } = atlas.fallback || require("./fallback.js");

  class Scene {
    /**
     * @param {HTMLElement} root
     * @param {(changes: Partial<Atlas.SceneProps>) => void} setProps  tells Dash
     * @param {{alone?: boolean}} [options]  alone: the open head is all there is: no way back to the matrix, which is not
     *   fetched either; what the pointer rests on is told
     */
    constructor(root, setProps, { alone = false } = {}) {
      this.root = root;
      this.setProps = setProps;
      this.alone = alone;
      /** @type {Atlas.SceneProps} */
      this.props = {};
      /** @type {Atlas.Cursor} */
      this.cursor = { hoverCell: -1, hoverSlot: -1, focusCell: -1 };
      /** the head opened last, and the one before it, or -1 */
      this.before = { last: -1, other: -1 };
      /** dims that the renderer is warm for */
      this.warmed = 0;
      this.stop = new AbortController();
      this.stage = element("div", "atlas-scene-stage", root, {
        tabindex: "0", role: "application", "aria-roledescription": "map of attention heads", "aria-label": "Attention heads",
      });
      this.canvas = element("canvas", "atlas-scene-points", this.stage, { "aria-hidden": "true" });
      const refused = new URLSearchParams(window.location.search).get("webgl") === "0";
      const renderer = refused ? null : Renderer.create(this.canvas);
      this.webgl = renderer !== null;
      /** @type {Atlas.Renderer} */
      this.renderer = renderer || new CanvasRenderer(this.canvas);
      const enter = (/** @type {number} */ cell) => this.heads.enter(cell);
      const describe = (/** @type {number} */ cell) => this.heads.describe(cell);
      this.sprites = this.webgl ? null : new SpriteMatrix(this.stage, enter, describe);
      this.overlay = new Overlay(this.stage);
      const { overlay, renderer: drawer, stage, canvas, webgl, cursor } = this;
      const props = () => this.props;
      const view = (this.view = new View());
      const data = (this.data = new SceneData(dataHooks(this), !webgl || alone));
      const places = (this.places = new PointPlaces(view, data.points, data.highlights, data.brush));
      const textures = (this.textures = new Textures(drawer.store, data));
      this.motion = new PointMotion({ view, points: data.points, textures, animated: webgl });
      this.progress = new Progress((status) => this.setProps({ status }));
      this.loop = new FrameLoop(drawer, loopHooks(this, data));
      this.tokenSet = new TokenSetEditor({
        view, data, places, overlay,
        definition: () => (this.props.tokenSet ? this.props.tokenSet.definition : ""),
        changed: (definition) => this.change({ tokenSet: definition ? { definition } : null }),
        counted: (setCount) => this.setProps({ setCount }),
      });
      this.heads = new Heads({
        view, cursor, overlay, stage, alone, sprites: this.sprites,
        nameOf: (cell) => this.picture.nameOf(cell),
        opened: (cell) => this.headOpened(cell),
        chosen: () => this.tellHead(),
      });
      this.folder = new Folder({
        view, cursor, overlay, props,
        changed: (folded) => this.change({ folded }),
        placed: () => {
          this.setSprite();
          this.loop.redraw();
        },
      });
      this.viewpoint = new ViewpointProp(view, {
        dims: () => (this.props.projection ? this.props.projection.dims : 2),
        known: () => this.props.viewpoint,
        moving: () => this.moving(),
        tell: (viewpoint) => this.change({ viewpoint }),
      });
      const pointed = () => this.loop.redrawOverlay();
      const rings = (this.rings = new Rings({ data, view, places, wanted: () => this.ringedSlot(), changed: pointed }));
      this.picture = new Picture({
        crowd: new Crowd({ view, data }),
        before: () => this.before.other,
        view, data, places, textures, cursor, stage, webgl, props,
        motion: this.motion,
        look: () => this.theme.look,
        rings: () => rings.onScreen(),
      });
      const { picture, heads, tokenSet } = this;
      this.controls = new Controls({
        stage, canvas, webgl, view, data, places, overlay, cursor, picture, heads, tokenSet, props,
        moving: () => this.moving(),
      }, {
        pointed,
        hovered: () => {
          rings.follow();
          pointed();
          if (alone) this.tellHovered();
        },
        touched: () => {
          data.thumbnails.touch(() => this.loop.closed || this.loop.redraw());
          this.loop.touch();
        },
        moved: () => this.loop.redraw(),
        choose: (slot) => this.choose(slot),
        chooseProbe: (mark) => this.chooseProbe(mark),
        unselect: () => this.select(null),
        reset: () => this.reset(),
        fold: (row, others) => this.folder.fold(row, others),
        unfold: (rows) => this.folder.unfold(rows),
      });
      this.copies = new Copies({ stage, data, view, places, choose: (slot) => this.choose(slot) });
      this.theme = new Theme(root, this.stage, () => this.loop.redraw());
      this.sizes = new ResizeObserver(() => this.resize());
      this.sizes.observe(root);
      this.observe();
    }

    observe() {
      const { signal } = this.stop;
      this.canvas.addEventListener("webglcontextlost", (event) => {
        event.preventDefault();
        this.loop.stop();
      }, { signal });
      this.canvas.addEventListener("webglcontextrestored", () => {
        this.renderer.start();
        this.loop.resume();
      }, { signal });
      this.resize();
      document.fonts.addEventListener("loadingdone", () => {
        this.overlay.useFont();
        this.loop.redraw();
      }, { signal });
    }

    destroy() {
      this.loop.close();
      this.viewpoint.close();
      this.stop.abort();
      this.sizes.disconnect();
      this.theme.close();
      this.controls.destroy();
      this.rings.close();
      this.data.close();
      this.renderer.destroy();
      this.stage.remove();
    }

    resize() {
      const width = Math.max(1, this.root.clientWidth);
      const height = Math.max(1, this.root.clientHeight);
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      const { cells } = this.view;
      if (!this.view.resize(width, height, ratio)) return;
      if (cells && !same(cells, this.view.cells)) this.setSprite();
      this.renderer.resize(Math.round(width * ratio), Math.round(height * ratio));
      this.overlay.resize(width, height, ratio);
      this.loop.redraw();
    }

    // --- props --------------------------------------------------------------------------------------------------

    /** @param {Atlas.SceneProps} next  all props */
    update(next) {
      follow(this, next);
    }

    /** Change own props and tell Dash; known before Dash hands them back, so that they are not taken for a new wish.
     * @param {Partial<Atlas.SceneProps>} changes */
    change(changes) {
      this.props = { ...this.props, ...changes };
      this.setProps(changes);
    }

    /** @param {Atlas.Payload|null} payload */
    setPayload(payload) {
      this.progress.begin();
      this.textures.clear();
      this.before = { last: -1, other: -1 };
      this.renderer.drawnPoints = 0;
      this.renderer.drawnThumbnails = null;
      this.data.setPayload(payload);
      this.view.setCells(payload, !this.props.cellTitles, this.webgl ? undefined : 0);
      Object.assign(this.cursor, { hoverCell: -1, hoverSlot: -1, focusCell: -1 });
    }

    /** @param {Atlas.Projection|null} projection @param {boolean} whole */
    setProjection(projection, whole) {
      this.data.points.setProjection(projection, whole);
      this.data.thumbnails.setProjection(projection, whole);
    }

    setSprite() {
      if (!this.sprites || !this.view.cells) return;
      this.sprites.build(this.view.cells, spriteOf(this.props));
    }

    setOrder() {
      if (!this.view.cells) return;
      this.view.sort(this.props.order);
      this.cursor.hoverCell = this.cursor.hoverSlot = -1;
      if (!this.view.isOpen) this.cursor.focusCell = -1;
      this.overlay.showTooltip(null);
      this.setSprite();
    }

    setLive() {
      const { view, props: { live }, data: { points } } = this;
      const cell = view.cellOf(live);
      points.setLive(live && cell >= 0 ? { path: live.path, cell, dims: live.dims, method: live.method, move: Boolean(live.move) } : null);
    }

    askForLines() {
      const { lines = null, selection = null, probes } = this.props;
      const reads = Boolean(probes) && (probes?.read ?? -1) >= 0;
      this.data.attention.setLines(reads ? null : lines, selection, this.view.open);
      this.data.probes.setLines(reads ? lines : null, this.view.open);
    }

    followProbes() {
      const { probes, projection, whole } = this.props;
      this.data.probes.follow(probes || null, projection || null, Boolean(whole));
    }

    /** @param {Atlas.ProbeMark} mark */
    chooseProbe({ number, side, index }) {
      const { n } = this.props.probePicked || { n: 0 };
      this.change({ probePicked: { number, side, token: index, n: n + 1 } });
    }

    setAverage() {
      this.overlay.showTooltip(null);
      this.cursor.hoverSlot = -1;
      this.data.attention.setMean(Boolean(this.props.average));
      this.loop.redraw();
    }

    reset() {
      this.heads.recentre(this.data.points.dims === 3);
      this.loop.redraw();
    }

    /** Another head, or the matrix, is shown from now on. @param {number} cell */
    headOpened(cell) {
      const { last } = this.before;
      if (cell >= 0 && cell !== last) this.before = { last: cell, other: last };
      this.data.openHead(cell);
      this.rings.follow();
      this.useColour();
      this.textures.putBrush(cell);
      this.textures.forgetHighlight();
    }

    /** The user has opened a head, or left it. */
    tellHead() {
      this.change({ head: this.view.openHead, viewpoint: this.viewpoint.now() });
      this.askForLines();
    }

    // --- tokens and sets ----------------------------------------------------------------------------------------

    /** @param {Atlas.Selection|null} selection */
    select(selection) {
      this.change({ selection });
      this.data.highlights.setSelection(selection);
      this.askForLines();
      this.loop.redraw();
    }

    /** Choose the token behind a slot. @param {number} slot */
    async choose(slot) {
      const { client, points: { order }, tokens } = this.data;
      if (!client || !order) return;
      const { side, row } = tokenOfPoint(order[slot], client.payload.queries);
      try {
        this.select({ input: await tokens.inputOf(side, row), token: row, side });
      } catch (error) {
        if (error.name !== "AbortError") this.overlay.setMessage(`Could not load: ${error.message}.`, () => this.choose(slot));
      }
    }

    /** The slot whose partners are ringed, or -1. */
    ringedSlot() {
      if (!this.props.rings || !this.view.isOpen || !this.data.points.order) return -1;
      return this.cursor.hoverSlot >= 0 ? this.cursor.hoverSlot : this.data.highlights.selectedSlot;
    }

    // --- data ---------------------------------------------------------------------------------------------------

    chunkArrived() {
      const { highlights, inView } = this.data;
      // A picture of thumbnails alone has no place for the points that it waited for.
      if (this.motion.adopt() || this.picture.waitsForPoints(this.renderer)) this.loop.redraw();
      // The picture in progress goes on with the new chunk, unless highlights have to be gathered anew.
      if (highlights.slots.length || inView.active) {
        this.textures.forgetHighlight();
        this.loop.redraw();
      }
      this.tellProgress();
      this.loop.wake();
    }

    useColour() {
      this.textures.putColour(this.view.open);
      this.loop.redraw();
    }

    showFailure() {
      const { failure, jobs } = this.data;
      this.overlay.setMessage(failure ? `Could not load: ${failure.message}.` : null, failure ? () => jobs.retry() : null);
      this.tellProgress();
    }

    // --- drawing ------------------------------------------------------------------------------------------------

    moving() {
      return this.view.moving || this.motion.active || this.data.probes.share.active;
    }

    drawOverlay() {
      const { view, overlay, picture } = this;
      this.canvas.style.visibility = "visible";
      this.heads.arrange();
      overlay.setHeading(view.isOpen ? picture.nameOf(view.open) : "");
      overlay.draw(picture.overlayState());
      overlay.setNote(picture.note);
      this.copies.follow();
    }

    drawNothing() {
      this.canvas.style.visibility = "hidden";
      this.overlay.setHeading("");
      this.overlay.setNote("");
      this.overlay.setProgress(1);
      this.overlay.clear();
    }

    /** The picture is whole. */
    pictureDone() {
      const { set, dims } = this.data.points;
      if (!set) return;
      if (this.progress.done()) this.tellProgress();
      const outside = outsideOf(set, this.view.open);
      if (!same(outside, this.props.outside)) this.change({ outside });
      // Only now that all points are there is it known how they crowd.
      if (this.picture.parts.crowd.isNew()) this.loop.redraw();
      if (this.warmed === dims) return;
      this.warmed = dims;
      (window.requestIdleCallback || window.setTimeout)(() => this.loop.stopped || this.renderer.warm(dims === 3));
    }

    tellProgress() {
      const { data, overlay, props, webgl, view } = this;
      const { client, failure } = data;
      const part = data.points.part(view.open);
      overlay.setProgress(props.payload && props.projection && !failure ? part : 1);
      const points = client ? client.points * client.cells : 0;
      this.progress.report({ webgl, part, points, message: failure ? failure.message : "" });
    }

    /** What the pointer rests on, for those beside. */
    tellHovered() {
      const { order } = this.data.points;
      const slot = this.cursor.hoverSlot;
      const queries = this.props.payload?.queries || 0;
      const hovered = order && slot >= 0 ? tokenOfPoint(order[slot], queries) : null;
      if (!same(hovered, this.props.hovered)) this.change({ hovered });
    }

    /** @param {{white: boolean}} options */
    capture(options) {
      const { renderer, canvas, loop, sprites, overlay } = this;
      const sprite = sprites && sprites.image;
      return this.picture.capture({ renderer, canvas, loop, sprite, font: overlay.painter.font }, options);
    }

    // --- tests and benchmarks -----------------------------------------------------------------------------------

    stats() {
      return sceneStats(this);
    }

    /** @param {number} point  point id @param {number} [cell]  the open head if left out */
    screenPosition(point, cell = this.view.open) {
      const { slotOf } = this.data.points;
      const at = slotOf && this.places.at(slotOf[point], cell);
      return at ? { x: at.x, y: at.y } : null;
    }

    /** @param {number} x @param {number} y  CSS px */
    headAt(x, y) {
      const cell = this.view.cellAt(x, y);
      return cell < 0 ? null : grid.headOf(this.view.grid, cell);
    }
  }

  const api = { Scene };
  atlas.scene = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
