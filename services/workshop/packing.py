"""An atlas as one file to take away or to send: a zip of its folder, made while it is sent.

Nothing is compressed: vectors and maps hardly shrink, and tables are compressed already.
"""

import io
import zipfile
from collections.abc import Iterator

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
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as made:
        for name in atlas.info.files:
            info = zipfile.ZipInfo(f"{atlas.slug}/{name}")
            with (atlas.path / name).open("rb") as file, made.open(info, "w", force_zip64=True) as member:
                while block := file.read(_BLOCK):
                    member.write(block)
                    yield sink.take()
        journal = atlas.path / JOURNAL
        if journal.is_file():
            made.writestr(zipfile.ZipInfo(f"{atlas.slug}/{JOURNAL}"), journal.read_bytes())
        content = arrays.json_bytes(atlas.info.model_dump(mode="json"))
        made.writestr(zipfile.ZipInfo(f"{atlas.slug}/{INFO}"), content)
    yield sink.take()
