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
    sequence_ids: list[int | None] = field(default_factory=list)
    type_ids: list[int] = field(default_factory=list)

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
        text_pair: Sequence[str] = (),
        add_special_tokens: bool = True,
        truncation: bool = False,
        max_length: int | None = None,
        padding: bool = False,
    ) -> AlignedBatch:
        given = text if text is not None else text_target or ()
        texts = [given] if isinstance(given, str) else given
        side = "text" if text is not None else "text_target"
        most = max_length if truncation else None
        if text_pair:
            return AlignedBatch([self._of_pair(*both, most) for both in zip(texts, text_pair, strict=True)])
        return AlignedBatch([self._encoding(one, side, most, add_special_tokens) for one in texts])

    def _encoding(self, text: str, side: str, most: int | None, special: bool) -> AlignedEncoding:
        whole = list(self.slow(**{side: text}, add_special_tokens=special).input_ids)
        body = list(self.slow(**{side: text}, add_special_tokens=False).input_ids)
        return self._cut(whole, [0] * len(whole), (text,), [body], most)

    def _of_pair(self, first: str, second: str, most: int | None) -> AlignedEncoding:
        made = self.slow(text=first, text_pair=second, return_token_type_ids=True)
        whole = list(made.input_ids)
        types = list(made.get("token_type_ids") or [0] * len(whole))
        bodies = [list(self.slow(text=text, add_special_tokens=False).input_ids) for text in (first, second)]
        return self._cut(whole, types, (first, second), bodies, most)

    def _cut(
        self,
        whole: Sequence[int],
        types: Sequence[int],
        texts: Sequence[str],
        bodies: Sequence[Sequence[int]],
        most: int | None,
    ) -> AlignedEncoding:
        """whole: ids with special tokens · bodies: those of each text; of two that are too long the longer is cut."""
        room = len(whole) if most is None else most - (len(whole) - sum(map(len, bodies)))
        lengths = [len(body) for body in bodies]
        while sum(lengths) > room and any(lengths):
            lengths[max(range(len(lengths)), key=lambda side: lengths[side])] -= 1
        offsets: list[tuple[int, int]] = [(0, 0)] * len(whole)
        sides: list[int | None] = [None] * len(whole)
        dropped: set[int] = set()
        start = 0
        for side, (text, body, length) in enumerate(zip(texts, bodies, lengths, strict=True)):
            start = next((at for at in range(start, len(whole)) if list(whole[at : at + len(body)]) == body), start)
            spans = align(text, self.slow.convert_ids_to_tokens(body), self.slow.unk_token)
            for at, span in enumerate(spans, start):
                offsets[at], sides[at] = span, side
            dropped |= set(range(start + length, start + len(body)))
            start += len(body)
        kept = [at for at in range(len(whole)) if at not in dropped]
        ids = [whole[at] for at in kept]
        return AlignedEncoding(
            ids,
            self.slow.convert_ids_to_tokens(ids),
            [offsets[at] for at in kept],
            [int(sides[at] is None) for at in kept],
            overflowing=bool(dropped),
            sequence_ids=[sides[at] for at in kept],
            type_ids=[types[at] for at in kept],
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
