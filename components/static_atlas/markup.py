"""Components of a page as the text of a file."""

import re
from html import escape
from typing import Any

_ATTRIBUTES = {"className": "class", "htmlFor": "for", "tabIndex": "tabindex"}
_VOID = ("br", "hr", "img", "input")


def to_html(node: Any, still: bool = False) -> str:
    """Elements of `dash.html` with texts, classes, styles and data in them.

    still: nothing listens to them: buttons are words, without what only a running page knows.

    Raises:
        TypeError: something else, that only a running page can draw.
    """
    if node is None:
        return ""
    if isinstance(node, str | int | float):
        return escape(str(node))
    if isinstance(node, list | tuple):
        return "".join(to_html(one, still) for one in node)
    described = node.to_plotly_json()
    if described["namespace"] != "dash_html_components":
        raise TypeError(described["namespace"])
    name = described["type"].lower()
    properties = dict(described["props"])
    inside = to_html(properties.pop("children", None), still)
    if still and name == "button":
        name, properties = "span", {key: properties[key] for key in ("className", "style") if key in properties}
    given = "".join(_attribute(*one) for one in properties.items())
    return f"<{name}{given}>" if name in _VOID else f"<{name}{given}>{inside}</{name}>"


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    if name == "style":
        value = "; ".join(f"{_dashed(key)}: {text}" for key, text in value.items())
    name = _ATTRIBUTES.get(name, name)
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def _dashed(name: str) -> str:
    return name if name.startswith("--") else re.sub("([A-Z])", lambda letter: f"-{letter[1].lower()}", name)
