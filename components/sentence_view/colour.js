/* Colours: read from CSS, mixed along the hue circle (a straight mix of blue and orange is mud). Pure functions. */
(function () {
  "use strict";

  /** "rgb(1, 2, 3)", "rgba(…)", "#abc", "#aabbcc", "color(srgb …)" → [r, g, b] in 0 … 255; null when unknown.
   * @param {unknown} given @returns {number[]|null} */
  function parse(given) {
    const text = String(given || "").trim();
    let match = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text);
    if (match) {
      const hex = match[1].length === 3 ? match[1].replace(/./g, "$&$&") : match[1];
      return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
    }
    match = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)/i.exec(text);
    if (match) return match.slice(1, 4).map(Number);
    match = /^color\(srgb\s+([\d.e-]+)\s+([\d.e-]+)\s+([\d.e-]+)/i.exec(text);
    if (match) return match.slice(1, 4).map((value) => Math.min(1, Math.max(0, Number(value))) * 255);
    return null;
  }

  /** @param {number[]} rgb @param {number} [alpha] */
  const css = (rgb, alpha = 1) =>
    `rgba(${Math.round(rgb[0])}, ${Math.round(rgb[1])}, ${Math.round(rgb[2])}, ${alpha})`;
  /** @param {number[]} a @param {number[]} b @param {number} t */
  const mix = (a, b, t) => a.map((value, i) => value + (b[i] - value) * t);

  /** @param {number} byte */
  const linear = (byte) => (byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4);
  /** @param {number} v */
  const gamma = (v) => 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * Math.max(0, v) ** (1 / 2.4) - 0.055);

  // OKLab, Björn Ottosson 2020.
  /** @param {number[]} rgb */
  function toOklab(rgb) {
    const [r, g, b] = rgb.map(linear);
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return [
      0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
      1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
      0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
    ];
  }

  /** @param {number[]} lab */
  function fromOklab([L, a, b]) {
    const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
    const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
    const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
    return [
      4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
      -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
      -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
    ].map((v) => Math.min(255, Math.max(0, gamma(v))));
  }

  /** A colour between two, around the hue circle the shorter way.
   * @param {number[]} from @param {number[]} to @param {number} t */
  function between(from, to, t) {
    const [l1, a1, b1] = toOklab(from);
    const [l2, a2, b2] = toOklab(to);
    const chroma = Math.hypot(a1, b1) * (1 - t) + Math.hypot(a2, b2) * t;
    const start = Math.atan2(b1, a1);
    let turn = Math.atan2(b2, a2) - start;
    if (turn > Math.PI) turn -= 2 * Math.PI;
    if (turn < -Math.PI) turn += 2 * Math.PI;
    const hue = start + turn * t;
    return fromOklab([l1 + (l2 - l1) * t, chroma * Math.cos(hue), chroma * Math.sin(hue)]);
  }

  /** @param {string} text @returns {number[]} */
  const known = (text) => parse(text) || [128, 128, 128];

  // Sequential scales that begin at the canvas: more attention is further from the background. One hue family,
  // lightness strictly monotonous (readable in grey and for colour-blind readers).
  const LIGHT = ["#d3e4f1", "#8cbbdc", "#3f86bd", "#1c5490", "#0c2c5c", "#061534"].map(known);
  const DARK = ["#123650", "#17577a", "#2583a2", "#52b3b7", "#a3dcc2", "#f7fbdc"].map(known);

  /** 256 colours as RGBA bytes. @param {number[]} canvas @param {boolean} dark */
  function scale(canvas, dark) {
    const stops = [canvas, ...(dark ? DARK : LIGHT)];
    const table = new Uint8ClampedArray(256 * 4);
    for (let i = 0; i < 256; i++) {
      const at = (i / 255) * (stops.length - 1);
      const low = Math.min(stops.length - 2, Math.floor(at));
      table.set([...mix(stops[low], stops[low + 1], at - low), 255], i * 4);
    }
    return table;
  }

  /** WCAG contrast of two colours. @param {number[]} a @param {number[]} b */
  function contrast(a, b) {
    const luminance = (/** @type {number[]} */ rgb) => {
      const [r, g, blue] = rgb.map(linear);
      return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
    };
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  }

  /** @param {number[]} rgb */
  const isDark = (rgb) => toOklab(rgb)[0] < 0.5;

  const api = { parse, css, mix, between, scale, contrast, isDark };
  if (typeof module === "object" && module.exports) module.exports = api;
  else Object.assign((window.atlas_sentence_view ??= {}), { colour: api });
})();
