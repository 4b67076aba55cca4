/* Colour, palette and size of points: several controls, one choice. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const NORM = "norm";

  function choose(attribute, scale, palette, size, before) {
    const byNorm = attribute === NORM;
    const data = {
      colour: byNorm ? scale || NORM : attribute,
      palette: palette || "safe",
      bynorm: (size || []).includes("norm"),
    };
    document.documentElement.setAttribute("data-palette", data.palette);
    return [
      JSON.stringify(data) === JSON.stringify(before) ? root.no_update : data,
      data.bynorm,
      byNorm ? "norm-scale" : "norm-scale d-none",
    ];
  }

  root.colouring = { choose };
})();
