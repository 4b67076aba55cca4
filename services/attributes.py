"""What a point can be coloured by.

Each attribute maps a token (and, for head attributes, its vector) to a number that becomes one of 256 palette entries:
the first half is for queries, the second for keys, so that side and value are told apart by one byte a point.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from services.atlas import Atlas, TokenTable
from services.schema import StreamInfo
from services.search import without_marks

SIDE_STEPS = 128
Kind = Literal["categorical", "sequential", "cyclic"]


@dataclass(frozen=True)
class Attribute:
    """One way to colour points.

    `values` gives, for a token table, either category numbers (int) or numbers in 0…1 (float).
    `low`/`high` label the ends of a sequential legend; `categories` the entries of a categorical one.
    """

    name: str
    label: str
    kind: Kind
    explain: str
    values: Callable[[TokenTable], np.ndarray]
    low: str = ""
    high: str = ""
    categories: tuple[str, ...] = ()
    scope: Literal["token", "head"] = "token"


_PUNCTUATION = re.compile(r"([^\w\s]|_)+")


def _position(tokens: TokenTable) -> np.ndarray:
    return tokens.position / np.maximum(tokens.length - 1, 1)


def _kind_of_token(tokens: TokenTable) -> np.ndarray:
    bare = (text.strip() for text in tokens.text)
    punctuation = np.fromiter((bool(_PUNCTUATION.fullmatch(text)) for text in bare), bool, len(tokens))
    return np.where(tokens.special, 2, punctuation.astype(int))


def _continuation(tokens: TokenTable) -> np.ndarray:
    same_input = np.concatenate([[False], tokens.input[1:] == tokens.input[:-1]])
    same_word = np.concatenate([[False], (tokens.word[1:] == tokens.word[:-1]) & (tokens.word[1:] >= 0)])
    return np.where(tokens.special, 2, (same_input & same_word).astype(int))


def _token_length(tokens: TokenTable) -> np.ndarray:
    return _unit(np.fromiter((len(without_marks(text)) for text in tokens.text), float, len(tokens)))


def _input_length(tokens: TokenTable) -> np.ndarray:
    return _unit(tokens.length.astype(float))


def _frequency(tokens: TokenTable) -> np.ndarray:
    _, inverse, counts = np.unique(np.asarray(tokens.token), return_inverse=True, return_counts=True)
    return _unit(np.log(counts[inverse]))


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
        explain="Number of characters of the token, over this corpus.",
        values=_token_length,
        low="short",
        high="long",
    ),
    Attribute(
        name="input_length",
        label="Input length",
        kind="sequential",
        explain="Number of tokens of the input that the token belongs to.",
        values=_input_length,
        low="short",
        high="long",
    ),
    Attribute(
        name="frequency",
        label="Frequency",
        kind="sequential",
        explain="How often the token occurs in this corpus, on a logarithmic scale.",
        values=_frequency,
        low="rare",
        high="common",
    ),
)
BY_NAME = {attribute.name: attribute for attribute in ATTRIBUTES}


def _steps(attribute: Attribute, tokens: TokenTable) -> np.ndarray:
    values = attribute.values(tokens)
    if attribute.kind == "sequential":
        return np.rint(np.clip(values, 0, 1) * (SIDE_STEPS - 1)).astype(np.uint8)
    return np.clip(values, 0, SIDE_STEPS - 1).astype(np.uint8)


@lru_cache(maxsize=64)
def _table_steps(atlas: Atlas, table: str, attribute: Attribute) -> np.ndarray:
    return _steps(attribute, atlas.tokens(table))


def point_values(atlas: Atlas, stream: StreamInfo, attribute: Attribute) -> np.ndarray:
    """uint8 [queries + keys]: palette index of each point, keys in the upper half."""
    queries = _table_steps(atlas, stream.query_table, attribute)
    keys = _table_steps(atlas, stream.key_table, attribute)
    return np.concatenate([queries, keys + SIDE_STEPS])
