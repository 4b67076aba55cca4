"""One reader for each format, each a lazy table of entries."""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from services.errors import CorpusError
from services.modalities.corpora.conll import conll_table, conllu_table
from services.modalities.corpora.decoding import (
    ENTRY_CHARACTERS,
    TooLong,
    check_is_text,
    decoded,
    is_utf16,
    numbered_lines,
)
from services.modalities.corpora.delimited import delimited_table
from services.modalities.corpora.table import Table
from services.modalities.corpora.wording import CONTROLS, listed, one_line, quoted

LOOKED_AT = 100  # cells that show whether bytes are text
JSON_SPACE = re.compile(r"[ \t\n\r]*")


def open_table(suffix: str, file: BinaryIO, shown: str, column: str | None) -> Table:
    """The reader for a file's ending; any other ending is read as plain text."""
    if suffix in {".parquet", ".pq"}:
        return _parquet_table(file, shown, column)
    check_is_text(file, shown)
    wide = is_utf16(file)
    table = _text_table(suffix, file, shown)
    if wide:
        table.remarks.append("Read as UTF-16, which the mark at the beginning of the file names.")
    return table


def _text_table(suffix: str, file: BinaryIO, shown: str) -> Table:
    if suffix in {".csv", ".tsv", ".tab"}:
        return delimited_table(file, shown, tabs=suffix != ".csv")
    if suffix in {".conllu", ".conll"}:
        return conllu_table(file, shown) if suffix == ".conllu" else conll_table(file, shown)
    if suffix in {".jsonl", ".ndjson"}:
        return Table("line", _json_lines(file, shown))
    if suffix == ".json":
        return Table("item", _json_items(file, shown))
    return Table("line", numbered_lines(file, shown))


def _json_lines(file: BinaryIO, shown: str) -> Iterator[tuple[int, Any]]:
    for number, line in numbered_lines(file, shown):
        if isinstance(line, TooLong) or not line.strip():
            yield number, line
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(
                f"{shown}: line {number:,} is not valid JSON ({_json_reason(error)}); "
                "each line must hold one object or one string"
            ) from error


def _json_items(file: BinaryIO, shown: str) -> Iterator[tuple[int, Any]]:
    """The items of one JSON list, decoded one at a time as the file is read."""
    scanner = _JsonScanner(decoded(file, shown), shown)
    if scanner.peek() == "":
        return
    if scanner.peek() != "[":
        raise CorpusError(
            f"{shown}: does not begin with a list of strings or objects; "
            "if it holds one object a line, give it the ending .jsonl"
        )
    scanner.step()
    number = 0
    mark = "," if scanner.peek() != "]" else "]"
    while mark == ",":
        number += 1
        yield number, scanner.value()
        mark = scanner.peek()
        if mark not in (",", "]"):
            what = "the file ends before the list is closed" if not mark else "a comma or ] is missing"
            raise scanner.fault(what)
        scanner.step()
    if number == 0:
        scanner.step()
    if scanner.peek():
        raise scanner.fault("something follows the list")


class _JsonScanner:
    """A window over JSON text that grows only until the next value is whole."""

    def __init__(self, pieces: Iterator[str], shown: str) -> None:
        self.pieces, self.shown = pieces, shown
        self.text, self.at, self.line = "", 0, 1
        self.decoder = json.JSONDecoder()

    def more(self) -> bool:
        """Drop what was read, and at least double what is left (one value is then parsed few times)."""
        fresh, size = [self.text[self.at :]], 0
        for piece in self.pieces:
            fresh.append(piece)
            size += len(piece)
            if size >= len(fresh[0]):
                break
        self.text, self.at = "".join(fresh), 0
        return size > 0

    def step(self, characters: int = 1) -> None:
        self.line += self.text.count("\n", self.at, self.at + characters)
        self.at += characters

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            space = JSON_SPACE.match(self.text, self.at)
            self.step(space.end() - self.at if space else 0)
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = self.decoder.raw_decode(self.text, self.at)
            except (ValueError, RecursionError) as error:
                if len(self.text) - self.at <= ENTRY_CHARACTERS and self.more():
                    continue
                lines = self.text.count("\n", self.at, getattr(error, "pos", self.at))
                raise self.fault(_json_reason(error), lines) from error
            if end == len(self.text) and self.more():  # a number may go on in the next piece
                continue
            self.step(end - self.at)
            return value

    def fault(self, reason: str, lines: int = 0) -> CorpusError:
        return CorpusError(f"{self.shown}: line {self.line + lines:,} is not valid JSON ({reason}); correct it")


def _json_reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    return one_line(getattr(error, "msg", str(error)))


def _parquet_table(file: BinaryIO, shown: str, column: str | None) -> Table:
    try:
        parquet = pq.ParquetFile(file, pre_buffer=False)
        schema = parquet.schema_arrow
        columns = schema.names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last from a damaged name
        raise _parquet_fault(shown, error) from error
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise CorpusError(f"{shown}: two columns are called {quoted(twice)}; rename one of them")
    readable = {
        item.name: item.type
        for item in schema
        if _is_string(item.type)
        or _is_scalar(item.type)
        or _is_words(item.type)
        or (_is_bytes(item.type) and _holds_text(parquet, item.name))
    }
    if column is not None and column in columns and column not in readable:
        held = one_line(str(schema.field(column).type))
        others = listed(readable)
        raise CorpusError(f"{shown}: column {quoted(column)} holds {held}, not text; columns that do: {others}")
    names = list(readable)

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        number = 0
        try:
            for batch in parquet.iter_batches(batch_size=1024, columns=names):
                cells = {name: _parquet_cells(batch.column(name)) for name in names}
                for index in range(batch.num_rows):
                    number += 1
                    yield number, {name: cells[name][index] for name in names}
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"{shown}: text after row {number:,} is not valid UTF-8; write it again as UTF-8"
            ) from error
        except (pa.ArrowException, OSError) as error:
            raise _parquet_fault(shown, error) from error

    strings = tuple(name for name, kind in readable.items() if not _is_scalar(kind))
    return Table("row", rows() if names else iter(()), columns=tuple(names), text_columns=strings)


def _parquet_fault(shown: str, error: Exception) -> CorpusError:
    return CorpusError(f"{shown}: is no whole Parquet file ({one_line(str(error))}); write or copy it again")


def _parquet_cells(cells: pa.Array) -> list[Any]:
    found = (cells.cast(pa.string()) if _is_time(cells.type) else cells).to_pylist()
    return [cell.decode() if isinstance(cell, bytes) else cell for cell in found] if _is_bytes(cells.type) else found


def _holds_text(parquet: pq.ParquetFile, name: str) -> bool:
    """Whether the first bytes of a column are text, as Spark and older pandas write it."""
    first = next(parquet.iter_batches(batch_size=LOOKED_AT, columns=[name]), None)
    cells = [cell for cell in first.column(0).to_pylist() if cell] if first else []
    try:
        return bool(cells) and not any(CONTROLS.search(cell.decode()) for cell in cells)
    except UnicodeDecodeError:
        return False


def _is_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)


def _is_words(kind: pa.DataType) -> bool:
    """A list of strings: a sentence cut into words."""
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in lists) and _is_string(kind.value_type)


def _is_string(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_time(kind: pa.DataType) -> bool:
    return pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind)


def _is_scalar(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(test(kind) for test in (*tests, _is_time, pa.types.is_null))
