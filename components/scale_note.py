"""What "Scale the atlas by" says below itself: which maps the metric has, and a build of those it has not."""

from typing import Any

from dash import Input, Output, State, callback, ctx, dcc, html

from components import ids
from components.catalogue import method_label
from components.scaling.layouts import progress
from components.server.context import context
from components.state.atlas_page import View
from services.alignment.variants import OWN, scale_variant
from services.jobs.refining import Status
from services.jobs.scaled_maps import scale_job, start_scaled_build, stop_scaled_build


def scale_note() -> html.Div:
    """The place of the note and its controls."""
    return html.Div(
        [
            html.Div(id=ids.SCALE_NOTE, className="align-note", role="status"),
            html.Button("Make them", id=ids.SCALE_BUILD, className="text-button", type="button", hidden=True),
            html.Button("Stop", id=ids.SCALE_STOP, className="text-button", type="button", hidden=True),
            dcc.Interval(id=ids.SCALE_TICK, interval=1000, disabled=True),
        ],
        className="align-actions",
    )


@callback(
    Output(ids.SCALE_NOTE, "children"),
    Output(ids.SCALE_BUILD, "hidden"),
    Output(ids.SCALE_STOP, "hidden"),
    Output(ids.SCALE_TICK, "disabled"),
    Input(ids.VIEW, "data"),
    Input(ids.CATALOGUE, "data"),
    Input(ids.SCALE_BUILD, "n_clicks"),
    Input(ids.SCALE_STOP, "n_clicks"),
    Input(ids.SCALE_TICK, "n_intervals"),
    State(ids.SCALE_SELECT, "value"),
)
def follow_scale(
    view_data: Any, _known: Any, builds: Any, _stops: Any, _ticks: Any, chosen: Any
) -> tuple[Any, bool, bool, bool]:
    """Say which maps are by this metric; start, follow or stop the making of the others."""
    quiet = None, True, True, True
    view = View.from_store(view_data)
    here = context()
    atlas = here.library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    if atlas is None or stream is None or not isinstance(chosen, str) or chosen == OWN:
        return quiet
    variant = scale_variant(atlas, stream, chosen, here.settings.maps)
    if variant is None:
        return "This atlas has no scaling study yet; the page Scaling can make one.", True, True, True
    missing = [p for p in variant.info.projections if p.dims == view.dims and not variant.ready(p)]
    missing = [p for p in missing if p.method != "attention"]
    job = scale_job(here.settings, atlas, stream, chosen)
    running = job is not None and job.state == "running"
    if missing and not running and ctx.triggered_id == ids.SCALE_BUILD and builds:
        methods = [p.method for p in missing]
        start_scaled_build(here.settings, atlas, stream, chosen, methods, view.dims)
        return "Starting …", True, False, False
    if running and job is not None:
        if ctx.triggered_id == ids.SCALE_STOP:
            stop_scaled_build(here.settings, atlas, stream, chosen)
            return "Stopping …", True, True, False
        return progress([Status("running", "making the maps", job.fraction)], "All heads"), True, False, False
    if not missing:
        return "All maps are made with this c. The attention map does not depend on it.", True, True, True
    names = " and ".join(method_label(p.method) for p in missing)
    failed = f" {job.message}" if job is not None and job.state in ("failed", "stopped") else ""
    return f"PCA follows at once; {names} in {view.dims}D still as built.{failed}", False, True, True
