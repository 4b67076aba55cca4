/** The view: its DOM, what it has fetched, and the cursor that pointer and keys move. */
(function (/** @type {Atlas.AverageViewScripts} */ atlas) {
  const { readMeans, shownMeans, distanceBars, stepped } = atlas.means || require("./means.js");
  const { sentence, label } = atlas.words || require("./words.js");
  const { cursorAt, paint } = atlas.paint || require("./paint.js");
  // Looked up when used: Dash promises no order among the scripts of two packages.
  /** @returns {Atlas.FetchCache} */
  const fetches = () => (typeof window === "undefined" ? require("../client/fetch_cache.js").fetches : window.atlas_client.fetches);

  /** @param {Atlas.AverageOptions} options @returns {string} the part of an address that names them */
  function variant(options) {
    const names = /** @type {const} */ (["special", "first", "values"]).filter((name) => options[name]);
    return names.length ? `/${names.join("-")}` : "";
  }

  /** What to fetch, or null when the props name no head or nothing is to be seen. @param {Atlas.AverageProps} props */
  function addresses({ payload, layer, head, options = {}, selection, visible }) {
    if (!visible || !payload || payload.unattended || !Number.isInteger(layer) || !Number.isInteger(head)) return null;
    const input = selection && Number.isInteger(selection.input) ? `${payload.base}/input/${payload.stream}/${selection.input}` : null;
    return { means: `${payload.base}/average/${payload.stream}/${layer}/${head}${variant(options)}`, input };
  }

  class AverageView {
    /** @param {HTMLElement} root @param {(selection: Atlas.Selection) => void} choose */
    constructor(root, choose) {
      this.choose = choose;
      /** @type {Atlas.AverageProps} */
      this.props = {};
      /** @type {Atlas.AverageState|null} */
      this.state = null;
      this.turn = 0;
      const add = (/** @type {string} */ tag, /** @type {string} */ name, /** @type {HTMLElement} */ parent) => {
        const node = document.createElement(tag);
        node.className = name;
        return parent.appendChild(node);
      };
      this.frame = add("div", "average-canvas", root);
      this.canvas = /** @type {HTMLCanvasElement} */ (add("canvas", "", this.frame));
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute("role", "application");
      this.canvas.setAttribute("aria-roledescription", "heatmap");
      this.says = add("p", "average-says", root);
      this.says.setAttribute("aria-live", "polite");
      this.strip = add("div", "average-tokens", root);
      this.strip.tabIndex = 0; // long inputs scroll
      this.resized = new ResizeObserver(() => this.paint());
      this.resized.observe(this.frame);
      this.canvas.addEventListener("pointermove", (event) => this.point(event));
      this.canvas.addEventListener("pointerleave", () => this.mark(null));
      this.canvas.addEventListener("click", (event) => {
        this.point(event);
        this.pin();
      });
      this.canvas.addEventListener("keydown", (event) => this.key(event));
      this.canvas.addEventListener("blur", () => this.mark(null));
    }

    destroy() {
      this.turn++;
      this.resized.disconnect();
    }

    /** @param {Atlas.AverageProps} props */
    async update(props) {
      this.props = props;
      const urls = addresses(props);
      if (!urls) return;
      const turn = ++this.turn;
      try {
        const [buffer, sides] = await Promise.all([
          fetches().buffer(urls.means), urls.input ? fetches().json(urls.input) : null,
        ]);
        if (turn === this.turn) this.show(readMeans(buffer), sides);
      } catch (error) {
        if (turn === this.turn) this.fail(error.said || "The server did not answer.");
      }
    }

    /** @param {Atlas.HeadMeans} means @param {Atlas.InputSides|null} sides */
    show(means, sides) {
      const { options = {}, selection, payload, enough = 0, layer, head } = this.props;
      const mask = payload ? payload.mask : { offsets: null, hides: "" };
      const token = selection && sides && Number.isInteger(selection.token) ? {
        position: Number(selection.token) - (selection.side === "query" ? sides.queries : sides.keys).first,
        side: selection.side,
      } : null;
      const shown = shownMeans(means, options, sides);
      this.state = { means, shown, bars: distanceBars(means, mask), sides, options, token, mask, enough, at: null };
      this.canvas.setAttribute("aria-label", label(options, window.atlas_client.layers.nameOf(layer, head)));
      this.listTokens(this.state);
      this.paint();
      this.says.textContent = sentence(this.state);
    }

    /** @param {string} reason */
    fail(reason) {
      this.state = null;
      this.strip.replaceChildren();
      this.paint();
      this.says.textContent = reason;
    }

    // --- pointer and keys ---------------------------------------------------------------------------------------

    get size() {
      return { width: this.frame.clientWidth, height: this.frame.clientHeight };
    }

    /** @param {MouseEvent} event */
    point(event) {
      if (!this.state) return;
      const box = this.canvas.getBoundingClientRect();
      this.mark(cursorAt(this.state, this.size, event.clientX - box.left, event.clientY - box.top));
    }

    /** @param {KeyboardEvent} event */
    key(event) {
      if (!this.state) return;
      if (event.key === "Enter") this.pin();
      const next = stepped(this.state, this.state.at, event.key);
      if (next === undefined) return;
      event.preventDefault();
      this.mark(next);
    }

    /** @param {Atlas.MeanCursor} at */
    mark(at) {
      if (!this.state || JSON.stringify(at) === JSON.stringify(this.state.at)) return;
      this.state.at = at;
      this.paint();
      this.says.textContent = sentence(this.state);
      const cell = at && "query" in at ? at : { query: -1, key: -1 };
      for (const node of /** @type {Iterable<HTMLElement>} */ (this.strip.children)) {
        const position = Number(node.dataset.position);
        node.classList.toggle("is-query", cell.query === position);
        node.classList.toggle("is-key", cell.key === position);
      }
      this.strip.querySelector(".is-query")?.scrollIntoView?.({ block: "nearest" });
    }

    /** The query of the cell becomes the chosen token of every view. */
    pin() {
      const { state, props: { selection } } = this;
      if (!state || !state.sides || !selection || selection.input === null || !state.at || "bar" in state.at) return;
      const { query } = state.at;
      const { queries } = state.sides;
      if (query < queries.tokens.length) this.choose({ input: selection.input, token: queries.first + query, side: "query" });
    }

    // --- picture ------------------------------------------------------------------------------------------------

    /** The chosen input, a token each. @param {Atlas.AverageState} state */
    listTokens({ means, sides, options }) {
      this.strip.replaceChildren();
      if (!sides || options.offsets) return;
      const off = new Set([...(options.queries || []), ...(options.keys || [])]);
      sides.keys.tokens.slice(0, means.keys).forEach((text, position) => {
        const node = document.createElement("span");
        node.textContent = text.trim() || "␣";
        node.dataset.position = String(position);
        node.title = `position ${position}`;
        if (off.has(position) || (options.special && sides.keys.special[position])) node.className = "off";
        this.strip.appendChild(node);
      });
    }

    paint() {
      const { width, height } = this.size;
      if (!width) return;
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      const c = this.canvas.getContext("2d");
      if (!c || !this.state) return;
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      const page = document.documentElement;
      const style = getComputedStyle(page);
      const colour = (/** @type {string} */ name) => style.getPropertyValue(`--atlas-${name}`).trim();
      paint(c, { width, height }, this.state, {
        text: colour("text"), muted: colour("muted"), edge: colour("edge-strong"), ground: colour("surface"),
        query: colour("query"), accent: colour("accent"), dark: page.getAttribute("data-bs-theme") === "dark",
      });
    }
  }

  const api = { AverageView, addresses, variant };
  atlas.view = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_average_view ??= {}));
