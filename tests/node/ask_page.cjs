/**
 * For tests in Python: reads {tables, page, states, picture} from a file, writes {links, picture}: the link of each
 * state, and what the store "picture" becomes when its controls have those values.
 */
const fs = require("node:fs");
const { load } = require("./page.cjs");

const { tables, page, states, picture } = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const { window } = load(["05-callback", "05-link", "06-stores"], { tables });
const links = states.map((state) => window.atlasLink.address(page, state));
const found = picture && window.dash_clientside.atlasStores.picture(...picture, tables.pages[page].stores.picture.default);
process.stdout.write(JSON.stringify({ links, picture: found }));
