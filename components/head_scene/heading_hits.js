/** What of the headings lies under a place: the number of a layer, or the strip of layers that are folded away. Pure. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { headingsOf } = atlas.headings || require("./headings.js");
  const { sticking } = atlas.axes || require("./axes.js");
  const { MATRIX_MARGINS } = atlas.view || require("./view.js");

  /** CSS px on each side of a strip that mean it */
  const NEAR = 8;
  /** CSS px that a number takes, across and along the text */
  const [NUMBER_WIDE, NUMBER_HIGH] = [34, 18];

  /** row: of a layer whose number lies there · rows, text: what is folded there
   * @typedef {{row: number, rows: number[], text: string}} HeadingHit */

  /** @param {Pick<Atlas.View, "cells" | "grid" | "isOpen" | "isSingle" | "origin" | "camera">} view
   * @param {number} x @param {number} y  CSS px
   * @returns {HeadingHit|null} */
  function headingAt(view, x, y) {
    const headings = view.cells && !view.isOpen && !view.isSingle ? headingsOf(view.grid) : null;
    if (!headings) return null;
    const cell = view.camera.value.scale;
    const origin = view.origin();
    const [across, down] = [(x - origin.x) / cell, (y - origin.y) / cell];
    const within = (/** @type {number} */ at, /** @type {number} */ first, /** @type {number} */ last) => at >= first && at < last;
    for (const { at, first, last, upright, rows, text } of headings.gaps) {
      const [off, along] = upright ? [across - at, down] : [down - at, across];
      // The dots of an upright strip stand above it.
      const from = upright ? first - NUMBER_HIGH / cell : first;
      if (rows.length && Math.abs(off) * cell <= NEAR && within(along, from, last)) return { row: -1, rows, text };
    }
    for (const { first, last, marks } of headings.sides) {
      const right = sticking(origin.x + first * cell, origin.x + (last - 0.3) * cell, MATRIX_MARGINS.left);
      if (x > right - 2 || x < right - NUMBER_WIDE || y < MATRIX_MARGINS.top) continue;
      const mark = marks.find(({ at, wide, row }) => row !== undefined && within(down, at, at + wide));
      if (mark) return { row: mark.row ?? -1, rows: [], text: mark.text };
    }
    for (const { first, last, marks } of headings.tops) {
      const foot = sticking(origin.y + first * cell, origin.y + (last - 0.3) * cell, MATRIX_MARGINS.top);
      if (y > foot - 2 || y < foot - NUMBER_HIGH - 6 || x < MATRIX_MARGINS.left) continue;
      const mark = marks.find(({ at, row }) => row !== undefined && within(across, at, at + 1));
      if (mark) return { row: mark.row ?? -1, rows: [], text: mark.text };
    }
    return null;
  }

  const api = { headingAt };
  atlas.headingHits = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
