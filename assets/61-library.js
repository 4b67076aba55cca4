/* An atlas that was sent, on the page Library: one request whose body is the file. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});

  /** @param {string} text */
  const say = (text) => root.set_props("shelf-says", { children: text });

  /** @param {File} file @param {HTMLElement} button */
  async function open(file, button) {
    const most = Number(button.dataset.most);
    if (file.size > most) {
      say(`${file.name} has ${root.atlasNew.readable(file.size)}; ${root.atlasNew.readable(most)} are the most that can be opened here.`);
      return;
    }
    const address = `${root.atlasNew.prefix()}library/open?name=${encodeURIComponent(file.name)}`;
    try {
      const answer = await root.atlasNew.send(file, address, (share) => {
        say(share < 1 ? `Sending … ${Math.round(100 * share)} %` : "Looking at it …");
      });
      say(`It is here as ${answer.slug}.`);
      root.set_props("looked", { data: Date.now() });
    } catch (error) {
      say(/** @type {Error} */ (error).message);
    }
  }

  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest?.("#shelf-open");
    if (!(button instanceof HTMLElement)) return;
    root.atlasNew.choose(false, (files) => open(files[0], button));
  });
})();
