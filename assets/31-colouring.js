/* What points are coloured by: the attribute, the scale of norms and the palette become one choice. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same } = window.atlasCallback;
  const { pages, norm } = window.atlasTables;

  function choose(attribute, scale, palette, before) {
    const byNorm = attribute === norm.perHead;
    const plain = pages.atlas.stores.colouring.default;
    const data = { colour: byNorm ? scale || norm.perHead : attribute, palette: palette || plain.palette };
    document.documentElement.setAttribute("data-palette", data.palette);
    return [same(data, before) ? none() : data, byNorm ? "norm-scale" : "norm-scale d-none"];
  }

  root.colouring = { choose };
})();
