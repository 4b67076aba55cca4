"""The Average tab: the attention of a head averaged over all inputs, by position or by distance."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, html

from components import ids
from components.choices import segmented
from components.state.attention_options import AttentionOptions
from services.measures.attention_sums import POSITIONS
from services.measures.averages import ENOUGH_INPUTS

_CHECKS = (
    ("special", "Without special tokens"),
    ("values", "Weight by value norm"),
    ("cut", "Only as long as this input, rows scaled to 1"),
)


def average_panel(options: AttentionOptions) -> list[Any]:
    """Content of the tab; assets/46-average.js draws it."""
    return [
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
        html.Div(id=ids.AVERAGE_PICTURE, className="average-picture"),
        html.P(
            f"Mean weight over all inputs that are long enough. Hatched: fewer than {ENOUGH_INPUTS} inputs. "
            f"The strip on the right counts them. The first {POSITIONS} positions are shown.",
            id=ids.AVERAGE_NOTE,
            className="average-note",
        ),
    ]


clientside_callback(
    ClientsideFunction("atlasAverage", "draw"),
    Output(ids.AVERAGE_PICTURE, "data-shown"),
    Input(ids.ATTENTION_OPTIONS, "data"),
    Input(ids.VIEW, "data"),
    Input(ids.SELECTION, "data"),
    Input(ids.PANEL_STATE, "data"),
    Input(ids.THEME, "data"),
    State(ids.SENTENCE, "payload"),
)
