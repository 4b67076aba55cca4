/** The Dash component: a box that folds, and the map inside. */
(function (/** @type {Atlas.MinimapScripts} */ atlas) {
  const { React } = window;
  const h = React.createElement;

  class Minimap extends React.Component {
    /** @param {Atlas.MinimapProps} props */
    constructor(props) {
      super(props);
      /** @type {import("react").RefObject<HTMLDivElement>} */
      this.node = React.createRef();
      /** @type {InstanceType<Atlas.MinimapScripts["map"]["HeadMap"]>|null} */
      this.map = null;
      this.wishes = 0;
      // On a phone it would cover the picture.
      this.opened = !window.matchMedia("(max-width: 760px)").matches;
    }

    componentDidMount() {
      if (!this.node.current) return;
      this.map = new atlas.map.HeadMap(this.node.current, (head) => {
        this.wishes += 1;
        this.props.setProps?.({ chosen: { ...head, n: this.wishes } });
      });
      this.show();
    }

    /** @param {Atlas.MinimapProps} before */
    componentDidUpdate(before) {
      const { head, layers, heads, theme, folded } = this.props;
      const same = atlas.cells.isSame(head, before.head) && layers === before.layers && heads === before.heads;
      if (!same || theme !== before.theme || String(folded) !== String(before.folded)) this.show();
    }

    show() {
      const { head, layers = 1, heads = 1, folded = [] } = this.props;
      this.map?.show(head || null, { layers, heads }, folded);
    }

    render() {
      const { id, head, title } = this.props;
      return h("div", { className: head ? "minimap-frame at-head" : "minimap-frame" },
        h("details", { open: this.opened },
          h("summary", { className: "minimap-title" }, title),
          h("div", {
            id, ref: this.node, className: "minimap", tabIndex: 0, role: "application", "aria-live": "off",
            "aria-label": "Small map of all heads: arrow keys move, Enter opens",
          })));
    }
  }

  atlas.Minimap = Minimap;
})((globalThis.atlas_minimap ??= {}));
