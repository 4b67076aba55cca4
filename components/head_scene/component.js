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
      root.atlasScene = {
        stats: () => scene.stats(),
        screenPosition: (point, cell) => scene.screenPosition(point, cell),
        headAt: (x, y) => scene.headAt(x, y),
        ready: () => scene.loop.ready(),
        recentre: () => {
          if (scene.view.cells) scene.reset();
        },
        state: () => ({ head: scene.props.head || null, selection: scene.props.selection || null }),
        payload: () => scene.props.payload,
        props: () => scene.props,
        capture: (options) => scene.capture(options),
        shown: () => ({ projection: scene.props.projection, colour: scene.props.colour, theme: scene.props.theme }),
        stopDrawing: () => scene.controls.stopDrawing(),
        togglePoint: (point) => {
          const { slotOf } = scene.data.points;
          if (slotOf) scene.tokenSet.toggle(slotOf[point]);
        },
      };
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
