/* A reader's own image: dropped on its field, or chosen, it is sent, and the field then names where it is kept. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const field = (/** @type {string} */ letter) => `probe-text-${letter}`;
  /** The button of the row that an event is in. @param {Event} event @returns {HTMLButtonElement|null} */
  const buttonOf = (event) => /** @type {Element} */ (event.target).closest?.(".probe-row")?.querySelector(".probe-image:not(:disabled)") ?? null;

  /** What a row says beside its field, until the model has something to say. @param {string} letter @param {string} text */
  function say(letter, text) {
    root.set_props(`probe-says-${letter}`, { children: text, className: text ? "probe-says probe-fault" : "probe-says" });
  }

  /** @param {HTMLButtonElement} button @param {File} file */
  async function bring(button, file) {
    const { letter = "a", most } = button.dataset;
    const { prefix, readable, send } = root.atlasNew;
    if (file.size > Number(most)) {
      say(letter, `${file.name} has ${readable(file.size)}; an image for a probe can have ${readable(Number(most))}.`);
      return;
    }
    say(letter, "");
    button.textContent = `Sending ${file.name} …`;
    try {
      const address = `${prefix()}upload/probe?name=${encodeURIComponent(file.name)}`;
      const { text } = await send(file, address, () => {});
      root.set_props(field(letter), { value: text });
    } catch (error) {
      say(letter, /** @type {Error} */ (error).message);
      show();
    }
  }

  /** Each button says which image its row holds. */
  function show() {
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll(".probe-image"))) {
      const input = /** @type {HTMLInputElement|null} */ (document.getElementById(field(button.dataset.letter || "a")));
      button.textContent = input?.value.split("/").pop() || button.dataset.asks || "";
    }
  }

  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLButtonElement|null} */ (/** @type {Element} */ (event.target).closest?.(".probe-image"));
    if (button) root.atlasNew.choose(false, ([file]) => bring(button, file));
  });
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      const button = buttonOf(event);
      if (!button) return;
      event.preventDefault();
      const file = /** @type {DragEvent} */ (event).dataTransfer?.files?.[0];
      if (kind === "drop" && file) bring(button, file);
    });
  }

  root.atlasProbeImage = { show };
})();
