/** The Dash component: an element whose inside belongs to the comparison. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  const { React } = window;

  class HeadCompare extends React.Component {
    /** @param {Atlas.CompareProps} props */
    constructor(props) {
      super(props);
      /** @type {import("react").RefObject<HTMLDivElement>} */
      this.root = React.createRef();
      /** @type {InstanceType<Atlas.CompareScripts["view"]["Compare"]>|null} */
      this.view = null;
    }

    componentDidMount() {
      if (!this.root.current) return;
      const tell = (/** @type {Partial<Atlas.CompareProps>} */ changes) => this.props.setProps?.(changes);
      this.view = new atlas.view.Compare(this.root.current, tell);
      this.view.update(this.props);
    }

    /** @param {Atlas.CompareProps} before */
    componentDidUpdate(before) {
      const { setProps: _now, state, ...props } = this.props;
      const { setProps: _then, state: _state, ...others } = before;
      // What comes back of its own state is known.
      const own = this.view && JSON.stringify(this.view.state) === JSON.stringify(state);
      if (!own || JSON.stringify(props) !== JSON.stringify(others)) this.view?.update(this.props);
    }

    componentWillUnmount() {
      this.view?.destroy();
      this.view = null;
    }

    render() {
      const { id } = this.props;
      return React.createElement("div", { id, ref: this.root, className: "head-compare" });
    }
  }

  atlas.HeadCompare = HeadCompare;
})((globalThis.atlas_compare ??= {}));
