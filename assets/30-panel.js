/* The panel beside an open head: which tab, open or closed. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { same, triggered } = window.atlasCallback;

  /** A first token opens the sentence, unless a tab is open that shows tokens as well. */
  function panel(tab, closed, opened, selection, before) {
    const from = triggered();
    const chosen = window.atlasChoose.known(selection?.input);
    const now = { tab, open: before.open, chosen };
    if (closed && from.includes("panel-close.n_clicks")) now.open = false;
    if (opened && from.includes("panel-open.n_clicks")) now.open = true;
    if (chosen && !before.chosen) {
      now.open = true;
      if (tab === "head" || tab === "align") now.tab = "sentence";
    }
    return [
      same(now, before) ? root.no_update : now,
      now.tab === tab ? root.no_update : now.tab,
      `panel shows-${now.tab}${now.open ? "" : " closed"}`,
    ];
  }

  /** Props of the Average tab's view. */
  function average(options, view, selection, state, theme) {
    const visible = Boolean(state && state.tab === "average");
    return [view.layer, view.head, options, selection, visible, theme || null, Boolean(options.offsets)];
  }

  root.atlasPanel = { panel, average };
})();
