"""Controls to choose with, the same everywhere: joined radio buttons, fields under a label, boxes to tick."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

Options = Mapping[str, str] | Sequence[dict[str, Any]]
"""Labels by value, or options as Dash has them."""


def segmented(id: str, label: str, options: Options, value: Any, extra: str = "") -> html.Div:
    """Radio buttons that look like one control; screen readers hear `label`."""
    return html.Div(segments(id, options, value, extra), role="group", **{"aria-label": label})


def labelled(id: str, label: str, options: Options, value: Any) -> list[Any]:
    """The same under a label that is seen."""
    return [
        html.Span(label, className="field-label", id=f"{id}-label"),
        html.Div(segments(id, options, value), role="group", **{"aria-labelledby": f"{id}-label"}),
    ]


def choice_field(id: str, label: str, options: Options, value: Any) -> html.Div:
    """The same as a field of a toolbar."""
    return html.Div(labelled(id, label, options, value), className="field")


def segments(id: str, options: Options, value: Any, extra: str = "") -> dbc.RadioItems:
    """The radio buttons alone, for a group that has its label elsewhere."""
    if isinstance(options, Mapping):
        options = [{"label": text, "value": name} for name, text in options.items()]
    return dbc.RadioItems(
        id=id,
        options=list(options),
        value=value,
        class_name=f"segmented {extra}".strip(),
        input_class_name="btn-check",
        label_class_name="segment",
        label_checked_class_name="active",
    )


def field(label: str, control: Any, target: str, extra: str = "") -> html.Div:
    """A control under its label."""
    return html.Div(
        [html.Label(label, htmlFor=target, className="field-label"), control], className=f"field {extra}".strip()
    )


def menu_choice(id: str, label: str, value: str, chosen: bool) -> html.Div:
    """A box to tick in a menu; its help finds a place beside it."""
    box = dbc.Checklist(id=id, options=[{"label": label, "value": value}], value=[value] if chosen else [])
    return html.Div(box, className="menu-choice")
