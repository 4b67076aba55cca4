/** Find tokens by their text, as services/search/query.py does: a mask over the rows of a token table. Pure. */
(function (/** @type {Atlas.StaticScripts} */ atlas) {
  const MOST_QUERY = 200;

  /** Without case, in every script alike. @param {string} text */
  const fold = (text) => text.toUpperCase().toLowerCase().replaceAll("ς", "σ");

  /** Terms between commas; one in double quotes may hold commas, and nothing but commas is itself a term.
   * @param {string} query @returns {string[]} */
  function termsOf(query) {
    const whole = query.trim();
    const found = [...whole.matchAll(/"([^"]*)"|([^,]+)/g)].map(([, quoted, plain]) => quoted || (plain || "").trim());
    const terms = [...new Set(found.filter(Boolean))];
    return terms.length || !whole ? terms : [whole];
  }

  /** Whole words, put together from their pieces, at each of their tokens. @param {Atlas.Searched} table @param {string[]} texts */
  function wordsOf({ word, input }, texts) {
    const words = [];
    for (let row = 0; row < texts.length;) {
      let end = row + 1;
      while (end < texts.length && word[row] >= 0 && word[end] === word[row] && input[end] === input[row]) end++;
      const joined = texts.slice(row, end).join("");
      for (; row < end; row++) words.push(joined);
    }
    return words;
  }

  /** Which rows a term matches, by the way to search.
   * @type {Record<string, (table: Atlas.Searched) => (term: string) => (row: number) => boolean>} */
  const WAYS = {
    token: (table) => {
      const [raw, texts] = [table.raw.map(fold), table.text.map(fold)];
      return (term) => (row) => raw[row] === term || texts[row] === term;
    },
    word: (table) => {
      const words = wordsOf(table, table.text.map(fold));
      return (term) => (row) => words[row] === term;
    },
    prefix: (table) => {
      const texts = table.text.map(fold);
      return (term) => (row) => texts[row].startsWith(term);
    },
    contains: (table) => {
      const texts = table.text.map(fold);
      return (term) => (row) => texts[row].includes(term);
    },
    object: (table) => {
      const [objects, lines] = [(table.object || []).map(fold), (table.lines || []).map(fold)];
      return (term) => (row) => objects[row] === term || (!table.special?.[row] && lines[table.input[row]].includes(term));
    },
  };

  /** Rows that match, as bits from the lowest. @param {Atlas.Searched} table @param {string} query @param {string} mode */
  function search(table, query, mode) {
    const rows = table.raw.length;
    const mask = new Uint8Array(Math.ceil(rows / 8));
    const terms = termsOf(query.slice(0, MOST_QUERY)).map(fold);
    const light = (/** @type {number} */ row) => void (mask[row >> 3] |= 1 << (row & 7));
    const way = (WAYS[mode] || WAYS.token)(table);
    for (const term of terms) {
      const matches = way(term);
      for (let row = 0; row < rows; row++) if (matches(row)) light(row);
    }
    if (mode !== "object") {
      for (const [row, characters] of Object.entries(table.split)) {
        if (characters.some((one) => terms.includes(fold(one)))) light(Number(row));
      }
    }
    return mask;
  }

  const api = { search, termsOf, fold };
  atlas.search = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_static ??= {}));
