/**
 * Greedy labels that never overlap: candidates in order of importance, each kept if its box is free.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @param {Atlas.Rectangle} a @param {Atlas.Rectangle} b */
  const touches = (a, b) =>
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

  /** Boxes sorted into square buckets, so that a new box is compared with its neighbours only. */
  class Occupied {
    /** @param {number} bucket  px */
    constructor(bucket) {
      this.bucket = bucket;
      /** @type {Map<number, Atlas.Rectangle[]>} */
      this.buckets = new Map();
    }

    /** @param {Atlas.Rectangle} box @param {(key: number) => boolean|void} visit  true stops */
    visit(box, visit) {
      const size = this.bucket;
      for (let i = Math.floor(box.x / size); i <= Math.floor((box.x + box.width) / size); i++) {
        for (let j = Math.floor(box.y / size); j <= Math.floor((box.y + box.height) / size); j++) {
          if (visit(i * 65536 + j)) return true;
        }
      }
      return false;
    }

    /** @param {Atlas.Rectangle} box */
    free(box) {
      return !this.visit(box, (key) => (this.buckets.get(key) || []).some((other) => touches(box, other)));
    }

    /** @param {Atlas.Rectangle} box */
    add(box) {
      this.visit(box, (key) => {
        const boxes = this.buckets.get(key);
        if (boxes) boxes.push(box);
        else this.buckets.set(key, [box]);
      });
    }
  }

  /**
   * @template {{text: string, x: number, y: number, width: number}} Candidate  a point in px, and the width of its text
   * @param {Iterable<Candidate>} candidates  most important first
   * @param {{height: number, padding: number, most: number, offset: number, taken?: Atlas.Rectangle[]}} style
   *   `padding` widens each box: large when zoomed out, so that more labels appear as one zooms
   * @returns {Array<Candidate & {box: Atlas.Rectangle}>}
   */
  function placeLabels(candidates, style) {
    const occupied = new Occupied(64);
    (style.taken || []).forEach((box) => occupied.add(box));
    const placed = [];
    for (const candidate of candidates) {
      const box = {
        x: candidate.x + style.offset,
        y: candidate.y - style.height / 2,
        width: candidate.width,
        height: style.height,
      };
      const padded = grow(box, style.padding);
      if (!occupied.free(padded)) continue;
      occupied.add(padded);
      placed.push(Object.assign(candidate, { box }));
      if (placed.length >= style.most) break;
    }
    return placed;
  }

  /** @param {Atlas.Rectangle} box @param {number} by @returns {Atlas.Rectangle} */
  const grow = (box, by) => ({
    x: box.x - by, y: box.y - by, width: box.width + 2 * by, height: box.height + 2 * by,
  });

  /** Room kept free about a label: shrinks from 26 px for the whole head to 2 px at eight-fold zoom.
   * @param {number} zoom */
  const paddingAt = (zoom) => Math.max(2, 26 / Math.max(1, zoom) - 1);

  /** What a token looks like as a label: blanks made visible, long ones cut. @param {string} text */
  function labelText(text) {
    const shown = String(text).replace(/\n/g, "⏎").replace(/\t/g, "⇥").trim() || "␣";
    const letters = Array.from(shown);
    return letters.length > 18 ? `${letters.slice(0, 17).join("")}…` : shown;
  }

  const api = { touches, Occupied, placeLabels, paddingAt, labelText };
  atlas.labels = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
