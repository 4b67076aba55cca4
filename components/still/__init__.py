"""Still: a piece of the page that nothing listens to, as one component however much stands in it.

Dash gives each component of `html` a wrapper in the browser that is asked at every change of the page whether it has
changed, and travels as a dictionary of its own. Facts, lists and menus of some hundred elements need neither.
"""

from collections.abc import Callable, Iterator
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.registered import register

__version__ = "0.1.0"

SCRIPTS = ("component.js",)
_js_dist = [{"relative_package_path": name, "namespace": __name__} for name in SCRIPTS]
register(__name__, "atlas_still")

Tree = list[Any]  # of texts, numbers and elements
Element = tuple[str, dict[str, Any], Tree]  # tag, properties, what stands in it


class Still(Component):
    """An element whose inside is told by a tree.

    Keyword arguments, all optional:

    id (string), className (string), role (string): of the outer element, a div.
    tree (list): what stands in it, see `still`.
    """

    _namespace = "atlas_still"
    _type = "Still"
    _children_props: tuple[str, ...] = ()
    _base_nodes = ("children",)
    _prop_names = ("id", "className", "role", "tree")
    _valid_wildcard_attributes: tuple[str, ...] = ()
    available_properties = _prop_names
    available_wildcard_properties: tuple[str, ...] = ()
    _js_dist = _js_dist


class Plain:
    """Elements by their names in dash.html, ready for a tree: `plain.Div(children, className=…)`.

    Twenty times as quick to make as Dash's components are.
    """

    def __getattr__(self, name: str) -> Callable[..., Element]:
        def element(children: Any = None, **properties: Any) -> Element:
            return name.lower(), properties, still(children)

        return element


plain = Plain()


def still(content: Any) -> Tree:
    """Components of dash.html, as they stand in `children`, and elements of `plain`, as a tree for `Still`.

    Raises:
        TypeError: a component that is not of dash.html, or whose id is no text: something may listen to it.
    """
    return list(_nodes(content))


def _nodes(content: Any) -> Iterator[Any]:
    if content is None or isinstance(content, bool):
        return
    if isinstance(content, str | int | float | tuple):
        yield content
    elif isinstance(content, list):
        for one in content:
            yield from _nodes(one)
    elif isinstance(content, Component) and content._namespace == html.Div._namespace:
        properties = content.to_plotly_json()["props"]
        inside = properties.pop("children", None)
        if not isinstance(properties.get("id", ""), str):
            raise TypeError(f"{content!r} has an id that callbacks match: it cannot be still.")
        yield content._type.lower(), properties, still(inside)
    else:
        raise TypeError(f"{type(content).__name__} is no component of dash.html: it cannot be still.")
