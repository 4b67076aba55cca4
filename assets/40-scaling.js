/* The page "Scaling": clicks and selects become one state, which the address mirrors. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggered } = window.atlasCallback;
  const METRICS = ["weighted", "scaled", "norms", "pearson"];
  const PLAIN = { metric: "scaled", values: "grid", method: "pca", pairs: "input", distance: "euclidean", scale: "atlas" };

  /** Parameters of a link; what is as by default is left out. */
  function mirror(url, state) {
    for (const name of ["atlas", "stream", "layer", "head"]) url.searchParams.set(name, state[name]);
    for (const [name, plain] of Object.entries(PLAIN)) {
      if (state[name] === plain) url.searchParams.delete(name);
      else url.searchParams.set(name, state[name]);
    }
    return url;
  }

  function clicked(data) {
    const point = data && data.points && data.points[0];
    return point && Number.isInteger(point.x) && Number.isInteger(point.y) ? { layer: point.y, head: point.x } : null;
  }

  function choose(...all) {
    const clicks = all.slice(0, 4);
    const [layer, head, metric, values, method, pairs, distance, scale, before, link] = all.slice(4);
    const from = triggered();
    const place = METRICS.map((name, i) => (from.includes(`scaling-map-${name}.clickData`) ? clicked(clicks[i]) : null)).find(Boolean);
    const at = place || { layer: Number(layer), head: Number(head) };
    const now = { ...before, ...at, metric, values, method, pairs, distance, scale };
    const url = mirror(new URL(window.location), now);
    if (url.href !== window.location.href) window.history.replaceState(null, "", url);
    const target = new URL(link, window.location);
    target.search = "";
    for (const name of ["atlas", "stream", "layer", "head"]) target.searchParams.set(name, now[name]);
    if (scale !== "atlas") target.searchParams.set("scale", scale);
    target.searchParams.set("tab", "align");
    return [
      from.length && same(now, before) ? none() : now, // the first call lets everything be drawn
      Number(layer) === at.layer ? none() : String(at.layer),
      Number(head) === at.head ? none() : String(at.head),
      `Layer ${at.layer} · Head ${at.head}`,
      target.pathname + target.search,
    ];
  }

  function openAtlas(atlas, stream, state) {
    if (atlas && (atlas !== state.atlas || stream !== state.stream)) {
      const url = new URL(window.location);
      url.search = "";
      url.searchParams.set("atlas", atlas);
      if (atlas === state.atlas) url.searchParams.set("stream", stream);
      window.location.assign(url);
    }
    return none();
  }

  /** Eight maps in two rows; on a phone in four. */
  const shape = (_id, payload) => (window.innerWidth < 760 ? { ...payload, layers: 4, heads: 2 } : none());

  root.atlasScaling = { choose, openAtlas, shape };
})();
