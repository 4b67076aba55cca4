/* How a page learns of jobs without asking again and again: it looks when it is looked at again, and when the answer
 * to whatever it asked carries another stamp than the one before (components/server/job_stamp.py). */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const HEADER = "X-Atlas-Jobs";
  const PAUSE = 1000; // ms between two looks, however often the window gets the focus
  /** @type {string | null} */
  let stamp = null;
  let last = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | null} */
  let planned = null;

  /** Ask the server once, now or as soon as the pause is over. */
  function look() {
    if (planned !== null || !document.getElementById("build-banner")) return;
    planned = setTimeout(() => {
      planned = null;
      last = performance.now();
      root.set_props("looked", { data: Date.now() });
    }, Math.max(0, last + PAUSE - performance.now()));
  }

  /** @param {RequestInit | undefined} init */
  const isLook = (init) => typeof init?.body === "string" && init.body.includes("build-banner.children");

  /** A poll that failed would never be answered with "once more": let its Interval tick until one is answered.
   * @param {RequestInit | undefined} init */
  function revive(init) {
    const from = typeof init?.body === "string" && init.body.match(/"changedPropIds":\["([\w-]+)\.n_intervals"\]/);
    if (from) root.set_props(from[1], { max_intervals: -1 });
  }

  const plain = window.fetch;
  window.fetch = async (input, init) => {
    let response;
    try {
      response = await plain(input, init);
    } catch (error) {
      revive(init);
      throw error;
    }
    if (response.status >= 500) revive(init);
    const now = response.headers.get(HEADER);
    if (now !== null && now !== stamp) {
      if (stamp !== null && !isLook(init)) look();
      stamp = now;
    }
    return response;
  };

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") look();
  });
  window.addEventListener("focus", look);

  root.atlasJobs = {
    /** The waiting page renders itself anew when something has begun or ended. @param {unknown} _jobs @param {number} ticks */
    lookAtWaiting: (_jobs, ticks) => (ticks || 0) + 1,
  };
})();
