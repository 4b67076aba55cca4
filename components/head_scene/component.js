/** The Dash component: a div whose inside belongs to the scene. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { React } = window;

  class HeadScene extends React.Component {
    /** @param {Atlas.SceneProps} props */
    constructor(props) {
      super(props);
      /** @type {import("react").RefObject<HTMLDivElement>} */
      this.root = React.createRef();
      /** @type {InstanceType<Atlas.HeadSceneScripts["scene"]["Scene"]>|null} */
      this.scene = null;
    }

    componentDidMount() {
      const root = this.root.current;
      if (!root) return;
      // `this.props` at the time of the call: Dash replaces setProps with every change of props.
      const scene = new atlas.scene.Scene(root, (changes) => this.props.setProps && this.props.setProps(changes));
      this.scene = scene;
      root.atlasScene = atlas.handle.handleOf(scene);
      scene.update(this.props);
    }

    componentDidUpdate() {
      this.scene?.update(this.props);
    }

    componentWillUnmount() {
      this.scene?.destroy();
      if (this.root.current) delete this.root.current.atlasScene;
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
})((globalThis.atlas_head_scene ??= {}));
