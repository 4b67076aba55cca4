/* The tab "Align": the slider and its switches become one alignment, the scene shows it, the table says what it is worth. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggeredIds: triggered } = window.atlasCallback;
  const { spaceNotes } = window.atlasTables;
  const { address, alignmentName } = window.atlasLink;
  let lastHead = null;

  /** A browser puts the slider on its nearest step: what is within half a step of the present c is no other c. */
  const HALF_STEP = 0.00099;
  const cOf = (slider, now) =>
    Math.abs(Math.log10(now) - Number(slider)) <= HALF_STEP ? now : Math.round(10 ** Number(slider) * 10000) / 10000;
  const shown = (c) => c.toFixed(c < 1 ? 3 : 2);

  function choose(slider, switches, space, _reset, own, before) {
    const from = triggered();
    const touched = from.some((id) => ["align-slider", "align-switches", "align-space"].includes(id));
    const isOn = (name) => (switches || []).includes(name);
    let now = { ...before, c: cOf(slider, before.c), scale: isOn("scale"), translate: isOn("translate"), space };
    const place = own && `${own.layer}-${own.head}`;
    const another = lastHead !== null && place !== lastHead;
    lastHead = own ? place : lastHead;
    if (touched) now.on = true;
    if (own && (from.includes("align-reset") || another || !now.on)) {
      now = { on: false, c: own.c, scale: true, translate: true, space: own.space };
    }
    const slid = Math.log10(now.c);
    const checked = ["scale", "translate"].filter((name) => now[name]);
    return [
      from.length && same(now, before) ? none() : now, // the first call lets the scene and the numbers follow
      now.scale ? `c = ${shown(now.c)}` : "c = 1",
      Math.abs(slid - Number(slider)) < 1e-3 ? none() : Math.round(slid * 10000) / 10000,
      same(checked, switches) ? none() : checked,
      now.space === space ? none() : now.space,
      spaceNotes[now.space],
    ];
  }

  /**
   * Whether the server must hear of the alignment: while there is one, and once more when it is over.
   * @param {{on: boolean}} align @param {any} view @param {{on: boolean, view: any}|null} before
   */
  function asks(align, view, before) {
    const on = Boolean(align?.on);
    return on || before?.on ? { on, view } : none();
  }

  // --- numbers beside the slider: one question at a time, the newest wins ---------------------------------------------

  let wanted = null;
  let asking = false;

  const text = (value) => (value === null || value === undefined ? "not defined" : value.toFixed(3).replace("-", "−"));

  function fill(column, answer) {
    for (const part of ["aligned", "screen"]) {
      for (const name of ["pearson", "spearman", "query_spearman"]) {
        /** @type {HTMLElement|null} */
        const cell = document.querySelector(`[data-value="${column}-${part}-${name}"]`);
        if (!cell) continue;
        const waits = part === "screen" && answer.pending;
        cell.textContent = waits ? "…" : text(answer[part][name]);
        cell.title = waits ? "being laid out" : answer[part].reason || "";
      }
    }
  }

  /** A map that is still being laid out will answer otherwise. */
  const answerOf = (url) => window.atlas_client.fetches.json(url, { keep: (answer) => !answer.pending });

  async function ask() {
    if (asking) return;
    asking = true;
    while (wanted) {
      const { base, alignment } = wanted;
      wanted = null;
      try {
        const [now, own] = await Promise.all([answerOf(`${base}/${alignment}`), answerOf(`${base}/own`)]);
        fill("now", now);
        fill("own", own);
      } catch {
        const empty = { aligned: { reason: "the server did not answer" }, screen: { reason: "the server did not answer" } };
        fill("now", empty);
      }
    }
    asking = false;
  }

  // --- the scene ----------------------------------------------------------------------------------------------------

  let lastLive = null;

  function liveOf(align, view, refined, follows) {
    const { method, dims, layer, head } = view;
    const place = `${view.stream}/${layer}/${head}`;
    const at = { layer, head, dims, method };
    if (follows === "at once") return { ...at, path: `live/${place}/${dims}/${alignmentName(align)}` };
    if (follows !== "later") return null;
    const asked = { alignment: alignmentName(align), method, dims, layer, head };
    const fits = refined && Object.entries(asked).every(([name, value]) => refined[name] === value);
    if (fits) return { ...at, path: `refined/${place}/${method}/${dims}/${alignmentName(align)}`, move: true };
    // Until the new layout is there the points stay where they are.
    const stays = lastLive && lastLive.layer === layer && lastLive.head === head && lastLive.method === method && lastLive.dims === dims;
    return stays ? lastLive : null;
  }

  function show(align, view, refined, panel, payload, map) {
    const open = view && view.layer !== null && view.layer !== undefined;
    const live = align && align.on && open ? liveOf(align, view, refined, map && map.follows) : null;
    // Only for a reader who sees the numbers: they take the server twenty times as long as most answers.
    if (open && payload && panel && panel.open && panel.tab === "align") {
      const base = `${payload.base}/agreement/${view.stream}/${view.layer}/${view.head}/${view.method}/${view.dims}`;
      wanted = { base, alignment: align && align.on ? alignmentName(align) : "own" };
      ask();
    }
    const { atlas, stream, layer, head } = view;
    const answer = same(live, lastLive) ? none() : live;
    lastLive = live;
    return [answer, address("scaling", { scaling: { atlas, stream, layer: layer ?? 0, head: head ?? 0 } })];
  }

  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    /** @type {HTMLElement|null} */
    const button = event.target.closest && event.target.closest(".align-optimum");
    if (button) root.set_props("align-slider", { value: Math.log10(Number(button.dataset.c)) });
  });

  root.atlasAlign = { asks, choose, show };
})();
