/** What the page says in a line: what two heads share, how well their maps fit, what a pane lacks. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const inputs = (/** @type {number} */ count) => `${count.toLocaleString("en")} input${count === 1 ? "" : "s"}`;

  /**
   * @param {Atlas.CompareState} state @param {Atlas.CompareFound} found @param {Atlas.CompareSide} number
   * @param {Atlas.Projection|null} map @param {Atlas.Selection|null} selection  the chosen token as the pane has it
   */
  function ofPane(state, found, number, map, selection) {
    if (!map && state.map) return `This atlas has no map ${state.map} of this attention yet: choose another map.`;
    if (!map) return "This atlas has no map of this attention yet.";
    const searched = found.searched[number];
    const hits = searched && (searched.inputs ? `${searched.queries} queries and ${searched.keys} keys found.` : "No token matches.");
    const lacks = state.token && found.partner && !selection;
    return [
      searched ? searched.error || hits : "",
      lacks ? "The chosen token is not in this pane: the other atlas's input is not among the shared ones." : "",
    ].filter(Boolean).join(" ");
  }

  /** @param {Atlas.CompareState} state */
  const isOneHead = ({ atlas: slug, stream, layer, head, other, stream2, layer2, head2 }) =>
    slug === other && stream === stream2 && layer === layer2 && head === head2;

  /** What the heads share and how well their maps fit.
   * @param {Atlas.CompareState} state @param {Atlas.CompareFound} found @param {string[]} maps  that both have */
  function summary(state, found, maps) {
    const { shared, fit, unfit } = found;
    if (found.problem) return found.problem;
    if (!shared) return "Comparing …";
    if (isOneHead(state)) return "Both panes show the same head: they are identical.";
    const apart = [
      shared.otherwise ? `${inputs(shared.otherwise)} cut into other tokens` : "",
      shared.only[0] ? `${inputs(shared.only[0])} only in the first` : "",
      shared.only[1] ? `${inputs(shared.only[1])} only in the second` : "",
    ].filter(Boolean).join(", ");
    const told = `${inputs(shared.count)} shared${apart ? ` (${apart})` : ""}.`;
    if (!maps.length) return `${told} The atlases have no map in common.`;
    if (unfit) return `${told} ${unfit} Each map is shown as it is.`;
    if (!fit) return told;
    if (fit.disparity < 1e-6) return `${told} The maps are the same.`;
    const still = state.fit ? "" : "; each map is shown as it is";
    return `${told} ${percent(fit.disparity)} of the spread of shared points remains after fitting (Procrustes)${still}.`;
  }

  const api = { ofPane, summary };
  atlas.words = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
