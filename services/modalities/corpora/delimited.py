"""Tables as text: rows of fields between commas, semicolons, tabs or bars, with or without quotation marks."""

import csv
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from services.errors import CorpusError
from services.modalities.corpora.decoding import ENTRY_CHARACTERS, TooLong, numbered_lines
from services.modalities.corpora.table import Table
from services.modalities.corpora.wording import one_line, quoted

MARKS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
LOOKED_AT = 20  # lines that show what stands between fields
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # how Excel is told the delimiter
_QUOTED = re.compile(r'"(?:[^"]|"")*("|$)')
# A line of tab-separated fields, each in quotation marks as a whole or not at all.
_BALANCED = re.compile(r'(?:"(?:[^"]|"")*"|[^"\t][^\t]*|)(?:\t(?:"(?:[^"]|"")*"|[^"\t][^\t]*|))*')


def delimited_table(file: BinaryIO, shown: str, *, tabs: bool) -> Table:
    """Rows of fields; the first line names the columns. tabs: the file's ending says that tabs divide them."""
    # A limit of the whole process; it only ever grows, and ours bounds memory just as well.
    csv.field_size_limit(max(csv.field_size_limit(), ENTRY_CHARACTERS))
    letters = _stray_quote(file, shown) if tabs else None
    lines = _lines(file, shown)
    written = ((line, text) for line, text in lines if text.strip())
    first = next(written, None)
    given = _SEP.fullmatch(first[1]) if first else None
    if given:
        first = next(written, None)
    if first is None:
        return Table("line", iter(()))
    skipped, head = first[0] - 1, first[1]
    ahead = list(islice(lines, LOOKED_AT))
    delimiter = given[1] if given else "\t" if tabs else _delimiter(head, [text for _, text in ahead])
    texts = chain([head], (text for _, text in chain(ahead, lines)))
    reader = csv.reader(
        texts, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if letters is None else csv.QUOTE_NONE, strict=True
    )
    records = _records(reader, skipped, shown)
    _, _, header = next(records)
    names = tuple(name.strip() or f"column {index}" for index, name in enumerate(header, start=1))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CorpusError(f"{shown}: two columns are called {quoted(twice)}; rename one of them")

    def rows() -> Iterator[tuple[int, dict[str, str]]]:
        for line, last, fields in records:
            if len(fields) > len(names):
                raise CorpusError(
                    f"{shown}: line {line:,} has {len(fields)} fields, the first line {len(names)}; "
                    f"quote fields that hold a {MARKS.get(delimiter, repr(delimiter))}, or save plain sentences as .txt"
                )
            if last > line:
                table.spread.append(line)
            # An empty line is a row with an empty text, to be counted as blank like in any other format.
            yield line, dict(zip(names, fields or [""] * len(names), strict=False))

    table = Table("line", rows(), columns=names)
    data = next((name for name in header if _looks_like_data(name)), None)
    if data is not None:
        table.remarks.append(
            f"Took the first line as names of columns, though {quoted(data.strip())} looks like data: if it is, add"
            " a line with names above it."
        )
    if letters is not None:
        table.remarks.append(f"Read quotation marks as letters: line {letters:,} has one that is not closed.")
    return table


def _looks_like_data(name: str) -> bool:
    """A number, or a whole sentence: what hardly names a column."""
    name = name.strip()
    try:
        float(name)
    except ValueError:
        return len(name.split()) > 3 and name.endswith((".", "!", "?", "…"))
    return True


def _delimiter(head: str, following: list[str]) -> str:
    """The mark that divides the first line, outside quotes, into as many fields as most lines after it."""
    bare = [_QUOTED.sub("", line) for line in (head, *following)]
    present = [mark for mark in MARKS if mark in bare[0]]
    agreeing = {mark: sum(line.count(mark) == bare[0].count(mark) for line in bare[1:]) for mark in present}
    return max(present, key=lambda mark: agreeing[mark], default=",")


def _stray_quote(file: BinaryIO, shown: str) -> int | None:
    """The first line whose fields are not each in quotes as a whole or not at all; None: there is none."""
    found = None
    for number, line in numbered_lines(file, shown):
        if isinstance(line, str) and '"' in line and not _BALANCED.fullmatch(line):
            found = number
            break
    file.seek(0)
    return found


def _lines(file: BinaryIO, shown: str) -> Iterator[tuple[int, str]]:
    for number, line in numbered_lines(file, shown):
        if isinstance(line, TooLong):
            raise CorpusError(
                f"{shown}: line {number:,} has {line.characters:,} characters, too many for a row; shorten it"
            )
        yield number, line + "\n"


def _records(reader: Any, skipped: int, shown: str) -> Iterator[tuple[int, int, list[str]]]:
    """Records with the numbers of the lines where each begins and ends."""
    while True:
        line = skipped + reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CorpusError(
                f"{shown}: the row that begins in line {line:,} is broken ({one_line(str(error))}); "
                "close every quoted field, and double the quotes inside it"
            ) from error
        yield line, skipped + reader.line_num, fields
