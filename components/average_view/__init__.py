"""AverageView: one head's attention averaged over all inputs, by position or by distance."""

from typing import Any

from dash.development.base_component import Component

# Their scripts fetch the means and make the colours.
from components import client, sentence_view  # noqa: F401
from components.registered import register

__version__ = "0.1.0"

SCRIPTS = ("means.js", "words.js", "paint.js", "view.js", "component.js")
_js_dist = [{"relative_package_path": name, "namespace": __name__} for name in SCRIPTS]
_css_dist = [{"relative_package_path": "style.css", "namespace": __name__}]
register(__name__, "atlas_average_view")


class AverageView(Component):
    """Mean attention of a head: a heatmap by position, or bars by the distance from query to key.

    Keyword arguments, all optional:

    id (string), className (string): of the outer element.
    payload (dict or None): {"base": "{prefix}/payload/<atlas>/<key>", "stream": name, "mask"}; the mask is that of
        components/catalogue.py.
    layer (int or None), head (int or None): the head, counted from 0.
    options (dict): {"special", "first", "values": bool}: without special tokens, without the first one, weighted by
        value norm; {"cut": bool}: only as far as the chosen input goes, rows scaled to 1; {"offsets": bool}: by
        distance; {"queries", "keys": [position, …]}: hidden in the chosen input.
    selection (dict or None): {"input", "token", "side"}: the chosen token, marked; its input's tokens stand below.
    enough (int): means of fewer inputs are hatched.
    visible (bool): fetch and draw; nothing happens while it is not seen.
    theme (string): of the page; the picture is drawn anew when it changes.
    chosen (dict; out only): {"input", "token", "side", "n"}: the user wishes this token; n counts the wishes.
    """

    _namespace = "atlas_average_view"
    _type = "AverageView"
    _children_props: tuple[str, ...] = ()
    _base_nodes = ("children",)
    _prop_names = (
        "id",
        "className",
        "payload",
        "layer",
        "head",
        "options",
        "selection",
        "enough",
        "visible",
        "theme",
        "chosen",
    )
    _valid_wildcard_attributes: tuple[str, ...] = ()
    available_properties = _prop_names
    available_wildcard_properties: tuple[str, ...] = ()
    _js_dist = _js_dist
    _css_dist = _css_dist

    def __init__(self, **props: Any) -> None:
        super().__init__(**props)
