/** The finder: what it has fetched, what its state means for each head, and the parts that show it. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  const LARGEST_TABLE = 7; // columns beside the name
  const count = (/** @type {number} */ heads) => heads.toLocaleString("en");

  class Finder {
    /** @param {HTMLElement} root @param {(state: Atlas.FinderState) => void} tell
     * @param {(by: string) => void} want  have all heads compared so */
    constructor(root, tell, want) {
      const { element } = atlas.dom;
      this.tell = tell;
      this.want = want;
      /** @type {Atlas.FinderProps} */
      this.props = {};
      /** @type {Atlas.FinderColumns|null} */
      this.columns = null;
      /** @type {Atlas.FinderMap|null} */
      this.map = null;
      /** what the map is made from */
      this.mapBy = "";
      /** @type {{here: Atlas.FinderLikes|null, there: Atlas.FinderLikes|null, problem: string}} */
      this.likes = { here: null, there: null, problem: "" };
      this.wishes = new window.atlas_client.wishes.Wishes(() => this.render());
      this.waits = false;
      /** what the columns were completed with @type {{columns: any, map: any, likes: any}} */
      this.of = { columns: null, map: null, likes: null };
      /** @type {Set<number>} */
      this.shown = new Set();
      this.controls = new atlas.controls.Controls(root, { change: (changes) => this.change(changes) });
      this.likeBox = element("section", { class: "finder-like", "aria-label": "Heads like one" }, root);
      const main = element("div", { class: "finder-main" }, root);
      const figure = element("figure", { class: "finder-figure" }, main);
      this.chart = new atlas.chart.Chart(figure, {
        href: (cell) => this.href(cell),
        point: (cell) => this.table.mark(cell, true),
        chose: (cells) => this.chose(cells),
        facts: (cell) => this.facts(cell),
        picture: (cell) => this.picture(cell),
        name: (cell) => this.columns?.name(cell) || "",
      });
      this.caption = element("figcaption", { class: "finder-muted" }, figure);
      this.legend = element("div", { class: "finder-legend" }, figure);
      const side = element("div", { class: "finder-side" }, main);
      this.bar = element("div", { class: "finder-bar" }, side);
      this.says = element("span", { role: "status", class: "finder-says" }, this.bar);
      this.clear = this.button("Clear the set", () => this.change({ set: "" }));
      this.matrix = element("a", { class: "text-button", href: "#" }, this.bar);
      this.drawing = this.button("Draw around heads", () => this.chart.frame.classList.toggle("drawing"));
      this.drawing.classList.add("finder-touch");
      this.button("CSV", () => this.saveTable()).title = "The heads of this table with all that is measured of them";
      this.button("SVG", () => this.saveFigure()).title = "The picture";
      this.table = new atlas.table.HeadTable(side, {
        href: (cell) => this.href(cell),
        sort: (order) => this.change({ order }),
        point: (cell) => this.chart.point(cell, true),
      });
    }

    /** @param {string} text @param {() => void} pressed */
    button(text, pressed) {
      const button = atlas.dom.element("button", { type: "button", class: "text-button" }, this.bar);
      button.textContent = text;
      button.addEventListener("click", pressed);
      return button;
    }

    destroy() {
      this.chart.destroy();
      this.table.destroy();
      this.controls.destroy();
      this.wishes.forget();
    }

    /** @returns {Atlas.FinderState} */
    get state() {
      return /** @type {Atlas.FinderState} */ (this.props.state);
    }

    /** @param {Partial<Atlas.FinderState>} changes */
    change(changes) {
      const state = { ...this.state, ...changes };
      if (changes.like !== undefined) state.order = changes.like ? "unlike" : "layer";
      if (JSON.stringify(state) === JSON.stringify(this.state)) return;
      this.props = { ...this.props, state };
      this.tell(state);
      this.follow();
    }

    /** @param {Atlas.FinderProps} props */
    update(props) {
      this.props = props;
      this.follow();
    }

    // --- what is fetched ------------------------------------------------------------------------------------------------

    /** Fetch what the state asks for and is not there, and show what is. */
    follow() {
      const { base, stream, version, likeness } = this.props;
      const { map, families, like, other } = this.state;
      const of = (/** @type {string} */ what) => `${base}/${what}/${stream}`;
      this.fetch("measures", `${of("finder")}/${version}${map ? `/${map}` : ""}`, (payload) => { this.columns = new atlas.columns.Columns(payload); });
      const by = this.state.by === "weights" ? "weights" : "attention";
      if (likeness?.by !== by) {
        if (this.props.wanted !== by) this.want(by);
      } else if (likeness.state === "ready") {
        this.fetch("map", `${of("headmap")}/${version}/${families}${by === "weights" ? "?by=weights" : ""}`, (found) => {
          this.map = found;
          this.mapBy = by;
        });
      }
      const [layer, head] = like.split(".").map(Number);
      const here = like ? `${of("alike")}/${window.atlas_client.layers.rowOf(layer)}/${head}` : "";
      if (!like) this.likes = { here: null, there: null, problem: "" };
      this.fetch("here", here, (found) => { this.likes = { ...this.likes, here: found, problem: "" }; });
      if (!other) this.likes = { ...this.likes, there: null };
      this.fetch("there", like && other ? `${here}?in=${encodeURIComponent(other)}` : "", (found) => { this.likes = { ...this.likes, there: found, problem: "" }; });
      this.render();
    }

    /** @param {string} what @param {string} url  "": nothing @param {(value: any) => void} take */
    fetch(what, url, take) {
      this.wishes.want(what, url, take, (/** @type {Atlas.FetchError} */ { said }) => {
        if (what === "here" || what === "there") this.likes = { ...this.likes, [what]: null, problem: said || "The server did not answer." };
        else this.caption.textContent = said || "The server did not answer; load the page anew.";
      });
    }

    // --- what it means --------------------------------------------------------------------------------------------------

    /** The columns with what else is known of heads by now. */
    complete() {
      const { columns, map, likes, state } = this;
      if (!columns) return null;
      const fresh = columns !== this.of.columns;
      if ((fresh || map !== this.of.map) && map && map.family.length === columns.count) columns.setFamilies(map.family);
      if (fresh || likes.here !== this.of.likes) {
        columns.setUnlike(`L${state.like.replace(".", " H")}`, state.like && likes.here ? likes.here.divergence : null);
      }
      this.of = { columns, map, likes: likes.here };
      return columns;
    }

    /** Once for all that changes at a time. */
    render() {
      if (this.waits) return;
      this.waits = true;
      queueMicrotask(() => {
        this.waits = false;
        if (this.chart.frame.isConnected) this.renderNow();
      });
    }

    renderNow() {
      const columns = this.complete();
      if (!columns) return;
      const { state, props, map } = this;
      this.controls.show(state, columns, props, map ? map.most : 0);
      /** @type {any} */
      let node = null;
      let problem = null;
      try {
        node = atlas.query.parse(state.q, [...columns.all.values()]);
      } catch (error) {
        problem = error;
      }
      this.controls.tell(problem, state.q);
      const set = state.set ? new Set(window.atlas_client.headSets.cellsOf(state.set, columns)) : null;
      this.shown = new Set();
      for (let cell = 0; cell < columns.count; cell++) {
        const met = node === null || atlas.query.meets(node, (name) => columns.value(name, cell)) === true;
        if (met && (!set || set.has(cell))) this.shown.add(cell);
      }
      const colour = columns.get(state.colour) || columns.get("layer");
      if (colour) {
        this.showPicture(columns, colour);
        atlas.legend.show(this.legend, columns, colour, map, this.theme, (family) => this.change({ q: `family = ${family}` }));
      }
      this.showTable(columns);
      atlas.like.show(this.likeBox, props, state, this.likes, {
        change: (changes) => this.change(changes),
        href: (slug, stream, layer, head, numbers) => window.atlasLink.address("atlas", { view: { atlas: slug, stream, layer, head, numbers } }),
        beside: (other, stream2, layer2, head2, numbers2) => this.beside({ other, stream2, layer2, head2, numbers2 }),
      });
      const limited = ["layer", ...this.tableNames(columns)].filter((name) => name !== "family");
      this.controls.showLimits(limited, columns, state.q, node);
    }

    get theme() {
      return this.props.theme === "dark" ? "dark" : "light";
    }

    /** Names of the axes; map: heads lie where attention is alike. */
    axes() {
      const { state, map, columns } = this;
      return { map: state.by === this.mapBy && map !== null && map.x.length === columns?.count, x: state.x, y: state.y };
    }

    /** @param {Atlas.FinderColumns} columns @param {Atlas.FinderColumn} colour */
    showPicture(columns, colour) {
      const { map, state, theme } = this;
      const { familyLook, ramp } = atlas.colours;
      const axes = this.axes();
      const plain = { factor: 1, digits: 2, unit: "" };
      /** While heads wait for their map, or have none, they lie by what they have. @param {string} name @param {string} instead */
      const axis = (name, instead) => {
        const one = columns.get(name);
        const differs = one && columns.range(one).high > columns.range(one).low;
        const shown = differs || (one && state.by === "measures") ? one : columns.get(instead);
        return shown || { label: "", form: plain, values: [] };
      };
      const { low, high } = columns.range(colour);
      const [layer, head] = state.like.split(".").map(Number);
      this.chart.show({
        x: axes.map && map ? { label: "", form: plain, values: map.x } : axis(axes.x, "head"),
        y: axes.map && map ? { label: "", form: plain, values: map.y } : axis(axes.y, "layer"),
        map: axes.map,
        marked: state.like ? window.atlas_client.layers.rowOf(layer) * columns.heads + head : -1,
        lookOf: (cell) => {
          const faint = !this.shown.has(cell);
          const value = colour.values[cell];
          if (Number.isNaN(value)) return { colour: theme === "dark" ? "#9fadba" : "#55616e", shape: "ring", faint };
          if (colour.name === "family") return { ...familyLook(value - 1, theme), faint };
          return { colour: ramp(high > low ? (value - low) / (high - low) : 0.5, theme), shape: "disc", faint };
        },
      });
      this.caption.textContent = this.captionOf(columns, axes);
    }

    /** @param {Atlas.FinderColumns} columns @param {ReturnType<Finder["axes"]>} axes */
    captionOf(columns, axes) {
      const { map, props: { likeness }, state } = this;
      if (columns.count === 1) return "This atlas has one head: there is nothing to compare it with.";
      if (axes.map && map && !map.x.some(Boolean) && !map.y.some(Boolean)) return "All heads are the same here: nothing sets them apart.";
      if (axes.map && map) {
        const held = `Two dimensions hold ${Math.round(100 * map.shown)} % of the differences.`;
        if (state.by === "weights") {
          return "Near: what compares queries with keys, the matrix W_Qᵀ W_K, is alike (cosine, classical scaling); attention"
            + ` plays no part. ${held}`;
        }
        const some = map.landmarks < columns.count ? `, compared with ${map.landmarks} of them` : "";
        const rows = `${map.rows.toLocaleString("en")} rows of ${map.inputs} inputs${some}`;
        return `Near: they attend alike on ${rows} (Jensen–Shannon divergence, classical scaling). ${held}`;
      }
      if (state.by !== "measures") return (likeness?.by === state.by && likeness.says) || "Comparing heads …";
      const without = [axes.x, axes.y].map((name) => {
        const one = columns.get(name);
        if (!one) return `${name} is not measured in this atlas.`;
        const missing = columns.count - columns.range(one).count;
        return missing ? `${one.label} is not defined for ${missing} heads.` : "";
      });
      return without.filter(Boolean).join(" ");
    }

    /** @param {Atlas.FinderColumns} columns */
    showTable(columns) {
      const { state, shown } = this;
      const order = columns.get(state.order.replace(/^-/, "")) ? state.order : "layer";
      const cells = columns.sorted([...shown], order);
      this.table.show(columns, cells, this.tableNames(columns), order);
      const all = shown.size === columns.count;
      this.says.textContent = all ? `${count(columns.count)} head${columns.count === 1 ? "" : "s"}` : shown.size ? `${count(shown.size)} of ${count(columns.count)} heads` : "No head is like that.";
      this.clear.hidden = !state.set;
      const text = window.atlas_client.headSets.textOf([...shown], columns);
      this.matrix.hidden = !text;
      if (text) {
        const { atlas: slug, stream } = state;
        this.matrix.href = window.atlasLink.address("atlas", { view: { atlas: slug, stream }, head_set: { cells: text } });
        this.matrix.textContent = shown.size === 1 ? "See it in the matrix" : `See these ${count(shown.size)} in the matrix`;
      }
    }

    /** What is shown, what it is sorted by, and the first measures of attention. @param {Atlas.FinderColumns} columns */
    tableNames(columns) {
      const { state } = this;
      const chosen = [
        state.like ? "unlike" : "", "family", state.colour, ...(state.by === "measures" ? [state.x, state.y] : []), state.order.replace(/^-/, ""),
      ].filter((name) => name && name !== "layer" && name !== "head" && columns.get(name));
      return [...new Set([...chosen, ...columns.main()])].slice(0, Math.max(LARGEST_TABLE, new Set(chosen).size));
    }

    // --- of one head ----------------------------------------------------------------------------------------------------

    /** @param {number} cell */
    href(cell) {
      const { columns, state } = this;
      if (!columns) return "#";
      const { atlas: slug, stream } = state;
      const view = { atlas: slug, stream, layer: Math.floor(cell / columns.heads), head: cell % columns.heads };
      return window.atlasLink.address("atlas", { view });
    }

    /** The head that all are compared with beside another. @param {Record<string, string|number|number[]>} second */
    beside(second) {
      const { atlas: slug, stream, like } = this.state;
      const [number, head] = like.split(".").map(Number);
      const layer = window.atlas_client.layers.rowOf(number);
      return window.atlasLink.address("compare", { compare: { atlas: slug, stream, layer, head, ...second } });
    }

    /** @param {number} cell @returns {[string, string][]} */
    facts(cell) {
      const { columns, map } = this;
      if (!columns) return [];
      const family = columns.value("family", cell);
      return this.tableNames(columns).flatMap((name) => {
        const one = columns.get(name);
        if (!one) return [];
        const text = name === "family" && map && family ? `${family}: ${map.names[family - 1]}` : columns.text(one, cell);
        return [/** @type {[string, string]} */ ([one.label, text])];
      });
    }

    /** @param {number} cell */
    picture(cell) {
      const { columns, props, state } = this;
      const map = props.maps?.find(({ name }) => name === state.map);
      if (!columns || !map) return "";
      return `${props.base}/headpicture/${props.stream}/${map.name}-${map.key}/${Math.floor(cell / columns.heads)}/${cell % columns.heads}/${this.theme}.png`;
    }

    /** @param {number[]} cells  inside an outline */
    chose(cells) {
      const { columns } = this;
      const some = cells.filter((cell) => this.shown.has(cell));
      if (columns && some.length) this.change({ set: window.atlas_client.headSets.textOf(some, columns) });
    }

    saveTable() {
      const { columns, table } = this;
      if (columns) atlas.dom.save(`${this.state.atlas}-heads.csv`, columns.csv(table.cells, [...columns.all.keys()]), "text/csv");
    }

    saveFigure() {
      atlas.dom.save(`${this.state.atlas}-heads.svg`, this.chart.svg(this.caption.textContent || "Heads"), "image/svg+xml");
    }
  }

  const api = { Finder };
  atlas.view = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
