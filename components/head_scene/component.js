/** The Dash component: a div whose inside belongs to the scene. */
(function (atlas) {
  const React = window.React;

  class HeadScene extends React.Component {
    constructor(props) {
      super(props);
      this.root = React.createRef();
    }

    componentDidMount() {
      const root = this.root.current;
      // `this.props` at the time of the call: Dash replaces setProps with every change of props.
      this.scene = new atlas.Scene(root, (props) => this.props.setProps && this.props.setProps(props));
      const { scene } = this;
      root.atlasScene = {
        stats: () => scene.stats(),
        screenPosition: (point, cell) => scene.screenPosition(point, cell),
        headAt: (x, y) => scene.headAt(x, y),
        ready: () => scene.ready(),
        recentre: () => scene.grid && scene.reset(),
        state: () => ({ head: scene.props.head || null, selection: scene.props.selection || null }),
        payload: () => scene.props.payload,
        props: () => scene.props,
        photo: (options) => new atlas.photo.Photo(scene, options),
        shown: () => ({ projection: scene.props.projection, colour: scene.props.colour, theme: scene.props.theme }),
        stopDrawing: () => scene.lasso.active && (scene.lasso.cancel(), true),
        togglePoint: (point) => scene.data.slotOf && scene.toggleInSet(scene.data.slotOf[point]),
      };
      this.scene.update(this.props);
    }

    componentDidUpdate() {
      this.scene.update(this.props);
    }

    componentWillUnmount() {
      this.scene.destroy();
      delete this.root.current.atlasScene;
      this.scene = null;
    }

    render() {
      const { id, className, style, theme } = this.props;
      return React.createElement("div", {
        id, ref: this.root, style, className: `atlas-scene ${className || ""}`.trim(), "data-theme": theme || "light",
      });
    }
  }

  atlas.HeadScene = HeadScene;
})(window.atlas_head_scene);
