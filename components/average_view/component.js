/** The Dash component: an element whose inside belongs to the view. */
(function (/** @type {Atlas.AverageViewScripts} */ atlas) {
  const { React } = window;

  class AverageView extends React.Component {
    /** @param {Atlas.AverageProps} props */
    constructor(props) {
      super(props);
      /** @type {import("react").RefObject<HTMLDivElement>} */
      this.root = React.createRef();
      /** @type {InstanceType<Atlas.AverageViewScripts["view"]["AverageView"]>|null} */
      this.view = null;
      this.wishes = 0;
    }

    componentDidMount() {
      if (!this.root.current) return;
      this.view = new atlas.view.AverageView(this.root.current, (selection) => {
        this.wishes += 1;
        this.props.setProps?.({ chosen: { ...selection, n: this.wishes } });
      });
      this.view.update(this.props);
    }

    /** @param {Atlas.AverageProps} before */
    componentDidUpdate(before) {
      const { chosen: _now, setProps: _after, ...props } = this.props;
      const { chosen: _then, setProps: _earlier, ...others } = before;
      if (JSON.stringify(props) !== JSON.stringify(others)) this.view?.update(this.props);
    }

    componentWillUnmount() {
      this.view?.destroy();
      this.view = null;
    }

    render() {
      const { id, className } = this.props;
      return React.createElement("div", { id, ref: this.root, className: `average-picture ${className || ""}`.trim() });
    }
  }

  atlas.AverageView = AverageView;
})((globalThis.atlas_average_view ??= {}));
