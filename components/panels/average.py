"""The Average tab: the attention of a head averaged over all inputs, by position or by distance."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, clientside_callback, html

from components import ids
from components.average_view import AverageView
from components.choices import segmented
from components.state.attention_options import AttentionOptions
from services.measures.attention_sums import POSITIONS
from services.measures.averages import ENOUGH_INPUTS

_CHECKS = (
    ("special", "Without special tokens"),
    ("values", "Weight by value norm"),
    ("cut", "Only as long as this input, rows scaled to 1"),
)


def average_panel(options: AttentionOptions, payload: dict[str, Any]) -> list[Any]:
    """Content of the tab."""
    words = payload["unattended"]
    return [
        *([] if words is None else [html.P(words, className="average-note")]),
        html.Div(
            [
                segmented(
                    ids.AVERAGE_BY,
                    "How attention is averaged",
                    {"position": "By position", "offsets": "Relative to the query"},
                    "offsets" if options.offsets else "position",
                ),
                dbc.Checklist(
                    id=ids.AVERAGE_CHECKS,
                    options=[{"label": title, "value": name} for name, title in _CHECKS],
                    value=[name for name, _ in _CHECKS if getattr(options, name)],
                    class_name="panel-checks",
                ),
            ],
            className="reading-controls",
        ),
        AverageView(id=ids.AVERAGE_PICTURE, payload=payload, enough=ENOUGH_INPUTS),
        html.P(
            f"Mean weight over all inputs that are long enough. Hatched: fewer than {ENOUGH_INPUTS} inputs. "
            f"The strip on the right counts them. The first {POSITIONS} positions are shown.",
            id=ids.AVERAGE_NOTE,
            className="average-note",
        ),
    ]


clientside_callback(
    ClientsideFunction("atlasPanel", "average"),
    Output(ids.AVERAGE_PICTURE, "layer"),
    Output(ids.AVERAGE_PICTURE, "head"),
    Output(ids.AVERAGE_PICTURE, "options"),
    Output(ids.AVERAGE_PICTURE, "selection"),
    Output(ids.AVERAGE_PICTURE, "visible"),
    Output(ids.AVERAGE_PICTURE, "theme"),
    Output(ids.AVERAGE_NOTE, "hidden"),
    Input(ids.ATTENTION_OPTIONS, "data"),
    Input(ids.VIEW, "data"),
    Input(ids.SELECTION, "data"),
    Input(ids.PANEL_STATE, "data"),
    Input(ids.THEME, "data"),
)
