"""The job table: one row a job, in a diskcache that every process of the home folder reads and writes.

diskcache pickles by default; `JsonDisk` stores text alone and refuses everything else, so that a table from anyone
runs no code and names no file.
"""

import errno
import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from diskcache import Cache, Disk, Timeout
from diskcache.core import MODE_RAW
from pydantic import ValidationError

from services.errors import JobError
from services.jobs.spec import Job

PATIENCE = 10.0  # seconds to wait for another process that writes
_PREFIX = "job/"
_ORDER = "order"
_log = logging.getLogger(__name__)


class JsonDisk(Disk):
    """Keys are plain text, values JSON text within the database."""

    def put(self, key: Any) -> tuple[Any, bool]:
        if not isinstance(key, str):
            raise TypeError("a key of the job table is text")
        return key, True

    def get(self, key: Any, raw: Any) -> str | None:
        """The key, or None for one that this disk has not written."""
        return key if raw and isinstance(key, str) else None

    def store(self, value: Any, read: bool, key: Any = None) -> tuple[int, int, None, str]:
        return 0, MODE_RAW, None, json.dumps(value, allow_nan=False)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
        """The value.

        Raises:
            ValueError: the row is no JSON text.
        """
        if mode != MODE_RAW or filename is not None or not isinstance(value, str):
            raise ValueError("a row of the job table is no JSON text")
        return json.loads(value)

    def remove(self, file_path: Any) -> None:
        """Rows have no files; one that names a file is someone else's."""


class JobTable:
    """The rows of a folder; opened when first used, closed to all but its user (mode 0700)."""

    last_tries = 20  # for the last word of a job, a tenth of a second each, while the disk is full

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cache: Cache | None = None
        self._lock = threading.Lock()
        self._inside = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Reads and writes inside are one step for all other processes; may be nested.

        Raises:
            JobError: the disk is full, read-only or broken, or another process does not let go.
        """
        with self._errors(), self._opened().transact():
            yield

    def get(self, id: str) -> Job | None:
        """The row, or None; one that is no job is dropped.

        Raises:
            JobError: as above.
        """
        if not self.exists or not id.isascii():  # a browser may post anything as a name
            return None
        with self._errors():
            return self._get(_PREFIX + id)

    def all(self) -> list[Job]:
        """Every job, in the order in which they were asked for.

        Raises:
            JobError: as above.
        """
        if not self.exists:
            return []
        with self._errors():
            names = [name for name in list(self._opened()) if name is not None and name.startswith(_PREFIX)]
            return sorted((job for name in names if (job := self._get(name))), key=lambda job: job.order)

    def put(self, job: Job) -> None:
        with self._errors():
            self._opened().set(_PREFIX + job.id, job.model_dump(mode="json"))

    def drop(self, id: str) -> None:
        with self._errors(), suppress(KeyError):
            self._opened().__delitem__(_PREFIX + id, retry=False)

    def next_order(self) -> int:
        """A number greater than all before."""
        with self.transaction():
            try:
                last = self._opened().get(_ORDER, 0)
            except ValueError:
                last = 0
            number = last + 1 if isinstance(last, int) else 1
            self._opened().set(_ORDER, number)
            return number

    def leased(self, _run: str) -> bool | None:
        """See services.jobs.rows.Rows: here the lock of a slot is the lease."""
        return None

    def check(self) -> None:
        """See services.jobs.rows.Rows: a table that cannot be read says so when a job is asked for."""

    @property
    def exists(self) -> bool:
        return self._cache is not None or (self.folder / "cache.db").is_file()

    def version(self) -> tuple[tuple[int, int], ...]:
        """Sizes and times of the database's files: equal means that nothing was written in between."""
        found = []
        for name in ("cache.db", "cache.db-wal"):
            with suppress(OSError):
                status = (self.folder / name).stat()
                found.append((status.st_size, status.st_mtime_ns))
        return tuple(found)

    def close(self) -> None:
        with self._lock:
            cache, self._cache = self._cache, None
        if cache is not None:
            cache.close()

    def _get(self, name: str) -> Job | None:
        try:
            value = self._opened().get(name)
            return None if value is None else Job.model_validate(value)
        except (ValueError, ValidationError, RecursionError) as error:
            _log.warning("A row of the job table is no job and is dropped: %s", type(error).__name__)
            with suppress(KeyError):
                self._opened().__delitem__(name, retry=False)
            return None

    def _opened(self) -> Cache:
        with self._lock:
            if self._cache is None:
                make_private(self.folder)
                self._cache = Cache(
                    str(self.folder),
                    timeout=PATIENCE,
                    disk=JsonDisk,
                    eviction_policy="none",
                    cull_limit=0,
                    sqlite_cache_size=256,  # pages; the table is small
                    sqlite_mmap_size=0,  # a truncated file is an error, not a SIGBUS
                )
            return self._cache

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say what is wrong with the disk in one line.

        diskcache says "timeout" for whatever hinders a transaction; trying to write tells which it is.
        """
        depth = getattr(self._inside, "depth", 0)
        self._inside.depth = depth + 1
        try:
            yield
        except (Timeout, sqlite3.Error, OSError) as error:
            if depth == 0:
                self.close()  # a connection whose commit failed may still hold its transaction
            raise JobError(_reason(self.folder, error)) from error
        finally:
            self._inside.depth = depth


def make_private(folder: Path) -> None:
    """Create a folder that only its user can enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _reason(folder: Path, error: Exception) -> str:
    problem = error if isinstance(error, OSError) else _try_to_write(folder)
    if problem is not None:
        return disk_problem(folder, problem)
    if isinstance(error, Timeout) or "locked" in str(error):
        return f"Another process keeps the job table {folder} to itself; try again in a moment."
    if "full" in str(error):
        return disk_problem(folder, OSError(errno.ENOSPC, "No space left on device"))
    return f"The job table {folder} cannot be used ({error}); remove this folder to start with an empty one."


def disk_problem(folder: Path, error: OSError) -> str:
    """Why a job cannot be noted in a folder, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"No space left for {folder}: no job can be started until some is free."
    return f"Cannot write {folder} ({error.strerror}): no job can be started."


def _try_to_write(folder: Path) -> OSError | None:
    file = folder / f"try-{os.getpid()}-{threading.get_ident()}"
    try:
        file.write_bytes(bytes(65_536))
    except OSError as error:
        return error
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
    return None
