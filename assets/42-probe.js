/* A reader's own texts: their fields become one store, the scene and the sentence view show what the model made of them. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same, triggered } = window.atlasCallback;
  const { known } = window.atlasChoose;
  const LETTERS = ["a", "b", "c", "d"];
  const PAUSE = 250; // ms without a key after which the model is asked
  const BEST = 12;

  const plain = () => window.atlasTables.pages.atlas.stores.probe.default;
  const texts = (probe) => LETTERS.filter((letter) => probe[letter].trim());
  const head = ({ layer, head: number }) => window.atlasStores.title({ layer, head: number });
  /** Rows that were opened and may be empty for now. */
  let opened = new Set(["a"]);
  let typing = 0;

  /** The one writer of the store. What is typed is waited for until the keys rest. */
  async function write(...values) {
    const [facts, before] = [values.pop(), values.pop()];
    const from = triggered();
    const is = (part) => LETTERS.find((letter) => from.includes(`probe-${part}-${letter}.n_clicks`));
    const typed = values.slice(0, 4).map((text) => text || "");
    const [picked, probePicked, selection] = values.slice(-3);
    if (from.some((name) => name.startsWith("probe-text-"))) {
      const turn = ++typing;
      await new Promise((done) => setTimeout(done, PAUSE));
      if (turn !== typing) return [none(), ...LETTERS.map(none)];
      return afterTyping(typed, facts);
    }
    typing++;
    return answer(next({ before, from, is, picked, probePicked, selection }), before, typed);
  }

  /** Fields and store are one. @param {string[]} typed */
  function afterTyping(typed, facts) {
    const before = window.atlasStores.read("probe") || plain();
    const now = { ...before, open: true };
    LETTERS.forEach((letter, i) => { now[letter] = typed[i].length > facts.characters ? "" : typed[i]; });
    const changed = LETTERS.find((letter) => now[letter] !== before[letter]);
    if (changed) {
      now.reads = now[changed].trim() ? changed : texts(now)[0] || "";
      if (now.reads !== before.reads) now.token = null;
    }
    const said = tooLong;
    tooLong = Object.fromEntries(LETTERS.map((letter, i) => [letter, typed[i].length > facts.characters ? typed[i].length : 0]));
    if (same(now, before) && !same(said, tooLong)) root.set_props("probe", { data: { ...now } }); // a text that is too long has to be said
    return [same(now, before) ? none() : now, ...LETTERS.map(none)];
  }

  /** Length of texts that were not taken, by letter. @type {Record<string, number>} */
  let tooLong = {};

  function next({ before, from, is, picked, probePicked, selection }) {
    if (from.includes("probe-open.n_clicks")) {
      focus("a");
      return { ...before, open: true };
    }
    if (from.includes("probe-close.n_clicks")) {
      opened = new Set(["a"]);
      tooLong = {};
      return { ...plain() };
    }
    if (from.includes("probe-add.n_clicks")) return added(before);
    const dropped = is("drop");
    if (dropped) return without(before, dropped);
    const chip = is("chip");
    if (chip) return before[chip].trim() ? { ...before, reads: before.reads === chip ? "" : chip, token: null } : before;
    if (from.includes("scene.probePicked") && probePicked) {
      const reads = texts(before)[probePicked.number] || before.reads;
      const again = before.reads === reads && before.token === probePicked.token && before.side === probePicked.side;
      return { ...before, reads, token: again ? null : probePicked.token, side: probePicked.side };
    }
    if (from.includes("sentence.picked") && before.reads && picked) return { ...before, token: picked.token, side: picked.side };
    if (from.includes("selection.data") && selection && known(selection.input)) return { ...before, reads: "", token: null };
    return before;
  }

  /** The field of a letter has the focus as soon as it is seen. @param {string} letter */
  function focus(letter, tries = 40) {
    const field = document.getElementById(`probe-text-${letter}`);
    if (field?.offsetParent) field.focus();
    else if (field && tries) window.setTimeout(() => focus(letter, tries - 1), 25);
  }

  /** One more row, with the last text in it: what is compared differs by a word or two. */
  function added(before) {
    const free = LETTERS.find((letter) => !before[letter].trim());
    const last = texts(before).pop();
    if (!free || !last) return before;
    opened.add(free);
    focus(free);
    return { ...before, [free]: before[last], reads: free, token: null };
  }

  /** Letters stay in order without gaps. */
  function without(before, letter) {
    const rest = LETTERS.filter((one) => one !== letter).map((one) => before[one]);
    opened.delete(LETTERS[opened.size - 1]);
    opened.add("a");
    tooLong = {};
    const now = { ...before, token: null };
    LETTERS.forEach((one, i) => { now[one] = rest[i] || ""; });
    now.reads = texts(now)[0] || "";
    return now;
  }

  function answer(now, before, typed) {
    const stands = (letter, i) => now[letter] === typed[i] || (tooLong[letter] && !now[letter]);
    return [same(now, before) ? none() : now, ...LETTERS.map((letter, i) => (stands(letter, i) ? none() : now[letter]))];
  }

  // --- what is known of them ----------------------------------------------------------------------------------------

  const percent = (part) => (part < 0.0005 ? "exactly" : `to ${(100 * part).toFixed(part < 0.01 ? 2 : 1)} % of the head's width`);
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

  /** How exact places are: in the open head, or in the middle one. */
  function exactness(errors, open, payload) {
    const numbers = (errors || []).filter(known);
    if (!numbers.length) return "placed";
    const own = open ? errors[open.layer * payload.heads + open.head] : median(numbers);
    if (!known(own)) return "placed";
    return `placed ${percent(own)}${open || own < 0.0005 ? "" : " in the middle head"}`;
  }

  /** One line on a text: what happens to it, or what came of it. */
  function sentence(letter, probe, found, open, facts, payload) {
    if (tooLong[letter]) return `A text can have ${facts.characters.toLocaleString("en")} characters; this one has ${tooLong[letter].toLocaleString("en")}.`;
    const one = found?.probes?.[letter];
    if (!probe[letter].trim() || !one) return "";
    if (one.message) return one.message;
    const parts = known(one.tokens) ? [`${one.tokens} tokens`] : [];
    if (one.placed) parts.push(exactness(found.errors, open, payload));
    else if (known(one.tokens) && !found.map) parts.push("placed in the atlas's own maps alone: choose its own scale");
    else if (one.state !== "ready") parts.push(`${one.label} …`);
    if (probe[letter].length > facts.link) parts.push("too long for the link");
    return parts.join(" · ");
  }

  const isFault = (letter, found) => tooLong[letter] || ["failed", "busy"].includes(found?.probes?.[letter]?.state);

  /** Those that the scene can draw, in the order of their letters. */
  function forScene(probe, found) {
    const placed = texts(probe).filter((letter) => found?.probes?.[letter]?.placed);
    if (!placed.length || !found.map) return null;
    const list = placed.map((letter) => ({ id: found.probes[letter].id, letter: letter.toUpperCase() }));
    return { map: found.map, list, read: placed.indexOf(probe.reads), token: probe.token, side: probe.side };
  }

  let shown = null;

  function show(probe, found, open, facts, payload) {
    const isOpen = probe.open || texts(probe).length > 0;
    const scene = forScene(probe, found);
    // While a changed text is on its way the one before stays.
    const waits = texts(probe).length > 0 && !scene && found?.map && Object.values(found.probes).some(({ state }) => ["waiting", "running"].includes(state));
    const now = waits && shown?.map === found.map ? shown : scene;
    const next_ = same(now, shown) && shown !== null ? none() : now;
    shown = now;
    root.atlasProbeImage?.show();
    const row = (letter) => (probe[letter].trim() || opened.has(letter) || tooLong[letter] ? "probe-row" : "probe-row d-none");
    return [
      next_, isOpen ? "probe-bar" : "probe-bar d-none",
      ...LETTERS.map(row),
      ...LETTERS.map((letter) => String(probe.reads === letter)),
      ...LETTERS.map((letter) => sentence(letter, probe, found, open, facts, payload)),
      ...LETTERS.map((letter) => (isFault(letter, found) ? "probe-says probe-fault" : "probe-says")),
    ];
  }

  // --- the sentence view --------------------------------------------------------------------------------------------

  /** What the sentence view reads: an input of the corpus, or one of these texts as if it were one. */
  function read(selection, probe, found, payload, now) {
    const letter = probe.reads;
    const one = letter && found?.probes?.[letter];
    if (!letter) {
      const chosen = selection && known(selection.input) ? selection : null;
      return [same(now, payload) ? none() : payload, chosen];
    }
    if (!one || !known(one.tokens)) return [none(), now?.probe ? none() : null]; // what was read stays until the next is there
    const wanted = { ...payload, base: `${payload.base}/probe/${one.id}`, probe: letter };
    const token = known(probe.token) && probe.token < one.tokens ? probe.token : null;
    return [same(now, wanted) ? none() : wanted, { input: 0, token, side: probe.side }];
  }

  // --- heads that differ --------------------------------------------------------------------------------------------

  const part = (type, props) => ({ namespace: "dash_html_components", type, props });

  /** The two that are compared: the first, and the one that is read or the next. */
  function pairOf(probe, found) {
    const ready = texts(probe).filter((letter) => known(found?.probes?.[letter]?.tokens));
    if (ready.length < 2) return null;
    return [ready[0], ready.includes(probe.reads) && probe.reads !== ready[0] ? probe.reads : ready[1]];
  }

  let compared = "";

  async function compare(probe, found, payload) {
    const pair = pairOf(probe, found);
    if (!pair) {
      compared = "";
      return ["menu d-none", []];
    }
    const [one, other] = pair.map((letter) => found.probes[letter].id);
    const address = `${payload.base}/probe/${one}/difference/${payload.stream}/${other}`;
    if (address === compared) return [none(), none()];
    compared = address;
    let answered;
    try {
      answered = await window.atlas_client.fetches.json(address);
    } catch {
      compared = "";
      return ["menu", "The comparison could not be loaded."];
    }
    const letters = pair.map((letter) => letter.toUpperCase());
    const order = answered.distance.map((_, cell) => cell).filter((cell) => known(answered.distance[cell]))
      .sort((a, b) => answered.distance[b] - answered.distance[a] || a - b);
    const lead = `How differently each head attends in ${letters[0]} and ${letters[1]}: Jensen–Shannon distance of the rows of the ` +
      `${answered.matched} tokens that both have, averaged. 0 the same, 1 nothing in common.`;
    const entry = (cell) => {
      const place = { layer: Math.floor(cell / payload.heads), head: cell % payload.heads };
      const value = answered.distance[cell];
      return part("Button", {
        type: "button", className: "probe-head", "data-layer": place.layer, "data-head": place.head,
        children: [part("Span", { children: head(place) }), part("Meter", { value, min: 0, max: 1 }), part("Span", { children: value.toFixed(3) })],
      });
    };
    return ["menu", [part("P", { children: lead }), ...order.slice(0, BEST).map(entry)]];
  }

  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    /** @type {HTMLElement|null} */
    const button = event.target.closest && event.target.closest(".probe-head");
    if (!button) return;
    /** @type {HTMLDetailsElement} */ (button.closest("details")).open = false;
    window.atlasChoose.head({ layer: Number(button.dataset.layer), head: Number(button.dataset.head) });
  });

  /** Pin a token of the text that is read, or none. @param {number|null} token @param {"query"|"key"} side */
  function pin(token, side) {
    const before = window.atlasStores.read("probe");
    if (before) root.set_props("probe", { data: { ...before, token, side } });
  }

  /**
   * Whether the server must be asked: while there are texts, and once more when they are gone.
   * @param {any} probe @param {string} map @param {any} found @param {number|null} before
   */
  const asks = (probe, map, found, before) => (map && (texts(probe || plain()).length || found) ? (before || 0) + 1 : none());

  root.atlasProbe = { asks, write, show, read, compare };
  window.atlasProbe = { pin };
})();
