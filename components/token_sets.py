"""Choosing several tokens: the tools of the open head, the button that says how many and clears, and the link."""

from typing import Any

from dash import ClientsideFunction, Input, Output, State, clientside_callback, html

from components import ids
from components.choices import segmented
from components.state.atlas_page import TokenSet

_TOOLS = (
    ("point", "Point", "Click a point; Shift- or Ctrl-click adds points to a set"),
    ("box", "Box", "Drag a box around points (B); with Shift it adds to the set"),
    ("lasso", "Lasso", "Draw around points (L, or Shift and drag); with Shift it adds to the set"),
)


def scene_set(chosen: TokenSet) -> dict[str, str] | None:
    """The `tokenSet` property of the scene and of the sentence view."""
    return {"definition": chosen.definition} if chosen.definition else None


def set_tools() -> list[Any]:
    """Over the map: what a drag does, and the present set."""
    return [
        html.Div(
            segmented(
                ids.TOOL,
                "What dragging in the map does",
                [{"label": label, "value": name, "title": title} for name, label, title in _TOOLS],
                "point",
            ),
            className="set-tools",
        ),
        html.Button(
            [html.Span(id=ids.SET_COUNT), html.Span(className="icon icon-x-lg", **{"aria-hidden": "true"})],
            id=ids.SET_CLEAR,
            className="set-clear d-none",
            type="button",
            title="Clear the set (Escape)",
        ),
    ]


clientside_callback(
    ClientsideFunction("atlasSets", "mirror"),
    Output(ids.TOKEN_SET, "data"),
    Output(ids.SENTENCE, "tokenSet"),
    Input(ids.SCENE, "tokenSet"),
    State(ids.TOKEN_SET, "data"),
)
clientside_callback(
    ClientsideFunction("atlasSets", "count"),
    Output(ids.SET_COUNT, "children"),
    Output(ids.SET_CLEAR, "className"),
    Output(ids.SET_CLEAR, "aria-label"),
    Input(ids.SCENE, "setCount"),
    Input(ids.TOKEN_SET, "data"),
)
clientside_callback(
    ClientsideFunction("atlasSets", "tool"),
    Output(ids.SCENE, "tool"),
    Input(ids.TOOL, "value"),
)
clientside_callback(
    ClientsideFunction("atlasSets", "clear"),
    Input(ids.SET_CLEAR, "n_clicks"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("atlasSets", "toggled"),
    Input(ids.SENTENCE, "toggled"),
    prevent_initial_call=True,
)
