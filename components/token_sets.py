"""Choosing several tokens: the tools of the open head, the button that says how many and clears, and the link."""

from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, html
from pydantic import Field

from components import ids
from components.choices import segmented
from components.state.stores import Store
from services.atlas import Atlas
from services.search import token_sets

_TOOLS = (
    ("point", "Point", "Click a point; Shift- or Ctrl-click adds points to a set"),
    ("box", "Box", "Drag a box around points (B); with Shift it adds to the set"),
    ("lasso", "Lasso", "Draw around points (L, or Shift and drag); with Shift it adds to the set"),
)


class TokenSet(Store):
    """A set of points as the text of `services/token_sets.py`; empty: no set."""

    recipe: str = Field(default="", max_length=token_sets.MOST_TEXT)


def set_from_query(query: Mapping[str, Any], atlas: Atlas, stream: str, dropped: list[str]) -> TokenSet:
    """The set of a link; one that cannot be read, or that holds nothing, is dropped with a sentence."""
    if "set" not in query:
        return TokenSet()
    text = query["set"]
    try:
        found = token_sets.members(atlas, atlas.stream(stream), text if isinstance(text, str) else "")
    except token_sets.SetError as error:
        dropped.append(f"The set of tokens in this link cannot be shown: {error}")
        return TokenSet()
    return TokenSet(recipe=text) if found.any() else TokenSet()


def set_stores(chosen: TokenSet) -> list[Any]:
    """What the page remembers of the set."""
    return [dcc.Store(id=ids.TOKEN_SET, data=chosen.to_store())]


def scene_set(chosen: TokenSet) -> dict[str, str] | None:
    """The `tokenSet` property of the scene and of the sentence view."""
    return {"recipe": chosen.recipe} if chosen.recipe else None


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
    Input(ids.SELECTION, "data"),
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
