/* What a pointer or a key press means. Pure functions from (what is there, what happened) to what to do; the view
   applies the answer. */
(function () {
  "use strict";
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  /** Which token's lines are shown, and which pair stands out.
   * @param {{side: string, query: number|null, key: number|null}|null} hover
   * @param {{side: "query"|"key", index: number}|null} pinned
   * @returns {{focus: {side: string, index: number}|null, pair: {query: number, key: number}|null}} */
  function focusOf(hover, pinned) {
    if (!hover) return { focus: pinned, pair: null };
    if (hover.side === "pair") {
      const ofPinned = pinned && hover[pinned.side] === pinned.index;
      return { focus: ofPinned ? pinned : null, pair: { query: hover.query, key: hover.key } };
    }
    const index = hover[hover.side];
    if (pinned && pinned.side !== hover.side) {
      const pair = hover.side === "key" ? { query: pinned.index, key: index } : { query: index, key: pinned.index };
      return { focus: pinned, pair };
    }
    return { focus: { side: hover.side, index }, pair: null };
  }

  /** The token that the hide button and the key `h` act on. */
  function target(hover, pinned) {
    if (hover && hover.side !== "pair") return { side: hover.side, index: hover[hover.side] };
    return hover ? null : pinned;
  }

  /** Where an arrow key leads.
   * @param {string} key name of the key
   * @param {{side: string, query: number|null, key: number|null}|null} at the present cursor, as `hover`
   * @param {{mode: string, queries: number, keys: number, start: {side: string, index: number}}} where
   * @returns {{side: string, query: number|null, key: number|null}|null} the new cursor; null: not a movement */
  function move(key, at, where) {
    const counts = { query: where.queries, key: where.keys };
    const make = (side, index) => ({
      side,
      query: side === "query" ? index : null,
      key: side === "key" ? index : null,
    });
    const jump = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[key];
    if (where.mode === "heatmap") {
      const across = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (jump === undefined && across === undefined) return null;
      const on = (side) => (where.start.side === side ? where.start.index : 0);
      if (!at) return { side: "pair", query: on("query"), key: on("key") };
      return {
        side: "pair",
        query: clamp((at.query ?? 0) + (jump ?? 0), 0, counts.query - 1),
        key: clamp((at.key ?? 0) + (across ?? 0), 0, counts.key - 1),
      };
    }
    const side = at && at.side !== "pair" ? at.side : where.start.side;
    const index = at && at.side !== "pair" ? at[side] : where.start.index;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const to = key === "ArrowLeft" ? "query" : "key";
      return make(to, clamp(index, 0, counts[to] - 1));
    }
    if (jump === undefined) return null;
    return make(side, at ? clamp(index + jump, 0, counts[side] - 1) : clamp(index, 0, counts[side] - 1));
  }

  /** `hidden` with one token hidden or shown; lists stay sorted, unknown entries are kept. */
  function toggleHidden(hidden, side, index) {
    const name = side === "query" ? "queries" : "keys";
    const now = { queries: [...((hidden && hidden.queries) || [])], keys: [...((hidden && hidden.keys) || [])] };
    const at = now[name].indexOf(index);
    if (at >= 0) now[name].splice(at, 1);
    else now[name] = [...now[name], index].sort((a, b) => a - b);
    return now;
  }

  /** At most one call in `wait` ms, the last value never lost, equal values not repeated. */
  function throttle(call, wait, now = () => Date.now(), later = setTimeout, drop = clearTimeout) {
    let last = -Infinity;
    let timer = null;
    let said = JSON.stringify(null);
    let next = null;
    const send = () => {
      timer = null;
      const text = JSON.stringify(next);
      if (text === said) return;
      said = text;
      last = now();
      call(next);
    };
    const throttled = (value) => {
      next = value;
      if (timer === null) {
        const rest = last + wait - now();
        if (rest <= 0) send();
        else timer = later(send, rest);
      }
    };
    throttled.cancel = () => {
      if (timer !== null) drop(timer);
      timer = null;
    };
    return throttled;
  }

  const api = { focusOf, target, move, toggleHidden, throttle };
  if (typeof module === "object" && module.exports) module.exports = api;
  else Object.assign((window.atlas_sentence_view ??= {}), { interaction: api });
})();
