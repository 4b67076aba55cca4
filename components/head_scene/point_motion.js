/** Points that move: to the projection that has arrived, or to the positions that one head has elsewhere. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { Tween, number, calm } = atlas.motion || require("./motion.js");

  const MOVE_MS = 700;
  /** More points than this are not moved from projection to projection, they are replaced. */
  const MOST_MOVING = 300_000;

  class PointMotion {
    /** @param {{view: Atlas.View, points: Atlas.Points, textures: Atlas.Textures, animated: boolean}} parts */
    constructor({ view, points, textures, animated }) {
      this.view = view;
      this.points = points;
      this.textures = textures;
      this.animated = animated;
      /** 0 at the positions that points move from, 1 where they are @type {Atlas.Tween<number>} */
      this.mix = new Tween(1, number);
    }

    get active() {
      return this.mix.active;
    }

    /** Take over a projection: at its first chunk, or once complete when the points are to move there.
     * @returns {boolean} it has been taken over */
    adopt() {
      const { points, view: { open } } = this;
      const next = points.incoming;
      if (!next || (!next.loaded(open) && next.wanted(open))) return false;
      const moves = this.canMove(next);
      if (moves && !next.complete(open)) return false;
      points.adopt(moves);
      this.textures.forgetHighlight();
      if (moves) this.start();
      return true;
    }

    /** @param {Atlas.PositionSet} next */
    canMove(next) {
      const { view, points: { set, client } } = this;
      if (!this.animated || calm() || !client || !set || set.dims !== next.dims || !set.complete(view.open)) return false;
      const cells = view.isOpen ? 1 : view.runs(Infinity).reduce((sum, run) => sum + run.count, 0);
      return cells * next.wanted(view.open) * client.payload.chunk <= MOST_MOVING;
    }

    start() {
      this.mix.set(0);
      this.mix.to(1, MOVE_MS, performance.now());
    }

    /** The open head has other positions: put there at once, or moved there from `before`.
     * @param {Atlas.PositionSet} before @param {boolean} animate */
    replace(before, animate) {
      const { view, points } = this;
      points.endMove();
      this.textures.forgetHighlight();
      if (animate && this.animated && !calm() && view.isOpen && points.set && points.set.complete(view.open)) {
        points.previous = before;
        this.start();
      } else {
        this.mix.set(1);
        before.close();
      }
    }

    /** @param {number} now @returns {boolean} points have moved */
    step(now) {
      if (!this.mix.active) return false;
      this.mix.step(now);
      if (!this.mix.active) {
        this.points.endMove();
        this.textures.endMove();
      }
      return true;
    }
  }

  const api = { PointMotion };
  atlas.pointMotion = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
