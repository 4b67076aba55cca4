/**
 * A payload so small that it can be read by eye, served over HTTP: 2 layers of 3 heads, 4 queries and 4 keys of one
 * table with two inputs of two tokens. Point p of head h lies at x = 1000 h + p, y = 500 + p.
 */
const http = require("node:http");

const LAYERS = 2;
const HEADS = 3;
const QUERIES = 4;
const POINTS = 2 * QUERIES;
const CHUNK = 5;
const THUMBNAIL = 2;
/** slot → point */
const ORDER = Uint32Array.of(6, 0, 3, 5, 1, 7, 2, 4);
const OFFSETS = Uint32Array.of(0, 2, 4);
const TOKENS = { text: ["the", "river", "a", "city"], input: [0, 0, 1, 1], position: [0, 1, 0, 1], length: [2, 2, 2, 2] };

const payloadAt = (base) => ({
  base, stream: "self", layers: LAYERS, heads: HEADS, queries: QUERIES, keys: QUERIES, chunk: CHUNK, size: { attribute: "norm", scope: "head" }, queryTable: "self",
  keyTable: "self", pageSize: 100,
});

const pointOf = (dims, head, point) => [1000 * head + point, 500 + point, 200].slice(0, dims);

/** Positions of consecutive heads in one chunk. */
function positions(chunk, dims, first = 0, heads = LAYERS * HEADS) {
  const slots = ORDER.subarray(chunk * CHUNK, (chunk + 1) * CHUNK);
  const cells = Array.from({ length: heads }, (_, i) => first + i);
  return Uint16Array.from(cells.flatMap((head) => Array.from(slots).flatMap((point) => pointOf(dims, head, point))));
}

/** Tokens whose text holds the query, a bit each. */
const maskOf = (query) => Uint8Array.of(TOKENS.text.reduce((mask, text, i) => mask | (text.includes(query) ? 1 << i : 0), 0));

/** Slots of a code of small steps. @param {string} code */
function listed(code) {
  let slot = -1;
  return [...Buffer.from(code, "base64url")].map((step) => (slot += step));
}

function answer(path, query, range) {
  const [kind, ...rest] = path;
  if (kind === "order") return ORDER;
  if (kind === "offsets") return OFFSETS;
  if (kind === "tokens") return TOKENS;
  if (kind === "positions") {
    const dims = rest[1].includes("3d") ? 3 : 2;
    if (!range) return positions(Number(rest[2]), dims);
    const values = Math.min(CHUNK, POINTS - Number(rest[2]) * CHUNK) * dims * 2;
    return positions(Number(rest[2]), dims, Number(range[1]) / values, 1);
  }
  if (kind === "points") {
    const [first, last] = rest[2].split("-").map(Number);
    const slots = query.has("most") ? [...ORDER.keys()].slice(0, Number(query.get("most"))) : listed(query.get("slots"));
    const heads = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    return Uint16Array.from(heads.flatMap((head) => slots.flatMap((slot) => pointOf(2, head, ORDER[slot]))));
  }
  if (kind === "thumbnails") return Uint8Array.from({ length: LAYERS * HEADS * THUMBNAIL ** 2 }, (_, texel) => texel);
  if (kind === "attribute") return Uint8Array.from({ length: POINTS }, (_, point) => point);
  if (kind === "headattribute") return Uint8Array.from({ length: POINTS }, (_, point) => 10 * (HEADS * Number(rest[2]) + Number(rest[3])) + point);
  if (kind === "search") return maskOf(query.get("q"));
  if (kind === "set") return Uint8Array.of(0b00100010); // query 1 and key 1
  if (kind === "attention") return Uint16Array.from([0.9, 0.1, 0.3, 0.7].map((weight) => Math.round(65535 * weight)));
  if (kind === "values") return Float32Array.of(1, 3);
  if (kind === "input") {
    const side = { first: 2 * Number(rest[1]), tokens: TOKENS.text.slice(2 * Number(rest[1]), 2 * Number(rest[1]) + 2), special: [0, 0] };
    return { queries: side, keys: side };
  }
  if (kind === "average") return Uint8Array.from([1, 1, ...Array(LAYERS * HEADS).fill(127)]);
  if (kind === "live") return Uint16Array.from({ length: POINTS * 2 }, (_, i) => 7 * i);
  return null;
}

/** @param {http.Server} server */
function portOf(server) {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

/**
 * Serve it while `work` runs.
 * @param {(site: {payload: object, asked: string[], broken: Set<string>, held: Map<string, Promise<unknown>>}) => Promise<void>} work
 *   `asked`: paths so far; `broken`: first words of paths that fail; `held`: that wait
 */
async function serving(work) {
  const asked = [];
  const broken = new Set();
  const held = new Map();
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    const path = url.pathname.split("/").slice(1);
    asked.push(`${path.join("/")}${url.search}`);
    await held.get(path[0]);
    const found = broken.has(path[0]) ? null : answer(path, url.searchParams, /bytes=(\d+)-/.exec(request.headers.range || ""));
    const status = found === null ? 404 : request.headers.range ? 206 : 200;
    response.writeHead(status);
    if (found === null) response.end("there is no such thing");
    else if (ArrayBuffer.isView(found)) response.end(Buffer.from(found.buffer, found.byteOffset, found.byteLength));
    else response.end(JSON.stringify(found));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  try {
    await work({ payload: payloadAt(`http://127.0.0.1:${portOf(server)}`), asked, broken, held });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Data of the scene with every call of its hooks noted. @param {(name: string) => any} load @param {boolean} headsOnly */
function sceneData(load, headsOnly = false) {
  const told = [];
  const names = ["order", "chunk", "colour", "sizes", "marks", "brush", "searched", "lines", "tokens", "average", "failure", "settled"];
  const hooks = Object.fromEntries(names.map((name) => [name, () => told.push(name)]));
  const moves = [];
  const data = new (load("data").SceneData)({
    ...hooks, thumbnails: () => told.push("thumbnails"), moved: (before, animate) => moves.push({ before, animate }), drop: () => told.push("drop"),
  }, headsOnly);
  const rest = async () => {
    while (data.jobs.pending) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  return { data, told, moves, rest };
}

module.exports = { LAYERS, HEADS, QUERIES, POINTS, CHUNK, THUMBNAIL, ORDER, serving, sceneData };
