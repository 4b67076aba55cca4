/* What points are coloured by: the attribute, its variant where it has several, and the palette become one choice. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same } = window.atlasCallback;
  const { pages, variants } = window.atlasTables;

  function choose(attribute, variant, palette, before) {
    const { label, options } = variants[attribute] || { label: "", options: [] };
    const known = options.some((one) => one.value === variant);
    const plain = pages.atlas.stores.colouring.default;
    const data = { colour: known ? variant : attribute, palette: palette || plain.palette };
    document.documentElement.setAttribute("data-palette", data.palette);
    return [
      same(data, before) ? none() : data,
      options.length ? "colour-variant" : "colour-variant d-none",
      label,
      options,
      known || !options.length ? none() : attribute,
    ];
  }

  const span = (className, children) => ({
    namespace: "dash_html_components", type: "Span", props: { className, children },
  });

  /** The legend of sizes, while the points of an open head have several. */
  function sizes(head, projection, picture, payload) {
    const { bynorm, mapsizes } = picture || {};
    const size = bynorm ? payload?.size : mapsizes ? projection?.size : null;
    if (!head || !size) return [];
    const end = (extra, words) => span("legend-category", [span(`legend-marker legend-marker-key ${extra}`, null), words]);
    return [span("legend-side", `Size: ${size.label.toLowerCase()}`), end("legend-small", size.low), end("legend-large", size.high)];
  }

  root.colouring = { choose, sizes };
})();
