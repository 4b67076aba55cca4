"""Bytes become lines of text, or one line of error that names the place and the likely encoding."""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from services.errors import CorpusError
from services.modalities.corpora.wording import CONTROLS, FORMATS, one_line

ENTRY_CHARACTERS = 4 * 1024 * 1024  # a line, field or JSON item beyond this is never held in memory
CHUNK_BYTES = 256 * 1024
SAMPLE_BYTES = 8192

# Signs of files that people do hand over as a corpus, and what helps.
FOREIGN = {
    b"PAR1": "a Parquet file: give it the ending .parquet",
    b"PK\x03\x04": "a ZIP archive or an office document: give an archive the ending .zip, or export it as CSV in UTF-8",
    b"\x1f\x8b": "compressed with gzip: add .gz to its name",
    b"BZh": "compressed with bzip2: unpack it first",
    b"\xfd7zXZ\x00": "compressed with xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it first",
    b"%PDF": "a PDF: export its text first",
    b"\x89PNG": "a picture, not text",
    b"\xff\xd8\xff": "a picture, not text",
    b"SQLite format 3\x00": "a database: export the table as CSV first",
}
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class TooLong:
    """Stands for an entry that was passed over because it does not fit into ENTRY_CHARACTERS."""

    characters: int


def encoding_named(name: str) -> str:
    """An encoding of text that Python knows, by its usual name. Raises: CorpusError."""
    try:
        found = codecs.lookup(name)
        if not found._is_text_encoding:  # type: ignore[attr-defined]  # as base64 is, which is one of bytes
            raise LookupError(name)
    except (LookupError, ValueError) as error:
        raise CorpusError(
            f"{one_line(name)[:40]!r} is no encoding that is known here; usual ones are utf-8, cp1252"
            " (Windows), latin-1, utf-16, shift_jis, gb18030"
        ) from error
    return found.name


def transcoded(file: BinaryIO, shown: str, encoding: str) -> BinaryIO:
    """A file in a named encoding, read as UTF-8."""
    return cast(BinaryIO, io.BufferedReader(_Transcoded(file, shown, encoding_named(encoding)), CHUNK_BYTES))


class _Transcoded(io.RawIOBase):
    """UTF-8 made of another encoding while it is read; it can only be gone back to the start of."""

    def __init__(self, file: BinaryIO, shown: str, encoding: str) -> None:
        self.file, self.shown, self.encoding = file, shown, encoding
        self._restart()

    def _restart(self) -> None:
        self.decoder, self.rest, self.fed, self.done = codecs.getincrementaldecoder(self.encoding)(), b"", 0, False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only to the start")
        self.file.seek(0)
        self._restart()
        return 0

    def readinto(self, buffer: Any) -> int:
        while not self.rest and not self.done:
            data = self.file.read(CHUNK_BYTES)
            try:
                text = self.decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                offset = self.fed + len(data) - len(error.object) + error.start
                raise CorpusError(
                    f"{self.shown}: byte offset {offset:,}: not valid {self.encoding}; name another --encoding"
                ) from error
            self.fed, self.done, self.rest = self.fed + len(data), not data, text.encode("utf-8", "surrogatepass")
        count = min(len(buffer), len(self.rest))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


def check_is_text(file: BinaryIO, shown: str) -> None:
    """Refuse what is plainly something else before a decoder stumbles over it with a lesser message."""
    sample = file.read(SAMPLE_BYTES)
    file.seek(0)
    for sign, what in FOREIGN.items():
        if sample.startswith(sign):
            raise CorpusError(f"{shown}: is {what}")
    if sample.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise CorpusError(f"{shown}: {_convert('UTF-32')}")
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if sample.startswith(UTF16_MARKS):
        return
    if len(sample) >= 4 and max(even, odd) > len(sample) * 0.4 > 4 * min(even, odd):  # Latin letters, no mark
        raise CorpusError(f"{shown}: {_convert('UTF-16LE' if odd > even else 'UTF-16BE')}")
    if len(CONTROLS.findall(sample.decode("latin-1").replace("\r", "\n"))) > len(sample) * 0.3:
        raise CorpusError(f"{shown}: is a binary file, not text; give {FORMATS}")


def _convert(encoding: str) -> str:
    return f"is in {encoding}; convert it to UTF-8, for example with: iconv -f {encoding} -t UTF-8"


def is_utf16(file: BinaryIO) -> bool:
    """Whether a file begins with the mark of UTF-16, as Excel's "Unicode text" does; the file is then at its start."""
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    return start in UTF16_MARKS


def decoded(file: BinaryIO, shown: str) -> Iterator[str]:
    """The file in pieces, without byte order mark, every kind of line end as a line feed."""
    encoding = "UTF-16" if is_utf16(file) else "UTF-8"
    codec = codecs.getincrementaldecoder("utf-16" if encoding == "UTF-16" else "utf-8-sig")()
    decoder = io.IncrementalNewlineDecoder(codec, translate=True)
    fed, lines = 0, 1
    while True:
        data = file.read(CHUNK_BYTES)
        fed += len(data)
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            # The decoder may have kept bytes of the last piece: its object ends where the file has been fed.
            offset = fed - len(error.object) + error.start
            line = lines + len(re.findall(rb"\r\n?|\n", error.object[: error.start]))
            place = f"line {line:,}, byte offset {offset:,}"
            hint = "Save it again as UTF-8." if encoding == "UTF-16" else _other_encoding(error.object)
            raise CorpusError(f"{shown}: {place}: not valid {encoding}. {hint}") from error
        lines += text.count("\n")
        if text:
            yield text
        if not data:
            return


def _other_encoding(data: bytes) -> str:
    if len(CONTROLS.findall(data.decode("latin-1").replace("\r", "\n"))) > len(data) / 100:
        return f"It does not look like text; give {FORMATS}."
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "Convert the file to UTF-8."
    return "The file may be in Windows-1252: save it again as UTF-8, or build with --encoding cp1252."


def numbered_lines(file: BinaryIO, shown: str) -> Iterator[tuple[int, str | TooLong]]:
    """Numbered lines without their ends; one that does not fit is measured and passed over."""
    number, rest, dropped = 1, "", 0
    for text in decoded(file, shown):
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            yield number, TooLong(dropped + len(line)) if dropped else line
            number, dropped = number + 1, 0
        if dropped or len(rest) > ENTRY_CHARACTERS:
            dropped, rest = dropped + len(rest), ""
    if dropped or rest:
        yield number, TooLong(dropped + len(rest)) if dropped else rest
