/* The page's stores as the declarations have them (components/state): read anywhere, written by their controls. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const { none, same } = window.atlasCallback;
  const { pages, titles } = window.atlasTables;

  /** @typedef {{field: string, as: "switch"|"number"|"text"}} Control */

  /** @type {Record<Control["as"], (value: any) => any>} */
  const AS = {
    switch: (value) => (Array.isArray(value) ? value.length > 0 : Boolean(value)),
    number: Number,
    text: String,
  };

  /**
   * A store with the values of its controls; a control that is not there says nothing.
   * @param {Control[]} controls
   * @param {any[]} values  one a control
   * @param {Record<string, any>} before
   */
  function fromControls(controls, values, before) {
    /** @type {Record<string, any>} */
    const now = { ...before };
    controls.forEach(({ field, as }, i) => {
      if (values[i] !== null && values[i] !== undefined) now[field] = AS[as](values[i]);
    });
    return now;
  }

  /** What a store holds at this moment, for what is no callback: a key, a menu. @param {string} id */
  const read = (id) => window.dash_component_api.getLayout(id)?.props?.data ?? null;

  /** All stores of a page that is shown, by name. @param {string} page */
  const held = (page) => {
    /** @type {Record<string, {id: string}>} */
    const stores = pages[page].stores;
    return Object.fromEntries(Object.entries(stores).map(([name, { id }]) => [name, read(id)]));
  };

  /** @param {number} row */
  const layerNumber = (row) => window.atlas_client?.layers?.numberOf(row) ?? row;

  /** What the map shows, in words. @param {{layer: number, head: number}|null} head */
  const title = (head) => (head ? titles.head.replace("{layer}", String(layerNumber(head.layer))).replace("{head}", String(head.head)) : titles.all);

  /** The controls of a store are its only writer; the scene is shown what it can show as it is. @param {any[]} values */
  function picture(...values) {
    /** @type {{controls: Control[], shown: {field: string}[]}} */
    const { controls, shown } = pages.atlas.stores.picture;
    const before = values.pop();
    const now = fromControls(controls, values, before);
    return [same(now, before) ? none() : now, ...shown.map(({ field }) => now[field])];
  }

  root.atlasStores = { picture };
  window.atlasStores = { fromControls, read, held, title };
})();
