"""Which process may run a job: the lease on one machine is the lock of a file, which the kernel keeps.

A lock is free the moment its holder ends, however it ends, and not before: a process that a suspended laptop or a
debugger has stopped still holds it. So no clock and no process number decides whether a job may be taken up again.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from services.errors import JobError
from services.jobs.table import disk_problem, make_private

_TRIES = 5  # another process that looks whether a slot is free holds its lock for microseconds


class Slot:
    """One process's right to run jobs, held as an open file with an exclusive lock."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        self.descriptor = descriptor

    def release(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Slots:
    """The lock files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, name: str) -> Slot | None:
        """The slot, or None when another process has it.

        Raises:
            JobError: the folder cannot be written.
        """
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(0.002)
            descriptor = self._open(name)
            if _lock(descriptor, fcntl.LOCK_EX):
                return Slot(name, descriptor)
            os.close(descriptor)
        return None

    def is_free(self, name: str) -> bool:
        """Whether no process has the slot."""
        try:
            descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return True  # nobody has ever had it, or it was removed
        try:
            return _lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def share(self, name: str) -> int:
        """A descriptor that shares a lock with others as long as it is open."""
        descriptor = self._open(name)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return descriptor

    def is_unshared(self, name: str) -> bool:
        """Whether nobody shares the lock any more."""
        descriptor = self._open(name)
        try:
            return _lock(descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Remove the file of a slot that is used once."""
        with suppress(OSError):
            (self.folder / name).unlink(missing_ok=True)

    def _open(self, name: str) -> int:
        try:
            make_private(self.folder)
            return os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JobError(disk_problem(self.folder, error)) from error


def adopt(name: str, descriptor: int) -> Slot:
    """The slot that the starting process has handed over, kept from the processes started from here."""
    os.set_inheritable(descriptor, False)
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)  # for whoever looks into the folder; nothing reads it
    return Slot(name, descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # a file system without locks
        raise JobError(f"Files cannot be locked here ({error.strerror}): no job can be started.") from error
    return True
