/* Images: how weights are laid over one, and the gallery of all. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none } = window.atlasCallback;

  /** The look of the image view, as the store of the picture has it.
   * @param {{shade: string, cover: number, flow: string, arrows: string}} picture */
  const look = ({ shade, cover, flow, arrows }) => ({ shade, opacity: cover / 100, source: flow, arrows });

  /** The chosen image in the gallery. @param {Atlas.Selection|null} selection */
  function mark(selection) {
    for (const entry of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".gallery-entry"))) {
      const now = Boolean(selection) && window.atlasChoose.known(selection?.input) && Number(entry.dataset.input) === selection?.input;
      if (now) entry.setAttribute("aria-current", "true");
      else entry.removeAttribute("aria-current");
    }
    return none();
  }

  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    /** @type {HTMLElement|null} */
    const entry = event.target.closest?.(".gallery-entry");
    if (!entry) return;
    const again = entry.getAttribute("aria-current") === "true";
    window.atlasChoose.token(again ? null : { input: Number(entry.dataset.input), token: null, side: "query" });
  });

  root.atlasImages = { look, mark };
})();
