"""HeadCompare: two heads beside each other, linked, and what sets them apart."""

from typing import Any

from dash.development.base_component import Component, ComponentRegistry

# Its scripts draw with the scene, fetch through the client and build fields as the finder does.
from components import client, head_finder, head_scene  # noqa: F401

__version__ = "0.1.0"

SCRIPTS = (
    "partner.js",
    "legend.js",
    "controls.js",
    "pane.js",
    "steps.js",
    "words.js",
    "rows.js",
    "export.js",
    "table.js",
    "matrix.js",
    "heads.js",
    "view.js",
    "component.js",
)
_js_dist = [{"relative_package_path": name, "namespace": __name__} for name in SCRIPTS]
_css_dist = [{"relative_package_path": "style.css", "namespace": __name__}]
# Dash looks for the files of a component in its top-level package, which here is shared by all components.
ComponentRegistry.registry.add(__name__)


class HeadCompare(Component):
    """Two panes with a head each, their shared controls, and below them what sets the heads apart.

    Keyword arguments:

    id (string): of the outer element.
    panes (list): two of {"slug", "title", "key", "payload", "streams": [{"value", "label"}], "maps": {name: the scene's
        projection}}.
    series (list): [{"step", "slug", "key", "title"}]: checkpoints of the second atlas's training run, in order.
    atlases (list): [{"slug", "title"}]: that either pane can show.
    colours (list): [{"value", "label", "kind", "low", "high"}]: attributes that both atlases have.
    modes (list): [{"value", "label"}]: of search. lines (dict): the scene's, of the selected input.
    theme (string): of the page.
    wanted (bool): out: all heads are to be compared. changes (dict or None): {"state", "says"}: whether that is
        "ready", and what to say until then.
    state (dict; in and out): what is shown (components/state/compare_page.py); the component is its only writer.
    """

    _namespace = "atlas_compare"
    _type = "HeadCompare"
    _children_props: tuple[str, ...] = ()
    _base_nodes = ("children",)
    _prop_names = (
        "id",
        "panes",
        "series",
        "atlases",
        "colours",
        "modes",
        "lines",
        "theme",
        "wanted",
        "changes",
        "state",
    )
    _valid_wildcard_attributes: tuple[str, ...] = ()
    available_properties = _prop_names
    available_wildcard_properties: tuple[str, ...] = ()
    _js_dist = _js_dist
    _css_dist = _css_dist

    def __init__(self, **props: Any) -> None:
        super().__init__(**props)
