"""What the points are coloured and sized by: the controls, the legend, and what the scene is told."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, html, no_update

from components import ids
from components.catalogue import scene_colour
from components.choices import labelled, menu_choice, segments
from components.legend import legend
from components.palettes import NAMES, Name, Theme
from components.server.context import context
from components.state.atlas_page import AtlasPage, Colouring, View
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes.registry import (
    PLAIN,
    Attribute,
    attribute_of,
    find_attribute,
    head_of_family,
    in_atlas,
    offered,
    sizing,
    variants,
    why_not,
)
from services.projection import methods


def colour_field(atlas: Atlas, colouring: Colouring) -> html.Div:
    """The colour control; the variants of an attribute show up only where it has several."""
    chosen = attribute_of(colouring.colour)
    shown = head_of_family(chosen)
    return html.Div(
        [
            html.Label("Colour by", htmlFor=ids.COLOUR_SELECT, className="field-label"),
            html.Div(
                [
                    dbc.Select(id=ids.COLOUR_SELECT, options=_options(atlas), value=shown.name),
                    html.Div(
                        segments(ids.COLOUR_VARIANT, {one.name: one.choice for one in variants(shown)}, chosen.name),
                        id=ids.COLOUR_VARIANT_FIELD,
                        className="colour-variant" if variants(shown) else "colour-variant d-none",
                        role="group",
                        **{"aria-label": shown.choices},
                    ),
                ],
                className="colour-row",
            ),
        ],
        className="field",
    )


def _options(atlas: Atlas) -> list[dict[str, Any]]:
    listed = offered(atlas)
    reasons = {attribute.name: why_not(atlas, attribute) for attribute in listed}
    return [
        {"label": a.label, "value": a.name, "disabled": bool(reasons[a.name]), "title": reasons[a.name] or a.explain}
        for a in listed
    ]


def look_of_points(state: AtlasPage) -> list[Any]:
    """Palette and size by value: choices that are made once, for the menu of how the picture is drawn."""
    size = sizing()
    completed = {method.in_text: attribute_of(method.sizes) for method in methods() if method.sizes}
    by_map = [f"Size by {one.label[0].lower()}{one.label[1:]} on the {name}" for name, one in completed.items()]
    return [
        *([menu_choice(ids.SIZE_BY_VALUE, size.sizes, size.name, state.picture.bynorm)] if size else []),
        *([menu_choice(ids.SIZE_BY_MAP, "; ".join(by_map), "map", state.picture.mapsizes)] if by_map else []),
        *labelled(ids.PALETTE, "Palette", NAMES, state.colouring.palette),
    ]


def _chosen(colouring: Any, theme: Any, view_data: Any) -> tuple[Atlas, StreamInfo, Attribute, Theme, Name] | None:
    """What a browser says it shows, checked; None when it names no atlas of ours."""
    view = View.from_store(view_data)
    atlas = context().library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    if atlas is None or stream is None:
        return None
    wanted = Colouring.from_store(colouring)
    attribute = find_attribute(wanted.colour)
    if attribute is None or why_not(atlas, attribute):
        attribute = PLAIN
    return atlas, stream, in_atlas(atlas, attribute), "dark" if theme == "dark" else "light", wanted.palette


@callback(
    Output(ids.SCENE, "colour"),
    Input(ids.COLOURING, "data"),
    Input(ids.THEME, "data"),
    State(ids.VIEW, "data"),
)
def recolour(colouring: Any, theme: Any, view_data: Any) -> Any:
    """Palette and meaning of the chosen attribute."""
    chosen = _chosen(colouring, theme, view_data)
    if chosen is None:
        return no_update
    atlas, stream, attribute, shade, colours = chosen
    return scene_colour(atlas, stream, attribute.name, shade, colours)


@callback(
    Output(ids.LEGEND, "children"),
    Input(ids.COLOURING, "data"),
    Input(ids.THEME, "data"),
    Input(ids.SCENE, "head"),
    State(ids.VIEW, "data"),
)
def show_legend(colouring: Any, theme: Any, head: Any, view_data: Any) -> Any:
    """The legend; only one of which each head has a scale of its own changes with the open head."""
    chosen = _chosen(colouring, theme, view_data)
    if chosen is None:
        return no_update
    atlas, stream, attribute, shade, colours = chosen
    if ctx.triggered_id == ids.SCENE and attribute.ranges(atlas, stream) is None:
        return no_update
    return legend(attribute, shade, colours, attribute.scale(atlas, stream, _place(head, stream)))


def _place(head: Any, stream: StreamInfo) -> tuple[int, int] | None:
    """The open head, if a browser's word for it is one of the stream's."""
    place = (head.get("layer"), head.get("head")) if isinstance(head, dict) else (None, None)
    numbers = [n for n in place if isinstance(n, int) and not isinstance(n, bool)]
    if len(numbers) < 2 or not (0 <= numbers[0] < stream.layers and 0 <= numbers[1] < stream.heads):
        return None
    return numbers[0], numbers[1]


clientside_callback(
    ClientsideFunction("colouring", "choose"),
    Output(ids.COLOURING, "data"),
    Output(ids.COLOUR_VARIANT_FIELD, "className"),
    Output(ids.COLOUR_VARIANT_FIELD, "aria-label"),
    Output(ids.COLOUR_VARIANT, "options"),
    Output(ids.COLOUR_VARIANT, "value"),
    Input(ids.COLOUR_SELECT, "value"),
    Input(ids.COLOUR_VARIANT, "value"),
    Input(ids.PALETTE, "value"),
    State(ids.COLOURING, "data"),
)
clientside_callback(
    ClientsideFunction("colouring", "sizes"),
    Output(ids.SIZE_LEGEND, "children"),
    Input(ids.SCENE, "head"),
    Input(ids.SCENE, "projection"),
    Input(ids.PICTURE, "data"),
    State(ids.SCENE, "payload"),
)
