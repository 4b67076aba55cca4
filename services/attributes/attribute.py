"""What attributes are made of: what each says of itself, the numbers behind its legend, its column in tables."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from services.atlas import Atlas, TokenTable
from services.atlas.schema import StreamInfo

SIDE_STEPS = 128  # palette entries of one side: a byte a point tells side and value apart
CUBE = 5  # steps of each channel where points have colours of their own: 125 of the entries of a side
Kind = Literal["categorical", "sequential", "cyclic", "colour"]
Place = tuple[int, int]  # layer and head
Dtype = Literal["string", "bool", "int32", "int64", "float64"]


@dataclass(frozen=True)
class Scale:
    """What the ends of a sequential colouring stand for, and the places between them."""

    low: float
    high: float
    logarithmic: bool = False
    form: str = "{:.3g}"

    def text(self, place: float) -> str:
        """The value at a place 0…1 of the scale, as a reader wants it."""
        low, high = (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)
        value = low + place * (high - low)
        return self.form.format(math.exp(value) if self.logarithmic else value)

    def steps(self) -> list[str]:
        """The text of each of the `SIDE_STEPS` palette entries of one side."""
        return [self.text(step / (SIDE_STEPS - 1)) for step in range(SIDE_STEPS)]


@dataclass(frozen=True)
class Column:
    """A column of the token table and of the table that can be taken away.

    explain: one sentence for the reader · order: columns stand in ascending order, services.search.token_table has the
    others · width: pixels · export, export_order: its name and order in files, where they are not the same
    """

    name: str
    label: str
    dtype: Dtype
    explain: str
    order: int = 100
    width: int = 110
    export: str = ""
    export_order: int = 0

    @property
    def kind(self) -> Literal["text", "number"]:
        """Which filters apply."""
        return "text" if self.dtype in ("string", "bool") else "number"


@dataclass(frozen=True, kw_only=True)
class Described:
    """What every attribute says of itself.

    name: in links, URLs and files · label: in menus · explain: a sentence under the legend
    modality: of the inputs that have it, None for all · categories: of a categorical or cyclic one
    low, high: words at the ends of a sequential legend where there are no numbers
    palette: a family of components.palettes, "" for the usual one of its kind · column: in tables, if it has one
    family, choice: a variant of the attribute `family`, and its name among the variants; choices: what they differ in
    categories_of: in place of categories, those that an atlas has; the first stand for what `categories` names
    names_groups: groups of points on a map may be named by its values
    sizes: the words of the menu entry that makes points as large as the attribute's values, "" for none
    rare: menus leave it out where an atlas lacks it, in place of saying why
    """

    name: str
    label: str
    kind: Kind
    explain: str
    modality: str | None = None
    categories: tuple[str, ...] = ()
    categories_of: Callable[[Atlas], tuple[str, ...]] | None = None
    low: str = ""
    high: str = ""
    palette: str = ""
    column: Column | None = None
    family: str = ""
    choice: str = ""
    choices: str = ""
    sizes: str = ""
    rare: bool = False
    names_groups: bool = False


@dataclass(frozen=True, kw_only=True)
class TokenAttribute(Described):
    """An attribute that a token has in every head alike.

    of_tokens: category numbers (int), numbers in 0…1 (float), or colours (uint8 [tokens, 3]) of a token table's rows
    of_tokens_in: in its place, where the numbers of categories depend on the atlas
    numbers: in its place, what a sequential attribute measures; its own range becomes 0…1, `form` writes a number
    in_column: what its column holds, if not the numbers · lacks: why an atlas does not have it, in one sentence
    """

    scope: Literal["token", "head"] = "token"
    of_tokens: Callable[[TokenTable], np.ndarray] | None = None
    of_tokens_in: Callable[[Atlas, TokenTable], np.ndarray] | None = None
    numbers: Callable[[TokenTable], np.ndarray] | None = None
    logarithmic: bool = False
    form: str = "{:.3g}"
    in_column: Callable[[TokenTable], Any] | None = None
    lacks: Callable[[Atlas], str | None] | None = None

    def available(self, atlas: Atlas) -> str | None:
        return self.lacks(atlas) if self.lacks else None

    def of_table(self, tokens: TokenTable) -> np.ndarray:
        """`of_tokens`, or the numbers on their own range."""
        if self.of_tokens is not None:
            return self.of_tokens(tokens)
        assert self.numbers is not None, self.name
        numbers = np.asarray(self.numbers(tokens), float)
        return unit(np.log(numbers) if self.logarithmic else numbers)

    def values(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> np.ndarray:
        in_atlas = self.of_tokens_in
        of_rows = self.of_table if in_atlas is None else lambda tokens: in_atlas(atlas, tokens)
        return self._both(atlas, stream, of_rows)

    def scale(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> Scale | None:
        """Of a table's own tokens; where queries and keys have tables of their own, that of the queries."""
        if self.numbers is None:
            return None
        numbers = self.numbers(atlas.tokens(stream.query_table))
        low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (1.0, 1.0)
        return Scale(low, high, self.logarithmic, self.form)

    def ranges(self, atlas: Atlas, stream: StreamInfo) -> None:
        return None

    def column_values(self, atlas: Atlas, stream: StreamInfo, place: Place | None = None) -> np.ndarray:
        of_rows = self.in_column or self.numbers
        assert of_rows is not None, self.name
        return self._both(atlas, stream, of_rows)

    def _both(self, atlas: Atlas, stream: StreamInfo, of_rows: Callable[[TokenTable], Any]) -> np.ndarray:
        text = self.column is not None and self.column.dtype == "string" and of_rows is self.in_column
        tables = (atlas.tokens(stream.query_table), atlas.tokens(stream.key_table))
        return np.concatenate([np.asarray(of_rows(table), object if text else None) for table in tables])


def unit(values: np.ndarray) -> np.ndarray:
    """Rescale to 0…1; a constant becomes 0."""
    if not len(values):
        return values
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values, dtype=float)
