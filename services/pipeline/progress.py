"""Tell the terminal and the dashboard how far a build is, and learn whether to stop."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from services.atlas import arrays
from services.errors import Cancelled

_EVERY = 0.3  # seconds between two writes of the progress file
HEARTBEAT = 5.0  # seconds after which it is written even when nothing moves, so that a dead build can be told


class Progress:
    """Progress of one build: a bar on the terminal and a JSON file the dashboard reads.

    The file holds: slug, pid, stage, label, done, total, started, updated, state (`running`, `finished`, `failed`,
    `stopped`) and message.
    """

    def __init__(self, slug: str, file: Path | None = None, bar: bool = True) -> None:
        self._file = file
        self._bar = bar
        self._tqdm: tqdm | None = None
        self._written = 0.0
        self._stop = False
        self._state: dict[str, Any] = {
            "slug": slug,
            "pid": os.getpid(),
            "started": time.time(),
            "state": "running",
        }
        self.seconds: dict[str, float] = {}
        self._stage_start = time.perf_counter()
        self._lock = threading.Lock()
        self._heart: threading.Thread | None = None
        self._finished = threading.Event()

    def stop(self) -> None:
        """Ask the build to end at its next step (from a signal handler)."""
        self._stop = True

    @property
    def stopping(self) -> bool:
        return self._stop

    def stage(self, name: str, label: str, total: int) -> None:
        """Begin a stage of `total` steps."""
        self.end_stage()
        self._stage_start = time.perf_counter()
        with self._lock:
            self._state |= {"stage": name, "label": label, "done": 0, "total": total, "message": ""}
        if self._bar:
            self._tqdm = tqdm(total=total, desc=f"{label:<26}", file=sys.stderr, leave=True, dynamic_ncols=True)
        self._write(force=True)
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
        self._state["done"] = done
        if self._tqdm:
            self._tqdm.update(done - self._tqdm.n)
        self._write()

    def check(self) -> None:
        if self._stop:
            raise Cancelled("Stopped. Run the same command again to go on where it stopped.")

    def end_stage(self) -> None:
        name = self._state.get("stage")
        if name:
            spent = time.perf_counter() - self._stage_start
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)
            self._stage_start = time.perf_counter()
        if self._tqdm:
            self._tqdm.close()
            self._tqdm = None

    def finish(self, state: str, message: str = "") -> None:
        """Write the last word: `finished`, `failed` or `stopped`."""
        self.end_stage()
        self._finished.set()
        if self._heart:
            self._heart.join()
        with self._lock:
            self._state |= {"state": state, "message": message}
        self._write(force=True)

    def _write(self, force: bool = False) -> None:
        now = time.time()
        if self._file is None or (not force and now - self._written < _EVERY):
            return
        with self._lock, suppress(OSError):  # a progress file that cannot be written must not end a build
            self._written = self._state["updated"] = now
            part = self._file.with_name(self._file.name + ".part")
            part.write_text(json.dumps(self._state), encoding="utf-8")
            part.replace(self._file)
        if self._heart is None and not self._finished.is_set():
            self._heart = threading.Thread(target=self._beat, daemon=True)
            self._heart.start()

    def _beat(self) -> None:
        while not self._finished.wait(HEARTBEAT):
            self._write(force=True)


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
