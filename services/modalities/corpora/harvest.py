"""Which column holds the texts, what of them is kept, and the count of what is not."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np

from services.errors import CorpusError
from services.modalities.corpora.chats import Chats, Turn, by_turns, chat_of
from services.modalities.corpora.decoding import TooLong
from services.modalities.corpora.gold import Fit, Gold, Sentence, Word, beside
from services.modalities.corpora.table import Table, nested
from services.modalities.corpora.wording import CONTROLS, SURROGATES, listed, one_line, quoted

COLUMN_CHARACTERS = 1_000  # other columns colour and filter: a value longer than this is no category
MAX_COLUMNS = 32
SAMPLE_ROWS = 100  # entries looked at to learn which columns there are
TARGET_COLUMN = "target"  # what a model writes, without being asked for
TEXT_COLUMNS = ("text", "sentence")  # taken without being asked for


def choose_column(
    table: Table, column: str | None, shown: str, others: Sequence[str | None] = ()
) -> tuple[str | None, bool]:
    """The column that holds the texts (None: the entries are texts), and whether it was a guess.

    others: columns that were named for something else, and are not ones to choose.

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
    names = [name for name in names if name not in others] or names
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
    if not _is_there(table, sample, target):
        raise CorpusError(f"{shown}: no column {quoted(target)} to write; the columns are {listed(table.columns)}")
    if target == column:
        raise CorpusError(f"{shown}: the column {quoted(target)} cannot be both what is read and what is written")
    return target


def check_pair(table: Table, pair: str, column: str | None, target: str | None, shown: str) -> None:
    """
    Raises:
        CorpusError: no column of that name, or it is what is read or written already.
    """
    sample = list(islice(table.rows, SAMPLE_ROWS))
    table.rows = chain(sample, table.rows)
    if column is None:
        raise CorpusError(f"{shown}: has no columns; pairs of texts stand in two columns of one file")
    if not _is_there(table, sample, pair):
        raise CorpusError(f"{shown}: no column {quoted(pair)} of second texts; the columns are {listed(table.columns)}")
    if pair in (column, target):
        raise CorpusError(f"{shown}: the column {quoted(pair)} cannot be both the second text and another of them")


def _is_there(table: Table, sample: Sequence[tuple[int, Any]], column: str) -> bool:
    records = (entry for _, entry in sample if isinstance(entry, dict))
    return column in table.columns or any(nested(record, column) is not None for record in records)


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


def _is_wordy(value: Any) -> bool:
    """A string that is not merely a number (in CSV everything is a string), a list of words, or a chat."""
    if _is_words(value) or chat_of(value):
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
    pair: list[str] = field(default_factory=list)
    gold: list[Gold] = field(default_factory=list)
    pair_gold: list[Gold] = field(default_factory=list)
    chats: list[tuple[Turn, ...]] = field(default_factory=list)
    by_turns: bool = False
    fit: Fit = field(default_factory=Fit)
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
    unclear: Tally = field(default_factory=Tally)

    def draw(self, count: int, seed: int) -> int:
        """Keep so many texts at random, without replacement and in their order. Returns how many there were."""
        total = len(self.texts)
        if count < total:
            rows = np.sort(np.random.default_rng(seed).choice(total, count, replace=False)).tolist()

            def some(values: list[Any]) -> list[Any]:
                return [values[row] for row in rows] if values else values

            self.texts, self.pair = some(self.texts), some(self.pair)
            self.gold, self.pair_gold, self.chats = some(self.gold), some(self.pair_gold), some(self.chats)
            self.columns = {name: some(cells) for name, cells in self.columns.items()}
        return total

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
            (self.unclear, "Left out the tags of", "pair", "of two lists of words, as either list could be theirs"),
            (self.cut, "Cut", "value", f"of other columns at {COLUMN_CHARACTERS:,} characters"),
        ]
        notes = [
            f"{verb} {tally.count:,} {noun}{'s' if tally.count > 1 else ''}{' ' if detail else ''}{detail}: "
            f"{tally.where()}."
            for tally, verb, noun, detail in told
            if tally.count
        ]
        again = len(self.texts) - len(set(zip(self.texts, self.pair, strict=True) if self.pair else self.texts))
        if again:
            notes.append(f"{again:,} text{'s are' if again > 1 else ' is'} the same as an earlier one.")
        if table.spread:
            lines = Tally(len(table.spread), [f"line {line:,}" for line in table.spread[:4]])
            notes.append(
                f"{lines.count:,} row{'s go' if lines.count > 1 else ' goes'} over several lines: {lines.where()}."
            )
        notes += table.remarks
        notes += self.fit.notes()
        if len(table.columns) > MAX_COLUMNS + 1:
            notes.append(f"Kept the first {MAX_COLUMNS} of {len(table.columns) - 1:,} other columns.")
        if self.more:
            notes.append(f"Took the first {max_inputs:,} text{'s' if max_inputs > 1 else ''}; the file holds more.")
        return tuple(notes)


@dataclass(frozen=True)
class Columns:
    """Which columns hold what. text: None where entries are texts · chats: how those in the text column are read"""

    text: str | None
    target: str | None = None
    pair: str | None = None
    chats: Chats = "turns"


def harvest(table: Table, named: Columns, max_inputs: int, max_characters: int) -> Harvest:
    """The target's column is kept whole, up to `max_characters`."""
    column, target, pair = named.text, named.target, named.pair
    sample = list(islice(table.rows, SAMPLE_ROWS))
    table.rows = chain(sample, table.rows)
    chats = column is not None and any(isinstance(one, dict) and chat_of(nested(one, column)) for _, one in sample)
    if chats and named.chats == "turns":
        by_turns(table, str(column))
    whole = chats and named.chats == "template"
    others = {one_line(name): name for name in table.columns if name not in (column, pair)}
    others = dict(islice(others.items(), MAX_COLUMNS))
    if target is not None:
        others[one_line(target)] = target
    kept = Harvest(columns={shown: [] for shown in others}, by_turns=chats and not whole)
    for number, entry in table.rows:
        place = f"{table.unit} {number:,}"
        chat = chat_of(nested(entry, str(column))) if whole and isinstance(entry, dict) else ()
        text = "\n".join(turn.content for turn in chat) if chat else _text(entry, column, place, kept)
        second = _text(entry, pair, place, kept) if pair is not None and text is not None else None
        if text is None or (pair is not None and second is None):
            continue
        longest = max((text, second or ""), key=_length)
        if _length(longest) > max_characters:
            kept.long.add(f"{place} ({_length(longest):,})")
            continue
        if len(kept.texts) == max_inputs:
            kept.more = True
            break
        assert not isinstance(text, TooLong)  # those are longer than the limit
        assert not isinstance(second, TooLong)
        kept.texts.append(_cleaned(text, place, kept))
        words, of_second = _words(entry, column, table.names), _words(entry, pair, table.names)
        if words and of_second and not isinstance(entry, Sentence):
            kept.unclear.add(place)
            words = of_second = ()
        kept.gold.append(kept.fit.gold(kept.texts[-1], words, place))
        if pair is not None:
            kept.pair.append(_cleaned(second or "", place, kept))
            kept.pair_gold.append(kept.fit.gold(kept.pair[-1], of_second, place))
        if whole:
            kept.chats.append(tuple(Turn(turn.role, _cleaned(turn.content, place, kept)) for turn in chat))
        given = nested(entry, column) if isinstance(entry, dict) and column is not None else entry
        if not isinstance(given, str) and not chat:
            (kept.joined if _is_words(given) else kept.numbers).add(place)
        for shown, name in others.items():
            value = nested(entry, name) if isinstance(entry, dict) else None
            most = max_characters if name == target else COLUMN_CHARACTERS
            kept.columns[shown].append(_cell(value, place, kept, most))
    return kept


def _length(text: str | TooLong) -> int:
    return text.characters if isinstance(text, TooLong) else len(text)


def _words(entry: Any, column: str | None, names: Mapping[str, Sequence[str]]) -> Sequence[Word]:
    """What a file says of the words of an entry's text."""
    if isinstance(entry, Sentence):
        return entry.words if column == "text" else ()
    return beside(entry, column, names) if isinstance(entry, dict) and column is not None else ()


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
