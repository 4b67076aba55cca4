"""Images that readers bring for a probe: a file each below the cache, for a while and as many as fit. Light."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from services.errors import ProbeError
from services.probe.asked import Asked

FOLDER = "images"  # below the folder of probes
MOST_BYTES = 20_000_000  # of one image
MOST_TOKENS = 800  # of one image: the weights of 144 heads on it have 184 MB
MOST_KEPT = 60  # images; those brought first go first


def folder_of(probes: Path, asked: Asked) -> Path:
    """The folder that holds the one image of a probe.

    Raises:
        ProbeError: it is no longer kept.
    """
    # An upload of one image (services.workshop.uploads): its folder is called as that of several.
    place = probes / FOLDER / str(asked.image) / "images"
    if asked.image is None or not place.is_dir():
        raise ProbeError("This image is no longer kept: drop it again.")
    return place


def forget_old(probes: Path, most: int = MOST_KEPT) -> None:
    """Remove all but the newest."""
    with suppress(OSError):
        for old in sorted(_places(probes), key=lambda place: place.stat().st_mtime)[:-most]:
            shutil.rmtree(old, ignore_errors=True)


def _places(probes: Path) -> Iterator[Path]:
    yield from (place for place in (probes / FOLDER).iterdir() if place.is_dir() and not place.name.startswith("."))
