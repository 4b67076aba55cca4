/** The Dash component: an element whose inside belongs to the view. */
(function (/** @type {Atlas.ImageViewScripts} */ atlas) {
  const { React } = window;

  class ImageView extends React.Component {
    /** @param {Atlas.ImageViewProps} props */
    constructor(props) {
      super(props);
      /** @type {import("react").RefObject<HTMLDivElement>} */
      this.root = React.createRef();
      /** @type {InstanceType<Atlas.ImageViewScripts["view"]["ImageView"]>|null} */
      this.view = null;
    }

    componentDidMount() {
      if (!this.root.current) return;
      this.view = new atlas.view.ImageView(this.root.current, (changes) => this.props.setProps?.(changes));
      this.view.update(this.props);
    }

    componentDidUpdate() {
      this.view?.update(this.props);
    }

    componentWillUnmount() {
      this.view?.destroy();
      this.view = null;
    }

    render() {
      const { id, className } = this.props;
      return React.createElement("div", { id, ref: this.root, className: `atlas-image-view ${className || ""}`.trim() });
    }
  }

  atlas.ImageView = ImageView;
})((globalThis.atlas_image_view ??= {}));
