/** Heads like one: what it is measured by, and the nearest ones of this atlas or of another one of the same corpus. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  const MOST = 8;
  /** @type {Atlas.ClientScripts["layers"]} */
  const { nameOf, rowOf } = globalThis.atlas_client?.layers || require("../client/layers.js");

  /**
   * @typedef {Object} LikeHooks
   * @property {(changes: Partial<Atlas.FinderState>) => void} change
   * @property {(atlas: string, stream: string, layer: number, head: number, numbers: number[]|null) => string} href
   * @property {(atlas: string, stream: string, layer: number, head: number, numbers: number[]) => string} beside  both heads compared
   */

  /** @param {HTMLElement} parent @param {Atlas.FinderProps} props @param {Atlas.FinderState} state
   * @param {{here: Atlas.FinderLikes|null, there: Atlas.FinderLikes|null, problem: string}} found @param {LikeHooks} hooks */
  function show(parent, props, state, found, hooks) {
    const { element, fill } = atlas.dom;
    parent.replaceChildren();
    parent.hidden = !state.like;
    if (!state.like) return;
    const [layer, head] = state.like.split(".");
    const title = element("div", { class: "finder-like-head" }, parent);
    element("strong", {}, title).textContent = `Heads like L${layer} H${head}`;
    const clear = element("button", { type: "button", class: "icon-button", title: "No longer compare with this head", "aria-label": "No longer compare with this head" }, title);
    element("span", { class: "icon icon-x-lg", "aria-hidden": "true" }, clear);
    clear.addEventListener("click", () => hooks.change({ like: "", other: "" }));
    const others = props.others || [];
    if (others.length) {
      const select = element("select", { class: "form-select", "aria-label": "Also in another atlas" }, title);
      fill(select, [["", [["", "in this atlas"]]], ["Also in another atlas", others.map(({ slug, title: name }) => [slug, name])]], state.other);
      select.addEventListener("change", () => hooks.change({ other: select.value }));
    }
    for (const likes of [found.here, found.there]) {
      if (!likes) continue;
      const itself = likes === found.here ? rowOf(Number(layer)) * likes.heads + Number(head) : -1;
      const cells = Array.from(likes.divergence, (_, cell) => cell).filter((cell) => cell !== itself)
        .sort((a, b) => likes.divergence[a] - likes.divergence[b]).slice(0, MOST);
      const list = element("div", { class: "finder-likes" }, parent);
      if (likes === found.there) element("span", { class: "finder-muted" }, list).textContent = `${likes.title}:`;
      for (const cell of cells) {
        const place = [Math.floor(cell / likes.heads), cell % likes.heads];
        const link = element("a", { href: hooks.href(likes.atlas, likes.stream, place[0], place[1], likes.numbers || null) }, list);
        link.textContent = nameOf(place[0], place[1], likes.numbers || null);
        element("span", { class: "finder-muted" }, link).textContent = ` ${likes.divergence[cell].toFixed(2)}`;
        const beside = hooks.beside(likes.atlas, likes.stream, place[0], place[1], likes.numbers || []);
        const label = `Compare L${layer} H${head} with ${link.textContent}`;
        element("a", { href: beside, class: "finder-beside", title: label, "aria-label": label }, list).textContent = "⇄";
      }
      element("span", { class: "finder-muted" }, list).textContent = `bits, over ${likes.rows} rows of ${likes.inputs} inputs`;
    }
    if (found.problem) element("p", { class: "finder-muted", role: "status" }, parent).textContent = found.problem;
  }

  const api = { show };
  atlas.like = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
