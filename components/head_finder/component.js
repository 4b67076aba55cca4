/** The Dash component: an element whose inside belongs to the finder. */
(function (/** @type {Atlas.HeadFinderScripts} */ atlas) {
  const { React } = window;

  class HeadFinder extends React.Component {
    /** @param {Atlas.FinderProps} props */
    constructor(props) {
      super(props);
      /** @type {import("react").RefObject<HTMLDivElement>} */
      this.root = React.createRef();
      /** @type {InstanceType<Atlas.HeadFinderScripts["view"]["Finder"]>|null} */
      this.finder = null;
    }

    componentDidMount() {
      if (!this.root.current) return;
      const tell = (/** @type {Partial<Atlas.FinderProps>} */ changes) => this.props.setProps?.(changes);
      this.finder = new atlas.view.Finder(this.root.current, (state) => tell({ state }), (wanted) => tell({ wanted }));
      this.finder.update(this.props);
    }

    /** @param {Atlas.FinderProps} before */
    componentDidUpdate(before) {
      const { setProps: _now, ...props } = this.props;
      const { setProps: _then, ...others } = before;
      // What comes back of its own state is known.
      const own = this.finder && JSON.stringify(this.finder.state) === JSON.stringify(props.state);
      const same = JSON.stringify({ ...props, state: null }) === JSON.stringify({ ...others, state: null });
      if (!own || !same) this.finder?.update(this.props);
    }

    componentWillUnmount() {
      this.finder?.destroy();
      this.finder = null;
    }

    render() {
      const { id } = this.props;
      return React.createElement("div", { id, ref: this.root, className: "head-finder" });
    }
  }

  atlas.HeadFinder = HeadFinder;
})((globalThis.atlas_head_finder ??= {}));
