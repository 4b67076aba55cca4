/**
 * Sets of points as one short text, the same in the store, in the link and in the request to the server
 * (`services/token_sets.py` reads it): parts joined by "~".
 *
 *   m.<layer>.<head>.<projection>.<base64url float32>   points inside a polygon, in the unit square of a head's cell
 *                                                       (y upwards); in 3D yaw and pitch come before the vertices
 *   r.…                                                 the same, in a frame that holds every point of the head
 *   p.<base64url varints>                               single points: ascending ids, each as the step from the last
 *   x.<base64url varints>                               points taken out again
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @type {Atlas.ClientScripts["layers"]} */
  const { numberOf } = globalThis.atlas_client?.layers || require("../client/layers.js");

  const { vertices: MOST_VERTICES, points: MOST_POINTS, regions: MOST_REGIONS, text: MOST_TEXT } = globalThis.atlasTables.sets;

  /** @param {Uint8Array|number[]} bytes */
  const toBase64 = (bytes) =>
    btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  /** @param {string} text */
  function fromBase64(text) {
    const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
  }

  /** @param {number[]} ids @returns {string} base64url of ascending steps, seven bits a byte, low bits first */
  function encodeIds(ids) {
    const bytes = [];
    let last = 0;
    for (const id of [...new Set(ids)].sort((a, b) => a - b)) {
      let step = id - last;
      last = id;
      while (step > 127) {
        bytes.push((step & 127) | 128);
        step = Math.floor(step / 128);
      }
      bytes.push(step);
    }
    return toBase64(bytes);
  }

  /** @param {string} text */
  function decodeIds(text) {
    const ids = [];
    let last = 0;
    let step = 0;
    let shift = 1;
    for (const byte of fromBase64(text)) {
      step += (byte & 127) * shift;
      shift *= 128;
      if (byte & 128) continue;
      last += step;
      ids.push(last);
      step = 0;
      shift = 1;
    }
    return ids;
  }

  /** @param {number[]} numbers */
  const encodeFloats = (numbers) => toBase64(new Uint8Array(Float32Array.from(numbers).buffer));

  /** Twice the area of the triangle at a vertex: what is lost when the vertex goes.
   * @param {Atlas.Point} a @param {Atlas.Point} b @param {Atlas.Point} c */
  const areaAt = (a, b, c) => Math.abs((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y));

  /**
   * A closed polygon with at most `most` vertices: the one that changes the shape least goes first
   * (Visvalingam and Whyatt 1993).
   * @param {Atlas.Point[]} vertices @param {number} [most]
   */
  function simplify(vertices, most = MOST_VERTICES) {
    const kept = vertices.slice();
    while (kept.length > most) {
      let best = 0;
      let least = Infinity;
      for (let i = 0; i < kept.length; i++) {
        const area = areaAt(kept[(i + kept.length - 1) % kept.length], kept[i], kept[(i + 1) % kept.length]);
        if (area < least) [best, least] = [i, area];
      }
      kept.splice(best, 1);
    }
    return kept;
  }

  /**
   * Points inside a polygon.
   * @param {Atlas.Head & {projection: string, frame?: Atlas.FrameName, turn: Atlas.Turn|null}} place
   * @param {Atlas.Point[]} vertices  in the unit square
   */
  function region(place, vertices) {
    const few = simplify(vertices);
    const turn = place.turn ? [place.turn.yaw, place.turn.pitch] : [];
    const numbers = [...turn, ...few.flatMap(({ x, y }) => [x, y])];
    return `${place.frame === "all" ? "r" : "m"}.${numberOf(place.layer)}.${place.head}.${place.projection}.${encodeFloats(numbers)}`;
  }

  /** @param {string} definition */
  const parts = (definition) => (definition ? definition.split("~") : []);

  /** @param {string} definition @param {string} kind  "p" or "x" */
  function idsOf(definition, kind) {
    const part = parts(definition).find((text) => text.startsWith(`${kind}.`));
    return part ? decodeIds(part.slice(2)) : [];
  }

  /** Regions, then single points, then points taken out; empty lists are left out.
   * @param {string[]} regions @param {number[]} points @param {number[]} out */
  function compose(regions, points, out) {
    const made = [...regions];
    if (points.length) made.push(`p.${encodeIds(points)}`);
    if (regions.length && out.length) made.push(`x.${encodeIds(out)}`);
    return made.join("~");
  }

  /** @param {string} definition */
  const regionsOf = (definition) => parts(definition).filter((part) => /^[rm]\./.test(part));

  /** A set with one more region; the oldest region gives way when there are too many.
   * @param {string} definition @param {string} made */
  function addRegion(definition, made) {
    return compose([...regionsOf(definition), made].slice(-MOST_REGIONS), idsOf(definition, "p"), []);
  }

  /** A set with a point put in or, if it is in, taken out.
   * @param {string} definition @param {number} point @param {boolean} isIn */
  function toggle(definition, point, isIn) {
    const points = idsOf(definition, "p").filter((id) => id !== point);
    const out = idsOf(definition, "x").filter((id) => id !== point);
    if (isIn) out.push(point);
    else points.push(point);
    return compose(regionsOf(definition), points, out);
  }

  /** @param {number[]} points */
  const ofPoints = (points) => compose([], points.slice(0, MOST_POINTS), []);
  /** @param {string} definition  short enough for a link? */
  const fits = (definition) => definition.length <= MOST_TEXT && ["p", "x"].every((kind) => idsOf(definition, kind).length <= MOST_POINTS);

  const api = {
    MOST_VERTICES, MOST_POINTS, MOST_REGIONS, encodeIds, decodeIds, encodeFloats, fromBase64, simplify, region, parts,
    idsOf, addRegion, toggle, ofPoints, fits,
  };
  atlas.sets = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
