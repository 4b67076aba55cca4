/** What a scene offers to the rest of the page, as `atlasScene` of its element. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @param {Atlas.Scene} scene @returns {Atlas.SceneHandle} */
  function handleOf(scene) {
    return {
      stats: () => scene.stats(),
      screenPosition: (point, cell) => scene.screenPosition(point, cell),
      headAt: (x, y) => scene.headAt(x, y),
      ready: () => scene.loop.ready(),
      recentre: () => {
        if (scene.view.cells) scene.reset();
      },
      state: () => ({ head: scene.props.head || null, selection: scene.props.selection || null }),
      payload: () => scene.props.payload,
      props: () => scene.props,
      capture: (options) => scene.capture(options),
      shown: () => ({ projection: scene.props.projection, colour: scene.props.colour, theme: scene.props.theme }),
      stopDrawing: () => scene.controls.stopDrawing(),
      togglePoint: (point) => {
        const { slotOf } = scene.data.points;
        if (slotOf) scene.tokenSet.toggle(slotOf[point]);
      },
    };
  }

  const api = { handleOf };
  atlas.handle = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
