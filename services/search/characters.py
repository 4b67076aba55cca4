"""Characters that a tokenizer has cut into several tokens: "🙂" as "<0xF0>", "<0x9F>", "<0x99>", "<0x82>"."""

import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from services.atlas import Atlas

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@lru_cache(maxsize=16)
def split_characters(atlas: Atlas, table: str) -> dict[int, tuple[str, ...]]:
    """For rows that hold a part of a character the whole characters, by row."""
    tokens = atlas.tokens(table)
    found: dict[int, tuple[str, ...]] = {}
    rows = [row for row, text in enumerate(tokens.text) if _BYTE.search(text)]
    for run in _runs(rows, tokens.input):
        bytes_of = [(byte, row) for row in run for byte in _bytes(tokens.text[row])]
        for character, of in _characters(bytes_of):
            for row in sorted(of):
                found[row] = (*found.get(row, ()), character)
    return found


def _runs(rows: list[int], inputs: np.ndarray) -> Iterator[list[int]]:
    """Rows that follow each other in one input."""
    run: list[int] = []
    for row in rows:
        if run and (row != run[-1] + 1 or inputs[row] != inputs[run[-1]]):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _bytes(text: str) -> Iterator[int]:
    at = 0
    for match in _BYTE.finditer(text):
        yield from text[at : match.start()].encode("utf-8", "replace")
        yield int(match[1], 16)
        at = match.end()
    yield from text[at:].encode("utf-8", "replace")


def _characters(bytes_of: list[tuple[int, int]]) -> Iterator[tuple[str, set[int]]]:
    """Whole characters whose bytes stand in more than one row, with these rows."""
    at = 0
    while at < len(bytes_of):
        first = bytes_of[at][0]
        length = 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2 if first >= 0xC0 else 1
        part = bytes_of[at : at + length]
        try:
            character = bytes(byte for byte, _ in part).decode()
        except UnicodeDecodeError:
            at += 1
            continue
        rows = {row for _, row in part}
        if len(rows) > 1:
            yield character, rows
        at += length
