/** The page: the scene of all heads, the fields above it, and beside an open head its numbers and one input. */
(function (/** @type {Atlas.StaticScripts} */ atlas) {
  const { StaticFiles } = atlas.files || require("./files.js");
  const { read, write } = atlas.state || require("./state.js");
  const THRESHOLD = 0.05;

  /** @param {string} id @returns {any} */
  const node = (id) => document.getElementById(id);

  class Page {
    /** @param {Atlas.StaticManifest} manifest */
    constructor(manifest) {
      this.manifest = manifest;
      this.pictures = manifest.modality === "image";
      /** @type {any[]} */
      this.measures = window.atlasTables.measures;
      this.known = {
        modes: Array.from(node("mode").options, (/** @type {HTMLOptionElement} */ { value }) => value),
        measures: Array.from(node("measure").options, (/** @type {HTMLOptionElement} */ { value }) => value).filter(Boolean),
      };
      this.files = window.atlas_client.fetches = new StaticFiles(manifest);
      this.theme = window.atlasTheme();
      this.state = read(window.location.hash, manifest, this.known);
      /** what the scene has told, which it is handed back @type {Atlas.SceneProps} */
      this.told = {};
      /** tokens left out of the input shown */
      this.hidden = { queries: [], keys: [] };
      window.atlasChoose = { head: (/** @type {Atlas.Head} */ head) => this.set({ head }), set: () => {}, token: () => {}, known: Boolean };
      this.scene = new window.atlas_head_scene.scene.Scene(node("scene"), (/** @type {any} */ changes) => this.sceneTold(changes));
      node("scene").atlasScene = window.atlas_head_scene.handle.handleOf(this.scene);
      const View = this.pictures ? window.atlas_image_view.view.ImageView : window.atlas_sentence_view.View;
      this.view = new View(node("sentence"), (/** @type {any} */ changes) => this.viewTold(changes));
      this.listen();
      this.show();
    }

    listen() {
      for (const name of ["stream", "map", "colour", "mode", "measure", "form"]) {
        node(name).addEventListener("change", (/** @type {any} */ { target }) => this.set({ [name]: target.value }));
      }
      node("query").addEventListener("input", (/** @type {any} */ { target }) => this.set({ query: target.value.trim().slice(0, 200) }));
      node("back").addEventListener("click", () => this.set({ head: null }));
      node("theme").addEventListener("click", () => {
        this.theme = this.theme === "dark" ? "light" : "dark";
        this.show();
      });
      node("before").addEventListener("click", () => this.step(-1));
      node("next").addEventListener("click", () => this.step(1));
      node("number").addEventListener("change", (/** @type {any} */ { target }) => this.read(Number(target.value)));
      window.addEventListener("hashchange", () => {
        if (this.words() !== window.location.hash.slice(1)) this.set(read(window.location.hash, this.manifest, this.known));
      });
    }

    // --- what is chosen -----------------------------------------------------------------------------------------

    /** @param {Partial<Atlas.StaticState>} changes */
    set(changes) {
      const before = this.state;
      let state = { ...before, ...changes };
      if (state.stream !== before.stream) {
        // Another kind of attention has heads and tokens of its own.
        const now = `#stream=${state.stream}&map=${before.map}&colour=${before.colour}`;
        state = { ...read(now, this.manifest, this.known), query: before.query, mode: before.mode, form: before.form };
        this.told = {};
      }
      if (state.selection?.input !== before.selection?.input) this.hidden = { queries: [], keys: [] };
      this.state = state;
      this.show();
    }

    /** What a page without words in its address shows. */
    get plain() {
      return read("", this.manifest, this.known);
    }

    words() {
      return write(this.state, this.plain, this.manifest);
    }

    /** @param {Partial<Atlas.SceneProps>} changes */
    sceneTold(changes) {
      this.told = { ...this.told, ...changes };
      if (changes.searchCount !== undefined || changes.status) this.count();
      if ("head" in changes || "selection" in changes) {
        const { head = this.state.head, selection = this.state.selection } = changes;
        this.set({ head: head || null, selection: selection || null });
      }
    }

    /** @param {any} changes */
    viewTold(changes) {
      if (changes.hidden) {
        this.hidden = changes.hidden;
        this.show();
      }
      const { selection } = this.state;
      if (changes.picked && selection) {
        const { token, side } = changes.picked;
        this.set({ selection: { input: selection.input, token: token ?? null, side: token === null ? selection.side : side } });
      }
    }

    /** @param {number} steps */
    step(steps) {
      const { inputs } = this.manifest;
      const at = this.state.selection ? this.state.selection.input + steps : this.stream.first;
      this.read((at + inputs) % inputs);
    }

    /** @param {number} input */
    read(input) {
      if (!Number.isInteger(input) || input < 0 || input >= this.manifest.inputs) return;
      this.set({ selection: { input, token: null, side: "query" } });
    }

    // --- what is shown ------------------------------------------------------------------------------------------

    get stream() {
      return this.manifest.streams[this.state.stream];
    }

    show() {
      const { state, manifest, stream, theme, hidden } = this;
      document.documentElement.dataset.bsTheme = theme;
      const words = this.words();
      // Not by `history`, which browsers refuse to pages of a disk.
      if (words !== window.location.hash.slice(1)) window.location.replace(`#${words}`);
      this.fields();
      const projection = stream.maps[state.map];
      const options = { topk: 0, threshold: THRESHOLD, hideSpecial: false, hideFirst: false, byValueNorm: false };
      const search = state.query ? { query: state.query, mode: state.mode } : null;
      this.sceneProps = {
        ...this.told, payload: stream.payload, projection, colour: stream.colours[theme][state.colour], head: state.head,
        selection: state.selection, search, theme, lines: { ...options, hidden }, labels: true, rings: true, mapSizes: true, tool: "none",
        patches: this.pictures ? "border" : "off", sprite: `${manifest.base}/${state.stream}/${state.map}.png`,
      };
      this.scene.update(this.sceneProps);
      const { layer = 0, head = 0 } = state.head || {};
      this.view.update({
        payload: stream.payload, layer, head, selection: state.head ? state.selection : null, mode: state.form, theme, hidden,
        ...options, look: { shade: "sqrt", opacity: 0.7, source: "head", arrows: "strongest" },
      });
      this.measure();
      this.sentence();
    }

    fields() {
      const { state, stream } = this;
      const choices = (/** @type {string} */ id, /** @type {[string, string][]} */ options) => {
        const select = node(id);
        const text = JSON.stringify(options);
        if (select.dataset.options !== text) {
          select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
          select.dataset.options = text;
        }
      };
      choices("map", Object.entries(stream.maps).map(([name, { label, dims }]) => [name, `${label}, ${dims}D`]));
      node("layer-numbers").dataset.numbers = stream.numbers ? JSON.stringify(stream.numbers) : "";
      for (const name of /** @type {const} */ (["stream", "map", "colour", "mode", "measure", "form"])) node(name).value = state[name];
      if (document.activeElement !== node("query")) node("query").value = state.query;
      const shown = state.head ? window.atlas_client.layers.nameOf(state.head.layer, state.head.head) : window.atlasTables.titles.all;
      node("crumb").textContent = shown;
      node("back").hidden = node("panel").hidden = !state.head;
      node("workspace").classList.toggle("at-head", Boolean(state.head));
      for (const legend of document.querySelectorAll("[data-legend]")) {
        const { legend: name, theme } = /** @type {HTMLElement} */ (legend).dataset;
        /** @type {HTMLElement} */ (legend).hidden = name !== state.colour || theme !== this.theme;
      }
      document.title = `${shown} · ${node("title").textContent}`;
      node("number").value = state.selection ? String(state.selection.input) : "";
      this.count();
    }

    count() {
      const { query } = this.state;
      const { searchCount } = this.told;
      const found = searchCount && searchCount.query === query ? `${searchCount.tokens} ${searchCount.tokens === 1 ? "token" : "tokens"}` : "";
      node("count").textContent = query ? found || "…" : "";
    }

    /** Badges and the order of heads by a measure, and the open head's numbers. */
    async measure() {
      const { state, stream: { payload, maps } } = this;
      const projection = maps[state.map];
      const all = await this.files.json(`${payload.base}/heads/${payload.stream}`);
      if (state !== this.state) return;
      const { badgesOf, orderOf } = window.dash_clientside.atlasBadges;
      const found = (/** @type {any} */ one) => (one.scope === "head" ? all.heads : all.maps[projection.name]);
      const measure = this.measures.find(({ name }) => name === state.measure);
      const [badges, order] = measure
        ? [badgesOf(found(measure), measure, payload.heads, {}, all.heads.names), orderOf(found(measure), measure)]
        : [null, null];
      this.scene.update({ ...this.sceneProps, ...this.told, head: state.head, selection: state.selection, badges, order });
      if (!state.head) return;
      const cell = `${state.head.layer}-${state.head.head}`;
      const rows = this.measures.flatMap((one) => {
        const badge = found(one)?.measures[one.name] && badgesOf(found(one), one, payload.heads)[cell];
        return badge ? [[one.label, badge.text]] : [];
      });
      node("names").textContent = (all.heads.names[cell] || []).join(", ");
      node("facts").replaceChildren(...rows.map(([label, text]) => {
        const row = document.createElement("tr");
        for (const words of [label, text]) row.insertCell().textContent = words;
        return row;
      }));
    }

    /** The words of the input beside its attention. */
    async sentence() {
      const { state, stream: { payload } } = this;
      const { selection } = state;
      node("empty").hidden = Boolean(selection);
      node("sentence").hidden = !selection;
      if (!selection || !state.head) return;
      const sides = await this.files.json(`${payload.base}/input/${payload.stream}/${selection.input}`);
      if (this.state === state) node("text").textContent = /** @type {any} */ (sides).text;
    }
  }

  const api = { Page };
  atlas.page = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_static ??= {}));
