"""Sentences of treebanks and of corpora with named entities: a token a line, an empty line between sentences.

CoNLL-U: https://universaldependencies.org/format.html. CoNLL of other years: fields between white space, the word
first, or second behind a number; a column of parts that begin and go on holds entities (the last of several), the first
of other columns tags, and numbered lines of eight fields or more are trees (CoNLL-X: head in the seventh, relation in
the eighth).
"""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from services.errors import CorpusError
from services.modalities.corpora.decoding import TooLong, numbered_lines
from services.modalities.corpora.gold import Sentence, Word, kind_of_entity, marks_entities
from services.modalities.corpora.table import Table

_COMMENT = re.compile(r"#\s*([^=]+?)\s*=\s*(.*)")
_RANGE = re.compile(r"(\d+)-(\d+)")
_ENTITY = re.compile(r"(?:NER|Entity|Ner|ner)=([BIESLU]-[^|()]+)")
_FIELDS = 10
_LEAST_OF_TREES = 8
_NONE = -2  # the head of a word whose number is not its place: a tree cannot be made of it


def conllu_table(file: BinaryIO, shown: str) -> Table:
    """Sentences of a treebank, with what its comments say of each as columns."""

    def rows() -> Iterator[tuple[int, Sentence]]:
        for first, lines in _sentences(file, shown):
            comments = (_COMMENT.fullmatch(line.strip()) for _, line in lines)
            said = {str(found[1]): str(found[2]) for found in comments if found}
            words = [(number, line.split("\t")) for number, line in lines if not line.startswith("#")]
            for number, fields in words:
                if len(fields) != _FIELDS:
                    raise CorpusError(
                        f"{shown}: line {number:,} has {len(fields)} fields between tabs, and CoNLL-U {_FIELDS};"
                        " name other kinds of CoNLL .conll, plain sentences .txt"
                    )
            if words:
                lines_of_words = [fields for _, fields in words]
                text = said.get("text") or _spaced(lines_of_words)
                yield first, Sentence({**said, "text": text}, _words(lines_of_words))

    return _table(rows())


def conll_table(file: BinaryIO, shown: str) -> Table:
    """Sentences of words between spaces."""

    def rows() -> Iterator[tuple[int, Sentence]]:
        for first, lines in _sentences(file, shown):
            words = [line.split() for _, line in lines if not line.startswith(("#", "-DOCSTART-"))]
            numbered = bool(words) and all(len(fields) > 1 and fields[0].isdigit() for fields in words)
            if words:
                text = " ".join(fields[1 if numbered else 0] for fields in words)
                yield first, Sentence({"text": text}, _of_columns(words, numbered))

    return _table(rows())


def _table(rows: Iterator[tuple[int, Sentence]]) -> Table:
    found = Table("line", rows, columns=("text",), text_columns=("text",))
    found.remarks.append("Read a sentence from the words of each block of lines, with their tags where there are any.")
    return found


def _sentences(file: BinaryIO, shown: str) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """Blocks of numbered lines between empty ones, with the number of the first."""
    block: list[tuple[int, str]] = []
    for number, line in numbered_lines(file, shown):
        if isinstance(line, TooLong):
            raise CorpusError(f"{shown}: line {number:,} has {line.characters:,} characters, too many for a word")
        if line.strip():
            block.append((number, line))
        elif block:
            yield block[0][0], block
            block = []
    if block:
        yield block[0][0], block


def _spaced(words: list[list[str]]) -> str:
    """Forms with the spaces between them; of a contraction its own form, and not the words it is made of."""
    text, covered = "", 0
    for fields in words:
        number, form, more = fields[0], fields[1], fields[-1]
        found = _RANGE.fullmatch(number)
        if found:
            covered = int(found[2])
        elif not number.isdigit() or int(number) <= covered:
            continue
        text += form + ("" if "SpaceAfter=No" in more.split("|") else " ")
    return text.strip()


def _words(lines: Sequence[list[str]]) -> list[Word]:
    """The words of a treebank's sentence; empty nodes are none."""
    found: list[Word] = []
    last, whole = 0, None
    for fields in lines:
        number, form, more = fields[0], fields[1], fields[-1]
        contraction = _RANGE.fullmatch(number)
        if contraction:
            last, whole = int(contraction[2]), (len(found), form)
        elif number.isdigit():
            entity = _ENTITY.search(more)
            found.append(
                Word(
                    form,
                    tag=_given(fields[3]) or _given(fields[4]),
                    head=_head(fields[6]) if int(number) == len(found) + 1 else _NONE,
                    relation=_given(fields[7]),
                    entity=kind_of_entity(entity[1]) if entity else "",
                    whole=whole if int(number) <= last else None,
                )
            )
    return found


def _of_columns(lines: Sequence[list[str]], numbered: bool) -> list[Word]:
    """The words of a sentence in another kind of CoNLL, with the columns that all of its lines have."""
    first = 1 if numbered else 0
    width = min(map(len, lines))
    forms = [fields[first] for fields in lines]
    if numbered and width >= _LEAST_OF_TREES and all(fields[6].isdigit() for fields in lines):
        return [Word(fields[1], _given(fields[3]), _head(fields[6]), _given(fields[7])) for fields in lines]
    columns = [[fields[place] for fields in lines] for place in range(first + 1, width)]
    parts = [column for column in columns if _in_parts(column)]
    others = [column for column in columns if not _in_parts(column)]
    tags = others[0] if others and not numbered else [""] * len(lines)
    entities = parts[-1] if parts else [""] * len(lines)
    return [
        Word(form, tag=_given(tag), entity=kind_of_entity(entity))
        for form, tag, entity in zip(forms, tags, entities, strict=True)
    ]


def _in_parts(column: Sequence[str]) -> bool:
    """Whether a column may hold entities: also one of a sentence that has none."""
    return marks_entities(column) or set(column) <= {"O"}


def _given(field: str) -> str:
    return "" if field == "_" else field


def _head(field: str) -> int | None:
    return int(field) - 1 if field.isdigit() else None
