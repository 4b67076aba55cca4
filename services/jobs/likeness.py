"""The kind "likeness": all heads of a stream compared by how they attend, for a reader who opens the page Heads."""

from pathlib import Path

from services.atlas import Atlas, open_atlas
from services.atlas.schema import StreamInfo
from services.jobs import wishes
from services.jobs.backend import Backend
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running
from services.jobs.spec import JobSpec
from services.jobs.wishes import Wish, WishStatus
from services.measures import head_map

FORGOTTEN = 60.0  # seconds after which a reader who no longer asks does not count
DIED = "The process that compares heads ended unexpectedly."


class LikenessArguments(Arguments):
    """The folder of the atlas, the stream, and the file that the map goes to."""

    atlas: str
    stream: str
    out: str


def want(jobs: Backend, atlas: Atlas, stream: StreamInfo, folder: Path, visitor: str) -> WishStatus:
    """Ask for the map of a stream's heads and tell how far it is."""
    out = head_map.file_of(atlas, stream, folder)
    arguments = LikenessArguments(atlas=str(atlas.path), stream=stream.name, out=str(out))
    wish = Wish(JobSpec.of(LIKENESS.name, arguments, visitor), out.is_file)
    return wishes.want(jobs, LIKENESS, [wish], visitor, DIED)[0]


def compare_heads(arguments: LikenessArguments, running: Running) -> None:
    """Write the map's file, unless it is there.

    Raises:
        Cancelled: nobody wants it any more.
        AtlasError: the atlas cannot be read, keeps no attention, or the disk is full.
    """
    out = Path(arguments.out)
    if out.is_file():
        return
    atlas = open_atlas(Path(arguments.atlas))
    stream = atlas.stream(arguments.stream)

    def told(done: int, of: int) -> None:
        running.report("Comparing heads", done, of)
        running.check()

    head_map.write(out, head_map.make(atlas, stream, told))


LIKENESS = JobKind(
    name="likeness",
    arguments=LikenessArguments,
    title=lambda arguments: f"Comparing the heads of {Path(arguments.atlas).name}",
    subject=lambda arguments: arguments.atlas,
    run=compare_heads,
    starting="Starting to compare heads",
    announced=False,
    forgotten=FORGOTTEN,
    kept=False,
)
