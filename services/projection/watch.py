"""Progress and cancellation, polled from the inside of long layouts."""

import threading
import time
from collections.abc import Callable

from services.errors import Cancelled

Progress = Callable[[int, int], bool]

POLL_SECONDS = 0.1


class Watch:
    """Counts finished heads and asks the caller, at most ten times a second, whether to stop.

    Shared by the threads of one layer: when one is told to stop, all stop.
    """

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._stopped = False
        self._last = 0.0
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise Cancelled when the caller wants to stop."""
        with self._lock:
            now = time.monotonic()
            if now - self._last >= POLL_SECONDS:
                self._last = now
                self._ask()
            if self._stopped:
                raise Cancelled("the projection was stopped")

    def head_done(self) -> None:
        with self._lock:
            self._done += 1
            self._ask()

    def _ask(self) -> None:
        if self._progress is not None and self._progress(self._done, self._total):
            self._stopped = True
