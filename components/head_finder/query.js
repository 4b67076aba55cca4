/**
 * The query line of the finder: `previous > 0.5 and layer < 6`. A parser of its own, and what it means for each head.
 *
 *   query      = conjunction ("or" conjunction)*
 *   conjunction = condition ("and" condition)*
 *   condition  = "not" condition | "(" query ")" | value (comparison value)+
 *   value      = number ["%"] | name | "label in quotes"
 *   comparison = < <= > >= = !=
 *
 * A head without a number is unknown: it meets neither a condition nor the opposite. Pure.
 */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  /**
   * @typedef {{at: number, end: number}} Span
   * @typedef {Span & {kind: "number"|"name"|"word"|"sign"|"end", text: string, value?: number}} Token
   * @typedef {Span & {kind: "number", value: number}|Span & {kind: "column", name: string}} Value
   * @typedef {Span & {kind: "compare", values: Value[], signs: string[]}} Compare
   * @typedef {Span & {kind: "not", part: Node}} Not
   * @typedef {Span & {kind: "and", parts: Node[]}|Span & {kind: "or", parts: Node[]}} Join
   * @typedef {Compare|Not|Join} Node
   * @typedef {{name: string, label: string}} Column
   */

  const SPACE = /\s*/y;
  const NUMBER = /[-−]?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?(\s*%)?/iy;
  const NAME = /[A-Za-z_]\w*/y;
  const QUOTED = /"([^"]*)"/y;
  const SIGN = /<=|>=|!=|==|[<>=()≤≥≠]/y;
  const WORDS = ["and", "or", "not"];
  /** @type {Record<string, string>} */
  const SAME = { "==": "=", "≤": "<=", "≥": ">=", "≠": "!=" };
  /** @type {Record<string, (a: number, b: number) => boolean>} */
  const COMPARE = {
    "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b, "=": (a, b) => a === b, "!=": (a, b) => a !== b,
  };
  /** Parentheses may stand so deep in each other. */
  const DEEPEST = 50;

  /** What is wrong, and where. */
  class QueryError extends Error {
    /** @param {string} message @param {Span} span */
    constructor(message, { at, end }) {
      super(message);
      this.at = at;
      this.end = Math.max(end, at + 1);
    }
  }

  /** @param {RegExp} pattern @param {string} text @param {number} at */
  function match(pattern, text, at) {
    pattern.lastIndex = at;
    return pattern.exec(text);
  }

  /** @param {string} text @returns {Token[]} */
  function tokensOf(text) {
    /** @type {Token[]} */
    const tokens = [];
    let at = 0;
    for (;;) {
      at += match(SPACE, text, at)?.[0].length || 0;
      if (at >= text.length) break;
      const number = match(NUMBER, text, at);
      const name = match(NAME, text, at);
      const quoted = match(QUOTED, text, at);
      const sign = match(SIGN, text, at);
      const found = number || name || quoted || sign;
      if (!found) {
        throw new QueryError(text[at] === '"' ? "This quote is not closed." : `“${text[at]}” means nothing here.`, { at, end: at + 1 });
      }
      const span = { at, end: at + found[0].length };
      if (number) {
        const value = parseFloat(number[0].replace("−", "-")) / (number[1] ? 100 : 1);
        tokens.push({ kind: "number", text: number[0], value, ...span });
      } else if (name) {
        const word = WORDS.includes(name[0].toLowerCase());
        tokens.push({ kind: word ? "word" : "name", text: word ? name[0].toLowerCase() : name[0], ...span });
      } else if (quoted) tokens.push({ kind: "name", text: quoted[1], ...span });
      else if (sign) tokens.push({ kind: "sign", text: SAME[sign[0]] || sign[0], ...span });
      at = span.end;
    }
    tokens.push({ kind: "end", text: "", at: text.length, end: text.length });
    return tokens;
  }

  /** The column that a word means: its name, its label, or the start of one alone.
   * @param {Token} token @param {Column[]} columns */
  function columnOf(token, columns) {
    const word = token.text.trim().toLowerCase();
    const same = columns.find(({ name, label }) => name.toLowerCase() === word || label.toLowerCase() === word);
    if (same) return same.name;
    const opens = (/** @type {Column} */ { name, label }) => [name, label].some((one) => one.toLowerCase().startsWith(word));
    const starts = word ? columns.filter(opens) : [];
    if (starts.length === 1) return starts[0].name;
    const near = starts.length ? starts : columns.filter(({ name, label }) => word && `${name} ${label}`.toLowerCase().includes(word));
    const some = near.slice(0, 4).map(({ name }) => name).join(", ");
    const hint = starts.length ? `it could be ${some}` : near.length ? `perhaps ${some}` : "type two letters to see names";
    throw new QueryError(`“${token.text}” is measured of no head here; ${hint}.`, token);
  }

  class Parser {
    /** @param {string} text @param {Column[]} columns */
    constructor(text, columns) {
      this.tokens = tokensOf(text);
      this.columns = columns;
      this.next = 0;
      this.depth = 0;
    }

    get token() {
      return this.tokens[this.next];
    }

    /** @param {Token["kind"]} kind @param {string} [text] */
    is(kind, text) {
      return this.token.kind === kind && (text === undefined || this.token.text === text);
    }

    /** @param {"and"|"or"} word @param {() => Node} part @returns {Node} */
    joined(word, part) {
      const parts = [part()];
      while (this.is("word", word)) {
        this.next++;
        parts.push(part());
      }
      return parts.length === 1 ? parts[0] : { kind: word, parts, at: parts[0].at, end: parts[parts.length - 1].end };
    }

    /** @returns {Node} */
    query() {
      return this.joined("or", () => this.joined("and", () => this.condition()));
    }

    /** @returns {Node} */
    condition() {
      const { at } = this.token;
      if (++this.depth > DEEPEST) throw new QueryError("This is nested too deep.", this.token);
      try {
        if (this.is("word", "not")) {
          this.next++;
          const part = this.condition();
          return { kind: "not", part, at, end: part.end };
        }
        if (this.is("sign", "(")) {
          this.next++;
          const inside = this.query();
          if (!this.is("sign", ")")) throw new QueryError("Here a “)” is missing.", this.token);
          const { end } = this.token;
          this.next++;
          return { ...inside, at, end };
        }
        return this.comparison();
      } finally {
        this.depth--;
      }
    }

    /** @returns {Compare} */
    comparison() {
      const values = [this.value()];
      const signs = [];
      while (this.is("sign") && COMPARE[this.token.text]) {
        signs.push(this.token.text);
        this.next++;
        values.push(this.value());
      }
      if (!signs.length) throw new QueryError("Here a comparison is missing: <, <=, >, >=, = or !=.", this.token);
      const span = { at: values[0].at, end: values[values.length - 1].end };
      if (values.every(({ kind }) => kind === "number")) throw new QueryError("This compares numbers with each other; name a measure.", span);
      return { kind: "compare", values, signs, ...span };
    }

    /** @returns {Value} */
    value() {
      const token = this.token;
      const { at, end } = token;
      if (token.kind === "number") {
        this.next++;
        return { kind: "number", value: Number(token.value), at, end };
      }
      if (token.kind === "name") {
        this.next++;
        return { kind: "column", name: columnOf(token, this.columns), at, end };
      }
      const what = token.kind === "end" ? "The line ends here" : `Instead of “${token.text}”`;
      throw new QueryError(`${what}${token.kind === "end" ? ": " : " "}a measure or a number is needed.`, token);
    }
  }

  /** @param {string} text @param {Column[]} columns @returns {Node|null} null: nothing is asked @throws {QueryError} */
  function parse(text, columns) {
    if (!text.trim()) return null;
    const parser = new Parser(text, columns);
    const found = parser.query();
    if (!parser.is("end")) throw new QueryError(parser.is("sign", ")") ? "This “)” closes nothing." : "Here “and” or “or” is missing.", parser.token);
    return found;
  }

  /** Whether a head meets it; null where a number is unknown.
   * @param {Node} node @param {(name: string) => number} valueOf  NaN: unknown @returns {boolean|null} */
  function meets(node, valueOf) {
    if (node.kind === "not") {
      const part = meets(node.part, valueOf);
      return part === null ? null : !part;
    }
    if (node.kind === "and" || node.kind === "or") {
      const decides = node.kind === "or";
      /** @type {boolean|null} */
      let result = !decides;
      for (const part of node.parts) {
        const met = meets(part, valueOf);
        if (met === decides) return decides;
        if (met === null) result = null;
      }
      return result;
    }
    const numbers = node.values.map((value) => (value.kind === "number" ? value.value : valueOf(value.name)));
    if (numbers.some(Number.isNaN)) return null;
    return node.signs.every((sign, i) => COMPARE[sign](numbers[i], numbers[i + 1]));
  }

  // --- limits: what sliders write into the line ---------------------------------------------------------------------

  /** Which end a part of the query limits of a measure: `name >= number` or `number <= name`; null for anything else.
   * @param {Node} node @param {string} name @returns {{end: "low"|"high", value: number}|null} */
  function limitOf(node, name) {
    if (node.kind !== "compare" || node.signs.length !== 1) return null;
    const [a, b] = node.values;
    const [sign] = node.signs;
    if (!/^[<>]=?$/.test(sign)) return null;
    const up = sign.startsWith(">");
    if (a.kind === "column" && a.name === name && b.kind === "number") return { end: up ? "low" : "high", value: b.value };
    if (b.kind === "column" && b.name === name && a.kind === "number") return { end: up ? "high" : "low", value: a.value };
    return null;
  }

  /** @param {Node|null} node @returns {Node[]} what all must be met */
  const parts = (node) => (node === null ? [] : node.kind === "and" ? node.parts : [node]);

  /** The limits that a query sets to a measure. @param {Node|null} node @param {string} name */
  function limitsOf(node, name) {
    const found = parts(node).map((part) => limitOf(part, name)).filter((one) => one !== null);
    const ends = (/** @type {string} */ end) => found.filter((one) => one.end === end).map(({ value }) => value);
    return { low: ends("low").length ? Math.max(...ends("low")) : null, high: ends("high").length ? Math.min(...ends("high")) : null };
  }

  /** The query with other limits of a measure; null: none. @param {string} text @param {Node|null} node
   * @param {string} name @param {{low: number|null, high: number|null}} limits */
  function limited(text, node, name, { low, high }) {
    const others = parts(node).filter((part) => !limitOf(part, name));
    const kept = others.map((part) => {
      const source = text.slice(part.at, part.end);
      return part.kind === "or" && !source.startsWith("(") ? `(${source})` : source;
    });
    if (low !== null) kept.push(`${name} >= ${short(low)}`);
    if (high !== null) kept.push(`${name} <= ${short(high)}`);
    return kept.join(" and ");
  }

  /** @param {number} value */
  const short = (value) => String(Number(value.toPrecision(4)));

  const api = { QueryError, parse, meets, limitsOf, limited };
  atlas.query = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
