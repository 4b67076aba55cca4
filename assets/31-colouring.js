/* Colour, palette and size of points: several controls, one choice. */
(() => {
  "use strict";
  const root = (window.dash_clientside = window.dash_clientside || {});
  const NORM = "norm";

  function choose(attribute, scale, palette, size, before) {
    const byNorm = attribute === NORM;
    const data = {
      colour: byNorm ? scale || NORM : attribute,
      palette: palette || "safe",
      size: (size || []).includes("norm") ? "norm" : "same",
    };
    document.documentElement.setAttribute("data-palette", data.palette);
    return [
      JSON.stringify(data) === JSON.stringify(before) ? root.no_update : data,
      data.size === "norm",
      byNorm ? "norm-scale" : "norm-scale d-none",
    ];
  }

  /** The style menu closes by Escape, which then does nothing else, and by a click elsewhere. */
  const open = () => document.querySelector("#style-options[open]");
  document.addEventListener("keydown", (event) => {
    const menu = open();
    if (event.key !== "Escape" || !menu) return;
    event.preventDefault();
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  }, true);
  document.addEventListener("pointerdown", (event) => {
    const menu = open();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });

  root.colouring = { choose };
})();
