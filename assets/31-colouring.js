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

  root.colouring = { choose };
})();
