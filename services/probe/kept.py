"""What was found of a probe, a folder of the cache: whole or absent, read again by any process, and never for long.

<folder>/<id>/probe.json                tokens of each table, what the atlas was
             /pixels.npy                of an image: uint8 [height, width, 3], as the model saw it
             /<stream>/attention.npy    uint16 [layers, heads, queries, keys]: weight × 65535
             /<stream>/{queries,keys}.npy, value_norms.npy    as services.capture gives them
             /<stream>/<map>-<key>.npy  float32 [layers, heads, queries + keys, dims]: the map's own places
<folder>/errors-<atlas>-<stream>-<map>-<key>.npy    float32 [layers, heads], see services.probe.placed
"""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from services.atlas import Atlas, arrays
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.probe.asked import ID

INFO = "probe.json"
PIXELS = "pixels.npy"
MOST_BYTES = 256 * 2**20  # of all probes together
UNIT = 65535


@dataclass(frozen=True)
class KeptProbe:
    """One that was run; see `find`."""

    path: Path
    atlas: Atlas
    info: Mapping[str, Any]

    @property
    def text(self) -> str:
        return str(self.info["text"])

    def tokens(self, table: str) -> Mapping[str, Any]:
        """`text` and `special` of the tokens of a table, and `token`, what tells them apart.

        Raises:
            KeyError: it has no such table.
        """
        return self.info["tables"][table]

    def lengths(self, stream: StreamInfo) -> tuple[int, int]:
        """Numbers of queries and keys."""
        query, key = (len(self.tokens(table)["text"]) for table in stream.tables)
        return query, key

    def array(self, stream: StreamInfo, name: str) -> np.ndarray:
        """`attention`, `queries`, `keys` or `value_norms`.

        Raises:
            KeyError: it was removed meanwhile.
        """
        return _read(self.path / stream.name / f"{name}.npy")

    @property
    def image(self) -> Mapping[str, Any] | None:
        """Size, grid and name of an image, as `services.payloads.images.image_facts`; None: a text."""
        return self.info.get("image")

    def pixels(self) -> np.ndarray:
        """uint8 [height, width, 3].

        Raises:
            KeyError: it is no image, or was removed meanwhile.
        """
        return _read(self.path / PIXELS)

    def places(self, projection: ProjectionInfo) -> np.ndarray | None:
        """float32 [layers, heads, queries + keys, dims]; None while it has not been placed into this map."""
        with suppress(KeyError):
            return _read(self.place_file(projection))
        return None

    def place_file(self, projection: ProjectionInfo) -> Path:
        return self.path / projection.stream / f"{map_name(projection)}.npy"

    @cached_property
    def pairs(self) -> Mapping[str, int]:
        """Of each stream how many pairs its mask shows."""
        return self.info["pairs"]


def map_name(projection: ProjectionInfo) -> str:
    return f"{projection.name}-{projection.sha256[:12]}"


def find(folder: Path, atlas: Atlas, id: str) -> KeptProbe | None:
    """A probe of this atlas that was run and is still kept."""
    if not ID.fullmatch(id):
        return None
    try:
        info = json.loads((folder / id / INFO).read_text(encoding="utf-8"))
        return KeptProbe(folder / id, atlas, info) if info["key"] == atlas.info.key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def errors(folder: Path, atlas: Atlas, projection: ProjectionInfo) -> np.ndarray | None:
    """float32 [layers, heads]: how far off new tokens are placed in a map; None while that has not been measured."""
    with suppress(KeyError):
        return np.array(_read(error_file(folder, atlas, projection)))
    return None


def error_file(folder: Path, atlas: Atlas, projection: ProjectionInfo) -> Path:
    return folder / f"errors-{atlas.info.key}-{projection.stream}-{map_name(projection)}.npy"


def _read(path: Path) -> np.ndarray:
    """Raises: KeyError: it is not there (any more)."""
    try:
        return arrays.read(path)
    except (OSError, ValueError) as error:
        raise KeyError(path.name) from error


# --- writing, by the process that has the model -----------------------------------------------------------------------


@contextmanager
def being_written(folder: Path, id: str) -> Iterator[Path]:
    """A folder that becomes the probe's when the block ends well."""
    half = folder / f".{id}-{os.getpid()}"
    shutil.rmtree(half, ignore_errors=True)
    with arrays.disk_errors(folder):
        half.mkdir(parents=True, mode=0o700)
        try:
            yield half
            shutil.rmtree(folder / id, ignore_errors=True)
            half.replace(folder / id)
        finally:
            shutil.rmtree(half, ignore_errors=True)


def write(path: Path, array: np.ndarray) -> None:
    """A `.npy` file that is whole or absent.

    Raises:
        BuildError: the disk is full or read-only.
    """
    half = path.with_name(f".{path.name}-{os.getpid()}")
    with arrays.disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with half.open("wb") as file:
                np.save(file, array, allow_pickle=False)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)


def prune(folder: Path, spare: str, most_bytes: int = MOST_BYTES) -> None:
    """Remove the probes that were used longest ago, until the rest is small enough; never the one to `spare`."""
    with suppress(OSError):
        probes = sorted((path for path in folder.iterdir() if ID.fullmatch(path.name)), key=_used, reverse=True)
        room = most_bytes
        for path in probes:
            room -= sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            if room < 0 and path.name != spare:
                shutil.rmtree(path, ignore_errors=True)
        for half in folder.glob(".*"):  # of processes that were killed
            if time.time() - half.stat().st_mtime > 3600:
                shutil.rmtree(half, ignore_errors=True) if half.is_dir() else half.unlink(missing_ok=True)


def _used(path: Path) -> float:
    return path.stat().st_mtime


def touch(path: Path) -> None:
    """Note that a probe is being looked at."""
    with suppress(OSError):
        os.utime(path)
