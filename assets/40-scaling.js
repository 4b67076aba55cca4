/* The page "Scaling": clicks and selects become one state. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same } = window.atlasCallback;
  const { pages } = window.atlasTables;

  function clicked(data) {
    const point = data && data.points && data.points[0];
    return point && Number.isInteger(point.x) && Number.isInteger(point.y) ? { layer: point.y, head: point.x } : null;
  }

  /** The heat map that was clicked, or the controls, become the state; the first call lets everything be drawn. */
  function choose(...all) {
    const before = all.pop();
    const { controls } = pages.scaling.stores.scaling;
    const values = all.slice(-controls.length);
    const [fired] = root.callback_context.triggered || [];
    const place = fired && fired.prop_id.endsWith(".clickData") ? clicked(fired.value) : null;
    const now = { ...window.atlasStores.fromControls(controls, values, before), ...place };
    const { atlas, stream, layer, head, scale } = now;
    const shown = (field) => {
      const value = values[controls.findIndex((control) => control.field === field)];
      return Number(value) === now[field] ? none() : String(now[field]);
    };
    return [
      fired && same(now, before) ? none() : now,
      shown("layer"),
      shown("head"),
      window.atlasStores.title(now),
      window.atlasLink.address("atlas", { view: { atlas, stream, layer, head, scale }, panel: { tab: "align" } }),
    ];
  }

  /** Eight maps in two rows; on a phone in four. */
  const shape = (_id, payload) => (window.innerWidth < 760 ? { ...payload, layers: 4, heads: 2 } : none());

  root.atlasScaling = { choose, shape };
})();
