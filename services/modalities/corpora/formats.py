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
    encoding_named,
    is_utf16,
    numbered_lines,
    transcoded,
)
from services.modalities.corpora.delimited import delimited_table
from services.modalities.corpora.table import Table
from services.modalities.corpora.wording import listed, one_line, quoted

JSON_SPACE = re.compile(r"[ \t\n\r]*")


def open_table(
    suffix: str, file: BinaryIO, shown: str, column: str | None, encoding: str | None = None, paragraphs: bool = False
) -> Table:
    """The reader for a file's ending; any other ending is read as plain text.

    encoding: of a file of text that is not UTF-8 · paragraphs: plain text has one between empty lines
    """
    if suffix in {".parquet", ".pq"}:
        return parquet_table(file, shown, column)
    if suffix == ".arrow":
        return arrow_table([file], shown, column)
    if encoding:
        file = transcoded(file, shown, encoding)
    check_is_text(file, shown)
    wide = is_utf16(file)
    table = _text_table(suffix, file, shown)
    if encoding:
        table.remarks.append(f"Read as {encoding_named(encoding)}, as it was asked for.")
    if paragraphs:
        if suffix in STRUCTURED:
            raise CorpusError(
                f"{shown}: paragraphs are of plain text, and this is a table: leave that choice out (--paragraphs)"
            )
        by_paragraphs(table)
    if wide:
        table.remarks.append("Read as UTF-16, which the mark at the beginning of the file names.")
    return table


STRUCTURED = {".csv", ".tsv", ".tab", ".conllu", ".conll", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".arrow"}


def by_paragraphs(table: Table) -> None:
    """Lines between empty ones become one text, as a book with hard line ends has them; also within whole files."""
    before = table.rows

    def rows() -> Iterator[tuple[int, Any]]:
        block: list[tuple[int, str]] = []
        for number, entry in before:
            if isinstance(entry, dict):  # a whole file
                whole = entry["text"]
                parts = [whole] if isinstance(whole, TooLong) else re.split(r"\n\s*\n", whole)
                yield from ((number, {**entry, "text": _on_one_line(part)}) for part in parts if part)
                continue
            if isinstance(entry, TooLong) or not entry.strip():
                if block:
                    yield block[0][0], _on_one_line("\n".join(line for _, line in block))
                    block = []
                if isinstance(entry, TooLong):
                    yield number, entry
                continue
            block.append((number, entry))
        if block:
            yield block[0][0], _on_one_line("\n".join(line for _, line in block))

    table.rows = rows()
    table.remarks.append("Read lines between empty ones as one text.")


def _on_one_line(text: Any) -> Any:
    """Hard line ends become spaces; what is too long stays as it is."""
    return " ".join(text.split()) if isinstance(text, str) else text


def _text_table(suffix: str, file: BinaryIO, shown: str) -> Table:
    if suffix in {".csv", ".tsv", ".tab"}:
        return delimited_table(file, shown, tabs=suffix != ".csv")
    if suffix in {".conllu", ".conll"}:
        return conllu_table(file, shown) if suffix == ".conllu" else conll_table(file, shown)
    if suffix in {".jsonl", ".ndjson"}:
        return Table("line", _json_lines(file, shown))
    if suffix == ".json":
        return _json_table(file, shown)
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


def _json_table(file: BinaryIO, shown: str) -> Table:
    """A list of entries, or an object that holds one: as pandas writes tables, or in its one field with a list."""
    scanner = _JsonScanner(decoded(file, shown), shown)
    if scanner.peek() != "{":
        return Table("item", _json_items(scanner, shown))
    whole = scanner.value()
    if scanner.peek():
        raise CorpusError(
            f"{shown}: does not hold one list of strings or objects; "
            "if it holds one object a line, give it the ending .jsonl"
        )
    return _of_object(whole, shown)


def _of_object(whole: dict[str, Any], shown: str) -> Table:
    names, cells = whole.get("columns"), whole.get("data")
    if isinstance(names, list) and isinstance(cells, list) and all(isinstance(row, list) for row in cells):
        rows = [dict(zip(map(str, names), row, strict=False)) for row in cells]
        said = "Read as a table that pandas writes (orient='split')."
    elif whole and all(isinstance(value, dict) for value in whole.values()):
        places = list(dict.fromkeys(place for value in whole.values() for place in value))
        rows = [{name: value.get(place) for name, value in whole.items()} for place in places]
        said = "Read as a table that pandas writes: a field for each column."
    else:
        lists = {name: value for name, value in whole.items() if _is_rows(value)}
        if len(lists) != 1:
            told = f"the lists {listed(lists)}" if lists else "no list of strings or objects"
            raise CorpusError(
                f"{shown}: holds one object with {told}; save one list, or, if it holds one object a line, give it the"
                " ending .jsonl"
            )
        ((name, rows),) = lists.items()
        said = f"Read the list in its field {quoted(name)}."
    table = Table("item", ((number, row) for number, row in enumerate(rows, start=1)))
    table.remarks.append(said)
    return table


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict | str) for item in value)


def _json_items(scanner: "_JsonScanner", shown: str) -> Iterator[tuple[int, Any]]:
    """The items of one JSON list, decoded one at a time as the file is read."""
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
