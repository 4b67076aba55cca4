"""What the bar of every page says of builds and other jobs, and how a page follows them.

A page asks on its own only while something runs. Otherwise it looks when it is opened, when it is looked at again, and
when the answer to anything else says that a job has begun or ended (components/server/job_stamp.py).
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dash import Input, Output, State, callback, dcc, html, no_update
from dash.development.base_component import Component

from components import ids
from components.polling import REST, again, asks, poll
from components.server.context import Context, context
from components.server.permission import HALTED, refusal
from services.errors import JobError
from services.jobs.registry import job_kind
from services.jobs.spec import Job

EVERY = 1500  # milliseconds, while something runs
MEANWHILE = "Look around meanwhile: each map joins the menu when it is made."


def job_watch() -> list[Component]:
    """What follows the jobs, for any page to listen to: ids.JOBS changes when one begins, goes on to its next stage or
    ends, and when an atlas changes.
    """
    return [
        dcc.Store(id=ids.JOBS),
        dcc.Store(id=ids.LOOKED),
        dcc.Store(id=ids.JOB_SHOWN),
        poll(ids.TICK, EVERY),
    ]


@callback(
    Output(ids.BANNER, "children"),
    asks(ids.TICK),
    Output(ids.JOBS, "data"),
    Output(ids.JOB_SHOWN, "data"),
    Input(ids.TICK, "n_intervals"),
    Input(ids.LOOKED, "data"),
    State(ids.JOBS, "data"),
)
def follow_jobs(ticks: Any, _looked: Any, known: Any) -> tuple[Any, int, Any, Any]:
    """The bar's word on what runs or has failed; ask again while something runs."""
    here = context()
    if here.settings.is_halted:
        return html.Span(HALTED, className="build-failed", title=HALTED), REST, no_update, None
    try:
        here.jobs.check()
    except JobError as error:  # what runs goes on; nobody can say how far it is
        return html.Span(str(error), className="build-failed"), again(ticks), no_update, None
    found = announced(here)
    now = {"jobs": [[job.id, job.state, job.label] for job in found], "atlases": here.library.stamp()}
    words, shown = bar_words(found, {entry.slug for entry in here.library.entries()})
    more = again(ticks) if any(job.active for job in found) else REST
    return words, more, no_update if now == known else now, shown


def announced(here: Context) -> Sequence[Job]:
    """The jobs that every page tells of: those under way, and those that ended lately."""
    return [job for job in here.jobs.list() if job_kind(job.kind).announced]


def bar_words(found: Sequence[Job], atlases: set[str]) -> tuple[Any, str | None]:
    """What the bar says, and the job that its button stops; `atlases`: slugs of those that can be looked at."""
    active = [job for job in found if job.active]
    if active:
        shown = next((job for job in active if job.state == "running"), active[0])
        stopping = html.Button(
            "Stop",
            id=ids.JOB_STOP,
            className="text-button",
            type="button",
            disabled=shown.cancel or refusal("stop") is not None,
        )
        there = shown.state == "running" and Path(shown.subject).name in atlases
        says = [html.Span(MEANWHILE, className="meanwhile")] if there else []
        return html.Div([*progress_bar(shown).children, stopping, *says], className="build-progress"), shown.id
    last = max((job for job in found if job.state != "finished"), key=lambda job: job.updated, default=None)
    if last is None:
        return None, None
    return html.Span(last.sentence, className=f"build-{last.state}", title=last.sentence), None


@callback(
    Output(ids.LOOKED, "data"),
    Input(ids.JOB_STOP, "n_clicks"),
    State(ids.JOB_SHOWN, "data"),
    prevent_initial_call=True,
)
def stop_job(clicks: Any, shown: Any) -> Any:
    """Stop the job that the bar shows, whoever began it, then look at it."""
    here = context()
    if not clicks or shown not in [job.id for job in announced(here)]:
        return no_update
    with suppress(JobError):
        here.jobs.cancel(shown)
    return f"stopped {shown}"


def _left(job: Job) -> str:
    """When the stage is done, in round words; nothing where that cannot be said."""
    if job.left is None:
        return ""
    seconds = max(5, 5 * round(job.left / 5))
    return f" · about {seconds} s" if seconds < 90 else f" · about {round(seconds / 60)} min"


def progress_bar(job: Job) -> html.Div:
    """Stage and share of a job."""
    percent = round(100 * job.fraction)
    return html.Div(
        [
            html.Span(f"{job.headline} · {percent} %{_left(job)}", className="progress-label", title=job.sentence),
            html.Progress(value=str(percent), max="100", **{"aria-label": job.headline}),
        ],
        className="build-progress",
    )
