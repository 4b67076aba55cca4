/* Sets of tokens: one set for the map, the sentence and the table; its tools, its keys, its place in the link. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, triggered } = window.atlasCallback;
  const scene = () => document.getElementById("scene")?.atlasScene;
  const definitionOf = (value) => (value && value.definition) || "";

  /** The scene holds the set; the store and the sentence follow. */
  function mirror(tokenSet, before) {
    const definition = definitionOf(tokenSet);
    return [definition === definitionOf(before) ? none() : { definition }, definition ? { definition } : null];
  }

  const many = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

  function count(known, data) {
    const definition = definitionOf(data);
    if (!definition) return ["", "set-clear d-none", "Clear the set"];
    const fits = known && known.definition === definition;
    const text = fits ? `${many(known.points, "point")} · ${many(known.tokens, "token")}` : "…";
    return [text, "set-clear", fits ? `Clear the set of ${text.replace(" · ", ", ")}` : "Clear the set"];
  }

  function clearSet() {
    window.atlasChoose.set("");
    return none();
  }

  // Escape: an outline being drawn first, then the set; the chosen token and the head come after (40-keys.js).
  const escape = (window.atlasEscape ||= []);
  escape.push([15, () => Boolean(scene()?.stopDrawing())]);
  escape.push([19, () => {
    if (!definitionOf(window.atlasStores.read("token-set"))) return false;
    window.atlasChoose.set("");
    return true;
  }]);

  /** A token of the sentence was put in or taken out (Shift-click). */
  function toggled(token) {
    const payload = scene() && scene().payload();
    if (token && payload) scene().togglePoint(token.side === "query" ? token.token : payload.queries + token.token);
    return none();
  }

  const TOOLS = { b: "box", l: "lasso", v: "point" };
  document.addEventListener("keydown", (/** @type {Atlas.On<KeyboardEvent>} */ event) => {
    const typing = /^(input|select|textarea)$/i.test(event.target.tagName) && event.target.type !== "radio";
    if (event.defaultPrevented || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const atHead = document.querySelector("#workspace.at-head");
    if (atHead && TOOLS[event.key] && !event.target.closest(".sentence, .ag-root")) {
      event.preventDefault();
      root.set_props("tool", { value: TOOLS[event.key] });
    }
  });

  root.atlasSets = { mirror, count, toggled, clear: clearSet, tool: (name) => name || "point" };

  // --- the table ------------------------------------------------------------------------------------------------

  let loading = null;
  let fromTable = "";
  let last = "";
  let shown = "";

  function addScript(src) {
    loading ??= new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = src;
      script.onload = () => resolve(true);
      script.onerror = () => {
        loading = null;
        script.remove();
        resolve(false);
      };
      document.head.appendChild(script);
    });
    return loading;
  }

  /** Fetch the grid when its tab is first looked at. */
  function load(panel, view, src, ready) {
    const atHead = view && view.layer !== null && view.layer !== undefined;
    if (ready === true || !panel || !panel.open || panel.tab !== "tokens" || !atHead) return none();
    return window.dash_ag_grid ? true : addScript(src);
  }

  /** A new set or search is what the table shows; a set made in the table leaves it as it is. */
  function scope(setData, searchData, before) {
    const definition = definitionOf(setData);
    const searching = Boolean(searchData && searchData.query);
    const from = triggered();
    if (definition && definition === fromTable) return none();
    fromTable = "";
    const fresh = definition && definition !== last;
    last = definition;
    const bySearch = from.length === 1 && from[0].startsWith("search.") && searching;
    const gone = (before === "set" && !definition) || (before === "search" && !searching);
    let next = before;
    if (fresh) next = "set";
    else if (bySearch && before === "all") next = "search";
    else if (gone) next = definition ? "set" : searching ? "search" : "all";
    return next === before ? none() : next;
  }

  const grid = () => (window.dash_ag_grid && document.querySelector("#token-table") ? window.dash_ag_grid.getApi("token-table") : null);

  /** Read the rows anew when what they show has changed. */
  function refresh(scopeNow, view, setData, searchData) {
    const definition = definitionOf(setData);
    const place = view && [view.atlas, view.stream, view.layer, view.head];
    const lit = definition && definition === fromTable && scopeNow !== "set" ? "table" : definition;
    const wanted = JSON.stringify([scopeNow, place, lit, scopeNow === "search" ? searchData : null]);
    if (wanted === shown) return none();
    const keep = lit === "table" && JSON.parse(shown || "[]")[0] === scopeNow;
    shown = wanted;
    const api = keep ? null : grid();
    if (api) {
      api.deselectAll();
      api.purgeInfiniteCache();
    }
    return none();
  }

  /** One row is the chosen token of all views, several are a set. */
  function choose(rows, payload) {
    if (!rows || !rows.length || !payload) return none();
    if (rows.length === 1) {
      const [row] = rows;
      window.atlasChoose.token({ input: row.input, token: row.token, side: row.kind });
      if (fromTable) window.atlasChoose.set("");
      fromTable = "";
      return none();
    }
    fromTable = window.atlas_head_scene.sets.ofPoints(rows.map((row) => Number(row.id)));
    window.atlasChoose.set(fromTable);
    return none();
  }

  root.atlasTable = { load, scope, refresh, choose };
})();
