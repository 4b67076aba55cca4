/** Scripts of assets/ in a window of their own: an address, a history, Dash's calls; and the tables that the server serves. */
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const ASSETS = path.join(__dirname, "..", "..", "assets");

/** What `components/state/tables.py` writes; tests/node_runtime.py has written it to a file. */
const tables = () => JSON.parse(fs.readFileSync(process.env.ATLAS_TABLES, "utf8"));

/**
 * @param {string[]} names  of scripts, without ".js", in their order
 * @param {{address?: string, tables?: any, stores?: Object<string, any>, elements?: Object<string, any>,
 *     globals?: Object<string, any>, answers?: (url: string) => any}} [given]
 *     stores: what each holds, by id; elements: of the document, by id; globals: more of the window;
 *     answers: of the server, for what views fetch; an exception is a failure
 * @returns {{window: any, told: [string, Object][], history: [string, string][], call: Function, send: Function}}
 *     told: what was handed to set_props; history: how and to which address it was written;
 *     call(ids, work): run a callback as if those had changed, ids or {id: value}; send(type, event): to the document
 */
function load(names, given = {}) {
  const told = [];
  const history = [];
  const location = new URL(given.address || "http://atlas.test/");
  const listeners = {};
  const ofDocument = {};
  const fetched = async (url) => {
    if (!given.answers) throw new Error("the server did not answer");
    return given.answers(url);
  };
  const write = (how) => (state, _title, url) => {
    history.push([how, String(url)]);
    location.href = String(url);
    window.history.state = state;
  };
  /** @type {any} */
  const window = {
    location, URL, URLSearchParams, console, setTimeout: () => 0,
    atlasTables: given.tables || tables(),
    history: { state: null, pushState: write("push"), replaceState: write("replace") },
    addEventListener: (type, listener) => (listeners[type] = listener),
    document: {
      getElementById: (id) => given.elements?.[id] ?? null,
      addEventListener: (type, listener) => (ofDocument[type] ||= []).push(listener),
      createElement: () => ({ append: () => {}, setAttribute: () => {}, style: { setProperty: () => {} } }),
      querySelector: () => null,
      querySelectorAll: () => [],
      documentElement: { setAttribute: (name, value) => (window.document.documentElement[name] = value) },
      body: {},
    },
    localStorage: storage(),
    atlas_client: { fetches: { json: fetched, buffer: fetched }, headSets: require("./load.cjs")("head_sets", "client") },
    dash_clientside: {
      no_update: "no update",
      callback_context: { triggered: [] },
      set_props: (id, props) => told.push([id, props]),
    },
    dash_component_api: { getLayout: (id) => given.stores?.[id] && { props: { data: given.stores[id] } } },
    fire: (type) => listeners[type]?.(),
    ...given.globals,
  };
  window.window = window;
  const context = vm.createContext(window);
  for (const name of names) {
    const file = path.join(ASSETS, `${name}.js`);
    vm.runInContext(fs.readFileSync(file, "utf8"), context, { filename: file });
  }
  const call = (ids, work) => {
    const triggered = Array.isArray(ids) ? ids.map((id) => [id, 1]) : Object.entries(ids);
    window.dash_clientside.callback_context.triggered = triggered.map(([prop_id, value]) => ({ prop_id, value }));
    const found = work(window.dash_clientside);
    return found instanceof window.Promise ? found.then(plain) : plain(found);
  };
  const send = (type, event) => {
    const prevent = () => (sent.defaultPrevented = true);
    const sent = { target: window.document.body, preventDefault: prevent, stopPropagation: () => {}, ...event };
    for (const listener of ofDocument[type] || []) listener(sent);
    return Boolean(sent.defaultPrevented);
  };
  window.Promise = vm.runInContext("Promise", context);
  return { window, told, history, call, send };
}

/** What a browser keeps by name. */
function storage() {
  const kept = {};
  return { getItem: (name) => kept[name] ?? null, setItem: (name, value) => (kept[name] = String(value)) };
}

/** Objects made in the other context, as plain ones of this. */
const plain = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

module.exports = { load, tables, plain };
