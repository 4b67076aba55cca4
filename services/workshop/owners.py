"""Whose atlases are: one small file an atlas, beside the atlases, so that what is downloaded names nobody.

An atlas without such a file is everyone's: a terminal has built it, or the server knows no names.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from services.atlas import SLUG, arrays
from services.errors import BuildError

_STALE = 86_400.0  # seconds after which the file of an atlas that never came is removed


class Ownership(BaseModel):
    """owner: a user's name; "" where the file cannot be read, which is nobody's and seen by admins alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    owner: str = Field(default="", max_length=200)
    shared: bool = False


class Owners:
    """The owners of a home folder's atlases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, tuple[tuple[int, int, int], Ownership]] = {}
        self._lock = threading.Lock()

    def of(self, slug: str) -> Ownership | None:
        """Whose an atlas is; None: everyone's. Costs a look at the file's date once it is known."""
        file = self._file(slug)
        try:
            status = file.stat()
        except FileNotFoundError:
            return None
        except OSError:
            return Ownership()
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        with self._lock:
            known = self._known.get(slug)
        if known is not None and known[0] == stamp:
            return known[1]
        found = read_ownership(file)
        with self._lock:
            self._known[slug] = (stamp, found)
        return found

    def claim(self, slug: str, ownership: Ownership) -> bool:
        """Note whose an atlas will be, before it is there; False where the name is claimed already.

        Raises:
            BuildError: the disk is full or read-only.
        """
        file = self._file(slug)
        with arrays.disk_errors(file):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                return False
            with os.fdopen(descriptor, "w", encoding="utf-8") as claimed:
                claimed.write(ownership.model_dump_json())
        return True

    def share(self, slug: str, shared: bool) -> None:
        """Let everyone see an atlas, or its owner alone.

        Raises:
            BuildError: it is everyone's anyway, or the disk is full or read-only.
        """
        found = self.of(slug)
        if found is None or not found.owner:
            raise BuildError("This atlas has no owner, so that there is nothing to share.")
        with arrays.disk_errors(self._file(slug)):
            arrays.write_json(self._file(slug), found.model_copy(update={"shared": shared}).model_dump(mode="json"))

    def forget(self, slug: str) -> None:
        """The atlas is gone."""
        with suppress(OSError):
            self._file(slug).unlink(missing_ok=True)
        with self._lock:
            self._known.pop(slug, None)

    def slugs_of(self, owner: str) -> list[str]:
        """The names of an owner's atlases, those that are being built included."""
        return [slug for slug in self._slugs() if (found := self.of(slug)) is not None and found.owner == owner]

    def is_claimed(self, slug: str) -> bool:
        return self._file(slug).exists()

    def sweep(self, there: set[str], now: float | None = None) -> None:
        """Forget the owners of what has been gone, or has not come, for a day. there: names that are in use."""
        now = time.time() if now is None else now
        for slug in self._slugs():
            with suppress(OSError):
                if slug not in there and now - self._file(slug).stat().st_mtime > _STALE:
                    self.forget(slug)

    def _slugs(self) -> list[str]:
        try:
            names = sorted(file.stem for file in self.folder.glob("*.json"))
        except OSError:
            return []
        return [name for name in names if SLUG.fullmatch(name)]

    def _file(self, slug: str) -> Path:
        return self.folder / f"{slug}.json"


def read_ownership(file: Path) -> Ownership:
    """What a file says; nobody's when it says nothing that can be understood."""
    try:
        return Ownership.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Ownership()
