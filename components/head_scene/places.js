/** Where points of a head are on the screen, and which point is under the pointer. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const pick = atlas.pick || require("./pick.js");

  class PointPlaces {
    /**
     * @param {Pick<Atlas.View, "open" | "headView">} view
     * @param {Pick<Atlas.Points, "set" | "dims" | "client" | "order" | "kinds">} points
     * @param {Pick<Atlas.Highlights, "slots" | "flags">} highlights
     * @param {{active: boolean, keeps(slot: number, cell: number): boolean}} brush
     */
    constructor(view, points, highlights, brush) {
      this.brush = brush;
      this.view = view;
      this.points = points;
      this.highlights = highlights;
    }

    /** How the open (or a given) head lies on the screen. @param {number} [cell] */
    headView(cell = this.view.open) {
      return this.view.headView(cell, this.points.dims);
    }

    /**
     * CSS px of a slot; null while its position is not known.
     * @param {number} slot @param {number} [cell] @param {Atlas.HeadView} [headView]  worked out once for many slots
     * @returns {Atlas.Place|null}
     */
    at(slot, cell = this.view.open, headView = undefined) {
      const { set, client } = this.points;
      if (!set || !client || cell < 0) return null;
      const size = client.payload.chunk;
      const chunk = Math.floor(slot / size);
      const block = set.blockOf(chunk, cell);
      if (!block) return null;
      const first = ((cell - block.firstCell) * block.count + slot - chunk * size) * block.dims;
      return pick.place(headView || this.headView(cell), block.values, first);
    }

    /** How many other points of its kind share the very place of a slot of the open head. @param {number} slot */
    copies(slot) {
      return this.copiesOf(slot).length;
    }

    /** Their slots. @param {number} slot @returns {number[]} */
    copiesOf(slot) {
      const { set, client, kinds } = this.points;
      if (!set || !client || !kinds) return [];
      const parts = set.headParts(this.view.open);
      return pick.copies(parts, set.dims, client.payload.chunk, slot, (other) => kinds[other] === kinds[slot]);
    }

    /**
     * The slot of the open head nearest to a place, or -1; what is lit, or stands out, is preferred to its faded neighbours.
     * @param {number} x @param {number} y @param {number} reach  CSS px
     * @param {number} [shown]  how many slots are drawn
     */
    nearest(x, y, reach, shown = Infinity) {
      const { set, client, order } = this.points;
      if (!set || !client || !order) return -1;
      const parts = set.headParts(this.view.open);
      const { slots, flags } = this.highlights;
      /** @param {(slot: number) => boolean} [accepts] */
      const find = (accepts) => pick.nearest(this.headView(), parts, client.payload.chunk, x, y, reach, accepts);
      const lit = slots.length ? find((slot) => flags[slot] === 1) : -1;
      if (lit >= 0) return lit;
      const standing = this.brush.active ? find((slot) => slot < shown && this.brush.keeps(slot, this.view.open)) : -1;
      return standing >= 0 ? standing : find(shown === Infinity ? undefined : (slot) => slot < shown);
    }
  }

  const api = { PointPlaces };
  atlas.places = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
