/** The scene's own colours: CSS custom properties on the element, with defaults for both themes. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @type {Record<string, Atlas.Colours>} */
  const DEFAULTS = globalThis.atlasTables.colours;
  /** @type {Atlas.Colours} */
  const PROPERTIES = {
    canvas: "--atlas-canvas", cell: "--atlas-cell", text: "--atlas-text", muted: "--atlas-muted", line: "--atlas-line",
    ring: "--atlas-ring", faded: "--atlas-faded", queryText: "--atlas-query-text", keyText: "--atlas-key-text",
    probe2: "--atlas-probe-2", probe3: "--atlas-probe-3", probe4: "--atlas-probe-4",
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
