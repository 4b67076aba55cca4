/** The colours of the scene, read from the page and read again when its theme or palette changes. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { themeColours, colourNumbers } = atlas.colours || require("./colours.js");

  const { contextOf } = atlas.overlay || require("./overlay.js");

  /** What a change of the page's theme shows in. */
  const WATCHED = ["class", "style", "data-theme", "data-bs-theme", "data-palette"];
  /** Colours that the style sheet takes from the stage. @type {Array<keyof Atlas.Colours>} */
  const STYLED = ["canvas", "cell", "text", "muted", "ring"];

  class Theme {
    /** @param {HTMLElement} root @param {HTMLElement} stage @param {() => void} changed */
    constructor(root, stage, changed) {
      this.root = root;
      this.stage = stage;
      this.changed = changed;
      this.name = "light";
      this.probe = contextOf(document.createElement("canvas"));
      this.look = this.read();
      this.watcher = new MutationObserver(() => this.follow());
      this.watcher.observe(document.documentElement, { attributes: true, attributeFilter: WATCHED });
    }

    /** @param {string} name  "light" or "dark" */
    set(name) {
      this.name = name;
      this.follow();
    }

    follow() {
      this.look = this.read();
      this.changed();
    }

    /** @returns {Atlas.Look} */
    read() {
      const style = getComputedStyle(this.root);
      const colours = themeColours((property) => style.getPropertyValue(property), this.name);
      for (const name of STYLED) this.stage.style.setProperty(`--scene-${name}`, colours[name]);
      const numbers = (/** @type {keyof Atlas.Colours} */ name) => colourNumbers(this.probe, colours[name]);
      return { colours, shades: { canvas: numbers("canvas"), cell: numbers("cell"), faded: numbers("faded"), muted: numbers("muted") } };
    }

    close() {
      this.watcher.disconnect();
    }
  }

  const api = { Theme };
  atlas.theme = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
