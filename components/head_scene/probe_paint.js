/** Paints the tokens of probes: ringed marks that stand out from the points of the corpus, each probe with its own ring. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** CSS px: radius of a mark in an open head, and in a cell of the matrix by its size. */
  const RADIUS = 6;
  /** CSS px of a patch of an image in an open head. */
  const PATCH = 16;
  /** Marks that are drawn with a ring each. */
  const MOST_RINGED = 8000;
  const SMALL = { least: 1.5, most: 4.5, part: 0.022 };

  /** @param {Atlas.OverlayState} state */
  const radiusOf = (state) => (state.open >= 0 && state.openness > 0.5
    ? RADIUS : Math.max(SMALL.least, Math.min(SMALL.most, SMALL.part * state.cell)));

  /** @param {CanvasRenderingContext2D} c @param {Atlas.ProbeMark} mark @param {number} radius */
  function outline(c, { x, y, side }, radius) {
    c.beginPath();
    if (side === "query") {
      c.arc(x, y, radius, 0, 2 * Math.PI);
      return;
    }
    const half = radius * 1.15;
    c.moveTo(x, y - half * 1.1);
    c.lineTo(x + half, y + half * 0.8);
    c.lineTo(x - half, y + half * 0.8);
    c.closePath();
  }

  /** The ring of a probe: the colour of text for the first, then one each. @param {Atlas.OverlayState} state @param {number} number */
  const ringOf = ({ colours }, number) => (number === 0 ? colours.text : colours[/** @type {"probe2"|"probe3"|"probe4"} */ (`probe${number + 1}`)]);

  /** What is read lies on top, the pinned token above all. @param {Atlas.ProbeMark} mark */
  const rank = ({ read, pinned }) => Number(read) + 2 * Number(pinned);

  /** More than can be ringed: a dot each, in the colour of its side; of several probes in that of its ring.
   * @param {CanvasRenderingContext2D} c @param {Atlas.OverlayState} state @param {Atlas.ProbeMark[]} marks */
  function drawDots(c, state, marks) {
    const several = marks.some(({ number }) => number > 0);
    const { queryText, keyText } = state.colours;
    for (const { x, y, side, number } of marks) {
      c.fillStyle = several ? ringOf(state, number) : side === "query" ? queryText : keyText;
      c.fillRect(x - 1, y - 1, 2, 2);
    }
  }

  /** A patch of an image as itself where there is room, else a dot; framed by side, and by the probe's ring.
   * @param {CanvasRenderingContext2D} c @param {Atlas.OverlayState} state @param {Atlas.ProbeMark} mark
   * @param {Atlas.ProbePatch} patch @param {Set<string>} room  places that are taken */
  function drawPatch(c, state, { x, y, side, number }, patch, room) {
    const place = `${Math.round(x / PATCH)},${Math.round(y / PATCH)}`;
    const half = room.has(place) ? 1.5 : PATCH / 2;
    const box = /** @type {const} */ ([x - half, y - half, 2 * half, 2 * half]);
    c.fillStyle = ringOf(state, number);
    c.fillRect(box[0] - 2.5, box[1] - 2.5, box[2] + 5, box[3] + 5);
    c.fillStyle = side === "query" ? state.colours.queryText : state.colours.keyText;
    c.fillRect(box[0] - 1.5, box[1] - 1.5, box[2] + 3, box[3] + 3);
    if (room.has(place)) return;
    room.add(place);
    c.drawImage(patch.image, patch.x, patch.y, patch.width, patch.height, ...box);
  }

  /** @param {Atlas.OverlayPainter} painter @param {Atlas.OverlayState} state */
  function drawProbes({ context: c }, state) {
    const { colours, probes } = state;
    const radius = radiusOf(state);
    const small = radius < RADIUS;
    c.lineJoin = "round";
    const sorted = [...probes].sort((a, b) => rank(a) - rank(b));
    if (probes.length > MOST_RINGED || (small && sorted.some(({ patch }) => patch))) {
      drawDots(c, state, sorted);
      return;
    }
    const room = new Set();
    for (const mark of sorted) {
      if (mark.patch && !mark.pinned) {
        drawPatch(c, state, mark, mark.patch, room);
        continue;
      }
      outline(c, mark, radius + (mark.pinned ? 3 : 0));
      c.globalAlpha = mark.outside ? 0.55 : 1;
      c.lineWidth = small ? 1.2 + 0.4 * radius : 5.5;
      c.strokeStyle = colours.canvas;
      c.stroke();
      c.lineWidth = small ? 0.5 + 0.15 * radius : mark.pinned ? 3.6 : 2.4;
      c.strokeStyle = ringOf(state, mark.number);
      c.stroke();
      c.fillStyle = mark.side === "query" ? colours.queryText : colours.keyText;
      c.fill();
    }
    c.globalAlpha = 1;
  }

  /** What the marks of an open head are called; where there are several probes, by their letters too.
   * @param {Atlas.ProbeMark[]} marks @returns {Atlas.Label[]} the pinned one first, then those that are read */
  function probeLabels(marks) {
    const several = marks.some(({ number }) => number > 0);
    // Patches show what they are.
    const named = marks.filter(({ patch, pinned }) => !patch || pinned);
    const order = named.sort((a, b) => rank(b) - rank(a));
    return order.map(({ x, y, side, text, letter }) => ({ slot: -1, x: x + 4, y, side, text: several ? `${letter}: ${text.trim()}` : text }));
  }

  const api = { drawProbes, probeLabels, radiusOf };
  atlas.probePaint = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
