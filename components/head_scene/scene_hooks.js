/** What the parts of a scene tell it and ask of it. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { wantsPoints } = atlas.thumbnails || require("./thumbnails.js");

  /** What the scene is told of its data. @param {Atlas.Scene} scene @returns {Atlas.DataHooks} */
  function dataHooks(scene) {
    /** @param {() => void} work */
    const whileAlive = (work) => () => {
      if (!scene.loop.closed) work();
    };
    const redraw = () => scene.loop.redraw();
    const redrawOverlay = whileAlive(() => scene.loop.redrawOverlay());
    return {
      order: whileAlive(() => {
        scene.textures.putKinds();
        scene.textures.putColour(scene.view.open);
        scene.textures.forgetHighlight();
        redraw();
      }),
      chunk: whileAlive(() => scene.chunkArrived()),
      moved: (before, animate) => {
        if (scene.loop.closed) return;
        scene.motion.replace(before, animate);
        redraw();
      },
      colour: whileAlive(() => scene.useColour()),
      brush: whileAlive(() => {
        scene.textures.putBrush(scene.view.open);
        redraw();
      }),
      thumbnails: (values, side) => {
        if (scene.loop.closed) return;
        scene.textures.putThumbnails(values, side);
        redraw();
      },
      sheet: whileAlive(() => {
        scene.textures.putSheet();
        redraw();
      }),
      sizes: whileAlive(() => {
        scene.textures.putSizes();
        redraw();
      }),
      marks: whileAlive(() => {
        scene.textures.forgetHighlight();
        redraw();
      }),
      searched: whileAlive(() => {
        scene.setProps({ searchCount: scene.data.highlights.searchCount });
        scene.loop.wake();
      }),
      lines: redrawOverlay,
      probes: whileAlive(() => {
        scene.askForLines();
        redraw();
      }),
      average: redrawOverlay,
      tokens: whileAlive(() => {
        scene.controls.hover.refresh();
        scene.loop.redrawOverlay();
      }),
      failure: whileAlive(() => {
        scene.showFailure();
        scene.loop.wake();
      }),
      settled: whileAlive(() => scene.loop.wake()),
      drop: (block) => scene.renderer.store.drop(block),
    };
  }

  /** What the loop asks of the scene. @param {Atlas.Scene} scene @param {Atlas.SceneData} data */
  function loopHooks(scene, data) {
    const { points, jobs } = data;
    return {
      move: (/** @type {number} */ now) => {
        const moved = scene.view.step(now);
        if (data.probes.step(now)) scene.loop.overlayDirty = true;
        return scene.motion.step(now) || moved;
      },
      moving: () => scene.moving(),
      frame: () => (scene.view.cells ? scene.picture.frame() : null),
      empty: () => scene.drawNothing(),
      overlay: () => scene.drawOverlay(),
      complete: () => !scene.view.cells || !points.set || !points.order,
      pending: () => jobs.pending,
      measured: () => {
        if ((scene.renderer.drawnPoints > 0 || scene.renderer.drawnThumbnails) && scene.progress.drawn()) scene.tellProgress();
      },
      rested: () => {
        scene.viewpoint.tellSoon();
        const { view } = scene;
        const matrix = data.inView.active && view.openness.value <= 0 && !data.thumbnails.touched;
        if (matrix) data.inView.want(view.runs(Infinity), wantsPoints(view, data));
      },
      settled: () => scene.pictureDone(),
    };
  }

  const api = { dataHooks, loopHooks };
  atlas.sceneHooks = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
