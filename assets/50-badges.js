/* Fidelity on the matrix: the badge of each head and the order of heads. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { measures } = window.atlasTables;
  const known = new Map(); // address → promise of the answer: it never changes

  function report(url) {
    if (!known.has(url)) {
      const asked = fetch(url).then((response) => {
        if (!response.ok) throw new Error(`${response.status}`);
        return response.json();
      });
      asked.catch(() => known.delete(url));
      if (known.size > 8) known.delete(known.keys().next().value);
      known.set(url, asked);
    }
    return known.get(url);
  }

  /** 0 for a map that says nothing, 1 for the best there is. */
  const score = (measure, value) => Math.min(1, Math.max(0, (value - measure.zero) / (measure.best - measure.zero)));

  const text = (measure, value) =>
    measure.share ? `${Math.round(100 * value)} %` : value.toFixed(2).replace("-", "−");

  /** @returns {Object|null} {"L-H": {text, grade, title}} */
  function badgesOf(map, measure, heads) {
    const values = map && measure && map.measures[measure.name];
    if (!values) return null;
    return Object.fromEntries(values.map((value, cell) => {
      const name = `${Math.floor(cell / heads)}-${cell % heads}`;
      const why = ((map.reasons[name] || {})[measure.name]) || "";
      const first = value === null ? `${measure.label}: not defined. ${why}` : `${measure.label}: ${text(measure, value)}`;
      const warnings = (map.notes[name] || []).length;
      const title = warnings ? `${first} · ${warnings === 1 ? "a warning" : `${warnings} warnings`} in the Head tab` : first;
      return [name, { text: value === null ? "n/a" : text(measure, value), grade: value === null ? null : score(measure, value), title }];
    }));
  }

  /** @returns {number[]|null} cells, best first, undefined ones last */
  function orderOf(map, measure) {
    const values = map && measure && map.measures[measure.name];
    if (!values) return null;
    const rank = (value) => (value === null ? -Infinity : (measure.best > measure.zero ? value : -value));
    return values.map((_, cell) => cell).sort((a, b) => {
      const [x, y] = [rank(values[a]), rank(values[b])];
      return x === y ? a - b : y - x;
    });
  }

  async function badges(catalogue, { badge, order }, projection, concentration, payload) {
    // While someone searches, what matters of a head is how closely it keeps the hits together.
    const hits = concentration && payload ? root.find.onCells(concentration.values, payload.heads) : null;
    const shown = (measured) => (hits && badge !== "none" ? hits.badges : measured);
    const sorted = (measured) => (order === "search" ? hits && hits.order : measured);
    if (!catalogue || !catalogue.heads || !payload || !projection) return [shown(null), sorted(null), ""];
    let all;
    try {
      all = await report(`${payload.base}/${catalogue.heads}`);
    } catch {
      return [shown(null), sorted(null), "The measures of this map could not be loaded."];
    }
    const find = (name) => measures.find((measure) => measure.name === name);
    const map = all.maps[projection.name];
    const note = map ? "" : "This map has not been measured yet.";
    return [shown(badgesOf(map, find(badge), payload.heads)), sorted(orderOf(map, find(order))), note];
  }

  root.atlasBadges = { badges, badgesOf, orderOf };
})();
