/** What the reader chooses: axes, colour, families, the query line and its limits. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  const WAIT = 250; // ms after the last key before the line is read
  /** Columns that are there once heads have been compared. @type {Record<string, string>} */
  const LATER = { family: "Family", unlike: "Unlike the one" };

  /** @typedef {{change: (changes: Partial<Atlas.FinderState>) => void}} ControlHooks */

  class Controls {
    /** @param {HTMLElement} parent @param {ControlHooks} hooks */
    constructor(parent, hooks) {
      this.hooks = hooks;
      const { element, field } = atlas.dom;
      const bar = element("div", { class: "finder-controls" }, parent);
      /** @param {string} label @param {keyof Atlas.FinderState} name */
      const select = (label, name) => {
        const control = element("select", { class: "form-select" });
        const box = field(bar, label, control);
        control.addEventListener("change", () => {
          hooks.change({ [name]: name === "families" ? Number(control.value) : control.value });
        });
        return { control, box };
      };
      this.by = select("Place heads by", "by");
      this.x = select("Across", "x");
      this.y = select("Up", "y");
      this.colour = select("Colour", "colour");
      this.families = select("Families", "families");
      this.map = select("Map of each head", "map");
      const line = element("div", { class: "field finder-line" }, bar);
      element("label", { class: "field-label", for: "finder-query" }, line).textContent = "Show heads where";
      this.query = element("input", {
        id: "finder-query", class: "form-control", type: "search", list: "finder-names", autocomplete: "off", spellcheck: "false",
        placeholder: "previous > 0.5 and layer < 6", "aria-describedby": "finder-error", maxlength: "400",
      }, line);
      this.names = element("datalist", { id: "finder-names" }, line);
      this.error = element("div", { id: "finder-error", class: "finder-error", role: "alert" }, line);
      this.limits = element("details", { class: "finder-limits" }, parent);
      element("summary", { class: "text-button" }, this.limits).textContent = "Limits";
      this.sliders = element("div", { class: "finder-sliders" }, this.limits);
      /** @type {ReturnType<typeof setTimeout>|undefined} */
      this.timer = undefined;
      this.query.addEventListener("input", () => {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.readLine(), WAIT);
      });
      this.query.addEventListener("change", () => this.readLine());
    }

    destroy() {
      clearTimeout(this.timer);
    }

    readLine() {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.hooks.change({ q: this.query.value });
    }

    /** @param {Atlas.FinderState} state @param {Atlas.FinderColumns} columns @param {Atlas.FinderProps} props
     * @param {number} most  families */
    show(state, columns, props, most) {
      const { fill, element } = atlas.dom;
      const groups = columns.groups();
      /** @type {[string, [string, string][]][]} */
      const measures = groups.map(([group, all]) => [group, all.map(({ name, label }) => [name, label])]);
      fill(this.by.control, [["", [["attention", "Attention alike"], ["weights", "Weights alike"], ["measures", "Two measures"]]]], state.by);
      fill(this.x.control, measures, state.x);
      fill(this.y.control, measures, state.y);
      /** @type {[string, [string, string][]][]} */
      const later = columns.get(state.colour) ? [] : [["", [[state.colour, LATER[state.colour] || state.colour]]]];
      fill(this.colour.control, [...later, ...measures], state.colour);
      /** @type {[string, string][]} */
      const counts = Array.from({ length: Math.max(0, most - 1) }, (_, i) => [String(i + 2), String(i + 2)]);
      fill(this.families.control, [["", counts]], String(Math.min(most, state.families)));
      fill(this.map.control, [["", (props.maps || []).map(({ name, label }) => [name, label])]], state.map);
      this.x.box.hidden = this.y.box.hidden = state.by !== "measures";
      this.families.box.hidden = most < 2;
      this.map.box.hidden = !props.maps?.length;
      if (this.query.value !== state.q && !this.timer) this.query.value = state.q;
      this.names.replaceChildren();
      for (const [, all] of groups) {
        for (const { name, label } of all) element("option", { value: name, label }, this.names);
      }
    }

    /** What is wrong with the line, and where; null: nothing. @param {any} problem  a QueryError @param {string} text */
    tell(problem, text) {
      this.error.replaceChildren();
      this.query.setAttribute("aria-invalid", String(problem !== null));
      if (!problem) return;
      const { element } = atlas.dom;
      const place = element("span", { class: "finder-place" }, this.error);
      place.append(text.slice(Math.max(0, problem.at - 24), problem.at));
      element("mark", {}, place).textContent = text.slice(problem.at, problem.end) || "␣";
      place.append(text.slice(problem.end, problem.end + 24));
      element("span", {}, this.error).textContent = problem.message;
    }

    /** Two ends of each measure that is shown. @param {string[]} names @param {Atlas.FinderColumns} columns
     * @param {string} text @param {any} node  the query as it is understood */
    showLimits(names, columns, text, node) {
      const { element } = atlas.dom;
      const { limitsOf, limited } = atlas.query;
      if (this.sliders.contains(document.activeElement) && this.held === names.join()) return; // a thumb is being moved
      this.held = names.join();
      this.sliders.replaceChildren();
      for (const name of names) {
        const column = columns.get(name);
        if (!column) continue;
        const { low: least, high: most } = columns.range(column);
        if (!(most > least)) continue;
        const now = limitsOf(node, name);
        const row = element("div", { class: "finder-limit", role: "group", "aria-label": column.label }, this.sliders);
        element("span", { class: "field-label" }, row).textContent = column.label;
        const ends = [now.low ?? least, now.high ?? most];
        const words = element("span", { class: "finder-ends" });
        const says = () => { words.textContent = `${atlas.columns.format(column.form, ends[0])} … ${atlas.columns.format(column.form, ends[1])}`; };
        ["from", "to"].forEach((end, i) => {
          const step = Number.isInteger(least) && Number.isInteger(most) && column.form.digits === 0 ? 1 : (most - least) / 200;
          const slider = element("input", {
            type: "range", min: String(least), max: String(most), step: String(step), value: String(ends[i]), "aria-label": `${column.label} ${end}`,
          }, row);
          slider.addEventListener("input", () => {
            ends[i] = Number(slider.value);
            says();
            const near = (/** @type {number} */ a, /** @type {number} */ b) => Math.abs(a - b) < step / 2;
            const limits = { low: near(ends[0], least) ? null : ends[0], high: near(ends[1], most) ? null : ends[1] };
            const source = this.query.value;
            let understood;
            try {
              understood = atlas.query.parse(source, [...columns.all.values()]);
            } catch {
              return; // first the line has to be put right
            }
            this.query.value = limited(source, understood, name, limits);
            this.readLine();
          });
        });
        row.appendChild(words);
        says();
      }
    }
  }

  const api = { Controls };
  atlas.controls = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
