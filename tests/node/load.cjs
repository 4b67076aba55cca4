/** The client code's scripts, as the browser has them. */
const fs = require("node:fs");
const path = require("node:path");

// The tables that a page is served before all scripts; tests/node_runtime.py has written them to a file.
if (process.env.ATLAS_TABLES) globalThis.atlasTables = JSON.parse(fs.readFileSync(process.env.ATLAS_TABLES, "utf8"));

const components = path.join(__dirname, "..", "..", "components");

/** A script of a component. @param {string} name @param {string} [component] */
module.exports = (name, component = "head_scene") => require(path.join(components, component, `${name}.js`));
