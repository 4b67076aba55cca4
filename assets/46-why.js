/* The tab Why: which pair is explained. A pair is a chosen token and another one; whoever lets one choose a pair chooses
   the token by the ways of everybody (20-choose.js, 42-probe.js) and writes the other one here. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggered } = window.atlasCallback;
  const { known, token: choose } = window.atlasChoose;
  const plain = () => window.atlasTables.pages.atlas.stores.pair.default;

  /**
   * The one writer of the store: a pair picked in the sentence, or by the fields of the tab; forgotten with its token.
   * @param {{query: number, key: number, first: number, open: boolean}|null} picked
   * @param {string|null} query @param {string|null} key  places within the input, as the fields have them
   * @param {Atlas.Selection} selection @param {{reads: string, token: number|null, side: string}|null} probe
   * @param {{input: number|null, query: number, key: number, first: number}|null} shown  what the tab explains
   * @param {{reads: string, token: number|null, side: string, other: number|null}} before
   */
  function pair(picked, query, key, selection, probe, shown, before) {
    const from = triggered();
    const reads = probe?.reads || "";
    let now = before;
    if (from.includes("sentence.pairPicked") && picked) {
      now = taken(picked.query, picked.key, picked.first, selection?.input, reads);
      if (picked.open) root.set_props("panel-tab", { value: "why" });
    } else if (from.some((name) => name.startsWith("why-")) && isOther(shown, query, key)) {
      // Fields that follow another choice come together with it, and then say what is shown.
      now = taken(Number(query), Number(key), shown.first, shown.input, reads);
    } else if (known(before.other)) {
      const { token, side } = reads ? probe : selection || {};
      if (before.reads !== reads || before.token !== token || before.side !== side) now = plain();
    }
    return same(now, before) ? none() : now;
  }

  const isOther = (shown, query, key) =>
    Boolean(shown && query && key) && (Number(query) !== shown.query || Number(key) !== shown.key);

  /** Choose a query, and say which key it is a pair with. */
  function taken(query, key, first, input, reads) {
    if (reads) window.atlasProbe.pin(query, "query");
    else choose({ input, token: first + query, side: "query" });
    return { reads, token: reads ? query : first + query, side: "query", other: key };
  }

  /** A cell of a CSV file; what a spreadsheet would take for a formula gets an apostrophe, as in the server's files. */
  function cell(text) {
    const safe = /^[\s]*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  /**
   * Every table and sentence of the tab as it stands, numbers in full: section, name, value, what is said of it.
   * @param {string[]} source  sentences on where it is from
   */
  function csv(source) {
    const tab = document.getElementById("tab-why");
    const rows = [["section", "name", "value", "note"], ...source.map((line) => ["source", "", "", line])];
    let [section, nothing] = ["", true];
    for (const one of tab.querySelectorAll("h2, h3, summary, tr, p, li")) {
      if (one.closest("[hidden], .d-none")) continue;
      const text = one.textContent.trim();
      if (one.matches("h2, h3, summary")) section = text;
      else if (one.matches("tr")) {
        const value = one.querySelector("[data-value]")?.getAttribute("data-value") ?? "";
        const says = [...one.querySelectorAll("small")].map((small) => small.textContent.trim()).join(" ");
        const name = one.querySelector("th span")?.textContent ?? one.querySelector("th")?.textContent ?? "";
        if (value || says) rows.push([section, name.trim(), value, says]);
        nothing = false;
      } else if (text) rows.push([section, "", "", text]);
    }
    if (nothing) throw new Error("Choose a token and look at the tab Why first: what it says is taken along.");
    return new Blob([`\ufeff${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`], { type: "text/csv" });
  }

  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    /** @type {HTMLButtonElement|null} */
    const button = event.target.closest && event.target.closest(".why-head");
    if (button) window.atlasChoose.head({ layer: Number(button.dataset.layer), head: Number(button.dataset.head) });
  });

  /**
   * Whether the server must be asked what the tab shows: only while it is looked at.
   * @param {...any} parts  what it depends on, then the panel's state and the count of askings so far
   */
  const seen = (...parts) => (parts.at(-2)?.tab === "why" ? (parts.at(-1) || 0) + 1 : none());

  root.atlasWhy = { pair, seen };
  window.atlasWhy = { csv };
})();
