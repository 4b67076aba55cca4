/* What every clientside callback needs. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const none = () => root.no_update;
  const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
  /** What called: "id.property" of each, or the ids alone. */
  const triggered = () => (root.callback_context.triggered || []).map((item) => item.prop_id);
  const triggeredIds = () => triggered().map((name) => name.split(".")[0]);
  window.atlasCallback = { none, same, triggered, triggeredIds };
})();
