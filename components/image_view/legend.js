/** What the image view shows, in words: a sentence, the scale of its weights, and both for a file. */
(function (/** @type {Atlas.ImageViewScripts} */ atlas) {
  const { pixels, shapes } = atlas.paint || require("./paint.js");
  const data = atlas.data || require("./data.js");
  const { element } = atlas.strips || require("./strips.js");

  /** @type {Record<string, string>} */
  const SHADES = { linear: "linear", sqrt: "square root", clipped: "linear to the 99th percentile" };
  /** @param {number} weight */
  const number = (weight) => (weight >= 0.0995 ? weight.toFixed(2) : weight.toFixed(4));

  /** @param {Atlas.ImageScene} scene @param {Atlas.ImageData} found @param {Atlas.ImageViewProps} props @param {Atlas.ImageLook} look */
  function sentence({ chosen, side, pairs }, { names }, { layer, head, threshold = 0 }, { source, arrows }) {
    const rolled = source === "rollout";
    const what = rolled ? `attention rollout over layers 0 to ${layer}` : `attention of layer ${layer}, head ${head}`;
    if (chosen >= 0) return side === "query" ? `What ${names[chosen]} reads: ${what}` : `Who reads ${names[chosen]}: ${what}`;
    if (!pairs) return `What each patch receives on average: ${what}`;
    const which = arrows === "strongest" ? "Strongest flow of each token" : "All flows";
    return `${which}, from ${number(threshold)} on (${pairs.length}): ${what}`;
  }

  /** Colours of the scale, for a bar. @param {Uint8ClampedArray} table */
  const stops = (table) => [0, 64, 128, 192, 255].map((i) => `rgb(${table.slice(4 * i, 4 * i + 3).join(",")})`);

  /** @param {number} top @param {string} shade */
  const end = (top, shade) => `${number(top)}${shade === "clipped" ? " and more" : ""}`;

  class Legend {
    /** @param {HTMLElement} box @param {(text: string) => void} say  for what goes wrong */
    constructor(box, say) {
      this.box = box;
      this.say = say;
      this.words = "";
    }

    /**
     * @param {string} name  of the image
     * @param {string} words @param {Atlas.ImageScene} scene @param {string} shade @param {() => Atlas.ImageViewProps} props
     */
    show(name, words, scene, shade, props) {
      this.words = words;
      this.box.replaceChildren();
      element("span", "image-legend-name", this.box).textContent = name;
      element("span", "image-legend-words", this.box).textContent = words;
      if (scene.chosen >= 0 && !props().payload?.probe) this.offerAlike(props); // of the corpus alone
      if (!scene.levels) return;
      const bar = element("span", "image-legend-bar", this.box);
      element("span", "", bar).textContent = "0";
      element("i", "", bar).style.background = `linear-gradient(to right, ${stops(scene.table).join(",")})`;
      element("span", "", bar).textContent = end(scene.top, shade);
      element("span", "image-legend-shade", bar).textContent = SHADES[shade] || "";
    }

    /** Buttons that light the patches most like the chosen one, in all heads. @param {() => Atlas.ImageViewProps} props */
    offerAlike(props) {
      const box = element("span", "image-alike", this.box);
      element("span", "", box).textContent = "Light those like it:";
      for (const [by, words] of [["vector", "in this head"], ["colour", "by colour"]]) {
        const button = element("button", "text-button", box, { type: "button" });
        button.textContent = words;
        button.addEventListener("click", () => this.lightAlike(by, props()));
      }
    }

    /** @param {string} by @param {Atlas.ImageViewProps} props */
    async lightAlike(by, { payload, layer, head, selection }) {
      if (!payload || !selection) return;
      const url = `${payload.base}/like/${payload.stream}/${layer}/${head}/${selection.side}/${selection.token}/${by}`;
      try {
        window.atlasChoose.set((await data.json(url)).definition);
      } catch (error) {
        this.say(error.said || "The server did not answer.");
      }
    }
  }

  /**
   * A picture for a file: its pixels on a canvas of any scale, what has none to be drawn over them, title and legend.
   * @param {Atlas.ImageScene} scene @param {Atlas.ImageFacts} facts @param {string} words @param {string} shade
   */
  function captured(scene, facts, words, shade) {
    const size = { width: scene.width, height: Math.ceil(scene.layout.height + 2) };
    const scale = [{ text: "0" }, { bar: stops(scene.table) }, { text: end(scene.top, shade) }, { text: SHADES[shade] }];
    return {
      size,
      title: facts.label ? `${facts.label} · ${facts.name}` : facts.name,
      legend: [[{ text: words }], ...(scene.levels ? [scale] : [])],
      pixels: (/** @type {number} */ times) => {
        const canvas = document.createElement("canvas");
        canvas.width = Math.round(size.width * times);
        canvas.height = Math.round(size.height * times);
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        context.scale(times, times);
        pixels(context, scene);
        return canvas;
      },
      shapes: (/** @type {CanvasRenderingContext2D} */ context) => shapes(context, scene),
    };
  }

  const api = { Legend, sentence, captured, number };
  atlas.legend = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_image_view ??= {}));
