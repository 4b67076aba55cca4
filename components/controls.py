"""The controls above the map."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, clientside_callback, html

from components import ids
from components.catalogue import dims_options, method_options, stream_options
from components.choices import choice_field, field
from components.colouring import colour_field
from components.find import search_field
from components.shell import icon
from components.state.atlas_page import AtlasPage
from services.atlas import Atlas
from services.atlas.library import Entry
from services.atlas.schema import StreamInfo

_SHOWN = {"points": "Points", "average": "Average"}


def atlas_select(entries: Sequence[Entry], chosen: Atlas) -> html.Div:
    """Which atlas; folders that cannot be read are listed but cannot be chosen."""
    options = [
        {
            "label": entry.atlas.info.title if entry.atlas else f"{entry.slug} (cannot be read)",
            "value": entry.slug,
            "disabled": entry.atlas is None,
            "title": entry.problem or (entry.atlas.info.model.id if entry.atlas else ""),
        }
        for entry in entries
    ]
    return field(
        "Atlas", dbc.Select(id=ids.ATLAS_SELECT, options=options, value=chosen.slug), ids.ATLAS_SELECT, "field-wide"
    )


def stream_select(atlas: Atlas, stream: StreamInfo) -> html.Div:
    """Which kind of attention; hidden when the model has one."""
    options = stream_options(atlas)
    control = dbc.Select(id=ids.STREAM_SELECT, options=options, value=stream.name)
    return field("Attention", control, ids.STREAM_SELECT, "" if len(options) > 1 else "d-none")


def toolbar(entries: Sequence[Entry], atlas: Atlas, state: AtlasPage, building: bool) -> html.Div:
    """All controls, set to the present state."""
    view, stream = state.view, atlas.stream(state.view.stream)
    return html.Div(
        [
            html.Button(
                ["View", icon("chevron-down")],
                id=ids.TOOLBAR_TOGGLE,
                className="text-button toolbar-toggle",
                type="button",
                **{"aria-expanded": "false", "aria-controls": ids.TOOLBAR},
            ),
            atlas_select(entries, atlas),
            stream_select(atlas, stream),
            choice_field(ids.SHOW_SELECT, "Show", _SHOWN, "average" if state.options.average else "points"),
            choice_field(ids.METHOD_SELECT, "Projection", method_options(atlas, stream, building), view.method),
            choice_field(ids.DIMS_SELECT, "Space", dims_options(atlas, stream, view.method), view.dims),
            colour_field(atlas, state.colouring),
            search_field(state.search, atlas.info.modality),
        ],
        id=ids.TOOLBAR,
        className="toolbar",
        role="toolbar",
        **{"aria-label": "What the map shows"},
    )


clientside_callback(
    ClientsideFunction("atlasNavigation", "unfold"),
    Output(ids.TOOLBAR, "className"),
    Output(ids.TOOLBAR_TOGGLE, "aria-expanded"),
    Input(ids.TOOLBAR_TOGGLE, "n_clicks"),
    prevent_initial_call=True,
)
