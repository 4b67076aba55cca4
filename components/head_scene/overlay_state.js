/** What lies over the points at this moment, described for the painter: labels, lines, rings, badges, and where. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const grid = atlas.grid || require("./grid.js");
  const { pointOfToken } = atlas.payload || require("./payload.js");
  const { probeLabels } = atlas.probePaint || require("./probe_paint.js");
  const { diameter } = atlas.frame || require("./frame.js");

  const MOST_CANDIDATES = 2500;

  /** What a cell is called: its head, or its own title. @param {Atlas.Grid} cells @param {Atlas.SceneProps} props @param {number} cell */
  function nameOf(cells, props, cell) {
    const title = (props.cellTitles || [])[cell];
    return title === undefined ? grid.cellName(cells, cell, props.payload?.numbers) : String(title);
  }

  /**
   * What a prop says of heads, {"L-H": value}, by cell.
   * @template Value, Made
   * @param {Atlas.Grid} cells @param {Record<string, Value>|null|undefined} values @param {(value: Value) => Made} made
   * @returns {Map<number, Made>}
   */
  function byCell(cells, values, made) {
    const found = new Map();
    for (const [name, value] of Object.entries(values || {})) {
      const [layer, head] = name.split("-").map(Number);
      found.set(layer * cells.heads + head, made(value));
    }
    return found;
  }

  /**
   * @typedef {{view: Atlas.View, data: Atlas.SceneData, places: Atlas.PointPlaces, props: Atlas.SceneProps}} Parts
   */

  /** @param {Parts} parts @param {Atlas.HeadView} headView @returns {Atlas.ScreenLine[]} */
  function linesOnScreen({ view, data, places }, headView) {
    const chosen = data.highlights.selectedSlot;
    return data.attention.lines.flatMap((line) => {
      const from = places.at(line.query, view.open, headView);
      const to = places.at(line.key, view.open, headView);
      return from && to ? [{ from, to, weight: line.weight, chosen: line.query === chosen || line.key === chosen }] : [];
    });
  }

  /** So many lit tokens are followed from the head before. */
  const MOST_TRAILS = 60;

  /**
   * Where lit tokens were, and are: as far as few enough are lit.
   * @param {Parts} parts @param {Atlas.HeadView} headView @param {number} before
   */
  function trailsFrom({ view, data, places }, headView, before) {
    const { slots } = data.highlights;
    if (before < 0 || before === view.open || slots.length > MOST_TRAILS) return [];
    return Array.from(slots).flatMap((slot) => {
      const [from, to] = [places.at(slot, before, headView), places.at(slot, view.open, headView)];
      return from && to ? [{ from, to }] : [];
    });
  }

  /** With a set and a search: where the hits inside the set are. @param {Parts} parts @param {Atlas.HeadView} headView */
  function hitsInSet({ view, data, places }, headView) {
    const { highlights } = data;
    if (!highlights.setSlots || !highlights.hits.length) return [];
    const inside = highlights.hits.filter((slot) => highlights.inSet(slot)).slice(0, MOST_CANDIDATES);
    return Array.from(inside, (slot) => places.at(slot, view.open, headView)).filter((place) => place !== null);
  }

  /** Slots that may be labelled, most important first; null for all of them in draw order. @param {Atlas.Highlights} highlights */
  function labelSlots({ selectedSlot: chosen, setSlots, inputSlots, hits, searchCount }) {
    const marks = setSlots || (inputSlots.length ? inputSlots : hits);
    if (!marks.length && !searchCount) return null;
    return chosen >= 0 ? [chosen, ...marks.filter((slot) => slot !== chosen)] : marks;
  }

  /** The slot that is pointed at elsewhere, or -1. @param {Parts} parts */
  function pointedSlot({ data, props: { pointed, payload } }) {
    const { slotOf } = data.points;
    return pointed && slotOf && payload ? slotOf[pointOfToken(pointed.side, pointed.row, payload.queries)] ?? -1 : -1;
  }

  /** @param {Parts} parts @param {Atlas.HeadView} headView @returns {Atlas.Label[]} */
  function labelCandidates(parts, headView) {
    const { view, data, places } = parts;
    const candidates = [];
    const { width, height } = view.size;
    const slots = labelSlots(data.highlights);
    const count = slots ? slots.length : data.points.count;
    const pointed = pointedSlot(parts);
    for (let i = pointed < 0 ? 0 : -1; i < count && candidates.length < MOST_CANDIDATES; i++) {
      const slot = i < 0 ? pointed : slots ? slots[i] : i;
      if (i >= 0 && !data.brush.keeps(slot, view.open)) continue;
      const at = places.at(slot, view.open, headView);
      if (!at || at.x < 0 || at.y < 0 || at.x > width || at.y > height) continue;
      const token = data.tokens.token(slot);
      if (token) candidates.push({ slot, text: token.text, side: token.side, x: at.x, y: at.y });
    }
    return candidates;
  }

  /** Tokens of probes, in the open head or in those of the matrix. @param {Parts} parts @returns {Atlas.ProbeMark[]} */
  function probeMarks({ view, data, places, props }) {
    if (props.average) return [];
    if (view.openness.value < 0.5) return data.probes.marksInMatrix(view);
    return view.isOpen ? data.probes.marks(view.open, places.headView()) : [];
  }

  /**
   * @param {Parts & {cursor: Atlas.Cursor, crowd: Atlas.Crowd, ghostCell: number, colours: Atlas.Colours, badges: Map<number, Atlas.Badge>,
   *   rings: () => Atlas.Ring[], moving: boolean, focused: boolean}} parts
   *   `moving`: points are on their way; `focused`: the scene has the keyboard
   * @returns {Atlas.OverlayState}
   */
  function makeOverlayState(parts) {
    const { view, data, places, props, cursor, crowd } = parts;
    const { selectedSlot } = data.highlights;
    const cells = view.grid;
    const origin = view.origin();
    const openness = view.openness.value;
    const lit = cursor.hoverCell >= 0 ? cursor.hoverCell : cursor.focusCell;
    const still = view.isOpen && openness > 0.98 && !parts.moving;
    const overPoints = still && !props.average;
    const headView = view.isOpen ? places.headView() : null;
    const probes = probeMarks(parts);
    const labelled = overPoints && headView && props.labels !== false && !data.sheet.facts;
    const quiet = data.highlights.active || probes.length > 0;
    const crowded = probes.length > 0 && !data.highlights.active;
    const reads = props.probes && props.probes.read >= 0;
    const hovered = cursor.hoverSlot >= 0 || !view.isOpen ? cursor.hoverSlot : pointedSlot(parts);
    return {
      grid: cells,
      originX: origin.x,
      originY: origin.y,
      cell: view.camera.value.scale,
      cells: view.runs(Infinity),
      single: view.isSingle,
      matrix: 1 - openness,
      colours: parts.colours,
      hoverCell: cursor.hoverCell,
      focusCell: parts.focused ? cursor.focusCell : -1,
      rings: still ? parts.rings() : [],
      lit: lit >= 0 ? grid.cellPlace(cells, lit) : { column: -1, row: -1 },
      notes: byCell(cells, props.cellNotes, String),
      nameOf: (cell) => nameOf(cells, props, cell),
      framed: props.markedCells || [],
      axes: !props.cellTitles,
      scrolls: view.scrolls,
      badges: parts.badges,
      diameter: diameter(view, data.points, props.pointSize),
      zoom: view.camera.value.scale / view.fittedScale,
      marked: data.highlights.slots.length > 0 || probes.length > 0,
      average: props.average ? data.attention.mean : null,
      averaging: Boolean(props.average),
      open: view.open,
      openness,
      lines: !overPoints || !headView ? [] : reads ? data.probes.linesBetween(probes) : linesOnScreen(parts, headView),
      hitsAt: overPoints && headView ? hitsInSet(parts, headView) : [],
      ringAt: view.isOpen && !props.average && selectedSlot >= 0 ? places.at(selectedSlot) : null,
      hoverAt: hovered >= 0 ? places.at(hovered) : null,
      // Beside probes only what is lit is labelled: a label of every point would bury theirs.
      labels: labelled ? [...probeLabels(probes), ...(crowded ? [] : labelCandidates(parts, headView))] : [],
      probes,
      groups: overPoints && props.groups && !quiet ? crowd.groups() : [],
      shade: overPoints && props.shade && !quiet && !data.sheet.facts ? crowd.shade(parts.colours.text) : null,
      trails: overPoints && headView ? trailsFrom(parts, headView, parts.ghostCell) : [],
      outline: overPoints && props.outline ? crowd.hitsOutline() : [],
    };
  }

  const api = { makeOverlayState, nameOf, byCell, labelSlots };
  atlas.overlayState = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
