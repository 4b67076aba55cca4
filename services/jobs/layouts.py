"""The kind "layout": one head under one alignment, laid out for a reader who moves a slider and waits.

A layout that is made is a file; see services.jobs.wishes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from services.alignment.head_maps import HeadMap
from services.jobs import wishes
from services.jobs.backend import Backend
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running
from services.jobs.spec import JobSpec
from services.jobs.wishes import Wish, WishStatus

IDLE = 600.0  # seconds without work after which the process gives its memory back
MOST_WAITING = 100  # of all readers together
FORGOTTEN = 10.0  # seconds after which a reader who no longer asks does not count
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


def want(jobs: Backend, layouts: Sequence[LayoutArguments], visitor: str) -> list[WishStatus]:
    """Ask for what is missing and tell how far each is; whatever else this visitor wanted before is dropped."""
    wanted = [Wish(JobSpec.of(LAYOUT.name, layout, visitor), Path(layout.out).is_file) for layout in layouts]
    return wishes.want(jobs, LAYOUT, wanted, visitor, DIED)


def drop(jobs: Backend, visitor: str) -> None:
    """The visitor wants no layout any more."""
    wishes.drop(jobs, LAYOUT, visitor)


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
