"""Many text files as one corpus: those of a folder, or of a ZIP archive; each an entry, with its name beside it."""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from services.errors import CorpusError
from services.modalities.corpora.decoding import ENTRY_CHARACTERS, TooLong, check_is_text, decoded, transcoded
from services.modalities.corpora.table import Table
from services.modalities.corpora.wording import one_line

TEXT_FILES = (".txt", ".text")
DEEPEST = 4  # folders within folders
MOST_ENTRIES = 500_000  # that are looked at
MOST_FILES = 100_000
COLUMNS = ("text", "file")
Open = Callable[[], BinaryIO]


def holds_texts(folder: Path) -> bool:
    """Whether a folder has text files, itself or in folders of it."""
    return next(_files(folder), None) is not None


def folder_table(folder: Path, shown: str, encoding: str | None) -> Table:
    """Text files of a folder, by name. Raises: CorpusError."""
    parts = [(path.relative_to(folder).as_posix(), path) for path in sorted(_files(folder))]
    return _table([(name, _opener(path)) for name, path in parts], shown, encoding)


def zip_table(file: BinaryIO, shown: str, encoding: str | None, stack: ExitStack) -> Table:
    """Text files of an archive, by name; nothing is unpacked to the disk. Raises: CorpusError."""
    try:
        archive = stack.enter_context(zipfile.ZipFile(file))
        infos = [info for info in archive.infolist() if not info.is_dir() and _is_text(PurePosixPath(info.filename))]
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise CorpusError(
            f"{shown}: is no whole ZIP archive ({one_line(str(error))}); pack or copy it again"
        ) from error
    if any(info.flag_bits & 0x1 for info in infos):
        raise CorpusError(f"{shown}: is locked with a password; pack it again without one")
    if not infos:
        raise CorpusError(
            f"{shown}: is an archive without text files ({', '.join(TEXT_FILES)}): unpack it, or export an office"
            " document as CSV in UTF-8"
        )
    infos.sort(key=lambda info: info.filename)
    return _table([(info.filename, _member(archive, info)) for info in infos], shown, encoding)


def _opener(path: Path) -> Open:
    return lambda: path.open("rb")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Open:
    return lambda: cast(BinaryIO, archive.open(info))


def _files(folder: Path) -> Iterator[Path]:
    seen = 0
    for place, folders, names in os.walk(folder):
        here = Path(place)
        seen += len(folders) + len(names)
        if seen > MOST_ENTRIES:
            raise CorpusError(f"{one_line(str(folder))}: holds more than {MOST_ENTRIES:,} files; name a smaller folder")
        if len(here.relative_to(folder).parts) >= DEEPEST:
            folders.clear()
        yield from (path for name in names if _is_text((path := here / name).relative_to(folder)) and path.is_file())


def _is_text(name: Any) -> bool:
    """By its ending; what systems hide beside the files of a person is left out."""
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    return name.suffix.lower() in TEXT_FILES and not hidden


def _table(parts: list[tuple[str, Open]], shown: str, encoding: str | None) -> Table:
    if len(parts) > MOST_FILES:
        raise CorpusError(f"{shown}: holds {len(parts):,} text files, more than {MOST_FILES:,}; divide it")

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        for number, (name, opened) in enumerate(parts, start=1):
            place = f"{shown}/{one_line(name)}"
            with opened() as plain:
                try:
                    file = transcoded(plain, place, encoding) if encoding else plain
                    check_is_text(file, place)
                    yield number, {"text": _whole(file, place), "file": one_line(name)}
                except (zipfile.BadZipFile, NotImplementedError) as error:
                    raise CorpusError(f"{place}: cannot be unpacked ({one_line(str(error))}); pack it again") from error

    table = Table("file", rows(), columns=COLUMNS, text_columns=("text",))
    table.remarks.append(f"Read {len(parts):,} text file{'s' if len(parts) > 1 else ''}, each as one text.")
    return table


def _whole(file: BinaryIO, place: str) -> str | TooLong:
    found: list[str] = []
    size = 0
    for piece in decoded(file, place):
        size += len(piece)
        if size > ENTRY_CHARACTERS:
            return TooLong(size)
        found.append(piece)
    return "".join(found)
