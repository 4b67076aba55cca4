/* Fewer questions on Dash's page. Dash asks each of its components, some hundreds, whether it has changed whenever its
   store was told anything: that a callback waits, runs, is done, that a component has appeared (one telling for each), in
   all over a thousand times while the first page opens. What lies on the page is in the store's `layout`; as long as that
   and the like stay as they are, asking once at the end of the running task is enough, and after nothing, not at all. */
(() => {
  "use strict";
  /** Parts of Dash's store that no component must follow within the task: bookkeeping of callbacks and places. */
  const LATER = new Set(["callbackJobs", "callbacks", "changed", "isLoading", "layoutHashes", "loading", "paths", "profile"]);

  const fewer = (store) => {
    const subscribe = store.subscribe;
    store.subscribe = function rarely(listener) {
      let seen = store.getState();
      let waits = false;
      let gone = false;
      const tell = () => {
        waits = false;
        if (!gone) listener();
      };
      const leave = subscribe(() => {
        const now = store.getState();
        if (now === seen) return;
        const changed = Object.keys(now).filter((part) => now[part] !== seen[part]);
        seen = now;
        if (changed.some((part) => !LATER.has(part))) tell();
        else if (changed.length && !waits) {
          waits = true;
          queueMicrotask(() => waits && tell());
        }
      });
      return () => {
        gone = true;
        leave();
      };
    };
  };

  // Dash's store comes once, by push, before anything on the page listens to it.
  const stores = (window.dash_stores ??= []);
  const push = stores.push.bind(stores);
  stores.push = (...added) => {
    added.forEach(fewer);
    return push(...added);
  };
})();
