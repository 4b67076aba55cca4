/** How heads are told apart: families by hue and shape, numbers by a ramp from dark to bright. Pure. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  /** Okabe & Ito's hues, darkened for the light theme until they stand out of the ground. */
  const HUES = {
    light: ["#0072b2", "#c45500", "#00735a", "#a3397a", "#7a6300", "#2b8bc9", "#4b4b9b", "#5a6573"],
    dark: ["#56b4e9", "#ff9d5c", "#3ccfa6", "#f08fc4", "#f0e442", "#8ecbff", "#a9a9ff", "#c3ccd6"],
  };
  /** @type {Atlas.FinderShape[]} */
  const SHAPES = ["disc", "triangle", "square", "diamond", "cross", "flipped"];
  /** Cividis (Nuñez, Anderton & Renslow 2018), the same to readers with and without colour blindness; its middle part. */
  const RAMP = {
    light: ["#00336e", "#3b4a6c", "#686b71", "#938d72", "#c1aa59"],
    dark: ["#3f6fb0", "#6f88a8", "#a39f94", "#d0bd72", "#ffea46"],
  };

  /** Colours of a ramp: more are not told apart, and each is a kind of mark. */
  const STEPS = 48;

  /** @typedef {"light"|"dark"} Theme */

  /** Of a family: 12 differ in hue or shape, neighbours in both. @param {number} number  from 0 @param {Theme} theme
   * @returns {{colour: string, shape: Atlas.FinderShape}} */
  function familyLook(number, theme) {
    return { colour: HUES[theme][number % HUES[theme].length], shape: SHAPES[number % SHAPES.length] };
  }

  /** @param {string} hex */
  const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

  /** @param {number} part  0 … 1 @param {Theme} theme */
  function ramp(part, theme) {
    const stops = RAMP[theme];
    const at = (Math.round(STEPS * Math.min(1, Math.max(0, part))) / STEPS) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(at));
    const [a, b] = [channels(stops[low]), channels(stops[low + 1])];
    return `#${a.map((value, i) => Math.round(value + (b[i] - value) * (at - low)).toString(16).padStart(2, "0")).join("")}`;
  }

  /** @param {Theme} theme */
  const gradient = (theme) => `linear-gradient(to right, ${RAMP[theme].join(", ")})`;

  const api = { familyLook, ramp, gradient, SHAPES };
  atlas.colours = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
