"""Tables of columns: Parquet, and Arrow as the library datasets saves it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from services.errors import CorpusError
from services.modalities.corpora.table import Table
from services.modalities.corpora.wording import CONTROLS, listed, one_line, quoted

_BATCH_BYTES = 64_000_000  # of a Parquet file, unpacked
LOOKED_AT = 100  # cells that show whether bytes are text
Batches = Callable[[list[str]], Iterator[pa.RecordBatch]]
# What these readers raise; the last is for a damaged name.
_FAULTS = (pa.ArrowException, OSError, UnicodeDecodeError)


def parquet_table(file: BinaryIO, shown: str, column: str | None, more: Callable[[], Iterable[Path]] = tuple) -> Table:
    """Rows of a Parquet file, and of others behind it, each asked for when its rows are needed.

    Raises:
        CorpusError: a file is damaged, or, while rows are read, has other columns than the first.
    """
    first = _parquet(file, shown)
    schema = first.schema_arrow

    def batches(wanted: list[str]) -> Iterator[pa.RecordBatch]:
        yield from first.iter_batches(batch_size=_rows_at_once(first.metadata), columns=wanted)
        for number, path in enumerate(more(), 2):
            with path.open("rb") as opened:
                other = _parquet(opened, shown)
                if not _alike(schema, other.schema_arrow):
                    raise CorpusError(f"{shown}: file {number} has other columns than the first; give one of its files")
                yield from other.iter_batches(batch_size=_rows_at_once(other.metadata), columns=wanted)

    return _table(schema, batches, shown, column, "Parquet")


def _parquet(file: BinaryIO, shown: str) -> pq.ParquetFile:
    try:
        found = pq.ParquetFile(file, pre_buffer=False, read_dictionary=_repeating(pq.ParquetFile(file)))
        found.schema_arrow.names  # noqa: B018 - damaged names are found when they are read
    except _FAULTS as error:
        raise _fault(shown, error, "Parquet") from error
    return found


def _alike(one: pa.Schema, other: pa.Schema) -> bool:
    """Whether two files have the same columns of the same types, however each holds what comes again."""

    def plain(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
        kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in schema.types]
        return list(zip(schema.names, kinds, strict=True))

    return plain(one) == plain(other)


def _repeating(file: pq.ParquetFile) -> list[str]:
    """Columns of texts that the file holds once each, with a number a row.

    They are read as such: a few kilobytes of file, one long text in a million rows, could else fill the memory.
    """
    strings = {item.name for item in file.schema_arrow if pa.types.is_string(item.type)}
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
    long = {one.path_in_schema for one in chunks if one.total_uncompressed_size > _BATCH_BYTES}
    return sorted(strings.intersection(one.path_in_schema for one in chunks if one.has_dictionary_page) - long)


def _rows_at_once(file: pq.FileMetaData) -> int:
    """So many rows that even the longest of its groups takes about `_BATCH_BYTES`, at most 1,024."""
    groups = [file.row_group(number) for number in range(file.num_row_groups)]
    longest = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=1.0)
    return max(1, min(1024, int(_BATCH_BYTES / max(longest, 1))))


def arrow_table(files: Sequence[BinaryIO], shown: str, column: str | None) -> Table:
    """Rows of Arrow files of one schema, streams as the library datasets writes them. Raises: CorpusError."""
    try:
        schema = _opened(files[0]).schema
    except _FAULTS as error:
        raise _fault(shown, error, "Arrow") from error

    def batches(wanted: list[str]) -> Iterator[pa.RecordBatch]:
        for file in files:
            for batch in _opened(file):
                for start in range(0, batch.num_rows, 1024):
                    yield batch.select(wanted).slice(start, 1024)

    return _table(schema, batches, shown, column, "Arrow")


def _opened(file: BinaryIO) -> pa.RecordBatchReader:
    file.seek(0)
    return pa.ipc.open_stream(file)


def _table(schema: pa.Schema, batches: Batches, shown: str, column: str | None, kind: str) -> Table:
    columns = schema.names
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise CorpusError(f"{shown}: two columns are called {quoted(twice)}; rename one of them")
    readable = {
        item.name: item.type
        for item in schema
        if _is_string(item.type)
        or _is_scalar(item.type)
        or _is_words(item.type)
        or (_is_bytes(item.type) and _holds_text(batches, item.name))
    }
    if any(_is_words(kind) for kind in readable.values()):  # lists of numbers beside words: their tags, or their heads
        readable |= {item.name: item.type for item in schema if _is_list(item.type, pa.types.is_integer)}
    if column is not None and column in columns and column not in readable:
        held = one_line(str(schema.field(column).type))
        others = listed(readable)
        raise CorpusError(f"{shown}: column {quoted(column)} holds {held}, not text; columns that do: {others}")
    names = list(readable)

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        number = 0
        try:
            for batch in batches(names):
                cells = {name: _cells(batch.column(name)) for name in names}
                for index in range(batch.num_rows):
                    number += 1
                    yield number, {name: cells[name][index] for name in names}
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"{shown}: text after row {number:,} is not valid UTF-8; write it again as UTF-8"
            ) from error
        except (pa.ArrowException, OSError) as error:
            raise _fault(shown, error, kind) from error

    strings = tuple(
        name for name, held in readable.items() if not _is_scalar(held) and not _is_list(held, pa.types.is_integer)
    )
    known = _names(schema)
    return Table("row", rows() if names else iter(()), columns=tuple(names), text_columns=strings, names=known)


def _names(schema: pa.Schema) -> Mapping[str, Sequence[str]]:
    """Of columns with the numbers of classes the classes' names, as the library datasets notes them in its files."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        inner = {name: one.get("feature", one) for name, one in features.items() if isinstance(one, dict)}
        return {
            name: [str(label) for label in one["names"]]
            for name, one in inner.items()
            if isinstance(one, dict) and isinstance(one.get("names"), list)
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _fault(shown: str, error: Exception, kind: str) -> CorpusError:
    return CorpusError(f"{shown}: is no whole {kind} file ({one_line(str(error))}); write or copy it again")


def _cells(cells: pa.Array) -> list[Any]:
    if isinstance(cells, pa.DictionaryArray):
        values = cells.dictionary.to_pylist()  # once each: what comes again is the same text, not a copy
        return [None if index is None else values[index] for index in cells.indices.to_pylist()]
    found = (cells.cast(pa.string()) if _is_time(cells.type) else cells).to_pylist()
    return [cell.decode() if isinstance(cell, bytes) else cell for cell in found] if _is_bytes(cells.type) else found


def _holds_text(batches: Batches, name: str) -> bool:
    """Whether the first bytes of a column are text, as Spark and older pandas write it."""
    first = next(batches([name]), None)
    cells = [cell for cell in first.column(0).slice(0, LOOKED_AT).to_pylist() if cell] if first else []
    try:
        return bool(cells) and not any(CONTROLS.search(cell.decode()) for cell in cells)
    except UnicodeDecodeError:
        return False


def _is_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)


def _is_words(kind: pa.DataType) -> bool:
    """A list of strings: a sentence cut into words."""
    return _is_list(kind, _is_string)


def _is_list(kind: pa.DataType, of: Callable[[pa.DataType], bool]) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in lists) and of(kind.value_type)


def _is_string(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_time(kind: pa.DataType) -> bool:
    return pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind)


def _is_scalar(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(test(kind) for test in (*tests, _is_time, pa.types.is_null))
