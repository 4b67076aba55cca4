/* Keys that work wherever the focus is.
 *
 * Escape does one thing at a time: `window.atlasEscape` is a list of [order, handler]; the first handler that returns
 * true ends it. Popovers and menus 10, a selection 20, leaving the head 30. */
(() => {
  "use strict";
  const escape = (window.atlasEscape ||= []);
  const scene = () => document.getElementById("scene")?.atlasScene;
  const TEXT = /^(text|search|number|email|url|tel|password|date|range)$/;

  const typing = (target) =>
    target.isContentEditable || target.tagName === "TEXTAREA" || (target.tagName === "INPUT" && TEXT.test(target.type));

  /** Arrow keys mean the next head only where they mean nothing else. */
  const OWN_ARROWS = "input, select, textarea, dialog, [role=dialog], [role=application], [role=grid], [role=listbox], "
    + "[role=tablist], [role=slider], [role=tree], [role=menu], .menu[open], .ag-root-wrapper, [contenteditable]";
  const free = (target) =>
    target === document.body || (/^(BUTTON|A|SUMMARY|MAIN)$/.test(target.tagName) && !target.closest(OWN_ARROWS));

  escape.push([10, (event) => {
    /** @type {HTMLDetailsElement|null} */
    const menu = event.target.closest?.("details.menu[open]") || document.querySelector("details.menu[open]");
    if (!menu) return false;
    menu.open = false;
    menu.querySelector("summary").focus();
    return true;
  }]);
  escape.push([20, (event) => {
    if (typing(event.target) || !scene()?.state().selection) return false;
    window.atlasChoose.token(null);
    return true;
  }]);
  escape.push([30, (event) => {
    if (typing(event.target) || !scene()?.state().head) return false;
    window.atlasChoose.head(null);
    return true;
  }]);

  // In the capture phase, before the scene or a panel takes Escape for itself and out of order.
  document.addEventListener("keydown", (/** @type {Atlas.On<KeyboardEvent>} */ event) => {
    if (event.key !== "Escape" || event.isComposing || document.querySelector("dialog:modal")) return;
    for (const [, handler] of [...escape].sort((a, b) => a[0] - b[0])) {
      if (!handler(event)) continue;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
  }, true);

  const ARROWS = { ArrowLeft: "head-left", ArrowRight: "head-right", ArrowUp: "head-up", ArrowDown: "head-down" };
  const FOCUS = { "/": "search-box", g: "jump-layer" };

  document.addEventListener("keydown", (/** @type {Atlas.On<KeyboardEvent>} */ event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target) || document.querySelector("dialog:modal")) return;
    if (ARROWS[event.key] && free(event.target) && scene()?.state().head) {
      document.getElementById(ARROWS[event.key])?.click();
    } else if (FOCUS[event.key] && document.getElementById(FOCUS[event.key])) {
      document.getElementById(FOCUS[event.key]).focus();
    } else if (event.key === "?" && window.atlasHelp) {
      window.atlasHelp.open();
    } else if (event.key === "0" && scene() && event.target.tagName !== "SELECT") {
      scene().recentre();
    } else {
      return;
    }
    event.preventDefault();
  });

  // A menu opens under its button, but never beyond the edge of the window.
  document.addEventListener("toggle", (/** @type {Atlas.On<Event, HTMLDetailsElement>} */ event) => {
    /** @type {HTMLElement|null} */
    const body = event.target.open ? event.target.querySelector?.(".menu-body") : null;
    if (!body) return;
    body.style.transform = "";
    const { left, right } = body.getBoundingClientRect();
    const shift = left < 8 ? 8 - left : Math.min(0, document.documentElement.clientWidth - 8 - right);
    if (shift) body.style.transform = `translateX(${Math.round(shift)}px)`;
  }, true);

  // A menu closes when one clicks or moves elsewhere.
  for (const type of ["pointerdown", "focusin"]) {
    document.addEventListener(type, (/** @type {Atlas.On<Event, HTMLElement>} */ event) => {
      for (const menu of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.menu[open]"))) {
        if (!menu.contains(event.target)) menu.open = false;
      }
    });
  }
})();
