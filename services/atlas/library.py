"""All atlases of the home folder: what there is, what cannot be read and why."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from services.atlas.folder import INFO, SLUG, Atlas, open_atlas
from services.errors import AtlasFormatError


@dataclass(frozen=True)
class Entry:
    """One folder under `atlases/`: an atlas, or the reason why it is none."""

    slug: str
    atlas: Atlas | None
    problem: str | None = None


class Library:
    """Opens atlases once and notices when a build has added to them.

    An atlas stays valid as long as `atlas.json` keeps its identity (inode, size, time), because a build replaces that
    file by renaming. A folder that cannot be read is tried again each time: it may be on its way here.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[str, tuple[tuple[int, int, int], Entry]] = {}
        self._lock = threading.Lock()

    def entries(self) -> list[Entry]:
        """Every atlas folder, readable or not, by name."""
        try:
            names = sorted(p.name for p in self._folder.iterdir() if p.is_dir() and SLUG.fullmatch(p.name))
        except OSError:  # not there yet, or not readable
            return []
        return [self._entry(name) for name in names if not name.endswith(".partial")]

    def get(self, slug: str | None) -> Atlas | None:
        """The atlas of this name, or None when there is none that can be read."""
        if slug is None or not SLUG.fullmatch(slug) or slug.endswith(".partial"):
            return None
        return self._entry(slug).atlas

    def first(self) -> Atlas | None:
        return next((entry.atlas for entry in self.entries() if entry.atlas), None)

    def stamp(self) -> list[list[str | int]]:
        """Changes whenever an atlas comes, goes, or gets more maps."""
        try:
            names = sorted(entry.name for entry in os.scandir(self._folder) if SLUG.fullmatch(entry.name))
        except OSError:
            return []
        return [[name, *(_stamp(self._folder / name / INFO) or ())] for name in names]

    def _entry(self, slug: str) -> Entry:
        path = self._folder / slug
        stamp = _stamp(path / INFO)
        with self._lock:
            known = self._entries.get(slug)
            if known and known[0] == stamp:
                return known[1]
        try:
            entry = Entry(slug, open_atlas(path))
        except AtlasFormatError as error:
            entry = Entry(slug, None, str(error))
        with self._lock:
            self._entries.pop(slug, None)
            if entry.atlas is not None and stamp is not None:
                self._entries[slug] = (stamp, entry)
        return entry


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
