"""Which column holds the texts, what of them is kept, and the count of what is not."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from services.errors import CorpusError
from services.modalities.corpora.decoding import TooLong
from services.modalities.corpora.table import Table
from services.modalities.corpora.wording import CONTROLS, SURROGATES, listed, one_line, quoted

COLUMN_CHARACTERS = 1_000  # other columns colour and filter: a value longer than this is no category
MAX_COLUMNS = 32
SAMPLE_ROWS = 100  # entries looked at to learn which columns there are
TARGET_COLUMN = "target"  # what a model writes, without being asked for
TEXT_COLUMNS = ("text", "sentence")  # taken without being asked for


def choose_column(table: Table, column: str | None, shown: str, target: str | None = None) -> tuple[str | None, bool]:
    """The column that holds the texts (None: the entries are texts), and whether it was a guess.

    target: a column that holds what is written, and is not one to choose.

    Looks at the first entries for the columns a format does not declare, and puts them back.
    """
    sample = list(islice(table.rows, SAMPLE_ROWS))
    table.rows = chain(sample, table.rows)
    records = [entry for _, entry in sample if isinstance(entry, dict)]
    names = list(dict.fromkeys(chain(table.columns, *records)))
    table.columns = tuple(names)
    if not names:
        if column is not None and sample:
            raise CorpusError(f"{shown}: has no columns; leave out the column {quoted(column)}")
        return None, False
    if column is not None:
        if column not in names and not any(nested(record, column) is not None for record in records):
            raise CorpusError(f"{shown}: no column {quoted(column)}; the columns are {listed(names)}")
        return column, False
    names = [name for name in names if name != target] or names
    strings = [
        name for name in names if name in table.text_columns or any(_is_wordy(record.get(name)) for record in records)
    ]
    usual = [name for name in names if name.lower() in TEXT_COLUMNS]
    inner = [] if strings else [*_inner_names(records), *_listed_names(records)]
    if inner:
        raise CorpusError(f"{shown}: its texts are inside other fields; name one of the columns {listed(inner)}")
    if len(usual) == 1:
        return usual[0], False
    if len(usual) == 0 and len(strings) == 1:
        return strings[0], True
    if len(names) == 1:
        if any(_is_number(record.get(names[0])) for record in records) and not strings:
            raise CorpusError(
                f"{shown}: its one readable column {quoted(names[0])} holds numbers and no words; name it as the column"
                " of the texts if it is meant"
            )
        return names[0], True
    raise CorpusError(f"{shown}: which column holds the texts? Name one of {listed(names)}")


def choose_target(table: Table, target: str | None, column: str | None, shown: str) -> str | None:
    """The column that holds what a model writes: one that is named, or one called "target"; None: there is none."""
    sample = list(islice(table.rows, SAMPLE_ROWS))
    table.rows = chain(sample, table.rows)
    if target is None:
        return TARGET_COLUMN if TARGET_COLUMN in table.columns and column != TARGET_COLUMN else None
    records = [entry for _, entry in sample if isinstance(entry, dict)]
    if target not in table.columns and not any(nested(record, target) is not None for record in records):
        raise CorpusError(f"{shown}: no column {quoted(target)} to write; the columns are {listed(table.columns)}")
    if target == column:
        raise CorpusError(f"{shown}: the column {quoted(target)} cannot be both what is read and what is written")
    return target


def nested(record: Mapping[str, Any], column: str) -> Any:
    """The value of a column; where none is called "translation.en", the field "en" of the field "translation"."""
    if column in record:
        return record[column]
    found: Any = record
    for name in column.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _inner_names(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Dotted names of fields within fields that hold words."""
    found = (
        f"{outer}.{name}"
        for record in records
        for outer, value in record.items()
        if isinstance(value, dict)
        for name, inner in value.items()
        if _is_wordy(inner)
    )
    return list(dict.fromkeys(found))


def _listed_names(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of fields of objects in lists that hold words: "paragraphs[].context"."""
    found = (
        f"{outer}[].{name}"
        for record in records
        for outer, value in record.items()
        if isinstance(value, list)
        for item in value[:1]
        if isinstance(item, dict)
        for name, inner in item.items()
        if _is_wordy(inner)
    )
    return list(dict.fromkeys(found))


def by_items(table: Table, column: str) -> str:
    """For a column "paragraphs[].context": each object of these lists an entry of its own. Returns: its name there."""
    outer, _, name = column.partition("[].")
    before = table.rows

    def rows() -> Iterator[tuple[int, Any]]:
        for number, entry in before:
            items = nested(entry, outer) if isinstance(entry, dict) else None
            for item in items if isinstance(items, list) else ():
                kept = {key: value for key, value in entry.items() if key != outer}
                yield number, {**kept, **(item if isinstance(item, dict) else {})}

    table.rows = rows()
    table.columns = ()
    table.remarks.append(f"Read each item of the lists in {quoted(outer)} as an entry of its own.")
    return name


def is_chat(value: Any) -> bool:
    """A list of turns, each with a content and a role."""
    turns = value if isinstance(value, list) else []
    return bool(turns) and all(
        isinstance(turn, dict) and isinstance(turn.get("content"), str) and isinstance(turn.get("role"), str)
        for turn in turns
    )


def by_turns(table: Table, column: str) -> None:
    """Make each turn of the chats in a column an entry of its own, its role a column."""

    before = table.rows

    def rows() -> Iterator[tuple[int, Any]]:
        for number, entry in before:
            value = nested(entry, column) if isinstance(entry, dict) else None
            if not is_chat(value):
                yield number, entry
                continue
            for turn in value or ():
                yield number, {**entry, column: turn["content"], "role": turn["role"]}

    table.rows = rows()
    table.columns = tuple(dict.fromkeys((*table.columns, "role")))
    table.remarks.append("Read each turn of a chat as an input of its own; who speaks is the column role.")


def _is_wordy(value: Any) -> bool:
    """A string that is not merely a number (in CSV everything is a string), a list of words, or a chat."""
    if _is_words(value) or is_chat(value):
        return True
    return isinstance(value, str) and bool(value.strip()) and not _is_number(value)


def _is_number(value: Any) -> bool:
    """A number, or a string that is one."""
    if not isinstance(value, str | int | float):
        return False
    try:
        float(value)
    except (ValueError, OverflowError):
        return False
    return True


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) for word in value)


@dataclass
class Tally:
    """How often something happened, and where first."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str, count: int = 1) -> None:
        self.count += count
        if len(self.places) < 4 and place not in self.places:
            self.places.append(place)

    def where(self) -> str:
        return ", ".join(self.places[:3]) + (" …" if len(self.places) > 3 else "")


@dataclass
class Harvest:
    """What was kept of a file, and counts of what was not."""

    texts: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    more: bool = False
    blank: Tally = field(default_factory=Tally)
    missing: Tally = field(default_factory=Tally)
    strange: Tally = field(default_factory=Tally)
    long: Tally = field(default_factory=Tally)
    numbers: Tally = field(default_factory=Tally)
    controls: Tally = field(default_factory=Tally)
    surrogates: Tally = field(default_factory=Tally)
    cut: Tally = field(default_factory=Tally)
    joined: Tally = field(default_factory=Tally)

    def notes(self, table: Table, column: str | None, max_inputs: int, max_characters: int) -> tuple[str, ...]:
        lacking = "without a text (null)" if column is None else f"without a value in the column {quoted(column)}"
        told: list[tuple[Tally, str, str, str]] = [
            (self.blank, "Skipped", "blank text", ""),
            (self.missing, "Skipped", table.unit, lacking),
            (self.strange, "Skipped", table.unit, "with a list or an object in place of a text"),
            (self.long, "Skipped", "text", f"longer than {max_characters:,} characters"),
            (self.numbers, "Read", "number", "as text"),
            (self.joined, "Joined", "list", "of words with spaces"),
            (self.controls, "Replaced", "control character", "by spaces"),
            (self.surrogates, "Replaced", "lone surrogate", "by the replacement character"),
            (self.cut, "Cut", "value", f"of other columns at {COLUMN_CHARACTERS:,} characters"),
        ]
        notes = [
            f"{verb} {tally.count:,} {noun}{'s' if tally.count > 1 else ''}{' ' if detail else ''}{detail}: "
            f"{tally.where()}."
            for tally, verb, noun, detail in told
            if tally.count
        ]
        again = len(self.texts) - len(set(self.texts))
        if again:
            notes.append(f"{again:,} text{'s are' if again > 1 else ' is'} the same as an earlier one.")
        if table.spread:
            lines = Tally(len(table.spread), [f"line {line:,}" for line in table.spread[:4]])
            notes.append(
                f"{lines.count:,} row{'s go' if lines.count > 1 else ' goes'} over several lines: {lines.where()}."
            )
        notes += table.remarks
        if len(table.columns) > MAX_COLUMNS + 1:
            notes.append(f"Kept the first {MAX_COLUMNS} of {len(table.columns) - 1:,} other columns.")
        if self.more:
            notes.append(f"Took the first {max_inputs:,} text{'s' if max_inputs > 1 else ''}; the file holds more.")
        return tuple(notes)


def harvest(
    table: Table, column: str | None, max_inputs: int, max_characters: int, target: str | None = None
) -> Harvest:
    """target: a column that is kept whole, up to `max_characters`."""
    sample = list(islice(table.rows, SAMPLE_ROWS))
    table.rows = chain(sample, table.rows)
    if column is not None and any(isinstance(entry, dict) and is_chat(nested(entry, column)) for _, entry in sample):
        by_turns(table, column)
    others = {one_line(name): name for name in table.columns if name != column}
    others = dict(islice(others.items(), MAX_COLUMNS))
    if target is not None:
        others[one_line(target)] = target
    kept = Harvest(columns={shown: [] for shown in others})
    for number, entry in table.rows:
        place = f"{table.unit} {number:,}"
        text = _text(entry, column, place, kept)
        if text is None:
            continue
        if isinstance(text, TooLong) or len(text) > max_characters:
            length = text.characters if isinstance(text, TooLong) else len(text)
            kept.long.add(f"{place} ({length:,})")
            continue
        if len(kept.texts) == max_inputs:
            kept.more = True
            break
        kept.texts.append(_cleaned(text, place, kept))
        given = nested(entry, column) if isinstance(entry, dict) and column is not None else entry
        if not isinstance(given, str):
            (kept.joined if _is_words(given) else kept.numbers).add(place)
        for shown, name in others.items():
            value = nested(entry, name) if isinstance(entry, dict) else None
            most = max_characters if name == target else COLUMN_CHARACTERS
            kept.columns[shown].append(_cell(value, place, kept, most))
    return kept


def _text(entry: Any, column: str | None, place: str, kept: Harvest) -> str | TooLong | None:
    """The stripped text of an entry; None, and counted, when there is none."""
    value = nested(entry, column) if isinstance(entry, dict) and column is not None else entry
    if isinstance(value, TooLong):
        return value
    if value is None:
        kept.missing.add(place)
        return None
    if _is_words(value):
        value = " ".join(value)
    if isinstance(value, dict | list):
        kept.strange.add(place)
        return None
    text = str(value).strip()
    if _is_blank(text):
        kept.blank.add(place)
        return None
    return text


def _is_blank(text: str) -> bool:
    """Nothing to see: white space, controls and invisible format characters only."""
    return all(unicodedata.category(letter) in {"Zs", "Zl", "Zp", "Cc", "Cf"} for letter in text)


def _cleaned(text: str, place: str, kept: Harvest) -> str:
    text, controls = CONTROLS.subn(" ", text.replace("\r\n", "\n"))
    text, surrogates = SURROGATES.subn("\ufffd", text)
    if controls:
        kept.controls.add(place, controls)
    if surrogates:
        kept.surrogates.add(place, surrogates)
    return text.strip()


def _cell(value: Any, place: str, kept: Harvest, most: int) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    text = str(value).strip()
    if len(text) > most:
        kept.cut.add(place)
    return _cleaned(text[:most], place, kept)
