/* The address is the state: any part of the page mirrors its own parameters here, so that new state joins a link by one
   call and the parameters of others stay as they are. */
(() => {
  "use strict";
  /** @param {Object<string, string|number|null>} values  null or "" takes a parameter out */
  function mirror(values) {
    const url = new URL(window.location);
    if (window.dash_clientside.atlasNavigation.isLeaving()) return url.search; // it is of an address that has been left
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === undefined || value === "") url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    if (url.href !== window.location.href) window.history.replaceState(window.history.state, "", url);
    return url.search;
  }
  window.atlasLink = { mirror };
})();
