/** Elements, and the fields that the finder's controls are made of. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag @param {Record<string, string>} [attributes] @param {Element} [parent]
   */
  function element(tag, attributes = {}, parent) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    parent?.appendChild(node);
    return node;
  }

  let fields = 0;

  /** A control under its label.
   * @param {Element} parent @param {string} label @param {HTMLElement} control @param {string} [more]  classes */
  function field(parent, label, control, more = "") {
    const box = element("div", { class: `field ${more}`.trim() }, parent);
    control.id ||= `finder-field-${++fields}`;
    element("label", { class: "field-label", for: control.id }, box).textContent = label;
    box.appendChild(control);
    return box;
  }

  /** @typedef {[string, string][]} Options  value and label */

  /** A select whose options stand in groups.
   * @param {HTMLSelectElement} select @param {[string, Options][]} groups  "" for none @param {string} value */
  function fill(select, groups, value) {
    select.replaceChildren();
    for (const [group, options] of groups) {
      const parent = group ? element("optgroup", { label: group }, select) : select;
      for (const [name, label] of options) element("option", { value: name }, parent).textContent = label;
    }
    select.value = value;
  }

  /** Give a file to the reader. @param {string} name @param {string} content @param {string} type */
  function save(name, content, type) {
    const url = URL.createObjectURL(new Blob([content], { type }));
    const link = element("a", { href: url, download: name });
    document.body.appendChild(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  const api = { element, field, fill, save };
  atlas.dom = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_finder ??= {}));
