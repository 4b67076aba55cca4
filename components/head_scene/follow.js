/** A scene follows its props: what has changed is handed to the part that it is for. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { same } = atlas.payload || require("./payload.js");

  /** Props that come in; the others only go out. @type {Array<keyof Atlas.SceneProps>} */
  const INPUTS = [
    "payload", "projection", "colour", "head", "selection", "search", "lines", "average", "pointSize", "labels", "theme",
    "sprite", "cellNotes", "sized", "mapSizes", "tokenSet", "tool", "badges", "order", "rings", "cellTitles", "markedCells",
    "live", "viewpoint", "patches", "whole", "probes", "pointed", "brush", "groups", "shade", "outline", "ghost",
    "folded",
  ];

  /** Props that need nothing fetched. @type {Array<keyof Atlas.SceneProps>} */
  const AT_ONCE = [
    "pointSize", "labels", "theme", "cellNotes", "badges", "order", "cellTitles", "markedCells", "groups", "shade", "outline",
    "ghost", "folded",
  ];

  /** @param {Atlas.Scene} scene @param {Atlas.SceneProps} next  all props */
  function follow(scene, next) {
    const before = scene.props;
    scene.props = next;
    /** @param {...keyof Atlas.SceneProps} names */
    const changed = (...names) => names.some((name) => !same(before[name], next[name]));
    // What comes back from our own setProps must not start the picture anew.
    if (!changed(...INPUTS)) return;
    if (changed("theme")) scene.theme.set(next.theme || "light");
    const fresh = changed("payload");
    if (fresh) scene.setPayload(next.payload || null);
    updateMatrix(scene, fresh, changed);
    updateHead(scene, fresh, changed);
    updateMarks(scene, fresh, changed);
    // The others are redrawn when their data arrive: earlier would throw away half a picture for nothing.
    if (fresh || changed(...AT_ONCE)) scene.loop.redraw();
  }

  /** @param {Atlas.Scene} scene @param {boolean} fresh @param {(...names: Array<keyof Atlas.SceneProps>) => boolean} changed */
  function updateMatrix(scene, fresh, changed) {
    const { projection, colour, whole } = scene.props;
    if (fresh || changed("order")) scene.setOrder();
    if (fresh || changed("folded")) scene.folder.follow();
    if (fresh || changed("sprite")) scene.setSprite();
    if (fresh || changed("projection", "whole")) scene.setProjection(projection || null, Boolean(whole));
    if (fresh || changed("colour")) scene.data.colours.setColour(colour || null);
    if (fresh || changed("patches")) scene.data.sheet.setForm(scene.props.patches || "off");
    if (fresh || changed("sized", "mapSizes", "projection")) scene.data.colours.sizeBy(scene.props);
  }

  /** @param {Atlas.Scene} scene @param {boolean} fresh @param {(...names: Array<keyof Atlas.SceneProps>) => boolean} changed */
  function updateHead(scene, fresh, changed) {
    if (fresh || changed("head")) scene.heads.follow(scene.view.cellOf(scene.props.head), fresh);
    if (fresh ? scene.props.viewpoint : changed("viewpoint")) {
      scene.viewpoint.take();
      scene.loop.redraw();
    }
    if (fresh || changed("live", "whole")) scene.setLive();
  }

  /** @param {Atlas.Scene} scene @param {boolean} fresh @param {(...names: Array<keyof Atlas.SceneProps>) => boolean} changed */
  function updateMarks(scene, fresh, changed) {
    const { selection, search } = scene.props;
    if (fresh || changed("selection")) scene.data.highlights.setSelection(selection || null);
    if (fresh || changed("brush")) scene.data.brush.set(scene.props.brush);
    if (fresh || changed("tokenSet")) scene.tokenSet.follow();
    if (fresh || changed("search")) scene.data.highlights.setSearch(search || null);
    if (!fresh && changed("search", "whole")) scene.setSprite();
    if (fresh || changed("probes", "projection", "whole")) scene.followProbes();
    if (fresh || changed("selection", "lines", "head", "probes")) scene.askForLines();
    if (fresh || changed("average")) scene.setAverage();
    if (fresh || changed("selection", "rings", "head")) scene.rings.follow();
    if (changed("pointed")) scene.loop.redrawOverlay();
  }

  const api = { follow };
  atlas.follow = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
