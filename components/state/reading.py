"""How one input is read: what is drawn of its attention, what is left out, and the same in the address."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from components.state.stores import Selection, Store
from services.atlas import Atlas
from services.atlas.schema import StreamInfo

MOST_HIDDEN = 512
_HIDE = re.compile(r"(?:q(\d+(?:\.\d+)*))?(?:k(\d+(?:\.\d+)*))?")
_NUMBER = re.compile(r"(top|from)(\d{1,3})")
_FLAGS = ("special", "first", "values", "offsets", "cut", "average")


class Reading(Store):
    """Choices of the sentence tab, the average tab and the lines on the map.

    topk: 0 for all · threshold: least weight drawn · special, first: hide those tokens · values: weight by value norm
    lines: draw attention on the map · offsets: average by distance instead of by position · cut: average only as long
    as the input · average: heatmaps in place of points · queries, keys: hidden positions of the input that is shown
    """

    mode: str = Field(default="lines", pattern="^(lines|heatmap)$")
    topk: int = Field(default=0, ge=0, le=999)
    threshold: float = Field(default=0.05, ge=0, le=1)
    special: bool = False
    first: bool = False
    values: bool = False
    lines: bool = True
    offsets: bool = False
    cut: bool = False
    average: bool = False
    queries: tuple[int, ...] = Field(default=(), max_length=MOST_HIDDEN)
    keys: tuple[int, ...] = Field(default=(), max_length=MOST_HIDDEN)

    @field_validator("queries", "keys")
    @classmethod
    def _sorted(cls, positions: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted({position for position in positions if position >= 0}))

    @property
    def hidden(self) -> dict[str, list[int]]:
        return {"queries": list(self.queries), "keys": list(self.keys)}

    def scene_lines(self) -> dict[str, Any] | None:
        """The `lines` property of the head scene; assets/45-sentence.js keeps it up to date."""
        if not self.lines:
            return None
        return {
            "threshold": self.threshold,
            "topk": self.topk,
            "hidden": self.hidden,
            "hideSpecial": self.special,
            "hideFirst": self.first,
            "byValueNorm": self.values,
        }


def reading_from_query(
    query: Mapping[str, Any], atlas: Atlas, stream: StreamInfo, selection: Selection
) -> tuple[Reading, list[str]]:
    """Read `read` and `hide` of the page's address.

    Returns:
        The nearest valid choices, and one sentence for what was dropped.
    """
    values: dict[str, Any] = {}
    dropped: list[str] = []
    wrong: list[str] = []
    for word in str(query.get("read", ""))[:200].split("-"):
        number = _NUMBER.fullmatch(word)
        if number and number[1] == "top":
            values["topk"] = int(number[2])
        elif number and int(number[2]) <= 100:
            values["threshold"] = int(number[2]) / 100
        elif word in _FLAGS:
            values[word] = True
        elif word == "heatmap":
            values["mode"] = word
        elif word == "nolines":
            values["lines"] = False
        elif word:
            wrong.append(word)
    if wrong or query.get("read") == "":
        dropped.append(f"read={'-'.join(wrong)[:40]!r} is no way to read an input; it is left out.")
    if "hide" in query:
        hidden = _hidden(str(query["hide"]), atlas, stream, selection)
        if hidden is None:
            dropped.append(f"hide={str(query['hide'])[:40]!r} names no tokens of the input shown; nothing is hidden.")
        else:
            values["queries"], values["keys"] = hidden
    return Reading.from_store(values), dropped


def _hidden(
    text: str, atlas: Atlas, stream: StreamInfo, selection: Selection
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    match = _HIDE.fullmatch(text[:5000])
    if not text or match is None or selection.input is None:
        return None
    found = []
    for part, table in zip(match.groups(), (stream.query_table, stream.key_table), strict=True):
        length = int(atlas.tokens(table).counts[selection.input])
        numbers = part.split(".") if part else []
        if len(numbers) > MOST_HIDDEN or any(len(number) > 6 or int(number) >= length for number in numbers):
            return None
        positions = tuple(map(int, numbers))
        found.append(positions)
    return found[0], found[1]
