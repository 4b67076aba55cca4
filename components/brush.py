"""The brush: what stands out by the legend and the axis of positions, and the button that ends it."""

from typing import Any

from dash import ClientsideFunction, Input, Output, State, clientside_callback, html

from components import ids
from services.search.brush import SIDES

_HINT = "Let these points stand out; click others to add them, again to leave them out"


def value_button(children: Any, attribute: str, value: int) -> html.Button:
    """A value of the legend; without a script it is only its words."""
    return html.Button(
        children,
        className="legend-category legend-value",
        type="button",
        title=_HINT,
        **{"data-brush": attribute, "data-value": str(value), "aria-pressed": "false"},
    )


def side_button(side: int, words: str = "") -> html.Button:
    """All queries (0) or all keys (1)."""
    return value_button(words or SIDES[side].capitalize(), "type", side)


def scale_bar(attribute: str, **more: Any) -> html.Span:
    """A scale on which a stretch can be marked: drag over it, or move its ends."""
    return html.Span(
        className=f"legend-bar {more.pop('className', '')}".strip(),
        title="Drag to let a stretch stand out; click for all",
        **{"data-brush": attribute},
        **more,
    )


def positions() -> html.Span:
    """The axis of positions: at hand whatever points are coloured by."""
    return html.Span(
        [html.Span("Positions", className="legend-side"), scale_bar("position", className="legend-plain")],
        id=ids.POSITIONS,
        className="legend-positions",
    )


def brush_end() -> html.Button:
    """What stands out, in words; a click ends it."""
    return html.Button(
        [html.Span(id=ids.BRUSH_SAYS), html.Span(className="icon icon-x-lg", **{"aria-hidden": "true"})],
        id=ids.BRUSH_CLEAR,
        className="brush-clear d-none",
        type="button",
        title="Show all points alike",
    )


clientside_callback(
    ClientsideFunction("atlasBrush", "follow"),
    Output(ids.SCENE, "brush"),
    Output(ids.BRUSH_SAYS, "children"),
    Output(ids.BRUSH_CLEAR, "className"),
    Output(ids.POSITIONS, "className"),
    Input(ids.BRUSH, "data"),
    Input(ids.COLOURING, "data"),
    Input(ids.LEGEND, "children"),
    State(ids.SCENE, "brush"),
)
clientside_callback(
    ClientsideFunction("atlasBrush", "clear"),
    Input(ids.BRUSH_CLEAR, "n_clicks"),
    prevent_initial_call=True,
)
