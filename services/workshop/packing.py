"""An atlas as one file to take away or to send: a zip of its folder, made while it is sent.

Nothing is compressed: vectors and maps hardly shrink, and tables are compressed already.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.atlas import INFO, Atlas, arrays
from services.pipeline.journal import JOURNAL

_BLOCK = 1 << 20


class _Sink(io.RawIOBase):
    """Takes what a zip writer writes and hands it on; a stream that cannot be sought."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._held.append(piece)
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._at

    def take(self) -> bytes:
        held, self._held = self._held, []
        return b"".join(held)


def pack(atlas: Atlas) -> Iterator[bytes]:
    """The bytes of a zip of the atlas as it stands; maps that join later are not in it.

    Raises:
        OSError: a file has gone meanwhile; what was sent is then no whole zip, which whoever opens it is told.
    """
    return zipped(_members(atlas), zipfile.ZIP_STORED)


def zipped(members: Iterable[tuple[str, Iterable[bytes]]], method: int) -> Iterator[bytes]:
    """The bytes of a zip of files that are made while it is sent: their names, and their bytes in pieces.

    method: zipfile.ZIP_STORED or zipfile.ZIP_DEFLATED.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", method, compresslevel=1) as made:
        for name, pieces in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with made.open(info, "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece)
                    yield sink.take()
    yield sink.take()


def _members(atlas: Atlas) -> Iterator[tuple[str, Iterable[bytes]]]:
    for name in atlas.info.files:
        yield f"{atlas.slug}/{name}", _blocks(atlas.path / name)
    journal = atlas.path / JOURNAL
    if journal.is_file():
        yield f"{atlas.slug}/{JOURNAL}", [journal.read_bytes()]
    yield f"{atlas.slug}/{INFO}", [arrays.json_bytes(atlas.info.model_dump(mode="json"))]


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
