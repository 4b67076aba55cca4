"""The controls above the map."""

from collections.abc import Sequence

from dash import ClientsideFunction, Input, Output, clientside_callback, html

from components import ids
from components.atlas_fields import atlas_select, stream_select
from components.catalogue import dims_options, method_options
from components.choices import choice_field
from components.colouring import colour_field
from components.find import search_field
from components.shell import icon
from components.state.atlas_page import AtlasPage
from services.atlas import Atlas
from services.atlas.library import Entry

_SHOWN = {"points": "Points", "average": "Average"}


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
            atlas_select(ids.ATLAS_SELECT, entries, atlas, "field-wide"),
            stream_select(ids.STREAM_SELECT, atlas, stream),
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
