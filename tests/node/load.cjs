/** The scene's pure functions, as the browser has them. */
const path = require("node:path");
const folder = path.join(__dirname, "..", "..", "components", "head_scene");
module.exports = (name) => require(path.join(folder, `${name}.js`));
