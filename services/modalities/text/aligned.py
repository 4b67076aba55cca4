"""Tokenizers that do not tell where their tokens are in a text (PhoBERT, BERTweet, Marian): found by our own match.

Pieces are looked for one after the other, without the marks that vocabularies set before or behind them, first as they
are written and then without case, accents and compatibility forms. What cannot be found (an unknown word) takes the
text up to the next piece that can.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_BEFORE, _BEHIND = ("▁", "##"), ("@@", "</w>")
_AHEAD = 64  # characters after an unknown piece, among which the next one is looked for


@dataclass(frozen=True)
class AlignedEncoding:
    """What `tokenizers.Encoding` tells of one text."""

    ids: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]
    special_tokens_mask: list[int]
    overflowing: bool

    @property
    def word_ids(self) -> list[None]:
        """Words are told by white space."""
        return [None] * len(self.ids)


@dataclass(frozen=True)
class AlignedBatch:
    encodings: list[AlignedEncoding] = field(default_factory=list)

    @property
    def input_ids(self) -> list[int]:
        """Of a single text."""
        return self.encodings[0].ids


class AlignedTokenizer:
    """A slow tokenizer of transformers with the few manners of a fast one that are needed; otherwise as it is."""

    def __init__(self, slow: Any) -> None:
        self.slow = slow
        self.told = type(slow).__name__

    def __getattr__(self, name: str) -> Any:
        if name == "slow":  # while it is copied or unpickled
            raise AttributeError(name)
        return getattr(self.slow, name)

    def __len__(self) -> int:
        return len(self.slow)

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        *,
        text_target: Sequence[str] | None = None,
        truncation: bool = False,
        max_length: int | None = None,
        padding: bool = False,
    ) -> AlignedBatch:
        given = text if text is not None else text_target or ()
        texts = [given] if isinstance(given, str) else given
        side = "text" if text is not None else "text_target"
        most = max_length if truncation else None
        return AlignedBatch([self._encoding(one, side, most) for one in texts])

    def _encoding(self, text: str, side: str, most: int | None) -> AlignedEncoding:
        whole = list(self.slow(**{side: text}).input_ids)
        body = list(self.slow(**{side: text}, add_special_tokens=False).input_ids)
        first = next((at for at in range(len(whole) - len(body) + 1) if whole[at : at + len(body)] == body), 0)
        around = len(whole) - len(body)
        kept = len(body) if most is None else min(len(body), most - around)
        ids = whole[: first + kept] + whole[first + len(body) :]
        found = align(text, self.slow.convert_ids_to_tokens(body), self.slow.unk_token)[:kept]
        behind = len(ids) - first - kept
        return AlignedEncoding(
            ids,
            self.slow.convert_ids_to_tokens(ids),
            [(0, 0)] * first + found + [(0, 0)] * behind,
            [1] * first + [0] * kept + [1] * behind,
            overflowing=kept < len(body),
        )


def align(text: str, tokens: Sequence[str], unknown: str | None) -> list[tuple[int, int]]:
    """The characters of a text that each token stands for; tokens without a place of their own share one."""
    letters, places = _folded(text)
    found: list[tuple[int, int]] = []
    waiting: list[int] = []
    at = 0  # in `letters`
    for index, token in enumerate(tokens):
        piece = _folded(_bare(token))[0] if token != unknown else ""
        while at < len(letters) and letters[at].isspace():
            at += 1
        start = -1
        if piece:
            start = at if letters.startswith(piece, at) else -1
            if start < 0 and waiting:
                start = letters.find(piece, at, at + _AHEAD + len(piece))
        if start < 0:
            found.append((0, 0))
            waiting.append(index)
            continue
        _fill(found, waiting, text, _span(places, at, start))
        found.append(_span(places, start, start + len(piece)))
        at = start + len(piece)
    _fill(found, waiting, text, _span(places, at, len(letters)))
    return found


def _fill(found: list[tuple[int, int]], waiting: list[int], text: str, span: tuple[int, int]) -> None:
    """Tokens that wait share a span, without the white space around it."""
    start, stop = span
    inside = text[start:stop]
    start, stop = start + len(inside) - len(inside.lstrip()), stop - len(inside) + len(inside.rstrip())
    for index in waiting:
        found[index] = (start, max(start, stop))
    waiting.clear()


def _span(places: Sequence[int], first: int, stop: int) -> tuple[int, int]:
    """Characters of the text behind letters first … stop − 1; places: of each letter, and the text's length."""
    if stop <= first:
        return places[first], places[first]
    return places[first], max(places[stop - 1] + 1, places[stop])  # with accents that are characters of their own


def _bare(token: str) -> str:
    """A piece without the marks of its vocabulary."""
    for mark in _BEFORE:
        token = token.removeprefix(mark)
    for mark in _BEHIND:
        token = token.removesuffix(mark)
    return token


def _folded(text: str) -> tuple[str, list[int]]:
    """Letters without case, accents and compatibility forms, and of each the place of its character; and the end."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for letter in unicodedata.normalize("NFKD", character).casefold():
            if not unicodedata.combining(letter):
                letters.append(letter)
                places.append(place)
    return "".join(letters), [*places, len(text)]
