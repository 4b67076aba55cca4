/** The client code's scripts, as the browser has them. */
const path = require("node:path");

const components = path.join(__dirname, "..", "..", "components");

/** A script of a component. @param {string} name @param {string} [component] */
module.exports = (name, component = "head_scene") => require(path.join(components, component, `${name}.js`));
