/* Search: ask, count, step through the hits, list where they are. Texts of tokens are only ever text nodes. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggered } = window.atlasCallback;
  const BEST = 10;
  const WORST = 5;

  /** The search that is shown: its question, its answer, its hits in reading order once someone steps. */
  let shown = null;
  let turns = 0;
  let setTurns = 0;

  function ask(query, mode, matchCase, _clear) {
    const clear = triggered().some((id) => id.startsWith("search-clear"));
    const text = clear ? "" : (query || "").trim();
    const plain = window.atlasTables.pages.atlas.stores.search.default;
    const data = { ...plain, query: text, mode: mode || plain.mode, case: (matchCase || []).length > 0 };
    return [data, clear ? "" : none()];
  }

  const question = (search) => window.atlas_head_scene.payload.searchQuery(search);
  const json = (url) => window.atlas_client.fetches.json(url);
  const binary = (url) => window.atlas_client.fetches.buffer(url);

  const many = (count, one) => `${count.toLocaleString("en")} ${count === 1 ? one.replace(/ies$/, "y").replace(/s$/, "") : one}`;

  /** Ask the server first: the scene is only given searches that can be understood. */
  async function answer(search, payload) {
    const turn = ++turns;
    shown = null;
    clearLists();
    if (!search || !search.query) return ["", "search-count", "search-input", null];
    root.set_props("search-count", { children: "Searching …", className: "search-count" });
    let found;
    try {
      found = await json(`${payload.base}/found/${payload.stream}?${question(search)}`);
    } catch (error) {
      found = { error: `The search failed: ${error.message}.` };
    }
    if (turn !== turns) return [none(), none(), none(), none()];
    if (found.error) return [found.error, "search-count search-error", "search-input", null];
    if (!found.inputs) return ["No token matches", "search-count", "search-input", search];
    shown = { search, payload, found, hits: null };
    listInputs(found);
    const text = `${many(found.queries, "queries")}, ${many(found.keys, "keys")} in ${many(found.inputs, "inputs")}`;
    return [text, "search-count", "search-input has-hits", search];
  }

  // --- stepping -------------------------------------------------------------------------------------------------

  const total = () => {
    const { found, payload } = shown;
    return payload.queryTable === payload.keyTable ? found.queries : found.queries + found.keys;
  };

  /** Hits of one token table, in reading order. */
  async function hitsOf(table, side, at) {
    const { payload, search } = at;
    const [mask, offsets] = await Promise.all([
      binary(`${payload.base}/search/${table}?${question(search)}`).then((buffer) => new Uint8Array(buffer)),
      binary(`${payload.base}/offsets/${table}`).then((buffer) => new Uint32Array(buffer)),
    ]);
    const hits = [];
    for (let input = 0; input + 1 < offsets.length; input++) {
      for (let row = offsets[input]; row < offsets[input + 1]; row++) {
        if ((mask[row >> 3] >> (row & 7)) & 1) hits.push({ input, token: row, side });
      }
    }
    return hits;
  }

  /** A stream with one table steps through tokens, on the side that is selected; else queries, then keys. */
  async function allHits(at) {
    const { queryTable, keyTable } = at.payload;
    at.oneTable = queryTable === keyTable;
    const parts = [hitsOf(queryTable, "query", at), ...(at.oneTable ? [] : [hitsOf(keyTable, "key", at)])];
    return (await Promise.all(parts)).flat().sort((a, b) => before(a, b, at.oneTable));
  }

  const before = (a, b, oneTable) =>
    a.input !== b.input ? a.input - b.input : a.side !== b.side && !oneTable ? (a.side === "query" ? -1 : 1) : a.token - b.token;

  /** Where the selection stands among the hits: its index, or the index where it would be put in. */
  function find(hits, at, oneTable) {
    let low = 0;
    let high = hits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(hits[middle], at, oneTable) < 0) low = middle + 1;
      else high = middle;
    }
    return { index: low, exact: low < hits.length && before(hits[low], at, oneTable) === 0 };
  }

  async function move(direction, selected) {
    const at = shown;
    if (!at) return;
    at.hits ??= allHits(at);
    const hits = await at.hits;
    if (shown !== at || !hits.length) return;
    let index = direction > 0 ? 0 : hits.length - 1;
    if (isToken(selected)) {
      const found = find(hits, selected, at.oneTable);
      index = direction > 0 ? found.index + (found.exact ? 1 : 0) : found.index - 1;
    }
    const hit = hits[(index + hits.length) % hits.length];
    window.atlasChoose.token({ ...hit, side: at.oneTable && isToken(selected) ? selected.side : hit.side });
  }

  const isToken = (selection) => window.atlasChoose.known(selection?.token);

  function step(_previous, _next, selection) {
    move(triggered().some((id) => id.startsWith("search-previous")) ? -1 : 1, selection);
    return none();
  }

  /** "3 of 41", or "41 hits" while the selection is none of them. */
  async function place(selection) {
    const at = shown;
    markEntry(selection);
    if (!at) return "";
    const count = total().toLocaleString("en");
    const all = many(total(), "hits");
    if (!isToken(selection)) return all;
    at.hits ??= allHits(at);
    const hits = await at.hits;
    if (shown !== at) return none();
    const found = find(hits, selection, at.oneTable);
    return found.exact ? `${(found.index + 1).toLocaleString("en")} of ${count}` : all;
  }

  // --- lists ----------------------------------------------------------------------------------------------------

  function element(tag, className, text, attributes = {}) {
    const node = document.createElement(tag);
    node.className = className;
    if (text) node.textContent = text;
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  }

  const box = (id) => document.getElementById(id);

  function clearLists() {
    for (const id of ["search-inputs", "search-heads"]) if (box(id)) box(id).replaceChildren();
  }

  function listInputs(found) {
    const list = element("ul", "where-list");
    for (const entry of found.list) {
      const button = element("button", "where-entry", "", {
        type: "button", "data-input": entry.input, "data-token": entry.token, "data-side": entry.side,
      });
      const text = element("span", "where-text", "", { dir: "auto" });
      text.append(entry.before, element("mark", "", entry.hit), entry.after);
      button.append(text);
      if (entry.hits > 1) button.append(element("span", "where-number", `${entry.hits}×`));
      const item = element("li", "");
      item.append(button);
      list.append(item);
    }
    const parts = [list];
    const left = found.inputs - found.list.length;
    if (left > 0) parts.push(element("p", "where-note", `and ${many(left, "more inputs")}; step through the hits to reach them`));
    box("search-inputs")?.replaceChildren(...parts);
  }

  function markEntry(selection) {
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#search-inputs .where-entry"))) {
      const now = isToken(selection) && Number(button.dataset.input) === selection.input;
      if (now) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  /** How closely each head keeps the hits together, and the heads in that order; without a search, the set. */
  async function rank(search, projection, set, payload) {
    setTurns += 1;
    if (!search && set?.definition && projection && payload) return rankSet(set.definition, projection, payload);
    if (!search || !projection || !shown || !same(shown.search, search)) return null;
    const at = shown;
    // The scene is told its map again whenever a head opens: the list, and the focus in it, stay.
    if (at.ranked === projection.key) return none();
    at.ranked = projection.key;
    let values;
    try {
      const path = `concentration/${payload.stream}/${projection.name}-${projection.key}`;
      ({ values } = await json(`${payload.base}/${path}?${question(search)}`));
    } catch (error) {
      at.ranked = null;
      if (shown === at) box("search-heads")?.replaceChildren(element("p", "where-note", `The heads could not be ranked: ${error.message}.`));
      return none();
    }
    if (shown !== at || at.ranked !== projection.key) return none();
    listHeads(values, payload, projection);
    return { values, of: "hits" };
  }

  async function rankSet(definition, projection, payload) {
    const turn = setTurns;
    const path = `concentration/${payload.stream}/${projection.name}-${projection.key}`;
    try {
      const { values } = await json(`${payload.base}/${path}?s=${encodeURIComponent(definition)}`);
      return turn === setTurns ? { values, of: "set" } : none();
    } catch {
      return turn === setTurns ? null : none();
    }
  }

  /**
   * Concentration as badges of the heads and as their order, most concentrated first.
   * @param {{values: Array<number|null>, of: string}} found  one value a head @param {number} heads  a layer
   */
  function onCells({ values, of }, heads) {
    if (!values.some((value) => value !== null)) return null;
    const most = Math.log(Math.max(2, ...values));
    const badges = Object.fromEntries(values.map((value, cell) => [
      `${Math.floor(cell / heads)}-${cell % heads}`,
      {
        text: `×${value.toFixed(1)}`,
        grade: Math.max(0, Math.min(1, Math.log(value) / most)),
        title: `Concentration of the ${of}: ×${value.toFixed(1)}`,
      },
    ]));
    const order = values.map((_, cell) => cell).sort((a, b) => values[b] - values[a] || a - b);
    return { badges, order };
  }

  const name = (cell, payload) => window.atlas_client.layers.nameOf(Math.floor(cell / payload.heads), cell % payload.heads);

  function listHeads(values, payload, projection) {
    const cells = values.map((value, cell) => ({ value, cell })).filter(({ value }) => value !== null);
    const target = box("search-heads");
    if (!target) return;
    if (!cells.length) {
      target.replaceChildren(element("p", "where-note", "Too few hits to say whether heads keep them together: it takes four."));
      return;
    }
    cells.sort((a, b) => b.value - a.value || a.cell - b.cell);
    const most = Math.log(Math.max(2, cells[0].value));
    const note =
      `Concentration on this map (${projection.label}): how many times smaller a circle around a hit that holds a quarter ` +
      "of the hits is than for random tokens. ×1 is scattered, more is clustered.";
    const best = cells.slice(0, BEST);
    const worst = cells.slice(Math.max(BEST, cells.length - WORST));
    const sort = element("button", "text-button where-sort", "Sort all heads by it", { type: "button" });
    const part = (title, some) => [element("h3", "where-subtitle", title), headList(some, most, payload)];
    const parts = [element("p", "where-note", note), sort, ...part("Most concentrated", best)];
    if (worst.length) parts.push(...part("Most scattered", worst));
    target.replaceChildren(...parts);
  }

  function headList(cells, most, payload) {
    const list = element("ul", "where-list where-heads");
    for (const { value, cell } of cells) {
      const title = name(cell, payload);
      const button = element("button", "where-entry", "", {
        type: "button", "data-layer": Math.floor(cell / payload.heads), "data-head": cell % payload.heads,
        "aria-label": `Open ${title}, concentration ${value.toFixed(1)}`,
      });
      const bar = element("span", "where-bar");
      bar.style.setProperty("--part", String(Math.max(0, Math.min(1, Math.log(Math.max(1, value)) / most))));
      button.append(element("span", "where-name", title), bar, element("span", "where-number", `×${value.toFixed(1)}`));
      const item = element("li", "");
      item.append(button);
      list.append(item);
    }
    return list;
  }

  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    if (event.target.closest?.(".where-sort")) root.set_props("order-select", { value: "search" });
    /** @type {HTMLElement|null} */
    const entry = event.target.closest?.("#search-details .where-entry");
    if (!entry) return;
    const { input, token, layer, head } = entry.dataset;
    const side = /** @type {Atlas.Side} */ (entry.dataset.side);
    if (token !== undefined) window.atlasChoose.token({ input: Number(input), token: Number(token), side });
    else window.atlasChoose.head({ layer: Number(layer), head: Number(head) });
  });

  // --- keys -----------------------------------------------------------------------------------------------------

  document.addEventListener("keydown", (/** @type {Atlas.On<KeyboardEvent>} */ event) => {
    if (event.target.id !== "search-box" || event.key !== "Enter" || event.isComposing) return;
    // While the text in the box has not been searched for yet, Enter starts the search and does not step.
    if (shown && event.target.value.trim() === shown.search.query) document.getElementById(event.shiftKey ? "search-previous" : "search-next")?.click();
  });
  root.find = { ask, answer, rank, place, step, onCells };
})();
