"""Minimap: where the open head lies among all heads, and a way to any other."""

from typing import Any

from dash.development.base_component import Component

from components import client  # noqa: F401  its scripts know the numbers of layers
from components.registered import register

__version__ = "0.1.0"

SCRIPTS = ("cells.js", "map.js", "component.js")
_js_dist = [{"relative_package_path": name, "namespace": __name__} for name in SCRIPTS]
_css_dist = [{"relative_package_path": "style.css", "namespace": __name__}]
register(__name__, "atlas_minimap")


class Minimap(Component):
    """A small map of all heads in a box that folds; seen while a head is open.

    Keyword arguments, all optional:

    id (string): the id of the map itself, which takes the focus: arrow keys move a cursor, Enter opens.
    title (string): of the box.
    layers (int), heads (int): size of the matrix.
    head (dict or None): the open head, {"layer", "head"}; None hides the map.
    theme (string): of the page; the map is drawn anew when it changes.
    folded (list of int): rows that are folded away in the matrix: drawn faint.
    chosen (dict; out only): {"layer", "head", "n"}: the user wishes this head; n counts the wishes.
    """

    _namespace = "atlas_minimap"
    _type = "Minimap"
    _children_props: tuple[str, ...] = ()
    _base_nodes = ("children",)
    _prop_names = ("id", "title", "layers", "heads", "head", "theme", "folded", "chosen")
    _valid_wildcard_attributes: tuple[str, ...] = ()
    available_properties = _prop_names
    available_wildcard_properties: tuple[str, ...] = ()
    _js_dist = _js_dist
    _css_dist = _css_dist

    def __init__(self, **props: Any) -> None:
        super().__init__(**props)
