"""The builds that were asked for on the page New atlas: how far each is, its log, and what can be done with it."""

from collections.abc import Callable, Sequence
from typing import Any

from dash import dcc, html

from components import ids
from components.job_banner import progress_bar
from services.jobs.backend import Backend
from services.jobs.spec import Job
from services.models.memory import readable
from services.workshop.estimate import duration
from services.workshop.orders import Placed

_LINES = 60  # of a log
_SHOWN = 12


def orders_list(
    placed: Sequence[Placed], jobs: Backend, prefix: str, begins_in: Callable[[Placed], float | None]
) -> html.Div:
    """The newest orders, each with its state. begins_in: seconds until one that waits begins, where that is known."""
    return html.Div([_order(one, jobs, prefix, begins_in(one)) for one in placed[:_SHOWN]], className="orders")


def _order(placed: Placed, jobs: Backend, prefix: str, begins: float | None) -> html.Article:
    order, job, atlas = placed.order, placed.job, placed.atlas
    name = atlas.info.title if atlas else order.slug
    log = jobs.log(job.id) if job else ""
    return html.Article(
        [
            html.Div([html.H3(name), html.Span(order.says, className="form-note")], className="order-head"),
            _state(placed, begins),
            html.P(_beside(placed), className="form-note"),
            html.Div([*_deeds(placed, prefix)], className="form-row"),
            html.Details(
                [html.Summary("Log"), html.Pre("\n".join(log.splitlines()[-_LINES:]) or "Nothing yet.", tabIndex=0)],
                className="order-log",
            ),
        ],
        className="order",
        id=f"order-{order.slug}",
    )


def _state(placed: Placed, begins: float | None) -> Any:
    job = placed.job
    if placed.order.discard:
        return html.P("Being removed.")
    if job is None or job.state == "finished":
        return html.P("Done." if placed.atlas else "Not begun.")
    if not job.active:
        return html.P(job.sentence, className=f"build-{job.state}")
    more = _steps(job) if begins is None else f"begins in about {duration(begins)}"
    return html.Div([*progress_bar(job).children, html.Span(more, className="form-note")], className="build-progress")


def _steps(job: Job) -> str:
    return f"step {job.done:,} of {job.total:,}" if job.total > 1 else ""


def _beside(placed: Placed) -> str:
    """The estimate, and beside it what came of it."""
    estimate = placed.order.estimate
    sizes = f"{readable(estimate.disk)} of disk, {readable(estimate.memory)} of memory"
    said = f"Estimated: {duration(estimate.seconds)}, {sizes}."
    if placed.job is None or placed.job.state != "finished" or placed.atlas is None:
        return said
    info = placed.atlas.info
    disk = sum(file.bytes for file in info.files.values())
    memory = (placed.job.result or {}).get("memory")
    took = f" It took {duration(sum(info.seconds.values()))} and {readable(disk)}"
    return f"{said}{took}{f', memory {readable(memory)}' if isinstance(memory, int) else ''}."


def _deeds(placed: Placed, prefix: str) -> list[Any]:
    order, job = placed.order, placed.job
    active = job is not None and job.active
    done = job is not None and job.state == "finished"
    found: list[Any] = []
    if placed.atlas is not None:
        found.append(dcc.Link("Explore", href=f"{prefix}?atlas={order.slug}", className="text-button"))
    if active:
        found.append(_button("stop", order.slug, "Stop", "It can go on later"))
    elif not done and not (job is None and placed.atlas):
        found.append(_button("go", order.slug, "Go on", "What was finished is kept"))
    if placed.atlas is None and not order.discard:
        found.append(_button("discard", order.slug, "Discard", "Remove what was made and what was uploaded for it"))
    return found


def _button(deed: str, slug: str, label: str, title: str) -> html.Button:
    return html.Button(label, id=ids.order_deed(deed, slug), title=title, className="text-button", type="button")
