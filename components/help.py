"""Help that is always at hand: "i" buttons beside controls, the list of keys, the tour and the way to the glossary."""

import json
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from components import ids
from components.help_texts import HELP, KEYS, TOUR
from components.shell import icon_button


def info_button(name: str) -> html.Button:
    """The "i" that explains a control: an entry of `HELP`."""
    title, text, entry = HELP[name]
    return html.Button(
        type="button",
        className="info-button",
        **{
            "aria-label": f"About: {title}",
            "aria-expanded": "false",
            "data-help": name,
            "data-title": title,
            "data-text": text,
            "data-entry": entry or "",
        },
    )


def with_help(root: Component) -> Component:
    """Put an info button beside the label of each control that `HELP` names, or after the control.

    Works on a tree of components before it is sent, so that a new control needs no more than its line in `HELP`.
    """
    labels: dict[str, tuple[Component, int]] = {}
    controls: dict[str, tuple[Component, int]] = {}
    for parent, index, child in _children(root):
        name = getattr(child, "id", None)
        if isinstance(child, html.Label) and "visually-hidden" not in (getattr(child, "className", "") or ""):
            labels[getattr(child, "htmlFor", "")] = (parent, index)
        elif isinstance(name, str) and name.endswith("-label"):
            labels[name.removesuffix("-label")] = (parent, index)
        if isinstance(name, str) and name in HELP:
            controls[name] = (parent, index)
    later: list[tuple[Component, int, str]] = []
    for name, place in controls.items():
        if name in labels:
            parent, index = labels[name]
            parent.children[index] = html.Div([parent.children[index], info_button(name)], className="label-row")
        elif name != ids.SCENE:
            later.append((*place, name))
    for parent, index, name in sorted(later, key=lambda item: -item[1]):  # from the back, so that places stay true
        parent.children.insert(index + 1, info_button(name))
    return root


def _children(node: Any) -> list[tuple[Component, int, Any]]:
    """Every (parent, place, child) of a tree; a single child becomes a list of one, so that it has a place."""
    found: list[tuple[Component, int, Any]] = []
    children = getattr(node, "children", None)
    if isinstance(children, Component):
        node.children = children = [children]
    if isinstance(children, tuple):
        node.children = children = list(children)
    if isinstance(children, list):
        for index, child in enumerate(children):
            if isinstance(child, Component):
                found.append((node, index, child))
                found += _children(child)
    return found


def help_button() -> html.Button:
    return icon_button(ids.HELP_BUTTON, "question-circle", "Help and keys (?)", **{"aria-haspopup": "dialog"})


def help_dialog(prefix: str) -> html.Dialog:
    """Keys, the tour, guide and glossary."""
    rows = [html.Tr([html.Td([html.Kbd(key) for key in keys]), html.Td(text)]) for keys, text in KEYS]
    return html.Dialog(
        [
            html.Div(
                [
                    html.H2("Help", id=f"{ids.HELP}-title"),
                    html.Button(
                        html.Span(className="icon icon-x-lg", **{"aria-hidden": "true"}),
                        type="button",
                        className="icon-button",
                        **{"aria-label": "Close help", "data-close": "help"},
                    ),
                ],
                className="dialog-head",
            ),
            html.Div(
                [
                    html.Button("Show the tour", id=ids.HELP_TOUR, className="text-button", type="button"),
                    dcc.Link("How to read the atlas", href=f"{prefix}guide", className="text-button"),
                    dcc.Link("Glossary", href=f"{prefix}glossary", className="text-button"),
                ],
                className="help-ways",
            ),
            html.H3("Keys"),
            html.Table(html.Tbody(rows), className="keys"),
            html.P("The small i beside a control explains it.", className="help-note"),
        ],
        id=ids.HELP,
        className="dialog",
        **{"aria-labelledby": f"{ids.HELP}-title"},
    )


def tour_steps(prefix: str) -> html.Div:
    """What the tour's script reads."""
    steps = [{"at": at, "title": title, "text": text} for at, title, text in TOUR]
    return html.Div(id=ids.TOUR, hidden=True, **{"data-steps": json.dumps(steps), "data-prefix": prefix})
