/* Help: the "i" popovers, the help dialog, the tour, and the glossary's addresses. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const escape = (window.atlasEscape ||= []);
  const TOUR_SEEN = "atlas-tour-seen";
  const started = new URLSearchParams(window.location.search);

  function element(tag, className, parent, text = "") {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text) node.textContent = text;
    parent?.appendChild(node);
    return node;
  }

  const prefix = () => document.getElementById("tour")?.dataset.prefix || "/";
  const stored = (name) => { try { return window.localStorage.getItem(name); } catch { return null; } };
  const store = (name, value) => { try { window.localStorage.setItem(name, value); } catch { /* switched off */ } };
  const onScreen = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(node).visibility !== "hidden";
  };

  /** Put a box below its target, or above where there is no room, inside the window. */
  function place(box, target, gap = 8) {
    const { clientWidth: width, clientHeight: height } = document.documentElement;
    const at = target.getBoundingClientRect();
    const { offsetWidth: w, offsetHeight: h } = box;
    const below = at.bottom + gap + h <= height - 8;
    const above = at.top - gap - h >= 8;
    const top = below ? at.bottom + gap : above ? at.top - gap - h : height - h - 16;
    const middle = at.width > w ? at.left + (at.width - w) / 2 : at.left;
    box.style.top = `${Math.max(8, top)}px`;
    box.style.left = `${Math.max(8, Math.min(width - w - 8, middle))}px`;
  }

  // --- popovers -----------------------------------------------------------------------------------------------

  let popover = null; // {box, button}

  function closePopover(refocus = true) {
    if (!popover) return false;
    const { box, button } = popover;
    popover = null;
    if (refocus && (box.contains(document.activeElement) || document.activeElement === document.body)) button.focus();
    box.remove();
    button.setAttribute("aria-expanded", "false");
    return true;
  }

  function openPopover(button) {
    closePopover(false);
    const { title, text, entry, help } = button.dataset;
    const box = element("div", "info-popover", document.body);
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-labelledby", "info-title");
    box.tabIndex = -1;
    element("h2", "info-title", box, title).id = "info-title";
    element("p", "", box, text);
    if (entry) {
      const link = element("a", "", box, "More in the glossary");
      link.href = `${prefix()}glossary#${entry}`;
      link.target = "_blank";
      link.rel = "noopener";
    }
    box.dataset.help = help;
    box.addEventListener("keydown", (event) => {
      const links = box.querySelectorAll("a");
      const last = event.shiftKey ? box : links[links.length - 1];
      const leaves = !links.length || document.activeElement === last;
      if (event.key === "Tab" && leaves) {
        closePopover();
        if (event.shiftKey) event.preventDefault();
      }
    });
    popover = { box, button };
    button.setAttribute("aria-expanded", "true");
    place(box, button);
    box.focus({ preventScroll: true });
  }

  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    const button = event.target.closest?.(".info-button");
    if (button) {
      event.preventDefault();
      if (popover?.button === button) closePopover();
      else openPopover(button);
    } else if (popover && !popover.box.contains(event.target)) {
      closePopover(false);
    }
  });
  window.addEventListener("resize", () => closePopover(false));
  document.addEventListener("scroll", (event) => { if (popover && !popover.box.contains(event.target)) closePopover(false); }, true);
  escape.push([5, () => closePopover()]);

  // --- the help dialog ----------------------------------------------------------------------------------------

  const dialog = () => /** @type {HTMLDialogElement|null} */ (document.getElementById("help"));

  function openHelp() {
    closePopover(false);
    closeTour(false);
    if (dialog() && !dialog().open) dialog().showModal();
  }

  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    const target = event.target;
    if (target.closest?.("#help-button")) openHelp();
    else if (target.closest?.("[data-close='help'], #help a") || target.id === "help") dialog().close();
    else if (target.closest?.("#help-tour")) {
      dialog().close();
      if (document.getElementById("scene")) startTour();
      else window.location.assign(`${prefix()}?tour=1`);
    }
  });

  // --- the tour -----------------------------------------------------------------------------------------------

  let tour = null; // {steps, at, box, ring, before}

  const target = (step) => step.at.split(",").map((at) => document.querySelector(at.trim())).find((node) => node && onScreen(node));

  function startTour() {
    const source = document.getElementById("tour");
    if (!source || tour) return;
    const box = element("div", "tour", document.body);
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-labelledby", "tour-title");
    box.setAttribute("aria-describedby", "tour-text");
    box.tabIndex = -1;
    const ring = element("div", "tour-ring", document.body);
    ring.setAttribute("aria-hidden", "true");
    tour = { steps: JSON.parse(source.dataset.steps), at: 0, box, ring, before: document.activeElement };
    showStep();
  }

  function showStep() {
    const { steps, at, box } = tour;
    box.replaceChildren();
    element("div", "tour-count", box, `${at + 1} of ${steps.length}`);
    element("h2", "", box, steps[at].title).id = "tour-title";
    element("p", "", box, steps[at].text).id = "tour-text";
    const row = element("div", "tour-buttons", box);
    const button = (text, className, run) => {
      const node = element("button", className, row, text);
      node.type = "button";
      node.addEventListener("click", run);
      return node;
    };
    const last = at === steps.length - 1;
    if (!last) button("Skip", "tour-skip", () => closeTour());
    if (at) button("Back", "text-button", () => { tour.at--; showStep(); });
    const next = button(last ? "Done" : "Next", "text-button tour-next", () => {
      if (last) return closeTour();
      tour.at++;
      return showStep();
    });
    const goal = target(steps[at]);
    goal?.scrollIntoView({ block: "nearest" });
    pointAt(goal);
    next.focus({ preventScroll: true });
  }

  function pointAt(goal) {
    if (!tour) return;
    const { box, ring } = tour;
    ring.hidden = !goal;
    if (!goal) return Object.assign(box.style, { left: "16px", top: "16px" });
    const at = goal.getBoundingClientRect();
    const edge = (value) => `${Math.round(value)}px`;
    Object.assign(ring.style, { left: edge(at.left - 4), top: edge(at.top - 4), width: edge(at.width + 8), height: edge(at.height + 8) });
    return place(box, goal, 12);
  }

  function closeTour(refocus = true) {
    if (!tour) return false;
    const { box, ring, before } = tour;
    tour = null;
    store(TOUR_SEEN, "1");
    const inside = box.contains(document.activeElement) || document.activeElement === document.body;
    box.remove();
    ring.remove();
    const there = before && before !== document.body && before.isConnected && onScreen(before);
    const back = there ? before : document.getElementById("help-button");
    if (refocus && inside) back?.focus();
    return true;
  }

  const follow = () => tour && pointAt(target(tour.steps[tour.at]));
  window.addEventListener("resize", follow);
  document.addEventListener("scroll", follow, true);
  window.addEventListener("popstate", () => closeTour(false));
  escape.push([8, () => closeTour()]);

  /** By itself on a first visit only: not over a link that shows something, and not while a program drives the page. */
  function wanted() {
    if (started.get("tour") === "1") return true;
    if (started.get("tour") === "0" || navigator.webdriver) return false;
    return !stored(TOUR_SEEN) && [...started.keys()].every((name) => name === "atlas");
  }

  let offered = false;
  function offerTour(status) {
    if (offered || !status || status.loaded < 1) return root.no_update;
    offered = true;
    if (wanted()) window.setTimeout(startTour, 0);
    return root.no_update;
  }

  // --- the glossary -------------------------------------------------------------------------------------------

  function showEntry(_id, hash) {
    const name = (hash || window.location.hash).slice(1);
    document.querySelectorAll(".entry.at").forEach((node) => node.classList.remove("at"));
    const entry = name ? document.getElementById(name) : null;
    if (entry?.classList.contains("entry")) {
      entry.classList.add("at");
      entry.scrollIntoView({ block: "center" });
      entry.focus({ preventScroll: true });
    }
    return root.no_update;
  }

  window.atlasHelp = { open: openHelp, tour: startTour };
  root.atlasHelp = { offerTour, showEntry };
})();
