/** The viewpoint as a prop: taken when the props name one, told once nothing has moved for a moment. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { same } = atlas.payload || require("./payload.js");

  const STILL_MS = 250;

  class ViewpointProp {
    /**
     * @param {Atlas.View} view
     * @param {{dims: () => number, known: () => Atlas.Viewpoint|null|undefined, moving: () => boolean,
     *   tell: (viewpoint: Atlas.Viewpoint|null) => void}} hooks  dims of the projection; known: what the props say
     */
    constructor(view, hooks) {
      this.view = view;
      this.hooks = hooks;
    }

    /** @returns {Atlas.Viewpoint|null} null at home */
    now() {
      return this.view.viewpoint(this.hooks.dims());
    }

    /** Look from where the props say; a viewpoint of another head means nothing here. */
    take() {
      const wanted = this.hooks.known();
      if (this.view.cells) this.view.look(wanted && same(wanted.head, this.view.openHead) ? wanted.at : null);
    }

    tellSoon() {
      const { hooks, view } = this;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        if (!view.cells || hooks.moving()) return;
        const now = this.now();
        if (!same(now, hooks.known())) hooks.tell(now);
      }, STILL_MS);
    }

    close() {
      clearTimeout(this.timer);
    }
  }

  const api = { ViewpointProp };
  atlas.viewpointProp = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
