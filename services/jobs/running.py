"""The working end of a job: it renews the lease, tells how far it is, and learns whether to stop."""

import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal

from services.errors import AtlasError, BusyError, Cancelled, JobError
from services.jobs.rows import Rows
from services.jobs.spec import WAITING, Job, one_line
from services.models.memory import is_out_of_memory
from services.settings import Settings

RENEW = 1.0  # seconds between two renewals of the lease
TELL = 0.3  # seconds between two words on progress
GRACE = 30.0  # seconds a job has to end after it was told to; then its process ends at once


class Running:
    """A job while it runs: `with Running(...) as running`; how the block ends is how the job ended.

    Args:
        pulse: seconds between two looks for the cancel mark.
        forgotten: see JobKind.
    """

    def __init__(
        self,
        table: Rows,
        job: Job,
        settings: Settings,
        *,
        pulse: float = TELL,
        forgotten: float | None = None,
        kept: bool = True,
    ) -> None:
        self.settings = settings
        self.result: dict[str, Any] | None = None
        self._table = table
        self._job = job
        self._pulse = pulse
        self._forgotten = forgotten
        self._kept = kept
        self._progress: tuple[str, int, int] = (job.label, job.done, job.total)
        self._stop_since: float | None = None
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, daemon=True)

    @property
    def stopping(self) -> bool:
        """Whether the job is to end at its next step."""
        return self._stop_since is not None

    def stop(self) -> None:
        """End at the next step (also from a signal handler)."""
        if self._stop_since is None:
            self._stop_since = time.monotonic()

    def report(self, label: str, done: int, total: int) -> bool:
        """Tell how far it is; True: stop. Costs nothing, so call it at every step."""
        self._progress = (one_line(label), done, total)
        return self.stopping

    def check(self) -> None:
        """
        Raises:
            Cancelled: the job is to end.
        """
        if self.stopping:
            raise Cancelled("Stopped.")

    def __enter__(self) -> "Running":
        self._renewer.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> Literal[False]:
        self._ended.set()
        self._renewer.join()
        self._finish(*_ending(error), forget=isinstance(error, BusyError))
        return False

    def _renew(self) -> None:
        written, told = time.monotonic(), self._progress
        while not self._ended.wait(self._pulse):
            now = time.monotonic()
            if self._stop_since is not None and now - self._stop_since > GRACE:
                self._finish("cancelled", "Stopped.")
                os._exit(130)
            changed = self._progress != told and now - written >= min(TELL, self._pulse)
            try:
                job = self._table.get(self._job.id)
                if self._lost(job) or (job is not None and (job.cancel or is_forgotten(job, self._forgotten))):
                    self.stop()
                if changed or now - written >= RENEW:
                    progress = self._progress
                    self._change(lambda job, p=progress: job.at(*p))  # type: ignore[misc]
                    written, told = now, progress
            except JobError:  # a full disk ends the work itself, not the telling of it
                written = now

    def _lost(self, job: Job | None) -> bool:
        return job is None or job.run != self._job.run

    def _change(self, change: Callable[[Job], Job]) -> None:
        with self._table.transaction():
            job = self._table.get(self._job.id)
            if job is not None and not self._lost(job):
                self._table.put(change(job).changed(updated=time.time()))

    def _finish(self, state: str, message: str, forget: bool = False) -> None:
        """Write the last word; wait a little for a disk that has no room for it."""
        label, done, total = self._progress

        def last(job: Job) -> Job:
            if state == "cancelled" and job.again:
                return job.changed(state="waiting", label=WAITING, cancel=False, again=False, run="")
            return job.changed(
                state=state, message=one_line(message), label=label, done=done, total=total, result=self.result,
                cancel=False, again=False, run="", slot="",
            )  # fmt: skip

        for attempt in range(self._table.last_tries):
            try:
                with self._table.transaction():
                    self._change(last)
                    job = self._table.get(self._job.id)
                    gone = forget or (not self._kept and state in ("finished", "cancelled"))
                    if gone and job is not None and not job.active and job.state == state:
                        self._table.drop(job.id)
                return
            except JobError as error:
                if attempt == self._table.last_tries - 1:
                    print(f"{message} {error}", file=sys.stderr)
                time.sleep(0.1)


def is_forgotten(job: Job, seconds: float | None) -> bool:
    """Whether nobody has asked for the job for so long; a clock that was set back makes nobody forget."""
    return seconds is not None and all(time.time() - last > seconds for last in job.owners.values())


def _ending(error: BaseException | None) -> tuple[str, str]:
    """State and message of a job whose block ended in this way."""
    if error is None:
        return "finished", ""
    if isinstance(error, Cancelled | KeyboardInterrupt):
        return "cancelled", "Stopped."
    if isinstance(error, AtlasError):
        return "failed", str(error)
    if isinstance(error, MemoryError | OSError):
        reason = "Memory ran out" if is_out_of_memory(error) else f"The system refused something ({error})"
        return "failed", f"{reason}; start it again: it goes on where it stopped."
    return "failed", f"{type(error).__name__}: {error}"
