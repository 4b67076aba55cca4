/**
 * The list of tokens that share one spot of the open head, as a chosen one does whose vector others have too: a causal
 * model's first token in every input, repeated inputs. Each entry chooses its token.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { element } = atlas.overlay || require("./overlay.js");

  /** Entries; the others are only counted. */
  const MOST = 200;

  /**
   * @typedef {Object} CopiesParts
   * @property {HTMLElement} stage
   * @property {Atlas.SceneData} data
   * @property {Atlas.View} view
   * @property {Atlas.PointPlaces} places
   * @property {(slot: number) => void} choose
   */

  class Copies {
    /** @param {CopiesParts} parts */
    constructor(parts) {
      this.parts = parts;
      this.node = element("div", "atlas-scene-copies", parts.stage, { hidden: "", role: "group", tabindex: "-1" });
      this.title = element("strong", "", this.node);
      const close = element("button", "atlas-scene-copies-close", this.node, { type: "button", "aria-label": "Close the list" });
      close.textContent = "×";
      close.addEventListener("click", () => {
        this.hide();
        parts.stage.focus();
      });
      this.list = element("ol", "", this.node);
      /** what the list is of */
      this.of = "";
      for (const type of ["pointerdown", "wheel", "dblclick", "click"]) {
        this.node.addEventListener(type, (event) => event.stopPropagation());
      }
      this.node.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        this.hide();
        parts.stage.focus();
      });
    }

    hide() {
      this.node.hidden = true;
    }

    /** Show the list of the chosen token's spot, if others share it. It stays hidden once it was closed. */
    follow() {
      const { data, view, places } = this.parts;
      const { highlights, points } = data;
      const slot = highlights.selectedSlot;
      const { set } = points;
      const ready = view.isOpen && slot >= 0 && set && set.complete(view.open);
      const slots = ready && !places.at(slot)?.outside ? places.copiesOf(slot) : [];
      if (!slots.length) {
        this.of = "";
        this.hide();
        return;
      }
      const tokens = [slot, ...slots].slice(0, MOST).map((one) => ({ slot: one, token: data.tokens.token(one) }));
      if (tokens.some(({ token }) => !token)) return; // their pages are on the way
      const of = `${view.open} ${set && set.projection.key} ${slots.length} ${[slot, ...slots].reduce((a, b) => Math.min(a, b))}`;
      if (of !== this.of) this.write(tokens, slots.length + 1);
      this.of = of;
      for (const button of this.list.querySelectorAll("button")) {
        button.setAttribute("aria-current", String(button.dataset.slot === String(slot)));
      }
    }

    /** @param {Array<{slot: number, token: Atlas.Token|null}>} tokens @param {number} count */
    write(tokens, count) {
      const { kinds } = this.parts.data.points;
      const kind = kinds && kinds[tokens[0].slot] ? "keys" : "queries";
      this.title.textContent = `${count.toLocaleString("en")} ${kind} at this place`;
      this.node.setAttribute("aria-label", this.title.textContent);
      this.list.replaceChildren();
      const sorted = [...tokens].sort((a, b) => (a.token?.row ?? 0) - (b.token?.row ?? 0));
      for (const { slot, token } of sorted) {
        const button = element("button", "", element("li", "", this.list), { type: "button", "data-slot": String(slot) });
        button.textContent = token ? `${token.text.trim() || "␣"} · input ${token.input}, position ${token.position}` : "";
        button.addEventListener("click", () => this.parts.choose(slot));
      }
      if (count > tokens.length) element("li", "", this.list).textContent = `and ${(count - tokens.length).toLocaleString("en")} more`;
      this.node.hidden = false;
    }
  }

  const api = { Copies, MOST };
  atlas.copies = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
