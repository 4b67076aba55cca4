/** What both panes share: map, colouring, search, and whether the second map is brought onto the first. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  const WAIT = 300; // ms after the last key before the search is read

  /**
   * @typedef {{change: (changes: Partial<Atlas.CompareState>) => void, swap: () => void,
   *   save: (kind: "png"|"svg") => void}} ControlHooks
   */

  class Controls {
    /** @param {HTMLElement} parent @param {ControlHooks} hooks */
    constructor(parent, hooks) {
      const { element, field } = window.atlas_head_finder.dom;
      this.hooks = hooks;
      this.bar = element("div", { class: "compare-controls" }, parent);
      /** @param {string} label @param {"map"|"colour"|"palette"|"mode"} name */
      const select = (label, name) => {
        const control = element("select", { class: "form-select" });
        control.addEventListener("change", () => hooks.change({ [name]: control.value }));
        field(this.bar, label, control);
        return control;
      };
      this.map = select("Map", "map");
      this.colour = select("Colour by", "colour");
      this.palette = select("Palette", "palette");
      this.query = element("input", { class: "form-control", type: "search", autocomplete: "off", spellcheck: "false", maxlength: "200" });
      field(this.bar, "Find tokens", this.query, "compare-find");
      this.mode = select("How to search", "mode");
      const fit = element("label", { class: "compare-switch", title: "Turn, mirror, scale and shift the second map so that shared tokens lie as near as they can to where the first map has them" }, this.bar);
      this.fit = element("input", { type: "checkbox" }, fit);
      element("span", {}, fit).textContent = "Second map fitted onto the first";
      this.fit.addEventListener("change", () => hooks.change({ fit: this.fit.checked }));
      const swap = element("button", { type: "button", class: "text-button", title: "The second head first" }, this.bar);
      swap.textContent = "Swap";
      swap.addEventListener("click", hooks.swap);
      for (const kind of /** @type {const} */ (["png", "svg"])) {
        const button = element("button", { type: "button", class: "text-button", title: "Both panes as one picture" }, this.bar);
        button.textContent = kind.toUpperCase();
        button.addEventListener("click", () => hooks.save(kind));
      }
      /** @type {ReturnType<typeof setTimeout>|undefined} */
      this.timer = undefined;
      this.query.addEventListener("input", () => {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.readQuery(), WAIT);
      });
      this.query.addEventListener("change", () => this.readQuery());
    }

    destroy() {
      clearTimeout(this.timer);
    }

    readQuery() {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.hooks.change({ q: this.query.value.trim() });
    }

    /** @param {Atlas.CompareState} state @param {Atlas.CompareProps} props @param {string[]} maps  that both have */
    show(state, { panes = [], colours = [], modes = [] }, maps) {
      const { fill } = window.atlas_head_finder.dom;
      /** @param {{value: string, label: string}[]} options @returns {[string, string][]} */
      const pairs = (options) => options.map(({ value, label }) => [value, label]);
      fill(this.map, [["", maps.map((name) => [name, `${panes[0].maps[name].label || name} ${panes[0].maps[name].dims}D`])]], state.map);
      this.map.disabled = !maps.length;
      fill(this.colour, [["", pairs(colours)]], state.colour);
      fill(this.palette, [["", [["safe", "Colour-blind safe"], ["original", "Original"]]]], state.palette);
      fill(this.mode, [["", pairs(modes)]], state.mode);
      if (this.query.value.trim() !== state.q && !this.timer) this.query.value = state.q;
      this.fit.checked = state.fit;
    }
  }

  const api = { Controls };
  atlas.controls = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
