"""What "Scale the atlas by" says below itself: which maps the metric has, and a build of those it has not."""

from typing import Any

from dash import Input, Output, State, callback, ctx, html

from components import ids
from components.polling import REST, again, asks, poll
from components.scaling.layouts import progress
from components.server.context import context
from components.state.atlas_page import View
from services.alignment.variants import OWN
from services.errors import JobError
from services.jobs.scaled_maps import map_spec, map_status
from services.jobs.wishes import WishStatus
from services.projection import START, follows_alignment, method_label, name_in_text


def scale_note() -> html.Div:
    """The place of the note and its controls."""
    return html.Div(
        [
            html.Div(id=ids.SCALE_NOTE, className="align-note", role="status"),
            html.Button("Make them", id=ids.SCALE_BUILD, className="text-button", type="button", hidden=True),
            html.Button("Stop", id=ids.SCALE_STOP, className="text-button", type="button", hidden=True),
            poll(ids.SCALE_TICK, 1000),
        ],
        className="align-actions",
    )


@callback(
    Output(ids.SCALE_NOTE, "children"),
    Output(ids.SCALE_BUILD, "hidden"),
    Output(ids.SCALE_STOP, "hidden"),
    asks(ids.SCALE_TICK),
    Input(ids.VIEW, "data"),
    Input(ids.CATALOGUE, "data"),
    Input(ids.JOBS, "data"),
    Input(ids.SCALE_BUILD, "n_clicks"),
    Input(ids.SCALE_STOP, "n_clicks"),
    Input(ids.SCALE_TICK, "n_intervals"),
    State(ids.SCALE_SELECT, "value"),
)
def follow_scale(
    view_data: Any, _known: Any, _jobs: Any, builds: Any, _stops: Any, ticks: Any, chosen: Any
) -> tuple[Any, bool, bool, int]:
    """Say which maps are by this metric; start, follow or stop the making of the others."""
    view = View.from_store(view_data)
    here = context()
    atlas = here.library.get(view.atlas)
    stream = atlas.info.stream(view.stream) if atlas else None
    if atlas is None or stream is None or not isinstance(chosen, str) or chosen == OWN:
        return None, True, True, REST
    status = map_status(here.jobs, here.settings.maps, atlas, stream, chosen, view.dims)
    if status is None:
        return "This atlas has no scaling study yet; the page Scaling can make one.", True, True, REST
    try:
        if status.missing and not status.under_way and ctx.triggered_id == ids.SCALE_BUILD and builds:
            here.jobs.submit(map_spec(atlas, stream, chosen, status.missing, view.dims, "dashboard"))
            return "Starting …", True, False, again(ticks)
        if status.job is not None and status.under_way and ctx.triggered_id == ids.SCALE_STOP:
            here.jobs.cancel(status.job.id)
            return "Stopping …", True, True, again(ticks)
    except JobError as error:
        return str(error), status.under_way, not status.under_way, REST
    if status.job is not None and status.under_way:
        waits = status.job.label if status.job.state == "waiting" else "making the maps"
        made = WishStatus("running", waits, status.job.fraction)
        return progress([made], "All heads"), True, status.job.cancel, again(ticks)
    if not status.missing:
        maps = dict.fromkeys(p.method for p in atlas.info.projections if p.stream == stream.name)
        same = [f" The {name_in_text(m)} does not depend on it." for m in maps if not follows_alignment(m)]
        return "".join(["All maps are made with this c.", *same]), True, True, REST
    names = " and ".join(method_label(method) for method in status.missing)
    ended = f" {status.job.message}" if status.job is not None and status.job.state != "finished" else ""
    return f"{START.label} follows at once; {names} in {view.dims}D still as built.{ended}", False, True, REST
