/* The address: the one place that says what goes into a link, writes it, and follows the browser back and forward.
   Parameters, words and defaults are the declarations' (components/state); this file knows only kinds of values. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same } = window.atlasCallback;
  const { pages, prefix } = window.atlasTables;

  // --- values as text -----------------------------------------------------------------------------------------------

  /**
   * @typedef {Object} Parameter  one parameter of a page's links
   * @property {string} name @property {string} kind @property {string} store
   * @property {Object[]} fields  the store's fields that it is about, each with its words
   * @property {boolean} [always] @property {boolean} [moves] @property {boolean} [step]
   * @property {[string, string]} [needs] @property {[string, string]} [butNot]  store and field
   *
   * @typedef {Object<string, any>} State  what each store of a page holds
   */

  const given = (value) => value !== null && value !== undefined && value !== "";

  /** An alignment's name, in links and in the server's addresses: `0.83-translated-cosine`. */
  function alignmentName(alignment) {
    const [{ moved, still, fixed }] = pages.atlas.parameters.find(({ kind }) => kind === "alignment").fields;
    const c = (alignment.scale ? alignment.c : 1).toFixed(4).replace(/\.?0+$/, "");
    return `${c}-${alignment.translate && alignment.space !== fixed ? moved : still}-${alignment.space}`;
  }

  /** The model's number of a row of arrays; numbers: of another atlas than the page's. */
  const layerNumber = (row, numbers) => window.atlas_client?.layers?.numberOf(row, numbers) ?? row;

  function word({ word: text, means, scale }, value, plain) {
    if (scale === undefined) return value === means && value !== plain ? text : "";
    return Math.abs(value - plain) > 1e-6 ? `${text}${Math.round(value * scale)}` : "";
  }

  /** Each kind of parameter: its text, or nothing where the choice is as by default. */
  const KINDS = {
    text: ({ fields: [{ field }], always }, store, plain) => (always || store[field] !== plain[field] ? store[field] : null),
    layer: ({ fields: [{ field, numbers = "numbers" }] }, store) => (given(store[field]) ? layerNumber(store[field], store[numbers]) : null),
    switch: ({ fields: [{ field, on, off }], always }, store, plain) =>
      given(store[field]) && (always || store[field] !== plain[field]) ? (store[field] ? on : off) : null,
    words: ({ fields }, store, plain) => fields.map((one) => word(one, store[one.field], plain[one.field])).filter(Boolean).join("-"),
    positions: ({ fields }, store) =>
      fields.map(({ field, letter }) => (store[field]?.length ? letter + store[field].join(".") : "")).join(""),
    short: ({ fields: [{ field, most }] }, store) => (store[field].trim() && store[field].length <= most ? store[field] : null),
    alignment: (_parameter, store) => (store.on ? alignmentName(store) : null),
    viewpoint: ({ fields: [{ field }] }, store, _plain, { view }) => {
      const head = given(view.layer) ? { layer: view.layer, head: view.head } : null;
      return same(store.head, head) ? store[field] : null;
    },
  };

  /**
   * What a link says of a state.
   * @param {string} page @param {State} state  stores that are left out say nothing
   * @param {(parameter: Parameter) => boolean} [wanted]
   * @returns {[string, string][]}
   */
  function parameters(page, state, wanted = () => true) {
    const { stores, parameters: all } = pages[page];
    const has = ([store, field]) => given(state[store]?.[field]);
    return all.flatMap((parameter) => {
      const { name, kind, store, needs, butNot } = parameter;
      if (!state[store] || !wanted(parameter) || (needs && !has(needs)) || (butNot && has(butNot))) return [];
      const value = KINDS[kind](parameter, state[store], stores[store].default, state);
      return given(value) ? [[name, String(value)]] : [];
    });
  }

  /** The address of a page in a state, for a link from another one. */
  const address = (page, state) => `${prefix}${pages[page].path}?${new URLSearchParams(parameters(page, state))}`;

  /** Go to another state of a page, or to another page, as a link does. */
  const open = (page, state) => { window.location.assign(address(page, state)); };

  /** @returns {State} stores by name, in the order of the declarations */
  const stateOf = (page, held) => Object.fromEntries(Object.keys(pages[page].stores).map((name, i) => [name, held[i]]));

  // --- the one writer -----------------------------------------------------------------------------------------------

  /** Mirror the stores in the address: a new entry of the history for a step, such as another head, else in place. */
  function write(page, held) {
    if (isLeaving()) return; // the stores are of an address that has been left
    const url = new URL(window.location.href);
    const before = new URLSearchParams(url.search);
    const told = parameters(page, stateOf(page, held));
    const names = pages[page].parameters.map(({ name }) => name);
    const others = [...before].filter(([name]) => !names.includes(name));
    url.search = String(new URLSearchParams([...told, ...others]));
    if (url.href === window.location.href) return;
    const steps = pages[page].parameters.filter(({ step }) => step).map(({ name }) => name);
    const isStep = Boolean(window.location.search) && steps.some((name) => before.get(name) !== url.searchParams.get(name));
    window.history[isStep ? "pushState" : "replaceState"](isStep ? null : window.history.state, "", url);
  }

  /** Open another atlas, or another stream of this one: what is not about an atlas goes along. */
  function openAtlas(page, atlas, stream, held) {
    const state = stateOf(page, held);
    const [[name, now]] = Object.entries(state);
    if (!atlas || (atlas === now.atlas && stream === now.stream)) return;
    const moved = parameters(page, state, ({ moves }) => Boolean(moves));
    const place = parameters(page, { [name]: atlas === now.atlas ? { atlas, stream } : { atlas } });
    window.location.assign(`${window.location.pathname}?${new URLSearchParams([...place, ...moved])}`);
  }

  // --- back and forward ---------------------------------------------------------------------------------------------

  /* Dash draws the page anew when the address differs from the one it last saw. It does not see what is written here,
     so that the way to an address it knows already (back, or a link) would change nothing, and the page would show
     another state than its address: say it again. */
  let seen = window.location.pathname + window.location.search;
  let hash = window.location.hash;
  let leaving = null; // the page of the address before, until Dash has drawn the one of this address

  function arrive() {
    const now = window.location.pathname + window.location.search;
    const unnoticed = now === seen;
    if (unnoticed && hash !== window.location.hash) { // a place in the same page
      hash = window.location.hash;
      return;
    }
    seen = now;
    hash = window.location.hash;
    const page = (leaving = document.getElementById("workspace"));
    window.setTimeout(() => { if (leaving === page) leaving = null; }, 10_000); // the server did not answer
    if (unnoticed && leaving) root.set_props("_pages_location", { search: window.location.search });
  }
  for (const way of ["popstate", "_dashprivate_pushstate"]) window.addEventListener(way, arrive);

  /** Is the page on its way out? What it still has to say is of an address that has been left, and must not be written. */
  function isLeaving() {
    if (leaving && !leaving.isConnected) leaving = null;
    return leaving !== null;
  }

  // --- callbacks: one of each for every page ------------------------------------------------------------------------

  root.atlasLink = {};
  for (const page of Object.keys(pages)) {
    const count = Object.keys(pages[page].stores).length;
    root.atlasLink[page] = (...heard) => { write(page, heard.slice(-count)); };
    root.atlasLink[`${page}Opens`] = (atlas, stream, ...held) => { openAtlas(page, atlas, stream, held); return none(); };
  }
  window.atlasLink = { parameters, address, open, alignmentName };
})();
