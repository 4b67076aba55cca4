/** One pane: which head, its picture, and what is to be said of it. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  /**
   * @typedef {Object} PaneHooks
   * @property {(place: {slug: string} | {stream: string} | Partial<Atlas.Head>) => void} choose  another head to show
   * @property {(changes: Partial<Atlas.SceneProps>) => void} tell  what the scene has been told by its reader
   *
   * @typedef {{slug: string, title: string}[]} Choices
   */

  const NAMES = ["First head", "Second head"];

  /** A head by the model's numbers. @param {{payload: Atlas.Payload}} pane @param {Atlas.Head} place */
  const nameIn = ({ payload }, { layer, head }) => window.atlas_client.layers.nameOf(layer, head, payload.numbers || null);

  class Pane {
    /** @param {HTMLElement} parent @param {Atlas.CompareSide} number @param {PaneHooks} hooks */
    constructor(parent, number, hooks) {
      const { element } = window.atlas_head_finder.dom;
      this.number = number;
      this.hooks = hooks;
      this.root = element("section", { class: "compare-pane", "aria-label": NAMES[number] }, parent);
      this.top = element("div", { class: "compare-pane-top" }, this.root);
      this.atlases = this.select("Atlas", (value) => hooks.choose({ slug: value }));
      this.streams = this.select("Attention", (value) => hooks.choose({ stream: value }));
      this.layer = this.select("Layer", (value) => hooks.choose({ layer: Number(value) }));
      this.head = this.select("Head", (value) => hooks.choose({ head: Number(value) }));
      this.open = element("a", { class: "text-button", href: "#" }, this.top);
      this.open.textContent = "Open";
      this.stage = element("div", { class: "atlas-scene compare-scene", id: `compare-scene-${number + 1}` }, this.root);
      this.says = element("p", { class: "compare-says", role: "status" }, this.root);
      /** @type {Atlas.SceneProps} */
      this.props = {};
      const { scene, handle } = window.atlas_head_scene;
      /** @type {Atlas.Scene} */
      this.scene = new scene.Scene(this.stage, (/** @type {Partial<Atlas.SceneProps>} */ changes) => this.told(changes), { alone: true });
      this.stage.atlasScene = handle.handleOf(this.scene);
    }

    /** @param {string} label @param {(value: string) => void} chosen */
    select(label, chosen) {
      const { element, field } = window.atlas_head_finder.dom;
      const control = element("select", { class: "form-select" });
      control.addEventListener("change", () => chosen(control.value));
      field(this.top, label, control);
      return control;
    }

    destroy() {
      this.scene.destroy();
      delete this.stage.atlasScene;
    }

    /** @param {Partial<Atlas.SceneProps>} changes */
    told(changes) {
      this.props = { ...this.props, ...changes };
      this.hooks.tell(changes);
    }

    /** @param {Partial<Atlas.SceneProps>} changes */
    draw(changes) {
      this.props = { ...this.props, ...changes };
      this.stage.dataset.theme = this.props.theme || "light";
      this.scene.update(this.props);
    }

    /** @param {Atlas.ComparePane} pane @param {Atlas.CompareHead} place @param {Choices} atlases */
    show(pane, place, atlases) {
      const { fill } = window.atlas_head_finder.dom;
      const { layers, heads, numbers } = pane.payload;
      const { numberOf } = window.atlas_client.layers;
      const name = nameIn(pane, place);
      /** @param {number} count @param {number[]|null} labels @returns {[string, string][]} */
      const choices = (count, labels) => Array.from({ length: count }, (_, i) => [String(i), String(numberOf(i, labels))]);
      fill(this.atlases, [["", atlases.map(({ slug, title }) => [slug, title])]], pane.slug);
      fill(this.streams, [["", pane.streams.map(({ value, label }) => [value, label])]], place.stream);
      /** @type {HTMLElement} */ (this.streams.parentElement).hidden = pane.streams.length < 2;
      fill(this.layer, [["", choices(layers, numbers || null)]], String(place.layer));
      fill(this.head, [["", choices(heads, null)]], String(place.head));
      const view = { atlas: pane.slug, stream: place.stream, layer: place.layer, head: place.head, numbers };
      this.open.href = window.atlasLink.address("atlas", { view });
      this.open.title = `Open ${name} of ${pane.title} in the map`;
      this.stage.setAttribute("aria-label", `${pane.title}, ${name}`);
    }
  }

  const api = { Pane, nameIn };
  atlas.pane = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
