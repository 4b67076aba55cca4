"""Text corpora in: a file becomes a named, cleaned list of inputs, or one line that says what to do.

Files are streamed and decoded in one place (`decoding.decoded`), so that a file of many gigabytes costs no
more memory than the inputs that are kept. What was skipped or changed is counted in `Corpus.notes`.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from services.errors import CorpusError
from services.modalities.corpora.chats import Chats, Turn
from services.modalities.corpora.columnar import arrow_table, parquet_table
from services.modalities.corpora.folders import folder_table, holds_texts, zip_table
from services.modalities.corpora.formats import by_paragraphs, open_table
from services.modalities.corpora.gold import Gold
from services.modalities.corpora.harvest import (
    Columns,
    Harvest,
    by_items,
    check_pair,
    choose_column,
    choose_target,
    harvest,
)
from services.modalities.corpora.hub import Split, hub_corpus, split_of
from services.modalities.corpora.table import Table
from services.modalities.corpora.wording import FORMATS, listed, one_line, quoted

DEMO = "demo"
DEMO_FILE = Path(__file__).parents[3] / "demo" / "corpus" / "sentences.jsonl"

SAVED, SPLITS = "state.json", "dataset_dict.json"  # of the library datasets' save_to_disk

MAX_INPUTS = 100_000
MAX_CHARACTERS = 20_000


@dataclass(frozen=True)
class Corpus:
    """A named list of inputs with their provenance.

    `columns` holds the other columns of the file, such as a topic: one string for each text.
    `target`: the column with what a model writes while it reads the texts; None: there is none.
    `pair`: the second text of each input, read together with the first; () where inputs are single texts.
    `gold`, `pair_gold`: what the corpus itself says of the words of each text, and each second text; () for nothing.
    `chats`: the turns of each input, to be written by the model's own template; () where texts are read as they are.
    `by_turns`: texts are turns of chats, and the column role says whose.
    `rendered`: texts were written by a chat template already, with all special tokens.
    `sha256` depends on what is in it alone: a copy under another name or in another format has the same.
    """

    name: str
    source: str
    texts: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    sha256: str
    notes: tuple[str, ...] = ()
    target: str | None = None
    pair: tuple[str, ...] = ()
    gold: tuple[Gold, ...] = ()
    pair_gold: tuple[Gold, ...] = ()
    chats: tuple[tuple[Turn, ...], ...] = ()
    by_turns: bool = False
    rendered: bool = False

    def gold_of(self, index: int) -> tuple[Gold, ...]:
        """What the corpus says of the words of one input: of its text, and of the second where it is a pair."""
        sides = (self.gold, self.pair_gold) if self.pair else (self.gold,)
        return tuple(side[index] if side else Gold() for side in sides)


def demo_corpus() -> Corpus:
    """The sentences that come with the project."""
    return read_corpus(DEMO)


def read_corpus(
    source: str | Path,
    *,
    column: str | None = None,
    target: str | None = None,
    max_inputs: int = MAX_INPUTS,
    max_characters: int = MAX_CHARACTERS,
    encoding: str | None = None,
    paragraphs: bool = False,
    pair: str | None = None,
    chats: Chats = "turns",
    sample: int | None = None,
) -> Corpus:
    """The corpus in a file, the demo corpus for the name "demo" (a file of that name is "./demo"), or a data set of the
    hub ("dataset:org/name:split").

    column: which column holds the texts; may be left out when the file leaves no doubt.
    target: which column holds what a model writes; a column of the name "target" is taken without being asked for.
    max_inputs: texts beyond this many are left out, with a note.
    max_characters: a longer text is skipped, with a note.
    encoding: of a file that is not UTF-8 · paragraphs: texts of a plain file are between empty lines, not one a line
    pair: which column holds a second text that is read with the first · chats: whether a chat is one input, to be
    written by the model's template, or each of its turns is.
    sample: seed by which `max_inputs` are drawn at random from all (the first 100,000); None: the first are taken.
    Raises CorpusError, whose message is one line that names the file and what to do.
    """
    if max_inputs < 1 or max_characters < 1:
        raise CorpusError("the limits on inputs and characters must be at least 1")
    is_demo = source == DEMO
    shown = DEMO if is_demo else one_line(str(source))
    from_hub = hub_corpus(source)
    split = split_of(from_hub) if from_hub is not None else None
    if split is not None:
        from_hub, shown = split.corpus, split.corpus.shown
    with _opened(split or source, shown, column, encoding, paragraphs) as (path, table):
        while column is not None and "[]." in column:
            column = by_items(table, column)
        chosen, guessed = choose_column(table, column, shown, (target, pair))
        written = choose_target(table, target, chosen, shown)
        if pair is not None:
            check_pair(table, pair, chosen, written, shown)
        limit = max_inputs if sample is None else MAX_INPUTS
        kept = harvest(table, Columns(chosen, written, pair, chats), limit, max_characters)
    inner = _unpacked(path)
    notes = kept.notes(table, chosen, limit, max_characters)
    if split is not None:
        notes = (*notes, *split.notes(kept.more))
    if sample is not None and max_inputs < (total := kept.draw(max_inputs, sample)):
        notes = (*notes, drawn(max_inputs, total, "texts", sample))
    if guessed:
        notes = (f"The texts come from the column {quoted(chosen or '')}.", *notes)
    if not kept.texts:
        told = " ".join(("", *notes)) if notes else ""
        raise CorpusError(f"{shown}: no text found.{told} Give a file with at least one sentence.")
    columns = {name: tuple(cells) for name, cells in kept.columns.items() if any(cells)}
    gold, of_second = (tuple(some) if any(one.words for one in some) else () for some in (kept.gold, kept.pair_gold))
    return Corpus(
        name=DEMO if is_demo else from_hub.name if from_hub else one_line(inner.stem),
        # The file's name without its folders: an atlas may be published, the folders of its maker not.
        source="demo/corpus/sentences.jsonl" if is_demo else from_hub.shown if from_hub else one_line(path.name),
        texts=tuple(kept.texts),
        columns=columns,
        sha256=_digest(kept.texts, columns | _more(kept, gold, of_second)),
        notes=notes,
        target=None if written is None or one_line(written) not in columns else one_line(written),
        pair=tuple(kept.pair),
        gold=gold,
        pair_gold=of_second,
        chats=tuple(kept.chats),
        by_turns=kept.by_turns,
    )


def drawn(count: int, total: int, what: str, seed: int) -> str:
    """What an atlas says of a sample."""
    return f"A random sample of {count:,} of {total:,} {what} (seed {seed})."


def _more(kept: Harvest, gold: Sequence[Gold], of_second: Sequence[Gold]) -> dict[str, Sequence[str]]:
    """What is not a text or a column, for the hash; under names that no column has."""
    said = {"\nsecond": kept.pair, "\nwords": list(map(repr, gold)), "\nchats": list(map(repr, kept.chats))}
    said["\nsecond words"] = list(map(repr, of_second))
    return {name: values for name, values in said.items() if values}


@dataclass(frozen=True)
class Peek:
    """The first rows of a file. columns: their names; () where each row is a text · rows: their cells, shortened"""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def peek(source: str | Path, rows: int = 5, characters: int = 200, encoding: str | None = None) -> Peek:
    """What a file holds, for somebody who chooses a column of it. Raises: CorpusError."""
    shown = DEMO if source == DEMO else one_line(str(source))
    with _opened(source, shown, None, encoding) as (_, table):
        entries = [entry for _, entry in islice(table.rows, rows)]
    records = [entry for entry in entries if isinstance(entry, dict)]
    columns = tuple(dict.fromkeys((*table.columns, *(name for record in records for name in record))))
    cells = [[entry.get(name) for name in columns] if isinstance(entry, dict) else [entry] for entry in entries]
    return Peek(columns, tuple(tuple(_shortened(cell, characters) for cell in row) for row in cells))


def _shortened(cell: Any, characters: int) -> str:
    text = one_line("" if cell is None else cell if isinstance(cell, str) else json.dumps(cell, default=str))
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


@contextmanager
def _opened(
    source: str | Path | Split, shown: str, column: str | None, encoding: str | None = None, paragraphs: bool = False
) -> Iterator[tuple[Path, Table]]:
    """The file, and its rows as long as the block lasts. Raises: CorpusError, also for what goes wrong in the block."""
    try:
        if isinstance(source, Split):
            path = source.file(0)
            with path.open("rb") as first:
                yield path, parquet_table(first, shown, column, source.others)
            return
        path = DEMO_FILE if source == DEMO else _existing_file(source, shown)
        with ExitStack() as stack:
            if path.is_dir() and holds_texts(path):
                yield path, _of_files(folder_table(path, shown, encoding), paragraphs)
            elif path.is_dir():
                files = [stack.enter_context(part.open("rb")) for part in _saved_parts(path, shown)]
                yield path, arrow_table(files, shown, column)
            else:
                plain = stack.enter_context(path.open("rb"))
                inner = _unpacked(path)
                if path.suffix.lower() == ".zip":
                    yield path, _of_files(zip_table(plain, shown, encoding, stack), paragraphs)
                    return
                file = plain if inner == path else stack.enter_context(gzip.GzipFile(fileobj=plain))
                suffix = inner.suffix.lower()
                yield path, open_table(suffix, cast(BinaryIO, file), shown, column, encoding, paragraphs)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorpusError(
            f"{shown}: is damaged or cut short ({one_line(str(error))}); pack or copy it again"
        ) from error
    except OSError as error:
        reason = one_line(error.strerror or str(error))
        raise CorpusError(f"{shown}: cannot be read ({reason}); check the path and its permissions") from error


def _of_files(table: Table, paragraphs: bool) -> Table:
    if paragraphs:
        by_paragraphs(table)
    return table


def _unpacked(path: Path) -> Path:
    """Its name without the mark of gzip."""
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def _existing_file(source: str | Path, shown: str) -> Path:
    if not str(source).strip():
        raise CorpusError(f'{shown}: names no file; give the path of one, or the name "{DEMO}"')
    try:
        path = Path(source).expanduser()
        is_folder = path.is_dir()
    except (ValueError, RuntimeError) as error:  # a NUL in the path; ~nobody
        raise CorpusError(f"{shown}: is no usable path ({one_line(str(error))}); check it") from error
    if is_folder and any((path / name).is_file() for name in (SAVED, SPLITS)):
        return path
    if is_folder and holds_texts(path):
        return path
    if is_folder:
        raise CorpusError(
            f"{shown}: is a folder; name a file in it: {FORMATS}. A folder of images goes with a model of images"
        )
    if not path.exists():
        raise CorpusError(f'{shown}: no such file; check the path, or use the name "{DEMO}"')
    if not path.is_file():
        raise CorpusError(f"{shown}: is not a regular file; save its content as {FORMATS}")
    if path.stat().st_size == 0:
        raise CorpusError(f"{shown}: is empty; give a file with at least one sentence")
    return path


def _saved_parts(folder: Path, shown: str) -> list[Path]:
    """The files of a data set that the library datasets has saved to a folder."""
    try:
        content = json.loads((folder / (SAVED if (folder / SAVED).is_file() else SPLITS)).read_text(encoding="utf-8"))
        splits = [str(name) for name in content.get("splits", ())]
        names = [str(part["filename"]) for part in content.get("_data_files", ())]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CorpusError(f"{shown}: its {SAVED} or {SPLITS} cannot be read; save the data set again") from error
    if splits:
        raise CorpusError(f"{shown}: holds the splits {listed(splits)}; name the folder of one of them")
    parts = [folder / name for name in names if Path(name).name == name]
    if not parts or not all(part.is_file() for part in parts):
        raise CorpusError(f"{shown}: files that its {SAVED} names are missing; save or copy the data set again")
    return parts


def _digest(texts: Sequence[str], columns: Mapping[str, Sequence[str]]) -> str:
    """Each list with its length, each string with its length: no two contents share a byte stream."""
    digest = hashlib.sha256()

    def feed(items: Sequence[str]) -> None:
        digest.update(f"{len(items)};".encode())
        for item in items:
            data = item.encode()
            digest.update(f"{len(data)}:".encode() + data)

    feed(texts)
    for name in sorted(columns):
        feed([name])
        feed(columns[name])
    return digest.hexdigest()
