"""Moving among heads: neighbours, jump, minimap, what the picture shows, and hints for the first steps."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, html

from components import ids
from components.choices import labelled, menu_choice
from components.colouring import look_of_points
from components.layers import layer_options
from components.minimap import Minimap
from components.shell import icon_button
from components.state.atlas_page import POINT_SIZES, AtlasPage, Picture, View
from components.words import TITLES
from services.atlas.schema import StreamInfo

_ARROWS = (
    (ids.HEAD_LEFT, "chevron-left", "Head to the left (←)"),
    (ids.HEAD_RIGHT, "chevron-right", "Head to the right (→)"),
    (ids.HEAD_UP, "chevron-up", "Layer above (↑)"),
    (ids.HEAD_DOWN, "chevron-down", "Layer below (↓)"),
)


def head_controls(stream: StreamInfo, view: View) -> html.Div:
    """Buttons to the four neighbours of the open head, and two selects that lead to any head."""
    heads = [{"label": f"H{head}", "value": str(head)} for head in range(stream.heads)]
    return html.Div(
        [
            html.Div(
                [icon_button(id, name, label) for id, name, label in _ARROWS],
                className="arrows",
                role="group",
                **{"aria-label": "Neighbouring heads"},
            ),
            _jump(
                ids.JUMP_LAYER, "Go to layer", "Layer", layer_options(stream, "L"), view.layer if view.at_head else None
            ),
            _jump(ids.JUMP_HEAD, "Go to head", "Head", heads, view.head if view.at_head else None),
        ],
        id=ids.NAVIGATION,
        className="navigation at-head" if view.at_head else "navigation",
    )


def _jump(id: str, label: str, empty: str, choices: Sequence[dict[str, Any]], value: int | None) -> html.Div:
    options = [{"label": empty, "value": "none"}, *choices]
    return html.Div(
        [
            html.Label(label, htmlFor=id, className="visually-hidden"),
            dbc.Select(id=id, options=options, value="none" if value is None else str(value)),
        ],
        className="label-row",
    )


def hint() -> html.Div:
    """One sentence on what to do next; it goes once it has been done."""
    return html.Div(id=ids.HINT, className="hint")


PATCHES = {"border": "In a border", "bare": "Bare", "fill": "Tinted", "off": "As points"}


def picture_controls(state: AtlasPage, pictures: bool) -> list[Any]:
    """Re-centre, and how the picture is drawn; pictures: the tokens are patches of images."""
    picture = state.picture
    sizes = [
        {"label": label, "value": size}
        for size, label in zip(POINT_SIZES, ("Auto", "Small", "Medium", "Large"), strict=True)
    ]
    return [
        icon_button(ids.RECENTRE, "fit", "Re-centre the view (0)"),
        html.Details(
            [
                html.Summary("Display", className="text-button"),
                html.Div(
                    [
                        menu_choice(ids.DISPLAY_LABELS, "Token labels in a head", "labels", picture.labels),
                        menu_choice(ids.DISPLAY_GROUPS, "Names of groups in a head", "groups", picture.groups),
                        menu_choice(ids.DISPLAY_SHADE, "Shade where points are dense", "shade", picture.shaded),
                        menu_choice(ids.DISPLAY_OUTLINE, "Outline the hits of a search", "outline", picture.outline),
                        menu_choice(ids.DISPLAY_GHOST, "Ghost of the last head", "ghost", picture.ghost),
                        menu_choice(ids.DISPLAY_RINGS, "Ring what it attends to", "rings", picture.rings),
                        menu_choice(ids.DISPLAY_WHOLE, "Every point, however far out", "whole", picture.whole),
                        *labelled(ids.DISPLAY_SIZE, "Point size", sizes, picture.size),
                        html.Div(
                            labelled(ids.DISPLAY_PATCHES, "Patches of images", PATCHES, picture.patches),
                            className="" if pictures else "d-none",
                        ),
                        *look_of_points(state),
                    ],
                    className="menu-body",
                ),
            ],
            id=ids.DISPLAY,
            className="menu",
        ),
    ]


def outside_note(state: AtlasPage) -> html.Li:
    """How many points lie outside the frames, and the way to see them where they are: two states of one switch."""
    return html.Li(
        [
            html.Span(id=ids.OUTSIDE_SAYS),
            html.Button(id=ids.OUTSIDE_SWITCH, className="link-button", type="button", n_clicks=0),
        ],
        id=ids.OUTSIDE,
        className="outside" if state.picture.whole else "outside d-none",
    )


def minimap(stream: StreamInfo, view: View) -> Minimap:
    """Where the open head lies among all heads."""
    head = {"layer": view.layer, "head": view.head} if view.at_head else None
    return Minimap(id=ids.MINIMAP, title=TITLES["all"], layers=stream.layers, heads=stream.heads, head=head)


def _client(name: str) -> ClientsideFunction:
    return ClientsideFunction("atlasNavigation", name)


clientside_callback(
    _client("navigate"),
    Output(ids.JUMP_LAYER, "value"),
    Output(ids.JUMP_HEAD, "value"),
    Output(ids.HEAD_LEFT, "disabled"),
    Output(ids.HEAD_RIGHT, "disabled"),
    Output(ids.HEAD_UP, "disabled"),
    Output(ids.HEAD_DOWN, "disabled"),
    Output(ids.NAVIGATION, "className"),
    Input(ids.HEAD_LEFT, "n_clicks"),
    Input(ids.HEAD_RIGHT, "n_clicks"),
    Input(ids.HEAD_UP, "n_clicks"),
    Input(ids.HEAD_DOWN, "n_clicks"),
    Input(ids.JUMP_LAYER, "value"),
    Input(ids.JUMP_HEAD, "value"),
    Input(ids.SCENE, "head"),
    State(ids.SCENE, "payload"),
)
clientside_callback(
    _client("minimap"),
    Output(ids.MINIMAP, "head"),
    Output(ids.MINIMAP, "theme"),
    Output(ids.MINIMAP, "folded"),
    Input(ids.SCENE, "head"),
    Input(ids.THEME, "data"),
    Input(ids.SCENE, "folded"),
    State(ids.SCENE, "payload"),
)
clientside_callback(
    _client("outside"),
    Output(ids.OUTSIDE_SAYS, "children"),
    Output(ids.OUTSIDE_SWITCH, "children"),
    Output(ids.OUTSIDE, "className"),
    Input(ids.SCENE, "outside"),
    Input(ids.PICTURE, "data"),
)
clientside_callback(
    _client("switchOutside"),
    Output(ids.DISPLAY_WHOLE, "value"),
    Input(ids.OUTSIDE_SWITCH, "n_clicks"),
    State(ids.PICTURE, "data"),
    prevent_initial_call=True,
)
clientside_callback(
    _client("hint"),
    Output(ids.HINT, "children"),
    Input(ids.SCENE, "head"),
    Input(ids.SELECTION, "data"),
)
clientside_callback(
    _client("recentre"),
    Output(ids.RECENTRE, "title"),
    Input(ids.RECENTRE, "n_clicks"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("atlasStores", "picture"),
    Output(ids.PICTURE, "data"),
    *[Output(ids.SCENE, choice.shows) for choice in Picture.choices().values() if choice.shows],
    *[Input(choice.control, "value") for choice in Picture.choices().values() if choice.control],
    State(ids.PICTURE, "data"),
)
