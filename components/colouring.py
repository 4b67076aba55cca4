"""What the points are coloured and sized by: the controls, the legend, and what the scene is told."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, html, no_update

from components import ids
from components.catalogue import scene_colour
from components.choices import labelled, menu_choice, segmented
from components.legend import legend
from components.palettes import NAMES, Name, Theme
from components.server.context import context
from components.state.atlas_page import AtlasPage, Colouring, View
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes import norms
from services.attributes.registry import ATTRIBUTES, BY_NAME, Attribute, scale_of, why_not


def colour_field(atlas: Atlas, colouring: Colouring) -> html.Div:
    """The colour control; the scale of norms shows up only when they are chosen."""
    shown = norms.PER_HEAD if colouring.colour in norms.NAMES else colouring.colour
    return html.Div(
        [
            html.Label("Colour by", htmlFor=ids.COLOUR_SELECT, className="field-label"),
            html.Div(
                [
                    dbc.Select(id=ids.COLOUR_SELECT, options=_options(atlas), value=shown),
                    html.Div(
                        segmented(
                            ids.NORM_SCALE,
                            "Scale of the norm: of each head, or common to all heads",
                            {norms.PER_HEAD: "each head", norms.COMMON: "all heads"},
                            colouring.colour if colouring.colour in norms.NAMES else norms.PER_HEAD,
                        ),
                        id=ids.NORM_FIELD,
                        className="norm-scale" if shown == norms.PER_HEAD else "norm-scale d-none",
                    ),
                ],
                className="colour-row",
            ),
        ],
        className="field",
    )


def _options(atlas: Atlas) -> list[dict[str, Any]]:
    listed = [attribute for attribute in ATTRIBUTES if attribute.name != norms.COMMON]
    reasons = {attribute.name: why_not(atlas, attribute) for attribute in listed}
    return [
        {"label": a.label, "value": a.name, "disabled": bool(reasons[a.name]), "title": reasons[a.name] or a.explain}
        for a in listed
    ]


def look_of_points(state: AtlasPage) -> list[Any]:
    """Palette and size by norm: choices that are made once, for the menu of how the picture is drawn."""
    return [
        menu_choice(ids.SIZE_BY_NORM, "Size by vector norm in a head", "norm", state.picture.bynorm),
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
    attribute = BY_NAME.get(wanted.colour)
    if attribute is None or why_not(atlas, attribute):
        attribute = BY_NAME["type"]
    return atlas, stream, attribute, "dark" if theme == "dark" else "light", wanted.palette


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
    """The legend; only that of norms on a head's own scale changes with the open head."""
    chosen = _chosen(colouring, theme, view_data)
    if chosen is None:
        return no_update
    atlas, stream, attribute, shade, colours = chosen
    if ctx.triggered_id == ids.SCENE and attribute.name != norms.PER_HEAD:
        return no_update
    return legend(attribute, shade, colours, scale_of(atlas, stream, attribute, _place(head, stream)))


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
    Output(ids.NORM_FIELD, "className"),
    Input(ids.COLOUR_SELECT, "value"),
    Input(ids.NORM_SCALE, "value"),
    Input(ids.PALETTE, "value"),
    State(ids.COLOURING, "data"),
)
