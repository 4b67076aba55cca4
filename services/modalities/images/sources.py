"""Where the images of a corpus lie: a folder, a zip of one, or a table with paths or bytes. Nothing is decoded here."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.errors import CorpusError
from services.modalities.images.decoding import MOST_BYTES, SUFFIXES

TABLES = (".parquet", ".csv", ".tsv", ".jsonl")
MASK_FOLDERS = ("masks", "mask", "annotations")
OBJECTS = "objects.json"  # names of the numbers in masks
_IMAGE_COLUMNS = ("image", "img", "images", "picture", "file_name", "filename", "file", "path", "image_path")
_LABEL_COLUMNS = ("label", "labels", "class", "category", "caption", "text", "name")


@dataclass(frozen=True)
class ImageFile:
    """One image of a corpus, not yet decoded.

    name: for a reader · label: its class or caption, "" where none is known · data, mask: the bytes of the picture and
    of the picture that says which object each pixel belongs to
    """

    name: str
    data: bytes
    label: str = ""
    mask: bytes | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageFiles:
    """The images in order, read when they are walked through. objects: names of the numbers in masks, from 1."""

    files: Iterator[ImageFile]
    objects: Mapping[int, str]


@contextmanager
def open_images(path: Path, shown: str, column: str | None) -> Iterator[ImageFiles]:
    """
    Raises:
        CorpusError: with one line that names the source and what to do.
    """
    if path.is_dir():
        tables = sorted(file for file in path.rglob("*.parquet") if not _is_hidden(file, path))
        if tables:
            yield ImageFiles((one for table in tables for one in _of_parquet(table, shown, column)), {})
            return
        names = [str(file.relative_to(path).as_posix()) for file in path.rglob("*") if file.is_file()]
        yield ImageFiles(_of_names(names, lambda name: _read(path / name)), _objects(path / OBJECTS))
    elif path.suffix.lower() == ".zip":
        with _zip(path, shown) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            objects = archive.read(OBJECTS) if OBJECTS in names else b"{}"
            yield ImageFiles(_of_names(names, lambda name: _unzip(archive, name)), _numbers(objects))
    elif path.suffix.lower() == ".parquet":
        yield ImageFiles(_of_parquet(path, shown, column), {})
    elif path.suffix.lower() in TABLES:
        yield ImageFiles(_of_rows(path, shown, column), {})
    elif path.suffix.lower() in SUFFIXES:
        yield ImageFiles(iter([ImageFile(path.name, _read(path))]), {})
    else:
        raise CorpusError(
            f"{shown}: is no source of images; give a folder or a .zip of PNG, JPEG or WebP files, or a table"
            f" ({', '.join(TABLES)}) with a column of paths or bytes. Texts go with a model that reads text"
        )


def _is_hidden(file: Path, root: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in file.relative_to(root).parts)


def _read(file: Path) -> bytes:
    if file.stat().st_size > MOST_BYTES:
        raise CorpusError(f"has {file.stat().st_size / 1e6:.0f} MB; {MOST_BYTES / 1e6:.0f} are the most")
    return file.read_bytes()


def _natural(name: str) -> list[Any]:
    """img2 before img10."""
    return [int(part) if part.isdigit() else part.casefold() for part in re.split(r"(\d+)", name)]


def _of_names(names: Sequence[str], read: Any) -> Iterator[ImageFile]:
    """Pictures of a folder or an archive, with the masks that lie beside them.

    A mask is `<name>.mask.png`, or a file of the same name in a folder `masks` beside the picture. The folder that a
    picture lies in is its label, as in folders of classes.
    """
    usable = [name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))]
    pictures = sorted(
        (name for name in usable if PurePosixPath(name).suffix.lower() in SUFFIXES and not _is_mask(name)),
        key=_natural,
    )
    masks = {_mask_of(name): name for name in usable if _is_mask(name)}
    folders = {str(PurePosixPath(name).parent) for name in pictures}
    for name in pictures:
        place = PurePosixPath(name)
        mask = masks.get(str(place.with_suffix("")))
        label = place.parent.name if len(folders) > 1 else ""
        yield ImageFile(name, _whole(read, name), label, _whole(read, mask) if mask else None)


def _whole(read: Any, name: str) -> bytes:
    """The bytes of a file; none when it cannot be read: it is then left out as one that is damaged."""
    try:
        return read(name)
    except (OSError, CorpusError, zipfile.BadZipFile, RuntimeError, ValueError, NotImplementedError):
        return b""


def _is_mask(name: str) -> bool:
    place = PurePosixPath(name)
    return name.lower().endswith(".mask.png") or place.parent.name.lower() in MASK_FOLDERS


def _mask_of(name: str) -> str:
    """The picture, without its ending, that a mask belongs to."""
    if name.lower().endswith(".mask.png"):
        return name[: -len(".mask.png")]
    place = PurePosixPath(name)
    return str(place.parent.parent / place.stem)


@contextmanager
def _zip(path: Path, shown: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise CorpusError(f"{shown}: is no zip archive, or is damaged; make it again") from error


def _unzip(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a member, read no further than what it says it holds."""
    info = archive.getinfo(name)
    if info.file_size > MOST_BYTES:
        raise CorpusError("is too large")
    with archive.open(info) as member:
        return member.read(info.file_size + 1)[: info.file_size]


def _objects(file: Path) -> Mapping[int, str]:
    return _numbers(file.read_bytes()) if file.is_file() else {}


def _numbers(data: bytes) -> Mapping[int, str]:
    """{"1": "square", …}; nothing when the file says anything else."""
    try:
        found = json.loads(data)
        return {int(number): str(name)[:80] for number, name in found.items()}
    except (ValueError, AttributeError, RecursionError):
        return {}


# --- tables ---------------------------------------------------------------------------------------------------------


def _of_parquet(file: Path, shown: str, column: str | None) -> Iterator[ImageFile]:
    """Rows of a Parquet file, whose image column holds bytes, {bytes, path} (as datasets of the hub do), or paths."""
    try:
        table = pq.ParquetFile(file)
        chosen = _column(table.schema_arrow, column, shown)
        label = next((name for name in _LABEL_COLUMNS if name in table.schema_arrow.names and name != chosen), None)
        classes = _classes(table.schema_arrow, label)
        wanted = [chosen, label] if label else [chosen]
        number = 0
        for batch in table.iter_batches(64, columns=wanted):
            for row in batch.to_pylist():
                name, data = _cell(row[chosen], file.parent, number)
                text = "" if label is None or row[label] is None else str(row[label])
                named = classes[int(text)] if text.isdigit() and int(text) < len(classes) else text
                yield ImageFile(name, data, named[:200])
                number += 1
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{shown}: {file.name} is no Parquet file, or is damaged; get it again") from error


def _column(schema: pa.Schema, asked: str | None, shown: str) -> str:
    if asked is not None:
        if asked not in schema.names:
            raise CorpusError(f"{shown}: has no column {asked!r}; it has {', '.join(schema.names[:12])}")
        return asked
    known = [name for name in schema.names if name.lower() in _IMAGE_COLUMNS]
    packed = [f.name for f in schema if pa.types.is_struct(f.type) or pa.types.is_binary(f.type)]
    for names in (known, packed):
        if names:
            return names[0]
    raise CorpusError(
        f"{shown}: no column looks like images; name it with --column, of: {', '.join(schema.names[:12])}."
        " Texts go with a model that reads text"
    )


def _classes(schema: pa.Schema, label: str | None) -> list[str]:
    """Names of the classes that a dataset of the hub keeps in its metadata."""
    try:
        told = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][label]["names"]
        return [str(name) for name in told]
    except (KeyError, TypeError, ValueError):
        return []


def _cell(value: Any, folder: Path, number: int) -> tuple[str, bytes]:
    """Name and bytes of what a table holds for an image."""
    if isinstance(value, dict):
        data, path = value.get("bytes"), value.get("path")
        if isinstance(data, bytes):
            return (Path(path).name if isinstance(path, str) and path else f"row {number}"), data
        value = path
    if isinstance(value, bytes):
        return f"row {number}", value
    if isinstance(value, str) and value:
        return value, _beside(folder, value)
    return f"row {number}", b""


def _beside(folder: Path, name: str) -> bytes:
    """A file that a table names, which must lie beside or below the table."""
    file = (folder / name).resolve()
    if folder.resolve() not in file.parents:
        return b""
    return _whole(lambda _name: _read(file), name)


def _of_rows(file: Path, shown: str, column: str | None) -> Iterator[ImageFile]:
    """Rows of a CSV, TSV or JSONL file with a column of paths."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".jsonl":
            rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            comma = "\t" if file.suffix.lower() == ".tsv" else ","
            rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=comma))
    except (OSError, UnicodeDecodeError, ValueError, csv.Error, RecursionError) as error:
        raise CorpusError(f"{shown}: cannot be read as a table; check the file") from error
    rows = [row for row in rows if isinstance(row, dict)]
    names = list(rows[0]) if rows else []
    chosen = column if column in names else next((n for n in names if str(n).lower() in _IMAGE_COLUMNS), None)
    if chosen is None:
        said = ", ".join(map(str, names[:12])) or "none"
        raise CorpusError(
            f"{shown}: no column names image files; name it with --column (columns: {said})."
            " Texts go with a model that reads text"
        )
    label = next((name for name in names if str(name).lower() in _LABEL_COLUMNS and name != chosen), None)
    for number, row in enumerate(rows):
        name, data = _cell(row.get(chosen), file.parent, number)
        yield ImageFile(name, data, str(row.get(label) or "")[:200] if label else "")
