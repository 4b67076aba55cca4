/** What tests and benchmarks ask of a scene. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @param {Uint8Array|null} flags */
  const standing = (flags) => (flags || new Uint8Array(0)).reduce((sum, flag) => sum + flag, 0);

  /** @param {Atlas.Scene["picture"]} picture */
  function crowdStats(picture) {
    const { groups, shade, outline } = picture.overlayState();
    const { ghost } = picture.frame();
    return { groups: groups.map(({ text }) => text), shaded: shade !== null, outline: outline.length / 4, ghost: ghost ? ghost.cell : -1 };
  }

  /** @param {Atlas.Scene} scene */
  function sceneStats(scene) {
    const { view, cursor, renderer, data, progress, overlay, picture, loop, rings, webgl } = scene;
    const { client, points, highlights, attention } = data;
    const { set } = points;
    return {
      webgl, mode: view.isOpen ? "head" : "matrix", open: view.open, dims: points.dims,
      cells: client ? client.cells : 0, points: points.count, drawnPoints: renderer.drawnPoints,
      thumbnails: renderer.drawnThumbnails || null, note: picture.note,
      residentChunks: set ? set.resident : 0, loadedChunks: set ? set.loaded(view.open) : 0,
      bytes: client ? client.bytes : 0, marks: highlights.slots.length, lines: attention.lines.length,
      set: highlights.setSlots ? highlights.setSlots.length : null, average: attention.mean !== null,
      labels: overlay.painter.labelBoxes.map(({ text, side, box, slot }) => ({ text, side, box, slot })),
      camera: { ...view.camera.value }, turn: { ...view.turn }, diameter: view.cells ? picture.diameter() : 0,
      frames: loop.frames, firstMs: progress.first, fullMs: progress.full, pending: data.jobs.pending,
      ...cursor, order: view.cells && view.cells.sorted && view.cells.order ? view.cells.order.filter((cell) => cell >= 0) : null,
      rows: view.grid.rows, columns: view.grid.columns, scrolls: view.scrolls, folded: view.matrix.away,
      badges: view.cells ? picture.badges().size : 0,
      rings: view.cells ? rings.targets.map(({ slot, weight }) => ({ slot, weight })) : [],
      moving: scene.moving(),
      standing: data.brush.active ? standing(data.brush.flagsOf(view.open)) : null, ...crowdStats(picture),
      projection: set ? set.projection.key : null,
      frame: set ? set.projection.frame || null : null, outside: scene.props.outside || null,
      patches: data.sheet.facts ? data.sheet.form : null,
      probes: picture.overlayState().probes,
      live: set && set.override && points.live ? points.live.path : null,
    };
  }

  const api = { sceneStats };
  atlas.stats = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
