"""The kind "change": all heads of two streams compared on shared inputs, for a reader of the page Compare."""

from pathlib import Path

from services.atlas import open_atlas
from services.jobs import wishes
from services.jobs.backend import Backend
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running
from services.jobs.spec import JobSpec
from services.jobs.wishes import Wish, WishStatus
from services.measures import change

FORGOTTEN = 60.0  # seconds after which a reader who no longer asks does not count
DIED = "The process that compares heads ended unexpectedly."


class ChangeArguments(Arguments):
    """The folders of both atlases, their streams, and the file that the numbers go to."""

    atlas: str
    stream: str
    other: str
    its: str
    out: str


def want(jobs: Backend, streams: change.Streams, folder: Path, visitor: str) -> WishStatus:
    """Ask for the numbers of two streams' heads and tell how far they are."""
    atlas, stream, other, its = streams
    out = change.file_of(streams, folder)
    arguments = ChangeArguments(
        atlas=str(atlas.path), stream=stream.name, other=str(other.path), its=its.name, out=str(out)
    )
    wish = Wish(JobSpec.of(CHANGE.name, arguments, visitor), out.is_file)
    return wishes.want(jobs, CHANGE, [wish], visitor, DIED)[0]


def compare_streams(arguments: ChangeArguments, running: Running) -> None:
    """Write the numbers' file, unless it is there.

    Raises:
        Cancelled: nobody wants it any more.
        AtlasError: an atlas cannot be read or keeps no attention, they share no input, or the disk is full.
    """
    out = Path(arguments.out)
    if out.is_file():
        return
    atlas, other = open_atlas(Path(arguments.atlas)), open_atlas(Path(arguments.other))
    streams = atlas, atlas.stream(arguments.stream), other, other.stream(arguments.its)

    def told(done: int, of: int) -> None:
        running.report("Comparing all heads", done, of)
        running.check()

    change.write(out, change.make(streams, told))


CHANGE = JobKind(
    name="change",
    arguments=ChangeArguments,
    title=lambda arguments: f"Comparing the heads of {Path(arguments.atlas).name} and {Path(arguments.other).name}",
    subject=lambda arguments: arguments.atlas,
    run=compare_streams,
    starting="Starting to compare all heads",
    announced=False,
    forgotten=FORGOTTEN,
    kept=False,
)
