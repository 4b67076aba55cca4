"""One reader for each format, each a lazy table of entries."""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from services.errors import CorpusError
from services.modalities.corpora.columnar import arrow_table, parquet_table
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
from services.modalities.corpora.wording import one_line

JSON_SPACE = re.compile(r"[ \t\n\r]*")


def open_table(suffix: str, file: BinaryIO, shown: str, column: str | None) -> Table:
    """The reader for a file's ending; any other ending is read as plain text."""
    if suffix in {".parquet", ".pq"}:
        return parquet_table(file, shown, column)
    if suffix == ".arrow":
        return arrow_table([file], shown, column)
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
