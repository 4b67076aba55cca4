/** Scripts of assets/ in a window of their own: an address, a history, Dash's calls; and the tables that the server serves. */
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const ASSETS = path.join(__dirname, "..", "..", "assets");

/** What `components/state/tables.py` writes; tests/node_runtime.py has written it to a file. */
const tables = () => JSON.parse(fs.readFileSync(process.env.ATLAS_TABLES, "utf8"));

/**
 * @param {string[]} names  of scripts, without ".js", in their order
 * @param {{address?: string, tables?: any, stores?: Object<string, any>, elements?: Object<string, any>}} [given]
 *     stores: what each holds, by id; elements: of the document, by id
 * @returns {{window: any, told: [string, Object][], history: [string, string][]}}
 *     told: what was handed to set_props; history: how and to which address it was written
 */
function load(names, given = {}) {
  const told = [];
  const history = [];
  const location = new URL(given.address || "http://atlas.test/");
  const listeners = {};
  const write = (how) => (state, _title, url) => {
    history.push([how, String(url)]);
    location.href = String(url);
    window.history.state = state;
  };
  const window = {
    location, URL, URLSearchParams, console, setTimeout: () => 0,
    atlasTables: given.tables || tables(),
    history: { state: null, pushState: write("push"), replaceState: write("replace") },
    addEventListener: (type, listener) => (listeners[type] = listener),
    document: {
      getElementById: (id) => given.elements?.[id] ?? null,
      addEventListener: () => {},
      documentElement: { setAttribute: () => {} },
    },
    dash_clientside: {
      no_update: "no update",
      callback_context: { triggered: [] },
      set_props: (id, props) => told.push([id, props]),
    },
    dash_component_api: { getLayout: (id) => given.stores?.[id] && { props: { data: given.stores[id] } } },
    fire: (type) => listeners[type]?.(),
  };
  window.window = window;
  const context = vm.createContext(window);
  for (const name of names) {
    const file = path.join(ASSETS, `${name}.js`);
    vm.runInContext(fs.readFileSync(file, "utf8"), context, { filename: file });
  }
  return { window, told, history };
}

/** Objects made in the other context, as plain ones of this. */
const plain = (value) => JSON.parse(JSON.stringify(value));

module.exports = { load, tables, plain };
