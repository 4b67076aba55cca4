"""What is shown of attention: in the sentence, in the averages, as lines on the map; and what is left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator

from components import ids
from components.state.declare import Choice, Store, Word
from components.state.link import Link

Form = Literal["lines", "heatmap"]
MOST_HIDDEN = 512
_SENTENCE, _AVERAGE = (ids.SENTENCE_CHECKS,), (ids.AVERAGE_CHECKS,)
_BOTH = _SENTENCE + _AVERAGE
_word = partial(Word, parameter="read")
_HIDE = re.compile(r"(?:q(\d+(?:\.\d+)*))?(?:k(\d+(?:\.\d+)*))?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Positions(Choice):
    """Positions in the chosen input, behind a letter: `hide=q1.2k3` is about queries 1 and 2 and key 3."""

    kind = "positions"
    letter: str

    def read(self, link: Link, fields: Mapping[str, Self], defaults: Mapping[str, Any]) -> dict[str, Any]:
        text = link.text(self.parameter)
        if text is None:
            return {}
        found = _hidden(text, link)
        if found is None:
            link.drop(f"{self.parameter}={text[:40]!r} names no tokens of the input shown; nothing is hidden.")
            return {}
        return dict(zip(fields, found, strict=True))

    def facts(self) -> dict[str, Any]:
        return {"letter": self.letter}


_positions = partial(Positions, parameter="hide", needs="selection.input")


class AttentionOptions(Store):
    """Choices of the tabs Sentence and Average and of the lines on the map.

    topk: 0 for all · threshold: least weight drawn · special, first: hide those tokens
    within, across: of pairs of texts, hide attention within a text, from one to the other
    values: weight by value norm
    lines: draw attention on the map · offsets: average by distance instead of by position · cut: average only as long
    as the input · average: heatmaps in place of points · queries, keys: hidden positions of the input that is shown
    """

    id = "attention-options"
    mode: Annotated[Form, _word(word="heatmap", means="heatmap", shows="mode")] = "lines"
    topk: Annotated[int, _word(word="top", number=True, shows="topk"), Field(ge=0, le=999)] = 0
    threshold: Annotated[
        float, _word(word="from", number=True, most=100, scale=100, shows="threshold"), Field(ge=0, le=1)
    ] = 0.05
    special: Annotated[bool, _word(word="special", ticks=_BOTH, shows="hideSpecial")] = False
    first: Annotated[bool, _word(word="first", ticks=_SENTENCE, shows="hideFirst")] = False
    within: Annotated[bool, _word(word="nowithin", ticks=_SENTENCE, shows="hideWithin")] = False
    across: Annotated[bool, _word(word="noacross", ticks=_SENTENCE, shows="hideAcross")] = False
    values: Annotated[bool, _word(word="values", ticks=_BOTH, shows="byValueNorm")] = False
    offsets: Annotated[bool, _word(word="offsets")] = False
    cut: Annotated[bool, _word(word="cut", ticks=_AVERAGE)] = False
    average: Annotated[bool, _word(word="average")] = False
    lines: Annotated[bool, _word(word="nolines", means=False, ticks=_SENTENCE)] = True
    queries: Annotated[tuple[int, ...], Field(max_length=MOST_HIDDEN), _positions(letter="q")] = ()
    keys: Annotated[tuple[int, ...], Field(max_length=MOST_HIDDEN), _positions(letter="k")] = ()

    @field_validator("queries", "keys")
    @classmethod
    def _sorted(cls, positions: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted({position for position in positions if position >= 0}))

    @property
    def hidden(self) -> dict[str, list[int]]:
        return {"queries": list(self.queries), "keys": list(self.keys)}

    def scene_lines(self) -> dict[str, Any] | None:
        """The `lines` property of the head scene: the sentence's choices of weights, and what is hidden."""
        shown = self.shown()
        del shown["mode"]
        return {**shown, "hidden": self.hidden} if self.lines else None


def _hidden(text: str, link: Link) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    match, chosen = _HIDE.fullmatch(text[:5000]), link.stores["selection"].input
    if not text or match is None or chosen is None:
        return None
    found = []
    for part, table in zip(match.groups(), (link.stream.query_table, link.stream.key_table), strict=True):
        length = int(link.atlas.tokens(table).counts[chosen])
        numbers = part.split(".") if part else []
        if len(numbers) > MOST_HIDDEN or any(len(number) > 6 or int(number) >= length for number in numbers):
            return None
        found.append(tuple(map(int, numbers)))
    return found[0], found[1]
