"""The kind "layout": one head under one alignment, laid out for a reader who moves a slider and waits.

Small and many: one warm process serves them all, one after another. A layout that is made is a file; whoever asks
again finds it. What nobody has asked for in a while, because a reader has moved on or gone, is dropped.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.alignment.head_maps import HeadMap
from services.errors import JobError
from services.jobs.backend import Backend
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running
from services.jobs.spec import Job, JobSpec

IDLE = 600.0  # seconds without work after which the process gives its memory back
MOST_WAITING = 100  # of all readers together
FORGOTTEN = 10.0  # seconds after which a reader who no longer asks does not count
ATTEMPTS = 2  # after so many deaths of the process the layout is at fault
DIED = "The layout process ended unexpectedly."


class LayoutArguments(Arguments):
    """A services.alignment.head_maps.HeadMap by its names; out: the file it goes to, which says what is in it."""

    atlas: str
    stream: str
    layer: int
    head: int
    method: str
    dims: int
    alignment: str
    start: Literal["own", "aligned"]
    out: str


@dataclass(frozen=True)
class LayoutStatus:
    """How far a layout is; share: 0 … 1."""

    state: Literal["ready", "waiting", "running", "failed", "busy"]
    label: str = ""
    share: float = 0.0
    message: str = ""


def layout_of(wanted: HeadMap, folder: Path) -> LayoutArguments:
    """What makes a map of one head and keeps it in a folder."""
    return LayoutArguments(
        atlas=str(wanted.atlas.path),
        stream=wanted.stream.name,
        layer=wanted.layer,
        head=wanted.head,
        method=wanted.ref.method,
        dims=wanted.ref.dims,
        alignment=wanted.alignment.name,
        start=wanted.start,
        out=str(wanted.file(folder)),
    )


def want(jobs: Backend, layouts: Sequence[LayoutArguments], visitor: str) -> list[LayoutStatus]:
    """Ask for what is missing and tell how far each is; whatever else this visitor wanted before is dropped."""
    specs = [JobSpec.of(LAYOUT.name, layout, visitor) for layout in layouts]
    drop(jobs, visitor, keep={spec.id for spec in specs})
    return [_want(jobs, spec, Path(layout.out)) for spec, layout in zip(specs, layouts, strict=True)]


def drop(jobs: Backend, visitor: str, keep: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """The visitor wants nothing any more, but for the jobs to keep."""
    for job in jobs.list(visitor):
        if job.kind == LAYOUT.name and job.active and job.id not in keep:
            with suppress(JobError):  # it is dropped anyway when nobody asks for it
                jobs.cancel(job.id, visitor)


def _want(jobs: Backend, spec: JobSpec, out: Path) -> LayoutStatus:
    if out.is_file():
        return LayoutStatus("ready", share=1.0)
    try:
        job = jobs.status(spec.id)
        message = _fault(job) if job is not None and spec.owner in job.owners else None
        if message is None:
            job = jobs.submit(spec)
            message = DIED if job.attempt > ATTEMPTS else None  # it was lost between the two looks
        if message is not None:
            jobs.cancel(spec.id, spec.owner)  # said once; asking again tries again
            return LayoutStatus("failed", message=message)
    except JobError as error:
        return LayoutStatus("busy", message=str(error))
    assert job is not None
    return LayoutStatus("running" if job.state == "running" else "waiting", job.label, job.fraction)


def _fault(job: Job) -> str | None:
    if job.state == "failed":
        return job.message
    if job.state == "lost" and job.attempt >= ATTEMPTS:
        return DIED
    return None


def run_layout(arguments: LayoutArguments, running: Running) -> None:
    """
    Raises:
        Cancelled: nobody wants it any more.
        AtlasError: the atlas cannot be read, or has no such head.
    """
    from services.jobs.head_layout import make_layout

    make_layout(arguments, running)


LAYOUT = JobKind(
    name="layout",
    arguments=LayoutArguments,
    title=lambda arguments: f"Layout of layer {arguments.layer}, head {arguments.head}",
    subject=lambda arguments: arguments.atlas,
    run=run_layout,
    starting="Starting the layout process",
    announced=False,
    most_waiting=MOST_WAITING,
    warm=IDLE,
    forgotten=FORGOTTEN,
    kept=False,
)
