/**
 * Camera maths. One flat camera serves the matrix and the open head, so that zooming between them has no seam;
 * three-dimensional heads turn inside their cells.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  // Distance of the eye from the middle of a cube whose half side is 1, and how much smaller the cube is drawn.
  const { eye: EYE, shrink: SHRINK } = globalThis.atlasTables.camera;

  /** World → CSS px.
   * @param {Atlas.Camera} camera @param {Atlas.Size} view @param {number} x @param {number} y @returns {Atlas.Point} */
  function toScreen(camera, view, x, y) {
    return {
      x: (x - camera.x) * camera.scale + view.width / 2,
      y: (y - camera.y) * camera.scale + view.height / 2,
    };
  }

  /** CSS px → world.
   * @param {Atlas.Camera} camera @param {Atlas.Size} view @param {number} x @param {number} y @returns {Atlas.Point} */
  function toWorld(camera, view, x, y) {
    return {
      x: (x - view.width / 2) / camera.scale + camera.x,
      y: (y - view.height / 2) / camera.scale + camera.y,
    };
  }

  /** The world rectangle in view. @param {Atlas.Camera} camera @param {Atlas.Size} view @returns {Atlas.Bounds} */
  function worldBounds(camera, view) {
    const a = toWorld(camera, view, 0, 0);
    const b = toWorld(camera, view, view.width, view.height);
    return { left: a.x, top: a.y, right: b.x, bottom: b.y };
  }

  /**
   * The camera that fits a world rectangle between margins.
   * @param {Atlas.Rectangle} rectangle @param {Atlas.Size} view @param {Atlas.Bounds} margins  CSS px
   * @returns {Atlas.Camera}
   */
  function fit(rectangle, view, margins) {
    const width = Math.max(1, view.width - margins.left - margins.right);
    const height = Math.max(1, view.height - margins.top - margins.bottom);
    const scale = Math.min(width / rectangle.width, height / rectangle.height);
    const middleX = margins.left + width / 2;
    const middleY = margins.top + height / 2;
    return {
      x: rectangle.x + rectangle.width / 2 - (middleX - view.width / 2) / scale,
      y: rectangle.y + rectangle.height / 2 - (middleY - view.height / 2) / scale,
      scale,
    };
  }

  /** Zoom by a factor so that the world point under (x, y) stays there.
   * @param {Atlas.Camera} camera @param {Atlas.Size} view @param {number} x @param {number} y @param {number} factor
   * @returns {Atlas.Camera} */
  function zoomAt(camera, view, x, y, factor) {
    const fixed = toWorld(camera, view, x, y);
    const scale = camera.scale * factor;
    return {
      x: fixed.x - (x - view.width / 2) / scale,
      y: fixed.y - (y - view.height / 2) / scale,
      scale,
    };
  }

  /** @param {Atlas.Camera} camera @param {number} dx @param {number} dy  CSS px @returns {Atlas.Camera} */
  function pan(camera, dx, dy) {
    return { x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale, scale: camera.scale };
  }

  /** Keep the middle of the view inside a world rectangle.
   * @param {Atlas.Camera} camera @param {Atlas.Rectangle} rectangle @returns {Atlas.Camera} */
  function keepInside(camera, rectangle) {
    const x = Math.min(rectangle.x + rectangle.width, Math.max(rectangle.x, camera.x));
    const y = Math.min(rectangle.y + rectangle.height, Math.max(rectangle.y, camera.y));
    return { x, y, scale: camera.scale };
  }

  /** Keep some of a world rectangle in view, a tenth from its edge.
   * @param {Atlas.Camera} camera @param {Atlas.Size} view @param {Atlas.Rectangle} rectangle
   * @returns {Atlas.Camera} */
  function keepInView(camera, view, rectangle) {
    const [x, y] = [(0.4 * view.width) / camera.scale, (0.4 * view.height) / camera.scale];
    const around = { x: rectangle.x - x, y: rectangle.y - y, width: rectangle.width + 2 * x, height: rectangle.height + 2 * y };
    return keepInside(camera, around);
  }

  /** @param {number} t  0..1 */
  const ease = (t) => (t < 0.5 ? 4 * t * t * t : 1 - Math.pow(2 - 2 * t, 3) / 2);

  /**
   * A step of the way between two cameras. The scale moves geometrically; the middle moves with 1 / scale, so that
   * the one point which is fixed on screen stays fixed all the way.
   * @param {Atlas.Camera} from @param {Atlas.Camera} to @param {number} t @returns {Atlas.Camera}
   */
  function between(from, to, t) {
    if (t >= 1) return { ...to };
    const scale = from.scale * Math.pow(to.scale / from.scale, t);
    const equal = Math.abs(Math.log(to.scale / from.scale)) < 1e-3;
    const way = equal ? t : (1 / scale - 1 / from.scale) / (1 / to.scale - 1 / from.scale);
    return { x: from.x + (to.x - from.x) * way, y: from.y + (to.y - from.y) * way, scale };
  }

  /** Column-major 3 × 3 rotation: first about the vertical axis by yaw, then about the horizontal one by pitch.
   * @param {number} yaw @param {number} pitch */
  function rotation(yaw, pitch) {
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    return [cy, sp * sy, -cp * sy, 0, cp, sp, sy, -sp * cy, cp * cy];
  }

  /** Turn yaw and pitch by a drag in px; the pitch stops short of the poles.
   * @param {Atlas.Turn} turn @param {number} dx @param {number} dy @returns {Atlas.Turn} */
  function orbit(turn, dx, dy) {
    const limit = Math.PI / 2 - 0.02;
    return {
      yaw: turn.yaw + dx * 0.008,
      pitch: Math.min(limit, Math.max(-limit, turn.pitch + dy * 0.008)),
    };
  }

  /**
   * A point of the unit cube on the plane of its cell: x rightwards, y upwards, both about -1..1, and its depth.
   * The same formula as the vertex shader.
   * @param {number[]} matrix @param {number} x @param {number} y @param {number} z @returns {Omit<Atlas.Place, "outside">}
   */
  function projectCube(matrix, x, y, z) {
    const rx = (matrix[0] * x + matrix[3] * y + matrix[6] * z) * SHRINK;
    const ry = (matrix[1] * x + matrix[4] * y + matrix[7] * z) * SHRINK;
    const depth = (matrix[2] * x + matrix[5] * y + matrix[8] * z) * SHRINK;
    const near = EYE / (EYE - depth);
    return { x: rx * near, y: ry * near, depth, near };
  }

  const api = {
    EYE, SHRINK, toScreen, toWorld, worldBounds, fit, zoomAt, pan, keepInside, keepInView, ease, between, rotation, orbit, projectCube,
  };
  atlas.camera = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
