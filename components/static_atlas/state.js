/** What one looks at, and its words in the address: `#head=L3H9&map=umap2d&q=bank`. Pure. */
(function (/** @type {Atlas.StaticScripts} */ atlas) {
  const { numberOf, rowOf } = globalThis.atlas_client?.layers || require("../client/layers.js");
  const FORMS = ["lines", "heatmap"];

  /** A name, if it is one of them, else the first. @param {string|null} name @param {string[]} names */
  const among = (name, names) => (name !== null && names.includes(name) ? name : names[0]);

  /** @param {string|null} text @param {number} most @returns {number|null} */
  function number(text, most) {
    const value = /^\d{1,9}$/.test(text || "") ? Number(text) : NaN;
    return value >= 0 && value < most ? value : null;
  }

  /** @param {string} hash @param {Atlas.StaticManifest} manifest @param {{modes: string[], measures: string[]}} known
   * @returns {Atlas.StaticState} */
  function read(hash, manifest, known) {
    const words = new URLSearchParams(hash.replace(/^#/, ""));
    const stream = among(words.get("stream"), [manifest.stream, ...Object.keys(manifest.streams)]);
    const { maps, colours, payload, numbers } = manifest.streams[stream];
    const at = /^L(\d{1,4})H(\d{1,4})$/.exec(words.get("head") || "");
    const head = at && { layer: rowOf(Number(at[1]), numbers), head: Number(at[2]) };
    const input = number(words.get("input"), manifest.inputs);
    const side = words.get("side") === "key" ? "key" : "query";
    const token = number(words.get("token"), side === "key" ? payload.keys : payload.queries);
    return {
      stream,
      map: among(words.get("map"), Object.keys(maps)),
      colour: among(words.get("colour"), Object.keys(colours.light)),
      head: head && head.layer >= 0 && head.layer < payload.layers && head.head < payload.heads ? head : null,
      selection: input === null ? null : { input, token, side },
      query: (words.get("q") || "").slice(0, 200),
      mode: among(words.get("mode"), known.modes),
      measure: among(words.get("by"), ["", ...known.measures]),
      form: among(words.get("form"), FORMS),
    };
  }

  /** What differs from the beginning. @param {Atlas.StaticState} state @param {Atlas.StaticState} plain  that of no words
   * @param {Atlas.StaticManifest} manifest */
  function write(state, plain, manifest) {
    const { numbers } = manifest.streams[state.stream];
    const words = new URLSearchParams();
    for (const name of /** @type {const} */ (["stream", "map", "colour", "form"])) {
      if (state[name] !== plain[name]) words.set(name, state[name]);
    }
    if (state.head) words.set("head", `L${numberOf(state.head.layer, numbers)}H${state.head.head}`);
    if (state.selection) {
      words.set("input", String(state.selection.input));
      if (state.selection.token !== null) {
        words.set("token", String(state.selection.token));
        words.set("side", state.selection.side);
      }
    }
    if (state.query) {
      words.set("q", state.query);
      if (state.mode !== plain.mode) words.set("mode", state.mode);
    }
    if (state.measure) words.set("by", state.measure);
    return words.toString();
  }

  const api = { read, write };
  atlas.state = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_static ??= {}));
