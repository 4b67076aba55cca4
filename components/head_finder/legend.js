/** What colours and shapes stand for: a family each with its name, or a ramp with its ends. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  /**
   * @param {HTMLElement} parent @param {Atlas.FinderColumns} columns @param {Atlas.FinderColumn} column  of the colour
   * @param {Atlas.FinderMap|null} map @param {"light"|"dark"} theme
   * @param {(family: number) => void} choose  the heads of a family, from 1
   */
  function show(parent, columns, column, map, theme, choose) {
    const { element } = atlas.dom;
    parent.replaceChildren();
    if (column.name === "family" && map) return families(parent, map, theme, choose);
    const { count, low, high } = columns.range(column);
    if (!count) return;
    const row = element("div", { class: "finder-ramp" }, parent);
    element("span", {}, row).textContent = column.label;
    element("span", {}, row).textContent = atlas.columns.format(column.form, low);
    element("i", { style: `background:${atlas.colours.gradient(theme)}`, role: "img", "aria-label": "from dark, little, to bright, much" }, row);
    element("span", {}, row).textContent = atlas.columns.format(column.form, high);
    if (count < columns.count) element("span", { class: "finder-muted" }, row).textContent = `○ not defined: ${columns.count - count}`;
  }

  /** @param {HTMLElement} parent @param {Atlas.FinderMap} map @param {"light"|"dark"} theme @param {(family: number) => void} choose */
  function families(parent, map, theme, choose) {
    const { element } = atlas.dom;
    const list = element("ul", { class: "finder-families", "aria-label": "Families of heads that attend alike" }, parent);
    map.names.forEach((name, number) => {
      const members = map.family.filter((one) => one === number).length;
      const button = element("button", { type: "button", class: "finder-family", title: map.reasons[number] || "No measure of the members is clearly above or below the others' (rank test, corrected for the number of measures)." }, element("li", {}, list));
      button.appendChild(swatch(number, theme));
      element("b", {}, button).textContent = `${number + 1}`;
      element("span", {}, button).textContent = `${name} · ${members}`;
      button.addEventListener("click", () => choose(number + 1));
    });
    if (map.silhouette === null) return;
    // Kaufman & Rousseeuw 1990, table 4 of chapter 2.
    const words = map.silhouette <= 0.25 ? "Parts of a continuum rather than groups" : map.silhouette <= 0.5 ? "Groups, if not sharp ones" : "Groups that stand apart";
    element("p", { class: "finder-muted" }, parent).textContent = `${words} (mean silhouette ${map.silhouette.toFixed(2)}, at most 1).`;
  }

  /** A mark as it is in the picture. @param {number} family  from 0 @param {"light"|"dark"} theme */
  function swatch(family, theme) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 28;
    canvas.className = "finder-swatch";
    canvas.setAttribute("aria-hidden", "true");
    const context = canvas.getContext("2d");
    const { colour, shape } = atlas.colours.familyLook(family, theme);
    if (context) atlas.plot.mark(new atlas.ink.CanvasInk(context), shape, 14, 14, 9, { fill: colour });
    return canvas;
  }

  const api = { show };
  atlas.legend = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
