"""The dashboard: the matrix of all heads, one head, one sentence."""

from typing import Any
from urllib.parse import parse_qsl

import dash
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, html, no_update

from components import ids
from components.catalogue import catalogue, dims_options, method_options
from components.job_banner import announced
from components.server.context import context
from components.state.atlas_page import AtlasPage, View
from components.state.links import mirror_in_address, open_other_atlas
from components.workspace import waiting, workspace
from services.alignment.variants import OWN
from services.jobs.builds import is_building

dash.register_page(__name__, path="/", title="Attention Atlas", name="Atlas")


def layout(**query: Any) -> html.Div:
    """The page for the URL's parameters; they come from anyone, so each is checked."""
    return html.Div(_body(query), id=ids.BODY)


def _body(query: dict[str, Any]) -> html.Div:
    here = context()
    found = AtlasPage.open(query, here.library)
    if found is None:
        problems = [entry.problem for entry in here.library.entries() if entry.problem]
        job = max(announced(here), key=lambda job: (job.active, job.updated), default=None)
        return waiting(job, problems)
    atlas, state = found
    return workspace(atlas, state, building=is_building(here.jobs, atlas.path))


@callback(
    Output(ids.BODY, "children"),
    Input(ids.WAITING_TICK, "n_intervals"),
    State(ids.URL, "search"),
    prevent_initial_call=True,
)
def open_first_atlas(_ticks: int | None, search: Any) -> html.Div:
    """Replace the waiting page by the first atlas as soon as there is one; keep its progress alive until then."""
    return _body(dict(parse_qsl(search.lstrip("?"))) if isinstance(search, str) else {})


@callback(
    Output(ids.CATALOGUE, "data"),
    Output(ids.METHOD_SELECT, "options"),
    Output(ids.DIMS_SELECT, "options"),
    Input(ids.JOBS, "data"),
    Input(ids.METHOD_SELECT, "value"),
    Input(ids.SCALE_SELECT, "value"),
    State(ids.CATALOGUE, "data"),
    State(ids.VIEW, "data"),
)
def notice_new_maps(_jobs: Any, method: Any, scale: Any, known: Any, view_data: Any) -> tuple[Any, Any, Any]:
    """Offer maps as a build finishes them."""
    view = View.from_store(view_data)
    atlas = context().library.get(view.atlas)
    if atlas is None or (stream := atlas.info.stream(view.stream)) is None:
        return no_update, no_update, no_update
    now = catalogue(atlas, stream, scale if isinstance(scale, str) else OWN, context().settings.maps)
    return (
        no_update if now == known else now,
        method_options(atlas, stream, is_building(context().jobs, atlas.path)),
        dims_options(atlas, stream, str(method)),
    )


clientside_callback(
    ClientsideFunction("atlasJobs", "lookAtWaiting"),
    Output(ids.WAITING_TICK, "n_intervals"),
    Input(ids.JOBS, "data"),
    State(ids.WAITING_TICK, "n_intervals"),
    prevent_initial_call=True,
)


def _client(name: str) -> ClientsideFunction:
    return ClientsideFunction("atlas", name)


clientside_callback(
    _client("view"),
    Output(ids.VIEW, "data"),
    Output(ids.SCENE, "projection"),
    Output(ids.SCENE, "sprite"),
    Output(ids.DIMS_SELECT, "value"),
    Output(ids.CRUMB, "children"),
    Output(ids.BACK, "className"),
    Output(ids.SENTENCE, "layer"),
    Output(ids.SENTENCE, "head"),
    Output(ids.WORKSPACE, "className"),
    Input(ids.CATALOGUE, "data"),
    Input(ids.METHOD_SELECT, "value"),
    Input(ids.DIMS_SELECT, "value"),
    Input(ids.COLOURING, "data"),
    Input(ids.SCENE, "head"),
    Input(ids.THEME, "data"),
    State(ids.VIEW, "data"),
    State(ids.SCENE, "payload"),
)
clientside_callback(
    ClientsideFunction("atlasChoose", "selection"),
    Output(ids.SELECTION, "data"),
    Output(ids.SCENE, "selection"),
    Input(ids.SCENE, "selection"),
    Input(ids.SENTENCE, "picked"),
    Input(ids.AVERAGE_PICTURE, "chosen"),
    State(ids.SELECTION, "data"),
    State(ids.PROBE, "data"),
)
clientside_callback(
    ClientsideFunction("atlasChoose", "place"),
    Output(ids.SCENE, "head"),
    Input(ids.BACK, "n_clicks"),
    Input(ids.MINIMAP, "chosen"),
    prevent_initial_call=True,
)
clientside_callback(
    _client("theme"),
    Output(ids.SCENE, "theme"),
    Output(ids.SENTENCE, "theme"),
    Input(ids.THEME, "data"),
)
mirror_in_address("atlas")
open_other_atlas("atlas", ids.ATLAS_SELECT, ids.STREAM_SELECT)
clientside_callback(
    _client("copyLink"),
    Output(ids.COPY_LINK, "title"),
    Input(ids.COPY_LINK, "n_clicks"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("atlasHelp", "offerTour"),
    Output(ids.TOUR, "title"),
    Input(ids.SCENE, "status"),
)
clientside_callback(
    _client("status"),
    Output(ids.STATUS, "children"),
    Input(ids.SCENE, "status"),
)
