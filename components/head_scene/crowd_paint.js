/** Paints what says of a crowd how it lies: its shade, the outline of hits, the names of groups. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { touches } = atlas.labels || require("./labels.js");

  /** Opacity of the shade where the crowd is densest. */
  const DARKEST = 0.2;
  /** px of the ground of a name */
  const HIGH = 17;

  /** @param {Atlas.OverlayPainter} painter @param {Atlas.OverlayState} state */
  function drawShade({ context: c }, { shade }) {
    if (!shade) return;
    c.globalAlpha = DARKEST;
    c.drawImage(shade.image, shade.x, shade.y, shade.width, shade.height);
    c.globalAlpha = 1;
  }

  /**
   * Pieces of line, on a ground of their own so that they can be seen on any colour.
   * @param {Atlas.OverlayPainter} painter @param {Atlas.OverlayState} state
   */
  function drawOutline({ context: c }, { outline, colours }) {
    if (!outline.length) return;
    c.lineCap = "round";
    for (const { colour, width } of [{ colour: colours.canvas, width: 4 }, { colour: colours.ring, width: 1.75 }]) {
      c.beginPath();
      for (let i = 0; i < outline.length; i += 4) {
        c.moveTo(outline[i], outline[i + 1]);
        c.lineTo(outline[i + 2], outline[i + 3]);
      }
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.stroke();
    }
  }

  /**
   * Names of groups where there is room, largest group first.
   * @param {Atlas.OverlayPainter} painter @param {Atlas.OverlayState} state
   * @returns {Atlas.Rectangle[]} the room they take
   */
  function drawGroups(painter, { groups, colours }) {
    const c = painter.context;
    /** @type {Atlas.Rectangle[]} */
    const taken = [];
    c.font = `600 12px ${painter.font}`;
    c.textBaseline = "middle";
    c.textAlign = "center";
    for (const { text, x, y } of groups) {
      const width = c.measureText(text).width + 10;
      const box = { x: x - width / 2, y: y - HIGH / 2, width, height: HIGH };
      if (box.x < 0 || box.y < 0 || box.x + width > painter.width || box.y + HIGH > painter.height) continue;
      if (taken.some((one) => touches(one, box))) continue;
      taken.push(box);
      c.globalAlpha = 0.8; // the points below stay to be seen
      c.fillStyle = colours.canvas;
      c.beginPath();
      c.roundRect(box.x, box.y, width, HIGH, HIGH / 2);
      c.fill();
      c.globalAlpha = 0.35;
      c.strokeStyle = colours.muted;
      c.lineWidth = 1;
      c.stroke();
      c.globalAlpha = 1;
      c.fillStyle = colours.text;
      c.fillText(text, x, y + 0.5);
    }
    return taken;
  }

  /** From where lit tokens were in the head before. @param {Atlas.OverlayPainter} painter @param {Atlas.OverlayState} state */
  function drawTrails({ context: c }, { trails, colours }) {
    if (!trails.length) return;
    c.beginPath();
    for (const { from, to } of trails) {
      c.moveTo(from.x, from.y);
      c.lineTo(to.x, to.y);
    }
    c.strokeStyle = colours.muted;
    c.lineWidth = 1;
    c.globalAlpha = 0.45;
    c.setLineDash([2, 3]);
    c.stroke();
    c.setLineDash([]);
    c.globalAlpha = 1;
  }

  const api = { drawTrails, drawShade, drawOutline, drawGroups };
  atlas.crowdPaint = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
