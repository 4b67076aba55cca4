/* Head measures on the matrix: the badge of each head and the order of heads. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { measures } = window.atlasTables;
  /** How full a bar is, 0 … 1: from nothing to the best there is, else from the lowest head to the highest. */
  function score(measure, value, values) {
    const known = values.filter((one) => one !== null);
    const open = measure.best === null;
    const [zero, best] = open ? [Math.min(...known), Math.max(...known)] : [measure.zero, measure.best];
    return best === zero ? 0 : Math.min(1, Math.max(0, (value - zero) / (best - zero)));
  }

  const text = ({ form }, value) =>
    `${(form.factor * value).toFixed(form.digits)}${form.unit}`.replace("-", "−");

  /** What is known of a measure: of the heads themselves, or on a map. @returns {Object|undefined} */
  const known = (all, map, measure) => measure && (measure.scope === "head" ? all.heads : all.maps[map]);

  /** What stands beside a value: even attention, random weights, and the ends of its interval over inputs. */
  function besideOf(found, measure, cell) {
    const beside = found.beside && found.beside[measure.name];
    if (!beside || beside.base[cell] === null) return "";
    const [low, high] = [beside.low[cell], beside.high[cell]];
    const interval = low === null ? "" : `, 95 % interval ${text(measure, low)} to ${text(measure, high)}`;
    const chance = beside.untrained?.[cell] ?? null;
    const random = chance === null ? "" : `, random weights ${chance > -1 ? text(measure, chance) : "far below 0"}`;
    return ` (even attention ${text(measure, beside.base[cell])}${random}${interval})`;
  }

  /** @returns {Object|null} {"L-H": {text, grade, title}} */
  function badgesOf(found, measure, heads, notes = {}, names = {}) {
    const values = found && measure && found.measures[measure.name];
    if (!values) return null;
    return Object.fromEntries(values.map((value, cell) => {
      const name = `${Math.floor(cell / heads)}-${cell % heads}`;
      const why = ((found.reasons[name] || {})[measure.name]) || "";
      const first = value === null ? `${measure.label}: not defined. ${why}` : `${measure.label}: ${text(measure, value)}${besideOf(found, measure, cell)}`;
      const called = names[name] ? `${names[name].join(", ")} · ${first}` : first;
      const warnings = (notes[name] || []).length;
      const title = warnings ? `${called} · ${warnings === 1 ? "a warning" : `${warnings} warnings`} in the Head tab` : called;
      const shown = value === null ? { text: "n/a", grade: null } : { text: text(measure, value), grade: score(measure, value, values) };
      return [name, { ...shown, title }];
    }));
  }

  /** @returns {number[]|null} cells, best first (where none is better, the highest), undefined ones last */
  function orderOf(found, measure) {
    const values = found && measure && found.measures[measure.name];
    if (!values) return null;
    const lowest = measure.best !== null && measure.best < measure.zero;
    const rank = (value) => (value === null ? -Infinity : (lowest ? -value : value));
    return values.map((_, cell) => cell).sort((a, b) => {
      const [x, y] = [rank(values[a]), rank(values[b])];
      return x === y ? a - b : y - x;
    });
  }

  /** An order, or the cells in theirs, of which only those of a set are left. @returns {number[]|null} */
  function within(set, order, payload) {
    if (!set || !set.cells || !payload) return order;
    const some = new Set(window.atlas_client.headSets.cellsOf(set.cells, payload));
    if (!some.size) return order;
    return (order || [...some]).filter((cell) => some.has(cell));
  }

  async function badges(catalogue, picture, projection, concentration, set, payload) {
    const [shown, order, note] = await whole(catalogue, picture, projection, concentration, payload);
    return [shown, within(set, order, payload), note];
  }

  async function whole(catalogue, { badge, order }, projection, concentration, payload) {
    // While someone searches or has a set, what matters of a head is how closely it keeps those together.
    const hits = concentration && payload ? root.find.onCells(concentration, payload.heads) : null;
    const shown = (measured) => (hits && badge !== "none" ? hits.badges : measured);
    const sorted = (measured) => (order === "search" ? hits && hits.order : measured);
    if (!catalogue || !catalogue.heads || !payload || !projection) return [shown(null), sorted(null), ""];
    let all;
    try {
      all = await window.atlas_client.fetches.json(`${payload.base}/${catalogue.heads}`);
    } catch {
      return [shown(null), sorted(null), "The measures of this map could not be loaded."];
    }
    const find = (name) => measures.find((measure) => measure.name === name);
    const [one, two] = [find(badge === "judged" ? projection.judged : badge), find(order)];
    const map = projection.name;
    const { notes } = all.maps[map] || {};
    const waits = [one, two].some((measure) => measure && measure.scope !== "head") && !all.maps[map];
    return [
      shown(badgesOf(known(all, map, one), one, payload.heads, notes, all.heads.names)),
      sorted(orderOf(known(all, map, two), two)),
      waits ? "Not measured yet." : "",
    ];
  }

  /** The chip of a set of heads: how many, where they were chosen, and how to leave it. */
  function setChip(set, view, payload) {
    const cells = set && set.cells && payload ? window.atlas_client.headSets.cellsOf(set.cells, payload) : [];
    const all = payload ? payload.layers * payload.heads : 0;
    const finder = { atlas: view.atlas, stream: view.stream, set: cells.length ? set.cells : "" };
    return [
      cells.length ? `${cells.length} of ${all} heads` : "",
      cells.length ? "head-set" : "head-set d-none",
      window.atlasLink.address("heads", { heads: finder }),
    ];
  }

  root.atlasBadges = { badges, badgesOf, orderOf, setChip, leaveSet: () => ({ cells: "" }) };
})();
