/* The shell that Dash sees: an element, its props in, setProps out. */
(function () {
  "use strict";
  const A = window.atlas_sentence_view;
  const { React } = window;

  class SentenceView extends React.Component {
    constructor(props) {
      super(props);
      this.element = React.createRef();
    }
    componentDidMount() {
      this.view = new A.View(this.element.current, (props) => this.props.setProps && this.props.setProps(props));
      this.view.update(this.props);
    }
    componentDidUpdate() {
      this.view.update(this.props);
    }
    componentWillUnmount() {
      this.view.destroy();
    }
    render() {
      const { id, className, style } = this.props;
      const name = typeof id === "object" && id !== null ? JSON.stringify(id, Object.keys(id).sort()) : id;
      const classes = className ? `atlas-sentence-view ${className}` : "atlas-sentence-view";
      return React.createElement("div", { id: name, className: classes, style, ref: this.element });
    }
  }

  A.SentenceView = SentenceView;
})();
