/* What is chosen: a token or an input, an open head, a set of tokens. Whoever lets one choose does it by these; the scene
   holds the pick, the stores follow it, and everybody else reads the stores. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggered } = window.atlasCallback;
  /** @type {Atlas.Selection} */
  const NOTHING = window.atlasTables.pages.atlas.stores.selection.default;
  const known = (/** @type {any} */ value) => value !== null && value !== undefined;

  /** @param {Atlas.Selection|null} chosen */
  const token = (chosen) => root.set_props("scene", { selection: chosen });
  /** @param {Atlas.Head|null} place */
  const head = (place) => root.set_props("scene", { head: place });
  /** @param {string} definition  as in components/head_scene/sets.js; empty for no set */
  const set = (definition) => root.set_props("scene", { tokenSet: definition ? { definition } : null });

  /**
   * The store's selection: a side is that of a token, without one the link does not name it.
   * @param {Atlas.Selection|null} chosen @returns {Atlas.Selection}
   */
  function whole(chosen) {
    if (!chosen || !known(chosen.input)) return NOTHING;
    return known(chosen.token) ? { token: chosen.token, side: chosen.side, input: chosen.input } : { ...NOTHING, input: chosen.input };
  }

  /** @param {Atlas.Selection|null} a @param {Atlas.Selection|null} b */
  const isOne = (a, b) => (a && b ? a.input === b.input && a.token === b.token && a.side === b.side : !a && !b);

  /**
   * The one writer of the selection: a pick in the scene, in the sentence (of its input) or in the averages.
   * @param {Atlas.Selection|null} scene @param {Atlas.Selection} picked @param {Atlas.Selection} averaged
   * @param {Atlas.Selection} before  as the store has it
   * @param {{reads: string}|null} probe  a reader's own text, perhaps read in the place of the input
   */
  function selection(scene, picked, averaged, before, probe) {
    const from = triggered();
    let now = before;
    if (from.includes("scene.selection")) now = whole(scene);
    else if (from.includes("sentence.picked") && !probe?.reads) now = whole({ ...before, token: picked.token, side: picked.side });
    else if (from.includes("average-picture.chosen")) now = whole(averaged);
    const shown = known(now.input) ? now : null;
    return [same(now, before) ? none() : now, isOne(shown, scene) ? none() : shown];
  }

  /**
   * A head that was chosen in the minimap, or all of them again.
   * @param {number} _back @param {Atlas.Head|null} chosen
   */
  const place = (_back, chosen) =>
    (triggered().includes("minimap.chosen") && chosen ? { layer: chosen.layer, head: chosen.head } : null);

  root.atlasChoose = { selection, place };
  window.atlasChoose = { token, head, set, known };
})();
