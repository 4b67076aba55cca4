/** The comparison: what it has fetched of two heads, and what a change of one pane means for the other. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  const PANES = /** @type {const} */ ([0, 1]);
  const ROLES = /** @type {const} */ (["first", "second"]);
  const DIFFERENCES = ["moved", "attended"];
  const TABS = /** @type {const} */ (["tokens", "heads"]);
  const PAUSE = 600; // milliseconds for which the slider rests before all heads of a checkpoint are compared
  const GONE = "One of the two atlases was deleted or built anew: choose another, or load the page again.";

  class Compare {
    /** @param {HTMLElement} root @param {(changes: Partial<Atlas.CompareProps>) => void} tell */
    constructor(root, tell) {
      const { element } = window.atlas_head_finder.dom;
      this.tell = tell;
      /** @type {Atlas.CompareProps} */
      this.props = {};
      this.stepped = -Infinity; // when the slider last took the second pane on
      this.resting = 0;
      this.wishes = new window.atlas_client.wishes.Wishes(() => this.render());
      /** @type {Atlas.CompareFound} */
      this.found = {
        shared: null, partner: null, fit: null, colours: [null, null], searched: [], problem: "", unfit: "", ranked: null, unranked: "", colourless: "", changes: null,
      };
      this.controls = new atlas.controls.Controls(root, {
        change: (changes) => this.change(changes), swap: () => this.swap(), save: (kind) => this.savePicture(kind),
      });
      this.says = element("p", { class: "compare-summary", role: "status" }, root);
      this.steps = new atlas.steps.Steps(root, (one) => this.stepTo(one));
      const both = element("div", { class: "compare-panes" }, root);
      this.panes = PANES.map((number) => new atlas.pane.Pane(both, number, {
        choose: (place) => this.choose(number, place),
        tell: (changes) => this.told(number, changes),
      }));
      this.legend = element("div", { class: "compare-legend", id: "compare-legend" }, root);
      this.tabs = element("div", { class: "compare-tabs", role: "group", "aria-label": "Below the maps" }, root);
      this.buttons = TABS.map((show) => {
        const button = element("button", { type: "button", class: "text-button" }, this.tabs);
        button.textContent = show === "heads" ? window.atlasTables.titles.all : "Tokens";
        button.addEventListener("click", () => this.change({ show }));
        return button;
      });
      const below = (this.below = element("div", { class: "compare-below" }, root));
      this.table = new atlas.table.DifferenceTable(below, {
        choose: (token) => this.change({ token }),
        sort: (order) => this.change({ order }),
        save: () => this.saveTable(),
      });
      this.heads = new atlas.heads.AllHeads(root, {
        open: (first, second) => this.open(first, second),
        save: (name, text) => window.atlas_head_finder.dom.save(`${this.state.atlas}_${this.state.other}-${name}.csv`, text, "text/csv"),
      });
      this.rows = new atlas.rows.SentenceRows(below, (pane, side, row) => this.change({ token: atlas.partner.tokenText(pane, side, row) }));
    }

    destroy() {
      clearTimeout(this.resting);
      this.wishes.forget();
      this.controls.destroy();
      for (const pane of this.panes) pane.destroy();
    }

    /** @returns {Atlas.CompareState} */
    get state() {
      return /** @type {Atlas.CompareState} */ (this.props.state);
    }

    /** @param {Atlas.CompareSide} number @returns {Atlas.ComparePane} */
    paneOf(number) {
      return /** @type {Atlas.ComparePane[]} */ (this.props.panes)[number];
    }

    /** @param {Atlas.CompareSide} number @returns {Atlas.CompareHead} */
    placeOf(number) {
      const { atlas: slug, stream, layer, head, other, stream2, layer2, head2 } = this.state;
      return number === 0 ? { slug, stream, layer, head } : { slug: other, stream: stream2, layer: layer2, head: head2 };
    }

    /** @param {Partial<Atlas.CompareState>} changes */
    change(changes) {
      const state = { ...this.state, ...changes };
      if (JSON.stringify(state) === JSON.stringify(this.state)) return;
      this.props = { ...this.props, state };
      this.tell({ state });
      this.follow();
    }

    /** @param {Atlas.CompareProps} props */
    update(props) {
      this.props = props;
      this.follow();
    }

    // --- which heads ----------------------------------------------------------------------------------------------------

    /** Another head of the same stream is shown at once; another atlas or stream is another address.
     * @param {Atlas.CompareSide} number @param {Partial<Atlas.CompareHead>} place */
    choose(number, place) {
      const { slug, stream, layer, head } = place;
      if (slug === undefined && stream === undefined) {
        const names = number === 0 ? ["layer", "head"] : ["layer2", "head2"];
        const now = this.placeOf(number);
        this.change({ [names[0]]: layer ?? now.layer, [names[1]]: head ?? now.head, at: "" });
        return;
      }
      const { state } = this;
      const left = slug === undefined ? {} : number === 0 ? { stream: undefined } : { stream2: undefined };
      const named = number === 0 ? { atlas: slug ?? state.atlas, stream } : { other: slug ?? state.other, stream2: stream };
      this.leave({ ...state, ...named, ...left, token: "", at: "" });
    }

    /** The same head of another checkpoint; while an answer is on its way only the newest wish counts.
     * @param {Atlas.CompareStep} one */
    async stepTo(one) {
      const { payload } = this.paneOf(1);
      const base = `${payload.base.slice(0, payload.base.indexOf("/payload/"))}/payload/${one.slug}/${one.key}`;
      this.stepping = one.slug;
      let pane;
      try {
        pane = await window.atlas_client.fetches.json(`${base}/pane/${payload.stream}`);
      } catch (error) {
        if (this.stepping === one.slug) this.says.textContent = error.said || GONE;
        return;
      }
      if (this.stepping !== one.slug) return;
      this.stepped = Date.now();
      const { state, found } = this;
      Object.assign(found, { shared: null, partner: null, fit: null, unfit: "", problem: "", ranked: null, changes: null });
      const changes = {
        panes: [this.paneOf(0), pane], changes: null, wanted: false,
        state: { ...state, other: one.slug, token: state.token.startsWith("b") ? "" : state.token },
      };
      this.props = { ...this.props, ...changes };
      this.tell(changes);
      this.follow();
    }

    /** @param {number} first @param {number} second  cells */
    open(first, second) {
      const [mine, its] = PANES.map((number) => this.paneOf(number).payload.heads);
      this.change({ layer: Math.floor(first / mine), head: first % mine, layer2: Math.floor(second / its), head2: second % its, at: "" });
    }

    swap() {
      const { atlas: slug, stream, layer, head, numbers, other, stream2, layer2, head2, numbers2, token } = this.state;
      const turned = token && (token[0] === "a" ? "b" : "a") + token.slice(1);
      const first = { atlas: other, stream: stream2, layer: layer2, head: head2, numbers: numbers2 };
      const second = { other: slug, stream2: stream, layer2: layer, head2: head, numbers2: numbers };
      this.leave({ ...this.state, ...first, ...second, token: turned });
    }

    /** @param {Record<string, any>} state */
    leave(state) {
      window.atlasLink.open("compare", { compare: state });
    }

    // --- what is fetched ------------------------------------------------------------------------------------------------

    /** The address of a head with its map, below a payload's base, and after another's. @param {Atlas.CompareSide} number */
    address(number) {
      const { layer, head, stream } = this.placeOf(number);
      const map = this.maps().includes(this.state.map) ? this.paneOf(number).maps[this.state.map] : null;
      return `${stream}/${layer}/${head}/${map ? `${map.name}-${map.key}` : "none"}`;
    }

    /** @param {Atlas.CompareSide} number  the one that the address begins with */
    addresses(number) {
      const other = number === 0 ? 1 : 0;
      const { slug, key } = this.paneOf(other);
      return `${this.address(number)}/${slug}/${key}/${this.address(other)}`;
    }

    /** Maps that both panes have. */
    maps() {
      return Object.keys(this.paneOf(0).maps).filter((name) => this.paneOf(1).maps[name]);
    }

    follow() {
      const { state, found } = this;
      const [first, second] = PANES.map((number) => this.paneOf(number));
      const { base, stream } = first.payload;
      this.fetch("shared", `${base}/shared/${stream}/${second.slug}/${second.key}/${second.payload.stream}`, (shared) => {
        found.problem = shared.why || "";
        found.unfit = found.unranked = found.colourless = found.problem;
        found.shared = shared.why ? null : shared;
        if (found.shared) this.match(shared);
        this.follow(); // what they share can be compared
      }, (problem) => { found.problem = problem; });
      const both = found.shared !== null && this.maps().includes(state.map);
      this.fetch("fit", both ? `${base}/fit/${this.addresses(0)}` : "", (fit) => {
        found.fit = fit;
        found.unfit = "";
      }, (problem) => {
        found.fit = null;
        found.unfit = problem;
      });
      this.fetch("ranked", found.shared ? `${base}/difference/${state.order}/${this.addresses(0)}` : "", (ranked) => {
        found.ranked = ranked;
        found.unranked = "";
      }, (problem) => {
        found.ranked = null;
        found.unranked = problem;
      });
      if (state.show === "heads" && !this.props.changes && !this.props.wanted) this.wantChanges();
      const ready = this.props.changes?.state === "ready";
      this.fetch("changes", ready ? `${base}/change/${stream}/${second.slug}/${second.key}/${second.payload.stream}` : "",
        (changes) => { found.changes = changes; }, (problem) => { found.problem = problem; });
      for (const number of PANES) {
        const { payload } = this.paneOf(number);
        const coloured = found.shared || !DIFFERENCES.includes(state.colour);
        this.fetch(`colour${number}`, coloured ? `${payload.base}/${this.colourAddress(number)}` : "", (colour) => {
          found.colours[number] = colour;
          found.colourless = "";
        }, (problem) => {
          found.colours[number] = null;
          found.colourless = problem;
        });
        const question = window.atlas_head_scene.payload.searchQuery({ query: state.q, mode: state.mode });
        if (!state.q) found.searched[number] = null;
        this.fetch(`search${number}`, state.q ? `${payload.base}/found/${payload.stream}?${question}` : "",
          (answer) => { found.searched[number] = answer; }, (problem) => { found.searched[number] = { error: problem }; });
      }
      this.render();
    }

    /** Have all heads compared: a job, so that checkpoints that are only passed by ask for none. */
    wantChanges() {
      clearTimeout(this.resting);
      const left = this.stepped + PAUSE - Date.now();
      if (left > 0) this.resting = window.setTimeout(() => this.follow(), left);
      else this.tell({ wanted: true });
    }

    /** @param {Atlas.CompareSide} number */
    colourAddress(number) {
      const { colour, palette } = this.state;
      const look = `${this.props.theme === "dark" ? "dark" : "light"}/${palette}`;
      const differs = DIFFERENCES.includes(colour);
      return differs ? `differing/${ROLES[number]}/${colour}/${this.addresses(number)}/${look}` : `colour/${this.paneOf(number).payload.stream}/${colour}/${look}`;
    }

    /** @param {string} what @param {string} url  "": nothing @param {(value: any) => void} take @param {(problem: string) => void} fail */
    fetch(what, url, take, fail) {
      this.wishes.want(what, url, take, (/** @type {Atlas.FetchError} */ { said, status }) => fail(said || (status === 404 ? GONE : "The server did not answer; load the page again.")));
    }

    /** Find out which rows belong together. @param {Atlas.CompareShared} shared */
    async match(shared) {
      const tables = PANES.map((number) => this.paneOf(number).payload);
      const read = async (/** @type {Atlas.Payload} */ { base, queryTable, keyTable }) => {
        const [query, key] = await Promise.all([queryTable, keyTable].map((table) => window.atlas_client.fetches.buffer(`${base}/offsets/${table}`)));
        return { query: new Uint32Array(query), key: new Uint32Array(key) };
      };
      const [first, second] = await Promise.all(tables.map(read));
      if (this.found.shared !== shared) return;
      this.found.partner = new atlas.partner.Partner(shared, [first, second]);
      this.render();
    }

    // --- what a pane has been told --------------------------------------------------------------------------------------

    /** @param {Atlas.CompareSide} number @param {Partial<Atlas.SceneProps>} changes */
    told(number, changes) {
      if ("selection" in changes) this.select(number, changes.selection || null);
      if ("hovered" in changes) this.point(number, changes.hovered || null);
      if ("viewpoint" in changes) this.change({ at: changes.viewpoint?.at || "" });
    }

    /** @param {Atlas.CompareSide} number @param {Atlas.Selection|null} selection */
    select(number, selection) {
      const chosen = selection && selection.token !== null;
      this.change({ token: chosen ? atlas.partner.tokenText(number, selection.side, /** @type {number} */ (selection.token)) : "" });
    }

    /** Mark in the other pane what the pointer rests on in one. @param {Atlas.CompareSide} number @param {Atlas.TokenPlace|null} place */
    point(number, place) {
      const there = place && this.found.partner?.of(number, place.side, place.row);
      this.panes[number === 0 ? 1 : 0].draw({ pointed: there ? { side: there.side, row: there.row } : null });
    }

    /** The chosen token as each pane has it; null: it has none. @returns {(Atlas.Selection|null)[]} */
    selections() {
      const { partner } = this.found;
      const token = atlas.partner.parseToken(this.state.token);
      if (!token || !partner) return [null, null];
      const { pane, row, side } = token;
      const there = partner.of(pane, side, row);
      const mine = { input: partner.inputOf(pane, side, row), token: row, side };
      const its = there && { input: there.input, token: there.row, side };
      return pane === 0 ? [mine, its] : [its, mine];
    }

    // --- what is shown --------------------------------------------------------------------------------------------------

    render() {
      if (!this.says.isConnected || !this.props.panes) return;
      const { state, found, props } = this;
      const maps = this.maps();
      this.controls.show(state, props, maps);
      const selections = this.selections();
      const fitted = state.fit && found.fit !== null;
      // Of a series the frame is the first map's own, so that it stays as it is from step to step.
      const held = (props.series || []).length > 1;
      this.steps.show(props.series || [], state.other);
      for (const number of PANES) {
        const pane = this.paneOf(number);
        const { layer, head, slug, stream } = this.placeOf(number);
        const map = pane.maps[state.map] || null;
        const search = found.searched[number];
        this.panes[number].show(pane, { layer, head, slug, stream }, props.atlases || []);
        // Until it is known whether the maps fit, they are not drawn: points would jump as the answer comes.
        const known = map && ((held && number === 0) || !state.fit || found.fit || found.unfit || !maps.includes(state.map));
        this.panes[number].draw({
          payload: pane.payload,
          projection: known ? map : null,
          colour: found.colours[number],
          head: { layer, head },
          theme: props.theme,
          selection: selections[number],
          search: search && !search.error && search.inputs ? { query: state.q, mode: state.mode } : null,
          live: fitted && map && !(held && number === 0) ? { layer, head, dims: map.dims, method: map.method, path: `beside/${ROLES[number]}${held ? "-held" : ""}/${this.addresses(number)}` } : null,
          viewpoint: state.at ? { head: { layer, head }, at: state.at } : null,
          lines: props.lines,
          rings: true,
          patches: "border",
          mapSizes: true,
        });
        this.panes[number].says.textContent = atlas.words.ofPane(state, found, number, map, selections[number]);
      }
      this.says.textContent = atlas.words.summary(state, found, maps);
      TABS.forEach((show, i) => this.buttons[i].setAttribute("aria-pressed", String(state.show === show)));
      this.below.hidden = state.show !== "tokens";
      this.heads.root.hidden = state.show !== "heads";
      this.heads.show(found.changes, props.changes?.says || "Comparing all heads …", state.layer * this.paneOf(0).payload.heads + state.head);
      this.table.show(found.ranked, found.unranked, state);
      this.rows.show(PANES.map((number) => {
        const selection = selections[number];
        const { title, payload } = this.paneOf(number);
        const { layer, head } = this.placeOf(number);
        return selection && { title, payload, place: { layer, head }, selection };
      }));
      this.showLegend();
    }

    /** @param {"png"|"svg"} kind */
    async savePicture(kind) {
      const names = PANES.map((number) => {
        const { slug, ...place } = this.placeOf(number);
        const name = atlas.pane.nameIn(this.paneOf(number), place);
        return { title: `${this.paneOf(number).title}, ${name}`, file: `${slug}-${name.replace(" ", "")}` };
      });
      const map = this.paneOf(0).maps[this.state.map];
      const words = {
        title: names.map(({ title }) => title).join("  ·  "),
        caption: [map ? `Map: ${map.label} ${map.dims}D.` : "", this.says.textContent || ""].filter(Boolean),
      };
      const { save, fileName } = window.atlasExport;
      try {
        const scenes = this.panes.map(({ stage }) => /** @type {Atlas.SceneHandle} */ (stage.atlasScene));
        save(await atlas.exporter.picture(scenes, words, this.legendRows(), kind), fileName(names.map(({ file }) => file), kind));
      } catch (error) {
        this.says.textContent = error.message || "The picture could not be made.";
      }
    }

    saveTable() {
      const link = document.createElement("a");
      link.href = `${this.paneOf(0).payload.base}/differences.csv/${this.addresses(0)}`;
      link.download = "";
      link.click();
    }

    showLegend() {
      const rows = this.legendRows();
      if (rows.length) atlas.legend.show(this.legend, rows);
      else this.legend.textContent = this.found.colourless;
    }

    legendRows() {
      const [colour] = this.found.colours;
      const facts = (this.props.colours || []).find(({ value }) => value === this.state.colour);
      if (!colour || !facts) return [];
      const { layer, head } = this.placeOf(0);
      const at = 2 * (layer * this.paneOf(0).payload.heads + head);
      const range = colour.ranges ? /** @type {[number, number]} */ (colour.ranges.slice(at, at + 2)) : null;
      return atlas.legend.rows(colour, facts, range);
    }
  }

  const api = { Compare };
  atlas.view = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
