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

  /** The entry of the gallery that an event is in. @param {Atlas.On<Event>} event @returns {HTMLElement|null} */
  const entryOf = (event) => event.target.closest?.(".gallery-entry") ?? null;
  /** @returns {Atlas.OpenImageView|undefined} */
  const view = () => /** @type {any} */ (document.getElementById("sentence"))?.atlasImage;

  for (const kind of ["pointerover", "focusin"]) {
    document.addEventListener(kind, (/** @type {any} */ event) => {
      const entry = entryOf(event);
      if (entry) view()?.prefetch(Number(entry.dataset.input));
    });
  }
  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    const entry = entryOf(event);
    if (!entry) return;
    const again = entry.getAttribute("aria-current") === "true";
    /** @type {Atlas.Selection|null} */
    const chosen = again ? null : { input: Number(entry.dataset.input), token: null, side: "query" };
    const seen = (chosen && view()?.show(chosen)) ?? Promise.resolve();
    seen.then(() => window.atlasChoose.token(chosen));
  });

  root.atlasImages = { look, mark };
})();
