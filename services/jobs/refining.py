"""Ask the layout process for single heads: started when first needed, shared by all visitors, told when to stop."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from services.alignment.head_maps import HeadMap
from services.jobs.builds import ONE_THREAD, ROOT

MOST_WAITING = 100  # tasks of all visitors together
FORGOTTEN = 10.0  # seconds after which a visitor who no longer asks does not count


@dataclass(frozen=True)
class Task:
    """One head's layout that is wanted. `out` names its content: equal tasks are one task."""

    atlas: str
    stream: str
    layer: int
    head: int
    method: str
    dims: int
    alignment: str
    start: str  # "own": the atlas's own map of the head; "pca": PCA of the vectors as aligned
    out: str

    @property
    def id(self) -> str:
        return Path(self.out).name


def task_of(wanted: HeadMap, folder: Path) -> Task:
    """The task that makes a map and keeps it in a folder."""
    method, dims, alignment = wanted.ref.method, wanted.ref.dims, wanted.alignment.name
    place = wanted.stream.name, wanted.layer, wanted.head
    return Task(str(wanted.atlas.path), *place, method, dims, alignment, wanted.start, str(wanted.file(folder)))


@dataclass
class Status:
    """How far a task is: state `ready`, `waiting`, `running`, `failed` or `busy`; share 0…1."""

    state: str
    label: str = ""
    share: float = 0.0
    message: str = ""


@dataclass
class _Entry:
    task: Task
    status: Status
    visitors: dict[str, float] = field(default_factory=dict)


class Refiner:
    """The web process's end of services.jobs.layout_worker."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._process: subprocess.Popen[str] | None = None
        self._entries: dict[str, _Entry] = {}
        self._starting = False

    def want(self, tasks: list[Task], visitor: str) -> list[Status]:
        """Start what is missing and tell how far each is; whatever else this visitor wanted before is dropped."""
        with self._lock:
            self._drop(visitor, {task.id for task in tasks})
            return [self._want(task, visitor) for task in tasks]

    def drop(self, visitor: str) -> None:
        """The visitor wants nothing any more."""
        with self._lock:
            self._drop(visitor, set())

    def close(self) -> None:
        """End the process."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _want(self, task: Task, visitor: str) -> Status:
        if Path(task.out).is_file():
            self._entries.pop(task.id, None)
            return Status("ready", share=1.0)
        entry = self._entries.get(task.id)
        if entry is not None and entry.status.state == "failed":
            del self._entries[task.id]  # said once; asking again tries again
            return entry.status
        if entry is None:
            if len(self._entries) >= MOST_WAITING:
                return Status("busy", message="Many layouts are being made; try again in a moment.")
            entry = self._entries[task.id] = _Entry(task, Status("waiting", "Waiting for its turn"))
            entry.visitors[visitor] = time.monotonic()
            self._send({"do": {"id": task.id, **asdict(task)}})
        entry.visitors[visitor] = time.monotonic()
        if self._starting and entry.status.state == "waiting":
            return Status("waiting", "Starting the layout process")
        return entry.status

    def _drop(self, visitor: str, keep: set[str]) -> None:
        now = time.monotonic()
        for id, entry in list(self._entries.items()):
            gone = [
                v for v, seen in entry.visitors.items() if now - seen > FORGOTTEN or (v == visitor and id not in keep)
            ]
            for one in gone:
                del entry.visitors[one]
            if not entry.visitors:
                del self._entries[id]
                self._send({"cancel": id})

    def _send(self, message: dict[str, Any]) -> None:
        if self._process is None or self._process.poll() is not None:
            if "cancel" in message:
                return
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            self._ended(self._process)

    def _start(self) -> None:
        self._starting = True
        self._process = subprocess.Popen(
            [sys.executable, "-m", "services.jobs.layout_worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **ONE_THREAD},
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            with self._lock:
                self._starting = False
                self._heard(message)
        with self._lock:
            self._ended(process)

    def _heard(self, message: dict[str, Any]) -> None:
        entry = self._entries.get(message["id"])
        if entry is None:
            return
        state = message["state"]
        if state == "running":
            entry.status = Status("running", message["label"], float(message["share"]))
        elif state == "failed":
            entry.status = Status("failed", message=message["message"])
        elif state == "stopped":  # cancelled, then wanted again before it had stopped
            self._send({"do": {"id": entry.task.id, **asdict(entry.task)}})
        self._drop("", set())

    def _ended(self, process: "subprocess.Popen[str]") -> None:
        if self._process is not process:
            return
        self._process = None
        self._starting = False
        for entry in self._entries.values():
            entry.status = Status("failed", message="The layout process ended unexpectedly.")
