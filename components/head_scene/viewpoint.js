/**
 * Where one looks from, as a few words of a link: independent of the window's size, and null at home.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** How three-dimensional heads are turned at first. */
  const REST = { yaw: 0.5, pitch: 0.32 };

  /** @returns {Atlas.Stand} cells right and down of where the camera rests, and times as near
   * @param {Atlas.Camera} camera @param {Atlas.Camera} home */
  function relative(camera, home) {
    return { x: camera.x - home.x, y: camera.y - home.y, zoom: camera.scale / home.scale };
  }

  /** The camera that stands there beside another home.
   * @param {Atlas.Stand} stand @param {Atlas.Camera} home @returns {Atlas.Camera} */
  function absolute(stand, home) {
    return { x: home.x + stand.x, y: home.y + stand.y, scale: home.scale * stand.zoom };
  }

  /** The same angle between -π and π. @param {number} angle */
  const wrapped = (angle) => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
  /** @param {number} value @param {number} digits */
  const short = (value, digits) => String(Number(value.toFixed(digits)));
  /** @param {Atlas.Turn} turn */
  const isTurned = (turn) => Math.abs(wrapped(turn.yaw - REST.yaw)) > 1e-3 || Math.abs(turn.pitch - REST.pitch) > 1e-3;

  /**
   * @param {Atlas.Stand|null} stand  null at home
   * @param {Atlas.Turn|null} turn  null in two dimensions
   * @returns {string|null} "x_y_zoom" or "x_y_zoom_yaw_pitch"; null when there is nothing to say
   */
  function write(stand, turn) {
    const turned = turn && isTurned(turn);
    if (!stand && !turned) return null;
    const { x, y, zoom } = stand || { x: 0, y: 0, zoom: 1 };
    const words = [short(x, 5), short(y, 5), short(zoom, 4)];
    return [...words, ...(turned ? [short(wrapped(turn.yaw), 3), short(turn.pitch, 3)] : [])].join("_");
  }

  /** @returns {{stand: Atlas.Stand, turn: Atlas.Turn|null}|null} null if it is none @param {unknown} text */
  function read(text) {
    const numbers = String(text).split("_").map((word) => (word.trim() ? Number(word) : NaN));
    const [x, y, zoom, yaw, pitch] = numbers;
    if (![3, 5].includes(numbers.length) || !numbers.every(Number.isFinite) || zoom <= 0) return null;
    return { stand: { x, y, zoom }, turn: numbers.length === 5 ? { yaw, pitch } : null };
  }

  const api = { REST, relative, absolute, write, read };
  atlas.viewpoint = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
