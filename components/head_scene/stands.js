/** Where a camera is beside its home, as links have it, whatever way the heads of the matrix lie. Pure. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");
  const viewpoint = atlas.viewpoint || require("./viewpoint.js");

  /** @typedef {Pick<Atlas.View, "camera" | "home" | "isOpen" | "grid" | "isAtHome" | "nearestShown">} Seen */

  /**
   * Where the camera goes, beside its home. Of a matrix that lies otherwise than one layer a row: as if it did, so
   * that links and other sizes of the window lead to the same heads.
   * @param {Seen} view @returns {Atlas.Stand}
   */
  function standOf(view) {
    const target = view.camera.target;
    const stand = viewpoint.relative(target, view.home());
    if (view.isOpen || !view.grid.places || view.isAtHome(stand)) return stand;
    const cell = grid.nearestCell(view.grid, target.x, target.y);
    const { column, row } = grid.cellPlace(view.grid, cell);
    const { layer, head } = grid.headOf(view.grid, cell);
    const inside = (/** @type {number} */ part) => Math.min(0.999, Math.max(0, part));
    return {
      x: head + inside(target.x - column) - view.grid.heads / 2,
      y: layer + inside(target.y - row) - view.grid.layers / 2,
      zoom: stand.zoom,
    };
  }

  /** The camera of a stand. @param {Seen} view @param {Atlas.Stand} stand @returns {Atlas.Camera} */
  function cameraAt(view, stand) {
    const home = view.home();
    if (view.isOpen || !view.grid.places || view.isAtHome(stand)) return viewpoint.absolute(stand, home);
    const { layers, heads } = view.grid;
    const within = (/** @type {number} */ value, /** @type {number} */ count) => Math.min(count - 1e-3, Math.max(0, value + count / 2));
    const [x, y] = [within(stand.x, heads), within(stand.y, layers)];
    const [head, layer] = [Math.floor(x), Math.floor(y)];
    const { column, row } = grid.cellPlace(view.grid, view.nearestShown(layer) * heads + head);
    return { x: column + x - head, y: row + y - layer, scale: home.scale * stand.zoom };
  }

  const api = { standOf, cameraAt };
  atlas.stands = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
