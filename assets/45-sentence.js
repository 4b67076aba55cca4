/* The Sentence tab: its options in one store, steps from input to input, directions, and the numbers of a pair. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggered } = window.atlasCallback;
  const kept = (now, shown) => (same(now, shown) ? none() : now);
  const { known } = window.atlasChoose;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const { default: PLAIN, ticks: TICKS, shown: SHOWN } = window.atlasTables.pages.atlas.stores.options;
  /** What "Reset" leaves as it is: the form, and what belongs to the averages alone. */
  const KEPT = ["mode", "offsets", "cut", "average"];

  const checksOf = (now, names) => names.filter((name) => now[name]);

  /** All choices about what is shown of attention: from whichever control changed last, into one store and every view. */
  function options(mode, topk, threshold, checks, averageChecks, by, show, hidden, _reset, before) {
    const from = triggered().map((id) => id.split(".")[0]);
    const ticked = { "sentence-checks": checks || [], "average-checks": averageChecks || [] };
    let now = { ...before, mode: mode || PLAIN.mode, offsets: by === "offsets", average: show === "average" };
    if (from.includes("sentence-topk")) now.topk = clamp(Math.floor(Number(topk) || 0), 0, 999);
    if (from.includes("sentence-threshold")) now.threshold = clamp(Math.round(100 * (Number(threshold) || 0)) / 100, 0, 1);
    for (const [id, names] of Object.entries(TICKS)) {
      if (from.includes(id)) names.forEach((name) => (now[name] = ticked[id].includes(name)));
    }
    if (from.includes("sentence") && hidden) now = { ...now, queries: hidden.queries || [], keys: hidden.keys || [] };
    if (from.includes("sentence-reset")) now = { ...PLAIN, ...Object.fromEntries(KEPT.map((name) => [name, now[name]])) };
    const nowHidden = { queries: now.queries, keys: now.keys };
    const { mode: _form, ...weights } = Object.fromEntries(SHOWN.map(({ field, property }) => [property, now[field]]));
    const shownTicks = (id) => kept(checksOf(now, TICKS[id]), TICKS[id].filter((name) => ticked[id].includes(name)));
    return [
      kept(now, before), ...SHOWN.map(({ field }) => now[field]),
      kept(nowHidden, hidden || { queries: [], keys: [] }), none(),
      // A number that is still being typed is left alone.
      from.includes("sentence-topk") ? none() : kept(now.topk, topk),
      from.includes("sentence-threshold") ? none() : kept(Math.min(0.5, now.threshold), Number(threshold)),
      shownTicks("sentence-checks"), shownTicks("average-checks"),
      now.threshold.toFixed(2), now.lines && !now.average ? { ...weights, hidden: nowHidden } : null, now.average,
    ];
  }

  const show = window.atlasChoose.token;

  /** Previous, next, a chosen one, or a first one; a pinned token does not go along, its place in another text means nothing. */
  function navigate(_previous, _next, _first, _choices, selection, facts) {
    const [fired] = root.callback_context.triggered || [];
    if (!fired || !fired.value) return none();
    const id = fired.prop_id.replace(/\.n_clicks$/, "");
    const now = selection && known(selection.input) ? selection.input : -1;
    let input = facts.firstToShow;
    if (id === "input-previous") input = now < 0 ? facts.firstToShow : now - 1;
    else if (id === "input-next") input = now < 0 ? facts.firstToShow : now + 1;
    else if (id.startsWith("{")) input = JSON.parse(id).index;
    show({ input: clamp(input, 0, facts.inputs - 1), token: null, side: "query" });
    const picker = /** @type {HTMLDetailsElement|null} */ (document.getElementById("input-picker"));
    if (picker && picker.open && id.startsWith("{")) {
      picker.open = false;
      picker.querySelector("summary").focus();
    }
    return none();
  }

  /** A small JSON answer, or null. */
  const ask = (url) => window.atlas_client.fetches.json(url).catch(() => null);
  const inputOf = (payload, input) => ask(`${payload.base}/input/${payload.stream}/${input}`);

  /** What the chosen token reads, who reads it, or the whole input. */
  async function turn(direction, selection, facts, payload, probe) {
    if (probe && probe.reads) return turnProbe(direction, probe, payload);
    if (!selection || !known(selection.input)) return none();
    const shown = known(selection.token) ? selection.side : "all";
    if (direction === shown) return none();
    if (direction === "all") {
      show({ ...selection, token: null });
      return none();
    }
    let token = selection.token;
    if (!known(token) || !facts.sameTokens) {
      const sides = await inputOf(payload, selection.input);
      if (!sides) return none();
      const side = direction === "key" ? sides.keys : sides.queries;
      token = side.first + Math.max(0, side.special.indexOf(0));
    }
    show({ input: selection.input, token, side: direction });
    return none();
  }

  /** The same of a reader's own text. */
  async function turnProbe(direction, probe, payload) {
    const shown = known(probe.token) ? probe.side : "all";
    if (direction === shown) return none();
    const sides = direction === "all" ? null : await inputOf(payload, 0);
    if (direction === "all") window.atlasProbe.pin(null, "query");
    else if (sides) {
      const own = direction === "key" ? sides.keys : sides.queries;
      window.atlasProbe.pin(known(probe.token) ? probe.token : Math.max(0, own.special.indexOf(0)), direction);
    }
    return none();
  }

  function follow(selection, probe, facts, direction) {
    const own = (probe && probe.reads) || "";
    const chosen = Boolean(own || (selection && known(selection.input)));
    const pinned = own ? probe : selection;
    const now = chosen && known(pinned.token) ? pinned.side : "all";
    const inputs = `${facts.inputs} in all`;
    return [
      own ? `Your ${facts.pictures ? "image" : "text"} ${own.toUpperCase()}` : chosen ? `Input ${selection.input} · ${inputs}` : "Choose an input",
      chosen ? "sentence-empty d-none" : "sentence-empty",
      chosen ? "sentence" : "sentence d-none",
      now === direction ? none() : now,
      !own && chosen && selection.input === 0,
      !own && chosen && selection.input === facts.inputs - 1,
    ];
  }

  const number = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) < 0.01 ? 4 : 3));

  /** The rows of a pair's tooltip. */
  function pairRows(found, mask) {
    if (!found.visible) return [["", `${mask?.hides || "the mask"} hides this key from the query`]];
    const rows = [["q·k", number(found.dot)], ["scaled score", number(found.score)]];
    if (known(found.position)) rows.push(["added for its place", number(found.position)], ["score with it", number(found.score + found.position)]);
    if (found.additive) rows.push(["softmax", "not of q·k alone: this model adds to the scores"]);
    else rows.push(["softmax of the scores", found.agrees ? `${number(found.softmax)} ✓` : `${number(found.softmax)} (model: ${number(found.weight)})`]);
    const times = (value) => `${value.toFixed(2)} × median`;
    const relative = found.median_aligned > 0 ? ` (${times(found.aligned / found.median_aligned)})` : "";
    rows.push(["distance, aligned space", number(found.aligned) + relative]);
    if (known(found.screen)) rows.push(["distance on this map", times(found.screen)]);
    return rows;
  }

  let latest = 0;
  async function pair(hover, payload, selection, layer, head, projection) {
    const turnNumber = ++latest;
    const input = payload?.probe ? 0 : selection?.input;
    if (!hover || !known(hover.query) || !known(hover.key) || !known(input)) return none();
    const map = projection ? `?map=${projection.name}` : "";
    const url = `${payload.base}/pair/${payload.stream}/${input}/${layer}/${head}/${hover.query}/${hover.key}${map}`;
    const found = await ask(url);
    if (!found || turnNumber !== latest) return none();
    return { query: hover.query, key: hover.key, rows: pairRows(found, payload.mask) };
  }

  /** A popover closes when one clicks elsewhere or presses Escape.
   * @returns {HTMLDetailsElement[]} */
  const popovers = () => Array.from(document.querySelectorAll("details.popover-details[open]"));
  document.addEventListener("pointerdown", (/** @type {Atlas.On<PointerEvent>} */ event) => {
    for (const it of popovers()) if (!it.contains(event.target)) it.open = false;
  });
  (window.atlasEscape ||= []).push([10, () => {
    const [open] = popovers();
    if (!open) return false;
    open.open = false;
    open.querySelector("summary").focus();
    return true;
  }]);

  root.atlasSentence = { options, navigate, turn, follow, pair };
})();
