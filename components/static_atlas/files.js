/**
 * Files in the place of a server: what views fetch by the addresses of docs/payload.md is cut out of scripts that lie
 * beside the page. Scripts, since a page that was opened from a disk may read nothing else.
 */
(function (/** @type {Atlas.StaticScripts} */ atlas) {
  const { FetchCache, FetchError } = globalThis.atlas_client?.fetchCache || require("../client/fetch_cache.js");
  const { search } = atlas.search || require("./search.js");
  const MOST_BYTES = 96 * 2 ** 20;

  /** Scripts on their way: name → what takes their text. @type {Map<string, (text: string) => void>} */
  const waiting = new Map();
  /** What each script calls. @param {string} name @param {string} text  base64 of gzip */
  globalThis.atlasFile = (name, text) => {
    waiting.get(name)?.(text);
    waiting.delete(name);
  };

  /** @param {string} said */
  function missing(said) {
    const error = new FetchError(404, said);
    error.message = said;
    return error;
  }

  /** @param {string} folder @param {string} name @returns {Promise<string>} */
  function script(folder, name) {
    return new Promise((resolve, reject) => {
      waiting.set(name, resolve);
      const node = document.createElement("script");
      node.src = `${folder}/${name}.js`;
      node.onload = () => node.remove();
      node.onerror = () => {
        waiting.delete(name);
        node.remove();
        reject(missing(`The file ${folder}/${name}.js cannot be read: was the whole folder copied`));
      };
      document.head.append(node);
    });
  }

  /** @param {string} text @returns {Promise<ArrayBuffer>} */
  function unpacked(text) {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  const json = (/** @type {ArrayBuffer} */ bytes) => JSON.parse(new TextDecoder().decode(bytes));
  const coded = (/** @type {unknown} */ value) => /** @type {ArrayBuffer} */ (new TextEncoder().encode(JSON.stringify(value)).buffer);

  class StaticFiles extends FetchCache {
    /** @param {Atlas.StaticManifest} manifest @param {(name: string) => Promise<string>} [read]  the text of a file */
    constructor(manifest, read = (name) => script(manifest.base, name)) {
      super();
      this.manifest = manifest;
      this.read = read;
      /** unpacked, the longest unused first @type {Map<string, Promise<ArrayBuffer>>} */
      this.files = new Map();
      this.held = 0;
    }

    /**
     * In place of a request.
     * @param {string} url @param {(response: Response) => Promise<{value: any, bytes: number}>} read
     * @param {Record<string, string>|undefined} _headers  of a part alone: whoever asks for one takes the whole
     */
    ask(url, read, _headers) {
      const answer = this.answer(url).then((bytes) => read(new Response(bytes)));
      return { answer, controller: new AbortController(), waiting: 0, bytes: -1 };
    }

    /** A file's bytes. @param {string} name @returns {Promise<ArrayBuffer>} */
    file(name) {
      const found = this.files.get(name) || this.load(name);
      this.files.delete(name);
      this.files.set(name, found);
      return found;
    }

    /** @param {string} name */
    async load(name) {
      try {
        const bytes = await unpacked(await this.read(name));
        this.held += bytes.byteLength;
        this.shrink(name);
        return bytes;
      } catch (error) {
        this.files.delete(name);
        throw error;
      }
    }

    /** Let the longest unused go until the rest fits. @param {string} [latest] */
    async shrink(latest) {
      super.shrink();
      for (const [name, file] of this.files ?? []) {
        if (this.held <= MOST_BYTES) return;
        if (name === latest) continue;
        this.files.delete(name);
        this.held -= (await file).byteLength;
      }
    }

    /** @param {string} url @returns {Promise<ArrayBuffer>} */
    async answer(url) {
      const [path, question = ""] = url.slice(this.manifest.base.length + 1).split("?");
      const [what, of, ...rest] = path.split("/");
      const numbers = rest.map(Number);
      switch (what) {
        case "positions": return this.file(`${of}/${rest[0].replace(/-[0-9a-f]+$/, "")}-${rest[1]}`);
        case "order": case "average": return this.file(`${of}/${what}`);
        case "heads": return this.file(`${of}/heads`);
        case "attribute": return this.file(`${of}/attribute-${decodeURIComponent(rest[0])}`);
        case "headattribute": return this.cell(`${of}/attribute-${decodeURIComponent(rest[0])}-${numbers[1]}`, of, numbers[2]);
        case "offsets": return this.file(`${of}/offsets`);
        case "tokens": return this.file(`${of}/tokens-${rest[0]}`);
        case "patches": return this.file(`${of.replace(".webp", "")}/patches`);
        case "search": return this.search(of, new URLSearchParams(question));
        case "input": return coded(await this.input(of, numbers[0]));
        case "attention": return this.attention(of, numbers[0], numbers[1], numbers[2]);
        case "token": return this.token(of, numbers[0], rest[1], numbers[2]);
        case "offset": return coded(json(await this.file(`${of}/offsets`))[numbers[0] * this.payload(of).heads + numbers[1]]);
        default: throw missing("This page does not hold that: look at it in the dashboard");
      }
    }

    /** @param {string} stream */
    payload(stream) {
      return this.manifest.streams[stream].payload;
    }

    /** One head of a file that holds a layer's. @param {string} name @param {string} stream @param {number} head */
    async cell(name, stream, head) {
      const bytes = await this.file(name);
      const size = bytes.byteLength / this.payload(stream).heads;
      return bytes.slice(head * size, (head + 1) * size);
    }

    /** @param {string} stream @param {number} index @returns {Promise<Atlas.InputSides>} */
    async input(stream, index) {
      const { inputsAFile } = this.manifest;
      return json(await this.file(`${stream}/inputs-${Math.floor(index / inputsAFile)}`))[index % inputsAFile];
    }

    /** @param {string} table @param {URLSearchParams} question */
    async search(table, question) {
      const found = search(json(await this.file(`${table}/search`)), question.get("q") || "", question.get("mode") || "token");
      return /** @type {ArrayBuffer} */ (found.buffer);
    }

    /** Weights of one head on one input. @param {string} stream @param {number} index @param {number} layer @param {number} head */
    async attention(stream, index, layer, head) {
      const { attended, inputs, streams } = this.manifest;
      if (index >= attended) {
        const held = attended ? `that of the first ${attended} of ${inputs} inputs` : "none";
        throw missing(`The attention of input ${index} is not in this page, which holds ${held}`);
      }
      const { share, payload: { layers, heads } } = streams[stream];
      const part = Math.floor(layer / share);
      const bytes = await this.file(`${stream}/attention-${index}-${part}`);
      const size = bytes.byteLength / (Math.min(share, layers - part * share) * heads);
      const at = ((layer - part * share) * heads + head) * size;
      return bytes.slice(at, at + size);
    }

    /** One token of an input in every head: what it reads, or who reads it.
     * @param {string} stream @param {number} index @param {string} side @param {number} position */
    async token(stream, index, side, position) {
      const { layers, heads } = this.payload(stream);
      const sides = await this.input(stream, index);
      const [queries, keys] = [sides.queries.tokens.length, sides.keys.tokens.length];
      const count = side === "query" ? keys : queries;
      const out = new Uint16Array(layers * heads * count);
      for (let cell = 0; cell < layers * heads; cell++) {
        const weights = new Uint16Array(await this.attention(stream, index, Math.floor(cell / heads), cell % heads));
        for (let i = 0; i < count; i++) out[cell * count + i] = weights[side === "query" ? position * keys + i : i * keys + position];
      }
      return out.buffer;
    }
  }

  const api = { StaticFiles };
  atlas.files = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_static ??= {}));
