"""The chip that says that the matrix shows some heads alone, leads to where they were chosen, and leaves the set."""

from dash import ClientsideFunction, Input, Output, State, clientside_callback, html

from components import ids
from components.shell import icon
from components.state.atlas_page import HeadSet


def head_set_chip(chosen: HeadSet) -> html.Div:
    """Not seen while all heads are shown."""
    return html.Div(
        [
            html.A(id=ids.HEAD_SET_FINDER, title="Show these heads on the page Heads"),
            html.Button(
                icon("x-lg"),
                id=ids.HEAD_SET_CLEAR,
                type="button",
                title="Show all heads",
                **{"aria-label": "Show all heads"},
            ),
        ],
        id=ids.HEAD_SET_BAR,
        className="head-set" if chosen.cells else "head-set d-none",
    )


clientside_callback(
    ClientsideFunction("atlasBadges", "setChip"),
    Output(ids.HEAD_SET_FINDER, "children"),
    Output(ids.HEAD_SET_BAR, "className"),
    Output(ids.HEAD_SET_FINDER, "href"),
    Input(ids.HEAD_SET, "data"),
    State(ids.VIEW, "data"),
    State(ids.SCENE, "payload"),
)
clientside_callback(
    ClientsideFunction("atlasBadges", "leaveSet"),
    Output(ids.HEAD_SET, "data"),
    Input(ids.HEAD_SET_CLEAR, "n_clicks"),
    prevent_initial_call=True,
)
