"""A value in the corner of every head, and heads in the order of a value: what says which maps can be believed."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, html

from components import ids
from components.state.atlas_page import BY_SEARCH, Picture
from services.measures.registry import DEFAULT, groups, listed


def measure_fields(picture: Picture, modality: str, *, cross: bool = False) -> html.Div:
    """Two selects of the matrix: which measure is shown on each head, and whether heads are sorted by one.

    cross: whether the atlas has attention between two texts.
    """
    own = {
        "label": "Keys near",
        "value": DEFAULT,
        "title": "How well the map keeps what it is made to keep: preferred keys near on the preference map, best keys "
        "near on all others.",
    }
    badges = [own, *_options(modality, cross), {"label": "None", "value": "none"}]
    by_search = {
        "label": "Concentration of the search or set",
        "value": BY_SEARCH,
        "title": "Heads that keep the hits of the present search, else the points of the set, together come first.",
    }
    orders = [{"label": "Layer and head", "value": "plain"}, *_options(modality, cross), by_search]
    return html.Div(
        [
            _field("Badge", ids.BADGE_SELECT, badges, picture.badge),
            _field("Order heads by", ids.ORDER_SELECT, orders, picture.order),
            html.Div(id=ids.BADGE_NOTE, className="badge-note", role="status"),
        ],
        className="matrix-fields",
    )


def _options(modality: str, cross: bool) -> list[dict[str, Any]]:
    """What can be chosen, under the headings of the registry."""
    options: list[dict[str, Any]] = []
    for group in groups():
        mine = [m for m in listed(modality, cross=cross) if m.group == group]
        if mine:
            options.append({"label": group, "value": f"group:{group}", "disabled": True})
            options += [{"label": m.label, "value": m.name, "title": f"{m.sentence} {m.formula}".strip()} for m in mine]
    return options


def _field(label: str, id: str, options: list[dict[str, Any]], value: str) -> html.Div:
    select = dbc.Select(id=id, options=options, value=value)
    return html.Div([html.Label(label, htmlFor=id), select], className="label-row matrix-field")


clientside_callback(
    ClientsideFunction("atlasBadges", "badges"),
    Output(ids.SCENE, "badges"),
    Output(ids.SCENE, "order"),
    Output(ids.BADGE_NOTE, "children"),
    Input(ids.CATALOGUE, "data"),
    Input(ids.PICTURE, "data"),
    Input(ids.SCENE, "projection"),
    Input(ids.CONCENTRATION, "data"),
    Input(ids.HEAD_SET, "data"),
    State(ids.SCENE, "payload"),
)
