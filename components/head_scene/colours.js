/** The scene's own colours: CSS custom properties on the element, with defaults for both themes. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @type {Record<string, Atlas.Colours>} */
  const DEFAULTS = {
    light: {
      canvas: "#ffffff", cell: "#f5f6f8", text: "#1b2430", muted: "#5d6878", line: "#b45309", ring: "#c87500",
      faded: "#b9c0ca", queryText: "#1c5a2b", keyText: "#8a1250",
    },
    dark: {
      canvas: "#0f1216", cell: "#181c22", text: "#eef1f5", muted: "#98a3b3", line: "#ffc300", ring: "#ffc300",
      faded: "#4a525e", queryText: "#b7ebc2", keyText: "#f7b8d6",
    },
  };
  /** @type {Atlas.Colours} */
  const PROPERTIES = {
    canvas: "--atlas-canvas", cell: "--atlas-cell", text: "--atlas-text", muted: "--atlas-muted", line: "--atlas-line",
    ring: "--atlas-ring", faded: "--atlas-faded", queryText: "--atlas-query-text", keyText: "--atlas-key-text",
  };

  /**
   * @param {(property: string) => string} read  the value of a custom property, "" if unset
   * @param {string} theme  "light" or "dark"
   * @returns {Atlas.Colours}
   */
  function themeColours(read, theme) {
    const defaults = DEFAULTS[theme] || DEFAULTS.light;
    const names = /** @type {Array<keyof Atlas.Colours>} */ (Object.keys(defaults));
    const found = names.map((name) => [name, read(PROPERTIES[name]).trim() || defaults[name]]);
    return /** @type {Atlas.Colours} */ (Object.fromEntries(found));
  }

  /** Any CSS colour → three numbers 0..1, by way of a canvas, which knows them all.
   * @param {CanvasRenderingContext2D} context @param {string} colour */
  function colourNumbers(context, colour) {
    context.fillStyle = "#808080";
    context.fillStyle = colour;
    const known = String(context.fillStyle);
    const hex = /^#(..)(..)(..)/.exec(known);
    const parts = hex ? hex.slice(1).map((h) => parseInt(h, 16)) : (known.match(/[\d.]+/g) || []).slice(0, 3).map(Number);
    return parts.map((value) => value / 255);
  }

  const api = { DEFAULTS, themeColours, colourNumbers };
  atlas.colours = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
