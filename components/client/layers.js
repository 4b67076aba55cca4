/**
 * Rows of an atlas's arrays and the layers of its model: the same number, but where only some layers attend. Scripts
 * count rows; what a reader sees, writes or links is the model's number. Pure but for the page's own numbers.
 */
(function (/** @type {Atlas.ClientScripts} */ atlas) {
  /** @type {{of: HTMLElement|null, numbers: number[]|null}} */
  let page = { of: null, numbers: null };

  /** What the page says of the stream that it shows (components/layers.py). @returns {number[]|null} */
  function own() {
    const node = typeof document !== "undefined" && document.getElementById ? document.getElementById("layer-numbers") : null;
    if (node !== page.of) page = { of: node, numbers: node?.dataset?.numbers ? JSON.parse(node.dataset.numbers) : null };
    return page.numbers;
  }

  /** The model's number of a row. @param {number} row @param {number[]|null} [numbers]  the page's own, if nothing else is said */
  const numberOf = (row, numbers = own()) => numbers?.[row] ?? row;

  /** The row of a layer, −1 where it has no attention. @param {number} number @param {number[]|null} [numbers] */
  const rowOf = (number, numbers = own()) => (numbers ? numbers.indexOf(number) : number);

  /** As it is written: "L3 H9". @param {number} row @param {number} head @param {number[]|null} [numbers] */
  const nameOf = (row, head, numbers = own()) => `L${numberOf(row, numbers)} H${head}`;

  const api = { numberOf, rowOf, nameOf };
  atlas.layers = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_client ??= {}));
