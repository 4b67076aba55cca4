"""Tell the terminal and whoever follows the job how far a build is, and learn whether to stop."""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tqdm import tqdm

from services.atlas import arrays
from services.errors import Cancelled

# Called with what is being done, steps done and steps in all, often; its answer says whether to stop.
Report = Callable[[str, int, int], bool]
Say = Callable[[str], None]  # writes a line of a log that people read


class Progress:
    """Progress of one build: a bar on the terminal, and words for `report`."""

    def __init__(self, slug: str, report: Report | None = None, bar: bool = True, say: Say | None = None) -> None:
        self.slug = slug
        self._say = say
        self._report = report
        self._bar = bar
        self._tqdm: tqdm | None = None
        self._stop = False
        self._stage = ""
        self._now = ("Starting", 0, 0)
        self.seconds: dict[str, float] = {}
        self._stage_start = time.perf_counter()

    def stop(self) -> None:
        """Ask the build to end at its next step."""
        self._stop = True

    @property
    def stopping(self) -> bool:
        return self._stop

    def stage(self, name: str, label: str, total: int) -> None:
        """Begin a stage of `total` steps."""
        self.end_stage()
        self._stage_start = time.perf_counter()
        self._stage = name
        self._now = label, 0, total
        self.note(label)
        if self._bar:
            self._tqdm = tqdm(total=total, desc=f"{label:<26}", file=sys.stderr, leave=True, dynamic_ncols=True)
        self.check()

    def update(self, done: int) -> None:
        """`done` steps of the stage are finished.

        Raises:
            Cancelled: the user asked to stop.
        """
        self.show(done)
        self.check()

    def show(self, done: int) -> None:
        """As `update`, but never raises: for a watching thread."""
        label, _, total = self._now
        self._now = label, done, total
        if self._tqdm:
            self._tqdm.update(done - self._tqdm.n)
        self._tell()

    def check(self) -> None:
        """
        Raises:
            Cancelled: the user asked to stop.
        """
        self._tell()
        if self._stop:
            raise Cancelled("Stopped. Run the same command again to go on where it stopped.")

    def end_stage(self) -> None:
        """The stage is over: note its seconds, close its bar."""
        if self._stage:
            spent = time.perf_counter() - self._stage_start
            self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + spent, 3)
            self._stage_start = time.perf_counter()
            self.note(f"{self._now[0]}: done in {spent:.1f} s")
            self._stage = ""
        if self._tqdm:
            self._tqdm.close()
            self._tqdm = None

    def note(self, line: str) -> None:
        """Tell the log, where there is one."""
        if self._say is not None:
            self._say(line)

    def _tell(self) -> None:
        if self._report is not None and self._report(*self._now):
            self._stop = True


class Counters:
    """One counter a layer plus a stop flag, in a small shared file that worker processes map."""

    def __init__(self, path: Path, layers: int) -> None:
        self.path = path
        self._array = arrays.create(path, (layers + 1,), "<i4")

    def total(self) -> int:
        return int(self._array[1:].sum())

    def preset(self, layers: Iterable[int], heads: int) -> None:
        """Count layers that an earlier run finished."""
        for layer in layers:
            self._array[layer + 1] = heads

    def stop(self) -> None:
        self._array[0] = 1

    def close(self) -> None:
        arrays.part_of(self.path).unlink(missing_ok=True)


def layer_counter(path: Path, layer: int) -> Callable[[int, int], bool]:
    """The worker's side of `Counters`: record heads done, return True when asked to stop."""
    array = arrays.reopen(path)

    def count(done: int, _total: int) -> bool:
        array[layer + 1] = done
        return bool(array[0])

    return count
