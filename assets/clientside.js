/* Clientside callbacks: small choices from controls and views into the shared stores, the URL, and back. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggered } = window.atlasCallback;

  /** The map to show: the wanted one, else the same method in the other number of dimensions. */
  function chooseMap(maps, method, dims) {
    const found = Object.values(maps).filter((map) => map.method === method);
    const map = found.find((one) => one.dims === dims) || found[0] || null;
    return { map, dims: map ? map.dims : dims === 3 ? 2 : 3 };
  }

  function view(catalogue, method, dims, colouring, head, theme, before, payload) {
    const { map, dims: shown } = chooseMap(catalogue.maps, method, Number(dims));
    const data = {
      ...before, method, dims: shown, scale: catalogue.scale,
      layer: head ? head.layer : null, head: head ? head.head : null,
    };
    const sprite = map && `${payload.base}/sprite/${payload.stream}/${map.name}-${map.key}/${colouring.colour}/${theme || "light"}.png?palette=${colouring.palette}`;
    const name = head ? `Layer ${head.layer} · Head ${head.head}` : "All heads";
    return [
      same(data, before) ? none() : data,
      map || none(),
      sprite || none(),
      shown === Number(dims) ? none() : shown,
      name,
      head ? "text-button" : "text-button d-none",
      head ? head.layer : none(),
      head ? head.head : none(),
      head ? "workspace at-head" : "workspace",
    ];
  }

  /** One selection for scene and sentence view; whoever changed last wins. */
  function selection(scene, sentence, before) {
    const from = triggered();
    let now = before && before.input !== null && before.input !== undefined ? before : null;
    if (from.includes("scene.selection")) now = scene || null;
    else if (from.includes("sentence.selected")) {
      // Unpinned in the sentence: the input stays, no token of it is chosen.
      now &&= (sentence ? { ...now, token: sentence.token, side: sentence.side } : { ...now, token: null });
    }
    const empty = { input: null, token: null, side: "query" };
    // A side is that of a token: without one the link does not name it.
    if (now && (now.token === null || now.token === undefined)) now = { ...empty, input: now.input };
    const pin = now && now.token !== null && { token: now.token, side: now.side };
    return [
      same(now || empty, before) ? none() : now || empty,
      same(now, scene) ? none() : now,
      same(pin || null, sentence) ? none() : pin || null,
      now ? now.input : null,
    ];
  }

  /** Mirror the stores in the address: a new history entry when another head opens, else in place. */
  function toUrl(viewData, colouring, selected, searched, panel, reading, viewpoint) {
    if (root.atlasNavigation.isLeaving()) return none();
    const url = new URL(window.location);
    const headBefore = `${url.searchParams.get("layer")}-${url.searchParams.get("head")}`;
    const set = (name, value) =>
      value === null || value === undefined || value === "" ? url.searchParams.delete(name) : url.searchParams.set(name, value);
    for (const name of ["atlas", "stream", "method", "dims", "layer", "head"]) set(name, viewData[name]);
    set("colour", colouring.colour);
    set("scale", viewData.scale === "atlas" ? null : viewData.scale);
    set("tab", panel && viewData.layer !== null && panel.tab !== "sentence" ? panel.tab : null);
    set("panel", panel && !panel.open ? "closed" : null);
    const chosen = selected && selected.token !== null && selected.token !== undefined;
    set("token", chosen ? selected.token : null);
    set("side", chosen ? selected.side : null);
    set("input", !chosen && selected && selected.input !== null ? selected.input : null);
    root.atlasSentence.toUrl(reading, selected, set);
    set("q", searched && searched.query);
    set("mode", searched && searched.query ? searched.mode : null);
    set("case", searched && searched.query && searched.case ? 1 : null);
    set("palette", colouring.palette === "safe" ? null : colouring.palette);
    set("bynorm", colouring.bynorm ? "on" : null);
    const head = viewData.layer === null ? null : { layer: viewData.layer, head: viewData.head };
    set("at", viewpoint && same(viewpoint.head, head) ? viewpoint.at : null);
    if (url.href !== window.location.href) {
      const headNow = `${url.searchParams.get("layer")}-${url.searchParams.get("head")}`;
      const first = !window.location.search;
      window.history[headNow !== headBefore && !first ? "pushState" : "replaceState"](null, "", url);
    }
    return url.search;
  }

  function openAtlas(atlas, stream, viewData, colouring) {
    if (atlas && (atlas !== viewData.atlas || stream !== viewData.stream)) {
      const url = new URL(window.location);
      url.search = "";
      for (const name of ["method", "dims"]) url.searchParams.set(name, viewData[name]);
      for (const name of ["colour", "palette"]) url.searchParams.set(name, colouring[name]);
      url.searchParams.set("atlas", atlas);
      if (atlas === viewData.atlas) url.searchParams.set("stream", stream);
      window.location.assign(url);
    }
    return none();
  }

  async function copyLink() {
    try {
      await navigator.clipboard.writeText(window.location.href);
      return "Link copied";
    } catch {
      window.prompt("Copy this link", window.location.href);
      return "Copy a link to this view";
    }
  }

  function status(state) {
    if (!state) return "";
    if (state.message) return state.message;
    return state.loaded < 1 ? `Loading ${Math.round(100 * state.loaded)} %` : "";
  }

  root.atlas = {
    view, selection, toUrl, openAtlas, copyLink, status,
    back: () => null,
    theme: (name) => [name || "light", name || "light"],
    /** Start with the stored theme or the system's; the button turns it. */
    switchTheme: (clicks, current) => {
      const turned = clicks && triggered().some((id) => id.startsWith("theme-button"));
      const next = turned ? (current === "dark" ? "light" : "dark") : window.atlasTheme();
      if (clicks) window.localStorage.setItem("atlas-theme", next);
      document.documentElement.setAttribute("data-bs-theme", next);
      return next;
    },
  };
})();
