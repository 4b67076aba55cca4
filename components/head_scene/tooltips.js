/** What a tooltip says of a head or of a token. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** The number behind a palette index on the scale of one head; undefined where there is no such scale.
   * @param {number[]|undefined} ranges @param {number} cell @param {number} index */
  function inRange(ranges, cell, index) {
    if (!ranges || cell < 0) return undefined;
    const [low, high] = [ranges[2 * cell], ranges[2 * cell + 1]];
    return String(Number((low + ((index & 127) / 127) * (high - low)).toPrecision(3)));
  }

  /**
   * The value a colour stands for: from `colour.values` where given, else its swatch and name.
   * @param {Atlas.Colour|null|undefined} colour @param {number|undefined} index  of the palette @param {number} cell
   * @returns {Atlas.TooltipRow|null}
   */
  function colourRow(colour, index, cell) {
    if (!colour || index === undefined) return null;
    const value = colour.values ? colour.values[index] : inRange(colour.ranges, cell, index);
    const name = colour.label ?? colour.name;
    if (!name) return null; // the side is named above already
    return { swatch: colour.palette[index], text: value === undefined ? name : `${name}: ${value}` };
  }

  /**
   * @param {Atlas.Side} side @param {Atlas.Token|null} token  null: on its way @param {Atlas.TooltipRow|null} colour
   * @param {boolean} [outside]  of the frame @param {number} [copies]  other points of its kind at the very same place
   * @returns {Atlas.TooltipContent}
   */
  function tokenTooltip(side, token, colour, outside = false, copies = 0) {
    if (!token) return { title: "…", rows: [{ text: side }] };
    /** @type {Atlas.TooltipRow[]} */
    const rows = [
      { text: `${side === "key" ? "▲ key" : "● query"} · pos ${token.position} of ${token.length - 1}` },
      { text: `input ${token.input}` },
    ];
    if (copies) {
      const kind = side === "key" ? ["key", "keys"] : ["query", "queries"];
      rows.push({ text: `${copies} other ${kind[copies === 1 ? 0 : 1]} at this very place` });
    }
    if (colour) rows.push(colour);
    if (outside) rows.push({ text: "lies farther out: shown at the edge" });
    return { title: token.text.trim() || "␣", rows };
  }

  /** @param {Atlas.ProbeMark} mark @returns {Atlas.TooltipContent} */
  function probeTooltip({ text, side, index, letter, outside }) {
    const rows = [{ text: `${side === "key" ? "▲ key" : "● query"} · pos ${index}` }, { text: `your own text ${letter}` }];
    if (outside) rows.push({ text: "lies farther out: shown at the edge" });
    return { title: text.trim() || "␣", rows };
  }

  /** @param {string} name @param {string|undefined} note @param {Atlas.Badge|undefined} badge */
  function headTooltip(name, note, badge) {
    const texts = [note, badge && badge.title].filter((text) => typeof text === "string" && text !== "");
    return { title: name, rows: texts.map((text) => ({ text: String(text) })) };
  }

  /** Of the number of a layer, or of the strip of folded ones. @param {{row: number, rows: number[], text: string}} heading
   * @returns {Atlas.TooltipContent} */
  function headingTooltip({ rows, text }) {
    const name = rows.length ? text : `layer ${text}`;
    const hint = rows.length ? "Click to unfold" : "Click to fold it, with Shift to fold all others";
    return { title: `${name[0].toUpperCase()}${name.slice(1)}`, rows: [{ text: hint }] };
  }

  const api = { inRange, colourRow, tokenTooltip, headTooltip, probeTooltip, headingTooltip };
  atlas.tooltips = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
