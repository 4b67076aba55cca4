/** A training run's checkpoints as a slider: the second pane steps through them, the first stays. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  class Steps {
    /** @param {HTMLElement} parent @param {(one: Atlas.CompareStep) => void} choose */
    constructor(parent, choose) {
      const { element, field } = window.atlas_head_finder.dom;
      this.root = element("div", { class: "compare-steps" }, parent);
      this.slider = element("input", { type: "range", min: "0", step: "1" });
      field(this.root, "Checkpoint of the second head", this.slider);
      this.says = element("output", {}, this.root);
      /** @type {Atlas.CompareStep[]} */
      this.series = [];
      this.slider.addEventListener("input", () => {
        const one = this.series[Number(this.slider.value)];
        if (one) choose(one);
      });
    }

    /** @param {Atlas.CompareStep[]} series @param {string} slug  the atlas that is shown */
    show(series, slug) {
      this.series = series;
      this.root.hidden = series.length < 2;
      const at = series.findIndex((one) => one.slug === slug);
      this.slider.max = String(Math.max(0, series.length - 1));
      this.slider.value = String(Math.max(0, at));
      const text = at < 0 ? "" : `step ${series[at].step.toLocaleString("en")}, ${at + 1} of ${series.length}`;
      this.slider.setAttribute("aria-valuetext", text);
      this.says.textContent = text;
    }
  }

  const api = { Steps };
  atlas.steps = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
