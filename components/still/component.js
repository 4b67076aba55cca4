/** The Dash component: plain elements from a tree. */
(function (/** @type {Atlas.StillScripts} */ atlas) {
  const { React } = window;

  /**
   * @param {Atlas.StillNode[]} tree @returns {import("react").ReactNode[]}
   */
  const elements = (tree) =>
    tree.map((node, place) =>
      Array.isArray(node) ? React.createElement(node[0], { ...node[1], key: place }, ...elements(node[2])) : node,
    );

  /** @param {Atlas.StillProps} props */
  const Still = ({ id, className, role, tree }) =>
    React.createElement("div", { id, className, role }, ...elements(tree || []));

  atlas.Still = React.memo(Still);
})((globalThis.atlas_still ??= /** @type {any} */ ({})));
