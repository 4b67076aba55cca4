/* Clientside callbacks: small choices from controls and views into the shared stores, the URL, and back. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggered } = window.atlasCallback;
  const { theme: themes } = window.atlasTables;

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
    return [
      same(data, before) ? none() : data,
      map || none(),
      sprite || none(),
      shown === Number(dims) ? none() : shown,
      window.atlasStores.title(head),
      head ? "text-button" : "text-button d-none",
      head ? head.layer : none(),
      head ? head.head : none(),
      head ? "workspace at-head" : "workspace",
    ];
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
    view, copyLink, status,
    copyTheme: (name) => name || "light",
    theme: (name) => [name || "light", name || "light"],
    /** Start with the stored theme or the system's; the button turns it. */
    switchTheme: (clicks, current) => {
      const turned = clicks && triggered().some((id) => id.startsWith("theme-button"));
      const next = turned ? (current === "dark" ? "light" : "dark") : window.atlasTheme();
      if (clicks) window.localStorage.setItem(themes.key, next);
      document.documentElement.setAttribute("data-bs-theme", next);
      return next;
    },
  };
})();
