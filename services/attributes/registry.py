"""What a point can be coloured by.

Each attribute maps a token (or, for head attributes, its vector) to a number that becomes one of 256 palette entries:
the first half is for queries, the second for keys, so that side and value are told apart by one byte a point.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from services.atlas import Atlas, TokenTable
from services.atlas.schema import StreamInfo
from services.attributes import norms
from services.modalities.text.columns import has_tags, tags, words
from services.modalities.text.marks import is_punctuation, without_marks
from services.modalities.text.parts_of_speech import GROUP_OF, GROUPS, UNTAGGED

SIDE_STEPS = norms.STEPS
Kind = Literal["categorical", "sequential", "cyclic"]


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
class Attribute:
    """One way to colour points.

    `values` gives, for a token table, either category numbers (int) or numbers in 0…1 (float); a head attribute has
    none, as it depends on the head's vectors. `low`/`high` label the ends of a sequential legend, `scale` says what
    they are in numbers in one atlas; `categories` are the entries of a categorical legend.
    """

    name: str
    label: str
    kind: Kind
    explain: str
    values: Callable[[TokenTable], np.ndarray] | None = None
    low: str = ""
    high: str = ""
    scale: Callable[[TokenTable], Scale] | None = None
    categories: tuple[str, ...] = ()
    scope: Literal["token", "head"] = "token"


def _position(tokens: TokenTable) -> np.ndarray:
    return tokens.position / np.maximum(tokens.length - 1, 1)


def _kind_of_token(tokens: TokenTable) -> np.ndarray:
    punctuation = np.fromiter(map(is_punctuation, tokens.text), bool, len(tokens))
    return np.where(tokens.special, 2, punctuation.astype(int))


def _continuation(tokens: TokenTable) -> np.ndarray:
    same_input = np.concatenate([[False], tokens.input[1:] == tokens.input[:-1]])
    word = words(tokens)
    same_word = np.concatenate([[False], (word[1:] == word[:-1]) & (word[1:] >= 0)])
    return np.where(tokens.special, 2, (same_input & same_word).astype(int))


def _characters(tokens: TokenTable) -> np.ndarray:
    return np.fromiter((len(without_marks(text)) for text in tokens.text), float, len(tokens))


def _counts(tokens: TokenTable) -> np.ndarray:
    _, inverse, counts = np.unique(np.asarray(tokens.token), return_inverse=True, return_counts=True)
    return counts[inverse]


def _part_of_speech(tokens: TokenTable) -> np.ndarray:
    other = GROUP_OF[""]
    return np.fromiter((GROUP_OF.get(tag, other) for tag in tags(tokens) or [""] * len(tokens)), int, len(tokens))


def _scale_of(values: np.ndarray, logarithmic: bool, form: str) -> Scale:
    low, high = (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)
    return Scale(low, high, logarithmic, form)


def _unit(values: np.ndarray) -> np.ndarray:
    """Rescale to 0…1; a constant becomes 0."""
    if not len(values):
        return values
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values, dtype=float)


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(
        name="type",
        label="Query or key",
        kind="categorical",
        explain="Each token appears twice: as a query (what it looks for) and as a key (what it offers).",
        values=lambda tokens: np.zeros(len(tokens), dtype=int),
        categories=("token",),
    ),
    Attribute(
        name="position",
        label="Position",
        kind="sequential",
        explain="Where the token stands in its input, from the first to the last token.",
        values=_position,
        low="first",
        high="last",
    ),
    Attribute(
        name="position5",
        label="Position mod 5",
        kind="cyclic",
        explain="Position divided by five, the remainder: shows heads that look a fixed distance away.",
        values=lambda tokens: tokens.position % 5,
        categories=("0", "1", "2", "3", "4"),
    ),
    Attribute(
        name="kind",
        label="Word, punctuation, special",
        kind="categorical",
        explain="Special tokens are added by the tokenizer: [CLS], [SEP], <s> and the like.",
        values=_kind_of_token,
        categories=("word", "punctuation", "special"),
    ),
    Attribute(
        name="subword",
        label="Start or continuation of a word",
        kind="categorical",
        explain="Long or rare words are cut into pieces; a continuation is any piece but the first.",
        values=_continuation,
        categories=("start", "continuation", "special"),
    ),
    Attribute(
        name="token_length",
        label="Token length",
        kind="sequential",
        explain="Number of characters of the token, from the shortest to the longest of this corpus.",
        values=lambda tokens: _unit(_characters(tokens)),
        low="short",
        high="long",
        scale=lambda tokens: _scale_of(_characters(tokens), False, "{:.0f} characters"),
    ),
    Attribute(
        name="input_length",
        label="Input length",
        kind="sequential",
        explain="Number of tokens of the input that the token belongs to.",
        values=lambda tokens: _unit(tokens.length.astype(float)),
        low="short",
        high="long",
        scale=lambda tokens: _scale_of(tokens.length, False, "{:.0f} tokens"),
    ),
    Attribute(
        name="frequency",
        label="Frequency",
        kind="sequential",
        explain="How often the token occurs in this corpus, on a logarithmic scale.",
        values=lambda tokens: _unit(np.log(_counts(tokens))),
        low="rare",
        high="common",
        scale=lambda tokens: _scale_of(_counts(tokens), True, "{:,.0f}×"),
    ),
    Attribute(
        name="pos",
        label="Part of speech",
        kind="categorical",
        explain="The Universal part of speech of the word the token belongs to, as a tagger sees it: a few are wrong.",
        values=_part_of_speech,
        categories=tuple(label for label, _ in GROUPS),
    ),
    Attribute(
        name=norms.PER_HEAD,
        label="Embedding norm",
        kind="sequential",
        explain="Length of the query or key vector, on each head's own scale: colours of two heads cannot be compared.",
        low="shortest",
        high="longest",
        scope="head",
    ),
    Attribute(
        name=norms.COMMON,
        label="Embedding norm",
        kind="sequential",
        explain="Length of the query or key vector, on one scale for all heads: the same colour is the same length.",
        low="shortest",
        high="longest",
        scope="head",
    ),
)
BY_NAME = {attribute.name: attribute for attribute in ATTRIBUTES}


def values_of(attribute: Attribute, tokens: TokenTable) -> np.ndarray:
    """A token attribute's values of every row. Raises: KeyError for an attribute of heads, which has none."""
    if attribute.values is None:
        raise KeyError(attribute.name)
    return attribute.values(tokens)


def why_not(atlas: Atlas, attribute: Attribute) -> str | None:
    """Why an atlas cannot be coloured by an attribute, in one sentence; None when it can."""
    if attribute.name != "pos" or has_tags(atlas):
        return None
    said = next((note for note in atlas.info.corpus.notes if note.startswith(UNTAGGED)), None)
    return said or f"{UNTAGGED}: this atlas was built without a tagger; build it again with --overwrite."


def _steps(attribute: Attribute, tokens: TokenTable) -> np.ndarray:
    values = values_of(attribute, tokens)
    if attribute.kind == "sequential":
        return np.rint(np.clip(values, 0, 1) * (SIDE_STEPS - 1)).astype(np.uint8)
    return np.clip(values, 0, SIDE_STEPS - 1).astype(np.uint8)


@lru_cache(maxsize=64)
def _table_steps(atlas: Atlas, table: str, attribute: Attribute) -> np.ndarray:
    return _steps(attribute, atlas.tokens(table))


def point_values(atlas: Atlas, stream: StreamInfo, attribute: Attribute) -> np.ndarray:
    """uint8 [queries + keys]: palette index of each point, keys in the upper half.

    Raises:
        KeyError: the attribute differs by head; see `head_point_values`.
    """
    queries = _table_steps(atlas, stream.query_table, attribute)
    keys = _table_steps(atlas, stream.key_table, attribute)
    return np.concatenate([queries, keys + SIDE_STEPS])


def head_point_values(atlas: Atlas, stream: StreamInfo, attribute: Attribute, layer: int, head: int) -> np.ndarray:
    """uint8 [queries + keys]: palette index of each point of one head, keys in the upper half.

    Raises:
        KeyError: the attribute is the same for all heads; see `point_values`.
    """
    if attribute.scope != "head":
        raise KeyError(attribute.name)
    steps = norms.head_steps(atlas, stream, attribute.name, layer, head).copy()
    steps[atlas.points(stream)[0] :] += SIDE_STEPS
    return steps


def scale_of(atlas: Atlas, stream: StreamInfo, attribute: Attribute, head: tuple[int, int] | None) -> Scale | None:
    """What the ends of a colouring are in numbers; None where they are not numbers, or differ from head to head.

    Args:
        head: the open head as (layer, head); None for the matrix.
    """
    if attribute.scope == "head":
        if attribute.name != norms.COMMON and head is None:
            return None
        return Scale(*norms.norm_range(atlas, stream, attribute.name, *(head or (0, 0))))
    # The scale of a table's own tokens; where queries and keys have tables of their own, that of the queries.
    return attribute.scale(atlas.tokens(stream.query_table)) if attribute.scale else None
