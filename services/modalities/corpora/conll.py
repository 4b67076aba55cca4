"""Sentences of treebanks and of corpora with named entities: a token a line, an empty line between sentences.

CoNLL-U: https://universaldependencies.org/format.html. CoNLL of other years: fields between white space, the word
first, or second behind a number.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from services.errors import CorpusError
from services.modalities.corpora.decoding import TooLong, numbered_lines
from services.modalities.corpora.table import Table

_COMMENT = re.compile(r"#\s*([^=]+?)\s*=\s*(.*)")
_RANGE = re.compile(r"(\d+)-(\d+)")
_FIELDS = 10


def conllu_table(file: BinaryIO, shown: str) -> Table:
    """Sentences of a treebank, with what its comments say of each as columns."""

    def rows() -> Iterator[tuple[int, dict[str, str]]]:
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
                yield first, {**said, "text": said.get("text") or _spaced([fields for _, fields in words])}

    return _table(rows())


def conll_table(file: BinaryIO, shown: str) -> Table:
    """Sentences of words between spaces."""

    def rows() -> Iterator[tuple[int, dict[str, str]]]:
        for first, lines in _sentences(file, shown):
            words = [line.split() for _, line in lines if not line.startswith(("#", "-DOCSTART-"))]
            numbered = bool(words) and all(len(fields) > 1 and fields[0].isdigit() for fields in words)
            if words:
                yield first, {"text": " ".join(fields[1 if numbered else 0] for fields in words)}

    return _table(rows())


def _table(rows: Iterator[tuple[int, dict[str, str]]]) -> Table:
    found = Table("line", rows, columns=("text",), text_columns=("text",))
    found.remarks.append("Read a sentence from the words of each block of lines; their tags were left out.")
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
