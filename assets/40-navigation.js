/* Moving among heads: neighbours, jump, hints. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggeredIds: triggered } = window.atlasCallback;

  // --- neighbours and jump ------------------------------------------------------------------------------------

  const STEPS = { "head-left": [0, -1], "head-right": [0, 1], "head-up": [-1, 0], "head-down": [1, 0] };

  /** The head one step away, or null at the edge. */
  function neighbour(head, [dLayer, dHead], size) {
    const next = { layer: head.layer + dLayer, head: head.head + dHead };
    const inside = next.layer >= 0 && next.head >= 0 && next.layer < size.layers && next.head < size.heads;
    return inside ? next : null;
  }

  const EMPTY = "none";
  const isChosen = (value) => value !== EMPTY && value !== null && value !== undefined && value !== "";

  /** The head that the selects name; one that is left empty counts as 0 once the other is chosen. */
  function named(from, layer, head) {
    const chosen = (from.includes("jump-layer") && isChosen(layer)) || (from.includes("jump-head") && isChosen(head));
    return chosen ? { layer: Number(layer) || 0, head: Number(head) || 0 } : null;
  }

  const counted = {};

  /** All steps since the last call: of keys pressed faster than callbacks run none is lost. */
  function walked(from, arrows, clicks, size) {
    let at = from;
    for (const id of arrows) {
      const steps = clicks[id] > (counted[id] || 0) ? clicks[id] - (counted[id] || 0) : 1; // a page that was made anew counts from 1
      counted[id] = clicks[id];
      for (let i = 0; i < steps; i++) at = neighbour(at, STEPS[id], size) || at;
    }
    return at;
  }

  function navigate(left, right, up, down, layer, head, open, payload) {
    const from = triggered();
    const clicks = { "head-left": left, "head-right": right, "head-up": up, "head-down": down };
    const arrows = Object.keys(STEPS).filter((id) => from.includes(id) && clicks[id]);
    let wanted = null;
    if (arrows.length && open) wanted = walked(open, arrows, clicks, payload);
    else if (!from.includes("scene")) wanted = named(from, layer, head);
    const shown = wanted || open || null;
    if (wanted && !same(wanted, open)) window.atlasChoose.head(wanted);
    const edge = (id) => !shown || !neighbour(shown, STEPS[id], payload);
    const text = (name) => (shown ? String(shown[name]) : EMPTY);
    return [
      text("layer") === layer ? none() : text("layer"), text("head") === head ? none() : text("head"),
      edge("head-left"), edge("head-right"), edge("head-up"), edge("head-down"),
      shown ? "navigation at-head" : "navigation",
    ];
  }

  // --- minimap ------------------------------------------------------------------------------------------------

  const minimap = (head, theme, folded, payload) =>
    [head || null, theme || null, payload ? window.atlas_head_scene.folds.rowsOf(folded?.layers, payload) : []];

  // --- hints --------------------------------------------------------------------------------------------------

  const HINTS = "atlas-hints-done";

  function done() {
    try { return JSON.parse(window.localStorage.getItem(HINTS) || "{}") || {}; } catch { return {}; }
  }

  function remember(name) {
    try { window.localStorage.setItem(HINTS, JSON.stringify({ ...done(), [name]: 1 })); } catch { /* switched off */ }
  }

  function hint(head, selection) {
    const chosen = window.atlasChoose.known(selection?.input);
    if (head) remember("head");
    if (head && chosen) remember("token");
    const known = done();
    if (!head) return known.head ? "" : "Click a head to open it";
    if (document.querySelector(".unattended")) return "";
    return known.token ? "" : "Click a token to see its attention";
  }

  /** On a phone the controls of the map open and close by a button. */
  const unfold = (clicks) => (clicks % 2 ? ["toolbar open", "true"] : ["toolbar", "false"]);

  // --- the picture --------------------------------------------------------------------------------------------

  function recentre(clicks) {
    const scene = document.getElementById("scene");
    if (clicks && scene && scene.atlasScene) scene.atlasScene.recentre();
    return none();
  }

  /** What the frames leave out, in words, and what the switch beside does. */
  function outside(found, picture) {
    const some = found && found.points > 0;
    if (picture.whole) return ["Every point in its frame: ", "leave far ones at the edge", "outside"];
    if (!some) return ["", "", "outside d-none"];
    const points = `${found.points.toLocaleString("en")} ${found.points === 1 ? "point" : "points"}`;
    const heads = found.open ? "" : ` in ${found.heads} ${found.heads === 1 ? "head" : "heads"}`;
    return [`${points} outside${heads}: `, "show all", "outside"];
  }

  const switchOutside = (clicks, picture) => (clicks ? (picture.whole ? [] : ["whole"]) : none());

  root.atlasNavigation = { navigate, unfold, minimap, hint, recentre, outside, switchOutside };
})();
