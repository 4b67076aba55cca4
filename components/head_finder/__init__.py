"""HeadFinder: all heads as points and as a table, filtered, coloured and compared."""

from typing import Any

from dash.development.base_component import Component, ComponentRegistry

# Its scripts fetch what is measured and write sets of heads.
from components import client  # noqa: F401

__version__ = "0.1.0"

SCRIPTS = (
    "dom.js",
    "query.js",
    "columns.js",
    "colours.js",
    "ink.js",
    "plot.js",
    "table.js",
    "controls.js",
    "legend.js",
    "like.js",
    "chart.js",
    "view.js",
    "component.js",
)
_js_dist = [{"relative_package_path": name, "namespace": __name__} for name in SCRIPTS]
_css_dist = [{"relative_package_path": "style.css", "namespace": __name__}]
# Dash looks for the files of a component in its top-level package, which here is shared by all components.
ComponentRegistry.registry.add(__name__)


class HeadFinder(Component):
    """A scatter of all heads with its controls, and a table beside it.

    Keyword arguments:

    id (string): of the outer element.
    base (string): {prefix}/payload/<atlas>/<key>. stream (string). version (string): of what is measured, which
        changes with it.
    maps (list): [{"name", "key", "label"}]: maps whose measures and pictures can be shown.
    others (list): [{"slug", "title"}]: atlases that may have heads to compare with.
    likeness (dict or None): {"state", "says", "by"}: whether the map of heads by attention or weights is "ready", and
        what to say until then. wanted (string): out: by which of the two heads are to be compared.
    theme (string): of the page.
    state (dict; in and out): what is shown (components/state/heads_page.py); the finder is its only writer.
    """

    _namespace = "atlas_head_finder"
    _type = "HeadFinder"
    _children_props: tuple[str, ...] = ()
    _base_nodes = ("children",)
    _prop_names = ("id", "base", "stream", "version", "maps", "others", "likeness", "wanted", "theme", "state")
    _valid_wildcard_attributes: tuple[str, ...] = ()
    available_properties = _prop_names
    available_wildcard_properties: tuple[str, ...] = ()
    _js_dist = _js_dist
    _css_dist = _css_dist

    def __init__(self, **props: Any) -> None:
        super().__init__(**props)
