"""The small maps at each constant: PCA at once, others from the layout process; the study of an atlas without one."""

from typing import Any

from dash import Input, Output, State, callback, ctx, html, no_update

from components import ids
from components.polling import REST, again, asks
from components.scaling.callbacks import best_c, constants_projection, find
from components.server.context import context
from services.alignment.head_maps import ConstantMaps
from services.errors import AtlasError
from services.jobs.layouts import drop, layout_of, want
from services.jobs.study import study_job, study_spec
from services.jobs.wishes import WishStatus
from services.projection import START, method_label


def visitor(tab: Any) -> str:
    """The nonce of one browser tab; whoever posts none shares one."""
    return tab if isinstance(tab, str) and len(tab) <= 64 and tab.isascii() else ""


@callback(
    Output(ids.SCALING_SCENE, "projection"),
    Output(ids.SCALING_CONSTANTS_NOTE, "children"),
    asks(ids.SCALING_TICK),
    Input(ids.SCALING_STATE, "data"),
    Input(ids.SCALING_TICK, "n_intervals"),
    State(ids.TAB, "data"),
)
def lay_out_constants(data: Any, ticks: Any, tab: Any) -> tuple[Any, Any, int]:
    """PCA straight away; another method as soon as the layout process has made all maps, with progress until then."""
    found = find(data)
    if found is None:
        return no_update, "This atlas is no longer there.", REST
    atlas, stream, state = found
    here = context()
    start = constants_projection(atlas, stream, state, START.name)
    if state.method == START.name:
        drop(here.jobs, visitor(tab))
        return start, None, REST
    name = method_label(state.method)
    maps = ConstantMaps(state.method, state.layer, state.head, best_c(atlas, stream, state))
    layouts = [layout_of(one, here.settings.maps) for one in maps.heads(atlas, stream)]
    statuses = want(here.jobs, layouts, visitor(tab))
    if all(status.state == "ready" for status in statuses):
        return constants_projection(atlas, stream, state, state.method), None, REST
    failed = next((status for status in statuses if status.state in ("failed", "busy")), None)
    if failed:
        return start, f"{name} is not shown: {failed.message}", REST
    return start, progress(statuses, name), again(ticks)


def progress(statuses: list[WishStatus], name: str) -> html.Div:
    """How far the layouts are, together."""
    share = sum(status.share for status in statuses) / len(statuses)
    running = next((status for status in statuses if status.state == "running"), statuses[-1])
    label = f"{name}: {running.label.lower() or 'waiting'}"
    return html.Div(
        [
            html.Span(f"{label} · {round(100 * share)} %"),
            html.Progress(value=str(round(100 * share)), max="100", **{"aria-label": label}),
        ],
        className="scaling-progress",
    )


@callback(
    Output(ids.SCALING_STUDY_NOTE, "children"),
    Output(ids.SCALING_STUDY, "disabled"),
    asks(ids.SCALING_STUDY_TICK),
    Input(ids.SCALING_STUDY, "n_clicks"),
    Input(ids.SCALING_STUDY_TICK, "n_intervals"),
    Input(ids.JOBS, "data"),
    State(ids.SCALING_STATE, "data"),
)
def study_atlas(clicks: Any, ticks: Any, _jobs: Any, data: Any) -> tuple[Any, bool, int]:
    """Start the study of an atlas that has none, and follow it."""
    found = find(data)
    if found is None:
        return "This atlas is no longer there.", True, REST
    atlas, jobs = found[0], context().jobs
    if ctx.triggered_id == ids.SCALING_STUDY and clicks:
        try:
            jobs.submit(study_spec(atlas, "dashboard"))
        except AtlasError as error:
            return str(error), False, REST
        return "Starting …", True, again(ticks)
    job = study_job(jobs, atlas)
    if job is None:
        return no_update, False, REST
    if job.active:
        return progress([WishStatus("running", job.label, job.fraction)], "Study"), True, again(ticks)
    if job.state == "finished":
        return html.A("The study is ready: show it", href="", className="text-button"), True, REST
    return f"The study did not finish: {job.message}", False, REST
