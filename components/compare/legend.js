/** What the colours of both panes mean, as rows of texts, markers and bars: the exporter draws the same rows. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  const STEPS = 128; // palette entries of a side
  const STOPS = 8;

  /** @typedef {{text?: string, marker?: "query"|"key"|"swatch", colour?: string, bar?: string[]}} LegendItem */

  /** Colours along one side's ramp. @param {string[]} palette @param {number} first */
  function stops(palette, first) {
    const last = first | (STEPS - 1);
    return Array.from({ length: STOPS }, (_, i) => palette[first + Math.round((i * (last - first)) / (STOPS - 1))]);
  }

  /** @param {string} hex */
  const css = (hex) => `rgb(${[1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(",")})`;

  /**
   * @param {Atlas.Colour} colour @param {Pick<Atlas.CompareColour, "kind" | "low" | "high">} facts
   * @param {[number, number]|null} range  ends of the open head's own scale
   * @returns {LegendItem[][]}
   */
  function rows(colour, facts, range) {
    const { palette } = colour;
    const sides = /** @type {const} */ ([["query", "Queries", 0], ["key", "Keys", STEPS]]);
    const head = colour.label ? [[{ text: colour.label }]] : [];
    if (facts.kind === "colour") return [...head];
    if (facts.kind === "sequential") {
      const values = colour.values;
      const own = range && range.map((end) => String(Number(end.toPrecision(3))));
      const numbers = values?.length ? [colour.path ? "0" : values[0], values[STEPS - 1]] : null;
      const ends = numbers || own || [facts.low || "least", facts.high || "most"];
      // The first entry of a difference is of points that are not compared.
      const least = colour.path ? 1 : 0;
      const apart = colour.path ? [[{ marker: /** @type {const} */ ("swatch"), colour: palette[0] }, { text: "not compared" }]] : [];
      const told = colour.name === "attended" ? sides.slice(0, 1) : sides; // keys have no row of their own
      return [...head, ...told.map(([marker, name, first]) => [
        { marker, colour: palette[first + STEPS / 2] }, { text: name }, { text: ends[0] }, { bar: stops(palette, first + least).map(css) },
        { text: ends[1] },
      ]), ...apart];
    }
    const names = (colour.values || []).slice(0, STEPS).filter(Boolean);
    if (names.length < 2) return [sides.map(([marker, name, first]) => [{ marker, colour: palette[first] }, { text: name }]).flat()];
    return [
      ...head,
      names.flatMap((name, i) => [{ marker: /** @type {const} */ ("query"), colour: palette[i] }, { marker: /** @type {const} */ ("key"), colour: palette[STEPS + i] }, { text: name }]),
    ];
  }

  /** @param {HTMLElement} parent @param {LegendItem[][]} all */
  function show(parent, all) {
    const { element } = window.atlas_head_finder.dom;
    parent.replaceChildren();
    for (const row of all) {
      const line = element("div", { class: "compare-legend-row" }, parent);
      for (const { text, marker, colour, bar } of row) {
        if (text) element("span", {}, line).textContent = text;
        else if (marker) element("span", { class: marker === "swatch" ? "legend-swatch" : `legend-marker legend-marker-${marker}`, style: `--marker:${colour};background:${colour}` }, line);
        else if (bar) element("span", { class: "compare-bar", style: `background:linear-gradient(to right, ${bar.join(",")})` }, line);
      }
    }
  }

  const api = { rows, show };
  atlas.legend = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
