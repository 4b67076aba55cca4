"""What every reader of a format gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Table:
    """The entries of a file, read lazily: (place, entry), an entry being a string or any JSON.

    remarks: what a reader should know of how the file was read · spread: places of rows over several lines, as far as
    the rows were read · names: of the numbers in a column, where a file says what they stand for
    """

    unit: str  # what a place counts: "line", "row" or "item"
    rows: Iterator[tuple[int, Any]]
    columns: tuple[str, ...] = ()  # as far as the format declares them
    text_columns: tuple[str, ...] = ()
    remarks: list[str] = field(default_factory=list)
    spread: list[int] = field(default_factory=list)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)


def nested(record: Mapping[str, Any], column: str) -> Any:
    """The value of a column; where none is called "translation.en", the field "en" of the field "translation"."""
    if column in record:
        return record[column]
    found: Any = record
    for name in column.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
