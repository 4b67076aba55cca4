/* Token text made visible: blanks and control characters get symbols, subword marks are set apart, long tokens are
   cut between characters. The result is drawn or set as a text node, never parsed as markup. */
(function () {
  "use strict";
  const MARK_BEFORE = /^(?:##|Ġ|▁)/u;
  const MARK_AFTER = /(?:@@|<\/w>)$/u;
  const SYMBOLS = { " ": "␣", "\u00a0": "␣", "\n": "⏎", "\r": "␍", "\t": "⇥", "Ċ": "⏎", "ĉ": "⇥" };
  // Control, line and paragraph separators, zero-width and bidirectional controls, byte-order mark. The zero-width
  // joiner (200D) stays: emoji are built with it.
  // eslint-disable-next-line no-control-regex
  const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;
  const LONGEST = 400;

  function symbol(character) {
    if (SYMBOLS[character]) return SYMBOLS[character];
    const code = character.codePointAt(0);
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "␡";
    return `⟨${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  }

  /** @param {string} text @returns {{text: string, dim: boolean}[]} runs to draw side by side */
  function parts(text) {
    text = String(text ?? "");
    if (text === "") return [{ text: "∅", dim: true }];
    const found = [];
    const add = (piece, dim) => {
      if (!piece) return;
      const last = found[found.length - 1];
      if (last && last.dim === dim) last.text += piece;
      else found.push({ text: piece, dim });
    };
    let body = text.length > LONGEST ? text.slice(0, LONGEST) : text;
    const before = MARK_BEFORE.exec(body);
    if (before && before[0].length < body.length) {
      add(before[0], true);
      body = body.slice(before[0].length);
    }
    const after = MARK_AFTER.exec(body);
    const tail = after && after[0].length < body.length ? after[0] : "";
    if (tail) body = body.slice(0, -tail.length);
    for (const character of body) {
      const hidden = SYMBOLS[character] !== undefined || INVISIBLE.test(character);
      add(hidden ? symbol(character) : character, hidden);
    }
    add(tail, true);
    return found;
  }

  /** The same as one string, for tooltips and screen readers. */
  function plain(text) {
    const whole = parts(text)
      .map((part) => part.text)
      .join("");
    return String(text ?? "").length > LONGEST ? `${whole}…` : whole;
  }

  let segmenter = null;
  function characters(text) {
    if (typeof Intl === "object" && Intl.Segmenter) {
      segmenter ||= new Intl.Segmenter(undefined, { granularity: "grapheme" });
      return Array.from(segmenter.segment(text), (piece) => piece.segment);
    }
    return Array.from(text);
  }

  /** Cut to a width.
   * @param {string} text @param {number} maxWidth @param {(text: string) => number} measure
   * @returns {{parts: {text: string, dim: boolean, width: number}[], width: number, cut: boolean}} */
  function fit(text, maxWidth, measure) {
    const runs = parts(text);
    const long = String(text ?? "").length > LONGEST;
    const widths = runs.map((run) => (run.text.length > LONGEST ? Infinity : measure(run.text)));
    const total = widths.reduce((sum, width) => sum + width, 0);
    if (total <= maxWidth && !long) {
      return { parts: runs.map((run, i) => ({ ...run, width: widths[i] })), width: total, cut: false };
    }
    const dots = measure("…");
    const fitted = [];
    let used = 0;
    for (let i = 0; i < runs.length; i++) {
      if (used + widths[i] + dots <= maxWidth) {
        fitted.push({ ...runs[i], width: widths[i] });
        used += widths[i];
        continue;
      }
      const pieces = characters(runs[i].text.slice(0, 120));
      let low = 0;
      let high = pieces.length;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (used + measure(pieces.slice(0, middle).join("")) + dots <= maxWidth) low = middle;
        else high = middle - 1;
      }
      const start = pieces.slice(0, low).join("");
      if (start) {
        fitted.push({ text: start, dim: runs[i].dim, width: measure(start) });
        used += fitted[fitted.length - 1].width;
      }
      break;
    }
    fitted.push({ text: "…", dim: true, width: dots });
    return { parts: fitted, width: used + dots, cut: true };
  }

  /** 0.42, 0.021, 0.003: two figures where they can be trusted, never "0.00" for something drawn. */
  function number(weight) {
    if (!(weight > 0)) return "0";
    if (weight >= 0.995) return "1.00";
    if (weight >= 0.1) return weight.toFixed(2);
    return weight >= 0.0005 ? weight.toFixed(3) : "<0.001";
  }

  const api = { parts, plain, fit, number };
  if (typeof module === "object" && module.exports) module.exports = api;
  else Object.assign((window.atlas_sentence_view ??= {}), { tokens: api });
})();
