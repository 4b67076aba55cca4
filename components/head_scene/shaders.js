/**
 * GLSL of the scene. One vertex program places every point; `#define`s choose what a pass needs, so that the matrix
 * (small flat points, millions of them) pays for nothing else.
 *
 *   DEEP  three-dimensional heads: rotation, perspective, depth
 *   FINE  antialiased shapes: queries are discs, keys are triangles, so that colour is not the only difference
 *   PATCH squares with pictures from the sheet, in a border or under a tint of the point's colour
 *   BRUSH points whose flag is 0 are greyed, and left out where they would be lit
 *   HITS  vertices are a list of slots (highlights), not a chunk
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const POINT_VERTEX = `
precision highp float; precision highp int; precision highp usampler2D;
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 previous;
uniform int uPer, uSlot, uHead, uColumns, uHeadRows;
uniform bool uPlaced;
uniform ivec2 uPlace;
uniform vec2 uMiddle, uViewport;
uniform float uCell, uHalf, uMix, uSize, uAlpha, uMuted, uEye, uShrink, uBySize;
uniform vec3 uMutedColour;
uniform mat3 uRotation;
uniform float uOutside;
uniform usampler2D uIndex, uKind, uHits, uSizes, uPatch, uPlaces, uBrush;
uniform int uBrushRows;
uniform int uAcross, uMost;
uniform sampler2D uPalette;
flat out vec4 vColour;
flat out float vSize;
flat out float vKey;
flat out vec2 vPatch;
flat out float vMuted;
flat out vec2 vOutward;

void main() {
  // gl_VertexID starts at 0 in every call: the buffer is bound at the run's offset instead.
  int run = gl_VertexID / uPer;
  int slot = uSlot + gl_VertexID - run * uPer;
#ifdef HITS
  slot = int(texelFetch(uHits, ivec2(slot & 2047, slot >> 11), 0).r);
#endif
  int head = uHead + run;
  int at = uPlaced ? int(texelFetch(uPlaces, ivec2(head & 2047, head >> 11), 0).r) : head;
  ivec2 place = ivec2(at % uColumns, at / uColumns) - uPlace;
  vec3 p = mix(previous, position, uMix) * 2.0 - 1.0;
  float size = uSize, fog = 0.0, depth = 0.0;
  vec2 reach = abs(p.xy);
#ifdef DEEP
  bool outside = max(max(reach.x, reach.y), abs(p.z)) > uOutside;
  p = uRotation * p * uShrink;
  float near = uEye / (uEye - p.z);
  p.xy *= near;
  size *= near;
  depth = -p.z * 0.5;
  fog = clamp(0.30 - 0.32 * p.z, 0.0, 0.62);
#else
  bool outside = max(reach.x, reach.y) > uOutside;
#endif
  // On screen, y downwards as in gl_PointCoord: half a dot, cut where the way leads on.
  vOutward = outside ? normalize(vec2(p.x, -p.y) + 1e-6) : vec2(0.0);
  vec2 px = uMiddle + vec2(place) * uCell + vec2(p.x, -p.y) * uHalf;
  gl_Position = vec4(px.x / uViewport.x * 2.0 - 1.0, 1.0 - px.y / uViewport.y * 2.0, depth, 1.0);
  ivec2 texel = ivec2(slot & 2047, slot >> 11);
  // 0.375 to 1.625 times the usual size, as Yeh et al. 2023: radius 0.15 + 0.5 n beside a fixed 0.4.
  float part = float(texelFetch(uSizes, texel, 0).r & 127u) / 127.0;
  size *= mix(1.0, 0.375 + 1.25 * part, uBySize);
  uint index = texelFetch(uIndex, ivec2(texel.x, texel.y + head * uHeadRows), 0).r;
  vec3 colour = texelFetch(uPalette, ivec2(int(index), 0), 0).rgb;
  float muted = max(uMuted, fog), alpha = uAlpha;
#ifdef BRUSH
  bool stands = texelFetch(uBrush, ivec2(texel.x, texel.y + head * uBrushRows), 0).r > 0u;
  if (!stands) {
    muted = max(muted, 0.85);
    alpha *= 0.3;
#ifdef HITS
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
#elif defined(DEEP)
    gl_Position.z = 0.999; // behind all that stand out, which they would hide
#endif
  }
#endif
  colour = mix(colour, uMutedColour, muted);
  vColour = vec4(colour, alpha);
#ifdef PATCH
  int patch_ = int(texelFetch(uPatch, texel, 0).r);
  vPatch = vec2(patch_ % uAcross, patch_ / uAcross);
  vMuted = muted;
  vKey = 0.0;
  vSize = size;
  gl_PointSize = max(size, 1.0);
  // The first slots are a fair sample: the others would lie on top of them.
  if (slot >= uMost) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
#elif defined(FINE)
  vKey = float(texelFetch(uKind, texel, 0).r);
  vSize = size;
  gl_PointSize = size * (1.0 + 0.4 * vKey) + 2.0;
#else
  vKey = 0.0;
  vSize = size;
  gl_PointSize = max(size, 1.0);
#endif
}`;

  const POINT_FRAGMENT = `
precision highp float;
uniform vec4 uRim;
uniform float uRimWidth;
uniform sampler2D uSheet;
uniform vec2 uSheetCells;
uniform float uSheetCell, uBorder, uTint;
uniform vec3 uMutedColour;
flat in vec4 vColour;
flat in float vSize;
flat in float vKey;
flat in vec2 vPatch;
flat in float vMuted;
flat in vec2 vOutward;
out vec4 colour;

void main() {
#ifdef PATCH
  if (dot(gl_PointCoord - 0.5, vOutward) > 0.0) discard;
  // A border would be all there is of the smallest.
  float border = vSize < 9.0 ? 0.0 : uBorder * max(0.11, 1.5 / vSize);
  vec2 inside = min(gl_PointCoord, 1.0 - gl_PointCoord);
  vec2 at = clamp((gl_PointCoord - border) / (1.0 - 2.0 * border), 0.0, 1.0);
  vec2 texel = (vPatch * uSheetCell + 0.5 + at * (uSheetCell - 1.0)) / (uSheetCells * uSheetCell);
  vec3 picture = mix(texture(uSheet, texel).rgb, uMutedColour, vMuted);
  picture = mix(picture, vColour.rgb, uTint);
  bool rim = min(inside.x, inside.y) < border;
  float alpha = max(vColour.a, 1.0 - vMuted);
  colour = vec4((rim ? vColour.rgb : picture) * alpha, alpha);
#elif defined(FINE)
  vec2 d = (gl_PointCoord - 0.5) * (vSize * (1.0 + 0.4 * vKey) + 2.0);
  // A triangle a little smaller in area than the disc, as its corners reach further; its centroid on the point.
  float triangle = max(d.y, max(dot(d, vec2(0.8660254, -0.5)), dot(d, vec2(-0.8660254, -0.5)))) - vSize * 0.345;
  float edge = mix(length(d) - vSize * 0.5, triangle, vKey);
  float cover = clamp(0.5 - edge, 0.0, 1.0) * clamp(1.5 - length(vOutward) - dot(d, vOutward), 0.0, 1.0);
#ifdef DEEP
  if (cover < 0.4) discard;
#else
  if (cover <= 0.0) discard;
#endif
  float rim = uRim.a * clamp(0.5 + edge + uRimWidth, 0.0, 1.0) * step(0.001, uRimWidth);
  float alpha = cover * vColour.a;
  colour = vec4(mix(vColour.rgb, uRim.rgb, rim) * alpha, alpha);
#else
  colour = vec4(vColour.rgb * vColour.a, vColour.a);
#endif
}`;

  const SCREEN_VERTEX = `
layout(location = 0) in vec2 corner;
out vec2 place;
void main() {
  place = corner * 0.5 + 0.5;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

  /** Cells of a rectangle of places, two triangles each: a full-screen pass would cost software renderers five times as much. */
  const CELLS_VERTEX = `
precision highp float; precision highp int; precision highp usampler2D;
layout(location = 0) in vec2 corner;
uniform vec2 uOrigin, uViewport;
uniform float uCell;
uniform ivec2 uFirst;
uniform int uAcross, uColumns, uTilesAcross;
uniform bool uPlaced;
uniform usampler2D uCellAt;
out vec2 vInside;
flat out vec2 vTile;

void main() {
  int i = gl_VertexID / 6;
  ivec2 place = ivec2(i % uAcross, i / uAcross);
  int at = (place.y + uFirst.y) * uColumns + place.x + uFirst.x;
  int head = uPlaced ? int(texelFetch(uCellAt, ivec2(at & 2047, at >> 11), 0).r) - 1 : at;
  vec2 px = uOrigin + (vec2(place) + corner) * uCell;
  vInside = (corner - 0.5) * uCell;
  vTile = vec2(head % uTilesAcross, head / uTilesAcross);
  gl_Position = head < 0 ? vec4(2.0, 2.0, 0.0, 1.0) : vec4(px.x / uViewport.x * 2.0 - 1.0, 1.0 - px.y / uViewport.y * 2.0, 0.0, 1.0);
}`;

  /** The ground of a cell, and with THUMBNAILS its head's texels in it: density, and density times share of keys. */
  const CELLS_FRAGMENT = `
precision highp float;
uniform float uEdge, uRadius, uFill, uHalf, uSide, uAlpha;
uniform vec3 uCanvas, uCellColour, uQuery, uKey;
uniform vec2 uTexel;
uniform sampler2D uThumbnails;
in vec2 vInside;
flat in vec2 vTile;
out vec4 colour;

void main() {
  vec2 d = abs(vInside) - uEdge;
  float edge = length(max(d, 0.0)) + min(max(d.x, d.y), 0.0) - uRadius;
  vec3 ground = mix(uCanvas, uCellColour, max(clamp(0.5 - edge, 0.0, 1.0), uFill));
#ifdef THUMBNAILS
  // Half a texel from the next head's.
  vec2 at = clamp((vInside / uHalf * 0.5 + 0.5) * uSide, 0.5, uSide - 0.5);
  vec2 found = texture(uThumbnails, (vTile * uSide + at) * uTexel).rg;
  float within = step(max(abs(vInside.x), abs(vInside.y)), uHalf);
  float alpha = within * uAlpha * min(1.0, 1.15 * pow(found.x, 0.8));
  ground = mix(ground, mix(uQuery, uKey, found.y / max(found.x, 0.001)), alpha);
#endif
  colour = vec4(ground, 1.0);
}`;

  const COPY_FRAGMENT = `
precision highp float;
uniform sampler2D uLayer;
in vec2 place;
out vec4 colour;
void main() { colour = texture(uLayer, place); }`;

  /** @param {string} source @param {string[]} defines */
  const withDefines = (source, defines) =>
    `#version 300 es\n${defines.map((name) => `#define ${name}\n`).join("")}${source}`;

  const api = { POINT_VERTEX, POINT_FRAGMENT, SCREEN_VERTEX, CELLS_VERTEX, CELLS_FRAGMENT, COPY_FRAGMENT, withDefines };
  atlas.shaders = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
