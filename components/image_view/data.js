/** What the view fetches: an image, its tokens, a head's weights on it, and one token in all heads. */
(function (/** @type {Atlas.ImageViewScripts} */ atlas) {
  /** @returns {Atlas.FetchCache} */
  const fetches = () => (typeof window === "undefined" ? require("../client/fetch_cache.js").fetches : window.atlas_client.fetches);
  const UNIT = 65535;

  /** @param {unknown} value @returns {value is number} */
  const whole = (value) => Number.isInteger(value) && Number(value) >= 0;

  /** What to fetch, or null when the props name no image. @param {Atlas.ImageViewProps} props @returns {Atlas.ImageAddresses|null} */
  function addresses({ payload, layer, head, selection, look }) {
    const input = selection ? selection.input : null;
    if (!payload || !whole(layer) || !whole(head) || !whole(input)) return null;
    const place = `${payload.stream}/${input}`;
    const source = look && look.source === "rollout" ? "rollout" : "attention";
    return {
      input: `${payload.base}/input/${place}`,
      picture: `${payload.base}/image/${input}.png`,
      attention: `${payload.base}/${source}/${place}/${layer}/${head}`,
      offset: `${payload.base}/offset/${payload.stream}/${layer}/${head}`,
      base: payload.base,
      stream: payload.stream,
      number: input,
    };
  }

  /** Decoded pictures, the last ones used. @type {Map<string, Promise<HTMLImageElement>>} */
  const pictures = new Map();
  const MOST_PICTURES = 12;

  /** @param {string} url @returns {Promise<HTMLImageElement>} */
  async function decoded(url) {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  }

  /** @param {string} url @returns {Promise<HTMLImageElement>} */
  function picture(url) {
    const found = pictures.get(url) ?? decoded(url);
    pictures.delete(url);
    pictures.set(url, found);
    found.catch(() => pictures.delete(url));
    for (const old of [...pictures.keys()].slice(0, -MOST_PICTURES)) pictures.delete(old);
    return found;
  }

  /** @param {Atlas.ImageAddresses} urls @param {AbortSignal} signal @returns {Promise<Atlas.ImageData>} */
  async function load(urls, signal) {
    const cache = fetches();
    const [input, attention, image] = await Promise.all([
      cache.json(urls.input, { signal }), cache.buffer(urls.attention, { signal }), picture(urls.picture),
    ]);
    if (!input.image) throw new Error("This input is no image.");
    const { queries } = input;
    const count = queries.tokens.length;
    if (attention.byteLength !== 2 * count * count) throw new Error("The attention of this image has the wrong size.");
    return {
      facts: input.image, names: queries.tokens, special: queries.special, first: queries.first, count,
      specials: count - input.image.rows * input.image.columns, raw: new Uint16Array(attention), picture: image,
    };
  }

  /** One token in every head: [layers][heads][tokens].
   * @param {Atlas.ImageAddresses} urls @param {Atlas.Side} side @param {number} position @param {AbortSignal} signal */
  async function everywhere(urls, side, position, signal) {
    const url = `${urls.base}/token/${urls.stream}/${urls.number}/${side}/${position}`;
    const raw = new Uint16Array(await fetches().buffer(url, { signal }));
    return Float32Array.from(raw, (value) => value / UNIT);
  }

  /** Mean attention by rows and columns apart. @param {Atlas.ImageAddresses} urls @param {AbortSignal} signal
   * @returns {Promise<Atlas.OffsetMeans>} */
  const offsets = (urls, signal) => fetches().json(urls.offset, { signal });

  /** @param {string} url @returns {Promise<any>} */
  const json = (url) => fetches().json(url);

  const api = { json, addresses, load, everywhere, offsets };
  atlas.data = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_image_view ??= {}));
