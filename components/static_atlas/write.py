"""A static page on a disk: as a folder, or as a zip that is made while it is sent."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from components.static_atlas.contents import Contents
from components.static_atlas.data import Member, data
from components.static_atlas.page import page
from services.errors import ExportError
from services.workshop.packing import zipped


def members(contents: Contents) -> Iterator[Member]:
    """Name and bytes of every file of the folder; the page that opens it first."""
    yield from page(contents)
    yield from data(contents)


def write(contents: Contents, target: Path, tell: Callable[[int], None] = lambda _: None) -> int:
    """Write it to a folder that is not there yet, or to a file where the name ends in `.zip`.

    Args:
        tell: given the bytes written so far.

    Returns: bytes of the folder, or of the zip.

    Raises:
        ExportError: something of that name is there already, or it cannot be written.
    """
    if target.exists():
        raise ExportError(f"{target} is there already: name another, or remove it first.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Aside, so that a half page never stands under its name.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as aside:
            made = Path(aside) / "page"
            size = _file(contents, made, tell) if target.suffix == ".zip" else _folder(contents, made, tell)
            made.rename(target)
            return size
    except OSError as error:
        raise ExportError(f"{target} cannot be written: {error.strerror or error}.") from error


def _folder(contents: Contents, folder: Path, tell: Callable[[int], None]) -> int:
    size = 0
    for name, content in members(contents):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        size += len(content)
        tell(size)
    return size


def _file(contents: Contents, path: Path, tell: Callable[[int], None]) -> int:
    size = 0
    with path.open("wb") as file:
        for piece in archive(contents):
            size += file.write(piece)
            tell(size)
    return size


def archive(contents: Contents) -> Iterator[bytes]:
    """The bytes of a zip of it, in a folder of the atlas's name; texts in it shrink to the size of what they hold."""
    named = ((f"{contents.atlas.slug}/{name}", [content]) for name, content in members(contents))
    return zipped(named, zipfile.ZIP_DEFLATED)
