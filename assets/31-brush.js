/* The brush: values of the legend, and a stretch of positions, that stand out; all other points are greyed. Its text is
   the one of services/search/brush.py. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same } = window.atlasCallback;
  const { attributes, brush: { steps, sides } } = window.atlasTables;
  /** Arrow keys move an end by one step, with Shift or Page Up and Down by so many. */
  const FAR = 10;

  /** @typedef {{name: string, label: string, kind: string, scope: "token"|"head", categories: string[], plain: boolean}} Attribute */

  /** @param {string} name @returns {Attribute|undefined} */
  const attributeOf = (name) => attributes.find((one) => one.name === name);
  /** @param {string} text @returns {Map<string, number[]>} numbers by attribute */
  const parse = (text) => new Map((text || "").split("*").filter(Boolean).map((part) => {
    const [name, numbers] = part.split("-");
    return [name, numbers.split(".").map(Number)];
  }));
  /** @param {Map<string, number[]>} parts */
  const write = (parts) => [...parts].map(([name, numbers]) => `${name}-${numbers.join(".")}`).join("*");

  /** What the scene is told. @param {string} text */
  function forScene(text) {
    return [...parse(text)].flatMap(([name, numbers]) => {
      const attribute = attributeOf(name);
      if (!attribute) return [];
      const { scope, kind, plain } = attribute;
      return [{ name, scope, ...(kind === "sequential" ? { range: numbers } : { values: numbers, sides: plain }) }];
    });
  }

  /** A category in or out: the first one chosen stands out alone, the last one left out ends it.
   * @param {string} text @param {string} name @param {number} value */
  function toggled(text, name, value) {
    const parts = parse(text);
    const before = parts.get(name) || [];
    const now = before.includes(value) ? before.filter((one) => one !== value) : [...before, value].sort((a, b) => a - b);
    const all = attributeOf(name)?.plain ? sides.length : attributeOf(name)?.categories.length || Infinity;
    if (now.length && now.length < all) parts.set(name, now);
    else parts.delete(name);
    return write(parts);
  }

  /** A stretch of a scale; all of it is none. @param {string} text @param {string} name @param {number} low @param {number} high  steps */
  function stretched(text, name, low, high) {
    const parts = parse(text);
    if (low <= 0 && high >= steps - 1) parts.delete(name);
    else parts.set(name, [Math.max(0, Math.round(low)), Math.min(steps - 1, Math.round(high))]);
    return write(parts);
  }

  const percent = (step) => `${Math.round((100 * step) / (steps - 1))} %`;

  /** In words. @param {string} text */
  function words(text) {
    return [...parse(text)].map(([name, numbers]) => {
      const { label, kind, categories, plain } = attributeOf(name) || { label: name, kind: "sequential", categories: [], plain: false };
      if (kind === "sequential") return `${label} ${percent(numbers[0])}–${percent(numbers[1])}`;
      const names = plain ? sides : categories;
      const known = numbers.every((number) => names[number] !== undefined);
      if (numbers.length > 3 || !known) return `${label}: ${numbers.length} value${numbers.length === 1 ? "" : "s"}`;
      return numbers.map((number) => names[number]).join(", ");
    }).join(" · ");
  }

  // --- the legend ---------------------------------------------------------------------------------------------------

  const now = () => window.atlasStores.read("brush")?.only || "";
  /** @param {string} only */
  const keep = (only) => { if (only !== now()) root.set_props("brush", { data: { only } }); };

  /** The part of a bar that stands out, and its two ends. @param {HTMLElement} bar @param {string} text */
  function paintBar(bar, text) {
    const { brush: name } = bar.dataset;
    const label = attributeOf(name)?.label || name;
    if (!bar.querySelector(".brush-end")) {
      bar.classList.add("brush-bar");
      for (const end of ["from", "to"]) {
        const shade = document.createElement("span");
        shade.className = `brush-off brush-off-${end}`;
        const thumb = document.createElement("span");
        thumb.className = `brush-end brush-${end}`;
        for (const [key, value] of Object.entries({
          tabindex: "0", role: "slider", "aria-label": `${label}, ${end}`, "aria-valuemin": "0", "aria-valuemax": String(steps - 1),
        })) thumb.setAttribute(key, value);
        bar.append(shade, thumb);
      }
    }
    const [low, high] = parse(text).get(name) || [0, steps - 1];
    bar.style.setProperty("--from", String(low / (steps - 1)));
    bar.style.setProperty("--to", String(high / (steps - 1)));
    for (const [end, step] of [["from", low], ["to", high]]) {
      const thumb = bar.querySelector(`.brush-${end}`);
      thumb.setAttribute("aria-valuenow", String(step));
      thumb.setAttribute("aria-valuetext", percent(step));
    }
  }

  /** @param {string} text */
  function paint(text) {
    const parts = parse(text);
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".legend-value"))) {
      const { brush: name, value } = button.dataset;
      const kept = parts.get(name);
      button.setAttribute("aria-pressed", String(Boolean(kept?.includes(Number(value)))));
      button.classList.toggle("legend-off", Boolean(kept) && !kept.includes(Number(value)));
    }
    for (const bar of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-brush].legend-bar"))) paintBar(bar, text);
  }

  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    /** @type {HTMLElement|null} */
    const button = event.target.closest?.(".legend-value");
    if (button) keep(toggled(now(), button.dataset.brush, Number(button.dataset.value)));
  });

  /** @param {HTMLElement} bar @param {number} x  client px */
  const stepAt = (bar, x) => {
    const box = bar.getBoundingClientRect();
    return Math.min(steps - 1, Math.max(0, ((x - box.left) / box.width) * (steps - 1)));
  };
  document.addEventListener("pointerdown", (/** @type {Atlas.On<PointerEvent>} */ event) => {
    /** @type {HTMLElement|null} */
    const bar = event.target.closest?.(".brush-bar");
    if (!bar || event.button !== 0) return;
    event.preventDefault();
    const { brush: name } = bar.dataset;
    const [low, high] = parse(now()).get(name) || [0, steps - 1];
    const end = event.target.closest(".brush-end");
    // An end is moved; elsewhere a new stretch begins, and a mere click ends the old one.
    const fixed = end ? (end.classList.contains("brush-from") ? high : low) : stepAt(bar, event.clientX);
    let moved = Boolean(end);
    const move = (/** @type {PointerEvent} */ to) => {
      const step = stepAt(bar, to.clientX);
      if (!moved && Math.abs(step - fixed) < 2) return;
      moved = true;
      keep(stretched(now(), name, Math.min(fixed, step), Math.max(fixed, step)));
    };
    const done = () => {
      if (!moved) keep(stretched(now(), name, 0, steps - 1));
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", done);
      document.removeEventListener("pointercancel", done);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", done);
    document.addEventListener("pointercancel", done);
  });

  const KEYS = {
    ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -FAR, PageUp: FAR, Home: -Infinity, End: Infinity,
  };
  document.addEventListener("keydown", (/** @type {Atlas.On<KeyboardEvent>} */ event) => {
    const end = event.target.closest?.(".brush-end");
    const by = KEYS[event.key];
    if (!end || by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    /** @type {HTMLElement} */
    const bar = end.closest(".brush-bar");
    const { brush: name } = bar.dataset;
    const [low, high] = parse(now()).get(name) || [0, steps - 1];
    const step = event.shiftKey ? by * FAR : by;
    if (end.classList.contains("brush-from")) keep(stretched(now(), name, Math.max(0, Math.min(high, low + step)), high));
    else keep(stretched(now(), name, low, Math.min(steps - 1, Math.max(low, high + step))));
  }, true);

  /** The store, the colouring or the legend has changed. */
  function follow(data, colouring, _legend, before) {
    const text = data?.only || "";
    requestAnimationFrame(() => paint(text)); // once Dash has drawn the legend
    const parts = forScene(text);
    const says = words(text);
    return [
      same(parts, before || []) ? none() : parts,
      says ? `Only ${says}` : "",
      says ? "brush-clear" : "brush-clear d-none",
      colouring?.colour === "position" ? "legend-positions d-none" : "legend-positions",
    ];
  }

  function clear() {
    keep("");
    return none();
  }

  root.atlasBrush = { follow, clear };
  window.atlasBrush = { parse, write, toggled, stretched, words, forScene };
})();
