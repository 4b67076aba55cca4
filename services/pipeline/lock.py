"""Only one process builds into a folder at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.atlas.arrays import disk_errors
from services.errors import BusyError


@contextmanager
def build_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of an atlas folder; it is free again when the process ends, however it ends.

    Raises:
        BusyError: another build holds it.
        BuildError: the place cannot be written.
    """
    file = folder.with_name(f".{folder.name}.lock")
    with disk_errors(file):
        folder.parent.mkdir(parents=True, exist_ok=True)
        handle = _locked(file, folder)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        handle.close()


def _locked(file: Path, folder: Path) -> IO[str]:
    while True:
        handle = file.open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            raise BusyError(f"Another build is writing {folder}; wait for it or stop it.") from None
        if _same_file(handle, file):
            return handle
        handle.close()  # its last holder has just removed it


def _same_file(handle: IO[str], file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), file.stat())
    except FileNotFoundError:
        return False
