"""The panel beside an open head: tabs that look at the same head, input and tokens from different sides."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, html

from components import ids
from components.sentence_view import SentenceView
from components.shell import icon_button
from components.stores import TABS, Selection, View

TAB_LABELS = {
    "head": "Head",
    "sentence": "Sentence",
    "average": "Average",
    "tokens": "Tokens",
    "align": "Align",
}


def panel(view: View, selection: Selection, payload: dict[str, Any], bodies: dict[str, Any]) -> html.Aside:
    """The panel with its tabs.

    Args:
        bodies: content of the tabs by name; a tab without content is not offered. `sentence` is always there.
    """
    bodies = {**bodies, "sentence": _sentence(view, selection, payload)}
    offered = [name for name in TABS if name in bodies]
    tab = view.tab if view.tab in offered else "sentence"
    return html.Aside(
        [
            dcc.Store(id=ids.PANEL_STATE, data={"tab": tab, "open": view.panel, "chosen": selection.token is not None}),
            html.Div(
                [
                    html.Div(
                        dbc.RadioItems(
                            id=ids.PANEL_TAB,
                            options=[{"label": TAB_LABELS[name], "value": name} for name in offered],
                            value=tab,
                            class_name="segmented panel-tabs",
                            input_class_name="btn-check",
                            label_class_name="segment",
                            label_checked_class_name="active",
                        ),
                        role="group",
                        **{"aria-label": "What the panel shows"},
                    ),
                    icon_button(ids.PANEL_CLOSE, "x-lg", "Close the panel"),
                ],
                className="panel-head",
            ),
            *(html.Section(bodies[name], className=f"tab tab-{name}", id=f"tab-{name}") for name in offered),
        ],
        id=ids.PANEL,
        className=f"panel shows-{tab}" if view.panel else f"panel shows-{tab} closed",
        **{"aria-label": "Details of the head"},
    )


def _sentence(view: View, selection: Selection, payload: dict[str, Any]) -> list[Any]:
    chosen = selection.token is not None
    return [
        html.Div(
            [
                dbc.RadioItems(
                    id=ids.SENTENCE_MODE,
                    options=[{"label": "Lines", "value": "lines"}, {"label": "Heatmap", "value": "heatmap"}],
                    value="lines",
                    class_name="segmented",
                    input_class_name="btn-check",
                    label_class_name="segment",
                    label_checked_class_name="active",
                ),
                dbc.Checklist(
                    id=ids.SENTENCE_SPECIAL,
                    options=[
                        {"label": "Hide special tokens", "value": "special"},
                        {"label": "Weight by value norm", "value": "values"},
                    ],
                    value=[],
                    class_name="panel-checks",
                ),
            ],
            className="panel-controls",
        ),
        SentenceView(
            id=ids.SENTENCE,
            className="sentence",
            payload=payload,
            layer=view.layer or 0,
            head=view.head or 0,
            input=selection.input if chosen else None,
            selected={"token": selection.token, "side": selection.side} if chosen else None,
            theme="light",
        ),
    ]


clientside_callback(
    ClientsideFunction("atlasPanel", "panel"),
    Output(ids.PANEL_STATE, "data"),
    Output(ids.PANEL_TAB, "value"),
    Output(ids.PANEL, "className"),
    Input(ids.PANEL_TAB, "value"),
    Input(ids.PANEL_CLOSE, "n_clicks"),
    Input(ids.PANEL_OPEN, "n_clicks"),
    Input(ids.SELECTION, "data"),
    State(ids.PANEL_STATE, "data"),
)
clientside_callback(
    ClientsideFunction("atlas", "sentenceOptions"),
    Output(ids.SENTENCE, "mode"),
    Output(ids.SENTENCE, "hideSpecial"),
    Output(ids.SENTENCE, "byValueNorm"),
    Input(ids.SENTENCE_MODE, "value"),
    Input(ids.SENTENCE_SPECIAL, "value"),
)
