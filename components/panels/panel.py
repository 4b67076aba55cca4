"""The panel beside an open head: tabs that look at the same head, input and tokens from different sides."""

from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Input, Output, State, clientside_callback, html

from components import ids
from components.choices import segmented
from components.shell import icon_button
from components.state.atlas_page import TABS, AtlasPage

TAB_LABELS = {
    "head": "Head",
    "sentence": "Sentence",
    "why": "Why",
    "average": "Average",
    "tokens": "Tokens",
    "align": "Align",
}


def panel(state: AtlasPage, bodies: dict[str, Any], labels: Mapping[str, str] = TAB_LABELS) -> html.Aside:
    """The panel with its tabs.

    Args:
        bodies: content of the tabs by name; a tab without content is not offered; `sentence` must be there.
        labels: of the tabs, by name.
    """
    offered = [name for name in TABS if name in bodies]
    tab = state.panel.tab if state.panel.tab in offered else "sentence"
    return html.Aside(
        [
            html.Div(
                [
                    segmented(
                        ids.PANEL_TAB,
                        "What the panel shows",
                        {name: labels[name] for name in offered},
                        tab,
                        "panel-tabs",
                    ),
                    icon_button(ids.PANEL_CLOSE, "x-lg", "Close the panel"),
                ],
                className="panel-head",
            ),
            # The facts of a head hold no control: the keyboard scrolls them only if they can be focused.
            *(
                html.Section(
                    bodies[name], className=f"tab tab-{name}", id=f"tab-{name}", tabIndex=0 if name == "head" else -1
                )
                for name in offered
            ),
        ],
        id=ids.PANEL,
        className=f"panel shows-{tab}" if state.panel.open else f"panel shows-{tab} closed",
        **{"aria-label": "Details of the head"},
    )


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
