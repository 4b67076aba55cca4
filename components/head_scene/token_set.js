/** The set of points as the user makes it: a region drawn over a head, single points, or none. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const sets = atlas.sets || require("./sets.js");
  const grid = atlas.grid || require("./grid.js");

  /**
   * @typedef {Object} TokenSetParts
   * @property {Atlas.View} view
   * @property {Atlas.SceneData} data
   * @property {Atlas.PointPlaces} places
   * @property {Atlas.Overlay} overlay
   * @property {() => string} definition  of the present set, "" for none
   * @property {(definition: string) => void} changed
   * @property {(count: Atlas.SetCount) => void} counted
   */

  class TokenSetEditor {
    /** @param {TokenSetParts} parts */
    constructor(parts) {
      this.parts = parts;
    }

    /** Light the present set. */
    follow() {
      const { data, overlay, definition, counted } = this.parts;
      const now = definition();
      data.highlights.setTokenSet(now ? { definition: now } : null, (count) => {
        counted(count);
        const sentence = count.points === 1 ? "1 point is in the set." : `${count.points} points are in the set.`;
        overlay.say(count.points ? sentence : "No point lies inside.");
        if (!count.points) this.change("");
      });
    }

    /** @param {string} definition  as in sets.js; empty for no set */
    change(definition) {
      const { overlay, changed } = this.parts;
      if (definition && !sets.fits(definition)) {
        overlay.setMessage("This set has too many parts for a link. Press Escape to start a new one.", null);
        return;
      }
      overlay.setMessage(null, null);
      changed(definition);
      this.follow();
    }

    /** Put the point behind a slot in, or take it out. @param {number} slot */
    toggle(slot) {
      const { points: { order }, highlights } = this.parts.data;
      if (order) this.change(sets.toggle(this.parts.definition(), order[slot], highlights.inSet(slot)));
    }

    /** What was drawn over the open head becomes the set, or is added to it. @param {Atlas.Point[]} drawn  CSS px @param {boolean} add */
    addRegion(drawn, add) {
      const { view, data: { points }, places, definition } = this.parts;
      if (!points.set) return;
      const { middleX, middleY, half } = places.headView();
      const vertices = drawn.map(({ x, y }) => ({ x: (x - middleX) / half, y: (middleY - y) / half }));
      const { name: projection, frame } = points.set.projection;
      const turn = points.dims === 3 ? { ...view.turn } : null;
      const made = sets.region({ ...grid.headOf(view.grid, view.open), projection, frame, turn }, vertices);
      const before = definition();
      this.change(add && before ? sets.addRegion(before, made) : made);
    }
  }

  const api = { TokenSetEditor };
  atlas.tokenSet = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
