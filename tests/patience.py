"""How long tests wait for what must come: far longer than it takes, so that a busy machine fails nothing."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 120.0  # seconds


def until(condition: Callable[[], Any], message: object = "it did not come", seconds: float = PATIENCE) -> Any:
    """The first true value of the condition, asked again and again; fails when none comes."""
    limit = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < limit, message
        time.sleep(0.02)
    return value


@contextmanager
def ends(seconds: float = PATIENCE) -> Iterator[None]:
    """Fail what would not end, such as a pattern that is matched in exponential time; only in the main thread."""

    def too_long(*_: object) -> None:
        raise AssertionError(f"not at an end after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
