"""Which pairs of query and key a score counts: the token before, the same token earlier, a patch of the same row …

A mark depends on tokens and positions alone, never on weights: what even attention would give it is exact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from services.atlas import Atlas, TokenTable
from services.atlas.schema import StreamInfo
from services.modalities.text.marks import is_punctuation

LOCAL = 5  # tokens on either side: the usual window of word embeddings
DIAGONAL = 0.1  # of the length of the text, to either side of the diagonal
SECTOR = 30.0  # degrees of hue that count as one colour
TEXT, IMAGE = "text", "image"


@dataclass(frozen=True, eq=False)
class Side:
    """What marks ask of all queries, or of all keys, of a corpus; one entry a token."""

    code: np.ndarray  # int64: equal tokens have equal codes, of queries and keys alike
    special: np.ndarray
    columns: dict[str, np.ndarray]

    def __getitem__(self, rows: slice) -> "Side":
        return Side(self.code[rows], self.special[rows], {name: column[rows] for name, column in self.columns.items()})


@dataclass(frozen=True, eq=False)
class Pairs:
    """Some queries of one input, from position `start` on, with all of its keys.

    visible: bool [queries, keys] · queries: of the input
    """

    visible: np.ndarray
    query: Side
    key: Side
    start: int
    queries: int

    @property
    def query_position(self) -> np.ndarray:
        return self.start + np.arange(len(self.visible))[:, None]

    @property
    def key_position(self) -> np.ndarray:
        return np.arange(self.visible.shape[1])[None, :]

    @property
    def apart(self) -> np.ndarray:
        """Key position − query position."""
        return self.key_position - self.query_position

    def alike(self, column: str) -> np.ndarray:
        """Pairs of two different tokens of one value; negative values are none."""
        query, key = self.query.columns[column][:, None], self.key.columns[column][None, :]
        return (query == key) & (query >= 0) & (self.apart != 0)


@dataclass(frozen=True)
class Mark:
    """A score that is the weight on some pairs.

    of: the pairs, bool [queries, keys]; what the mask hides is left out afterwards
    over: all: mean over all queries · having: over queries that see such a key
    asked: bool [queries, 1], whom it is about; None: all
    needs: what the stream or its inputs must have
    without: why a head has none, where no query counts · nobody: where no key is such a one
    """

    name: str
    of: Callable[[Pairs], np.ndarray]
    over: Literal["all", "having"]
    without: str
    needs: Literal["", "positions", "cross", "object"] = ""
    modality: str | None = None
    asked: Callable[[Pairs], np.ndarray] | None = None
    nobody: str = ""


def _same_earlier(pairs: Pairs) -> np.ndarray:
    plain = ~pairs.query.special[:, None] & ~pairs.key.special[None, :]
    return (pairs.query.code[:, None] == pairs.key.code[None, :]) & plain & (pairs.apart < 0)


def _after_same(pairs: Pairs) -> np.ndarray:
    """The token after an earlier same token; one that is the same token itself is a duplicate, not an induction."""
    found = np.zeros(pairs.visible.shape, bool)
    key, query = pairs.key, pairs.query
    plain = ~query.special[:, None] & ~key.special[None, 1:] & ~key.special[None, :-1]
    same, other = (query.code[:, None] == key.code[None, at] for at in (slice(None, -1), slice(1, None)))
    found[:, 1:] = same & ~other & plain
    return found & (pairs.apart < 0)


def _neighbour(pairs: Pairs) -> np.ndarray:
    away = [
        np.abs(pairs.query.columns[name][:, None] - pairs.key.columns[name][None, :]).astype(float)
        for name in ("row", "column")
    ]
    patches = ~pairs.query.special[:, None] & ~pairs.key.special[None, :]
    return (np.maximum(*away) == 1) & patches


def _diagonal(pairs: Pairs) -> np.ndarray:
    keys = pairs.visible.shape[1]
    gap = np.abs((pairs.key_position + 0.5) / keys - (pairs.query_position + 0.5) / pairs.queries)
    return gap <= max(DIAGONAL, 0.5 / keys)


def _on_key(flags: Callable[[Side], np.ndarray]) -> Callable[[Pairs], np.ndarray]:
    return lambda pairs: np.broadcast_to(flags(pairs.key)[None, :], pairs.visible.shape)


_NONE = "the corpus has no pair of query and key"
_NO_PATCH = "no patch can see such a patch"
MARKS: tuple[Mark, ...] = (
    Mark("previous", lambda p: p.apart == -1, "having", "no query has a token before it that it can see", "positions"),
    Mark("next", lambda p: p.apart == 1, "having", "no query has a token after it that it can see", "positions"),
    Mark("self", lambda p: p.apart == 0, "having", "no query can see its own token", "positions"),
    Mark("first", lambda p: np.broadcast_to(p.key_position == 0, p.visible.shape), "all", _NONE),
    Mark(
        "first_far",
        lambda p: np.broadcast_to(p.key_position == 0, p.visible.shape),
        "all",
        f"no query is more than {LOCAL} tokens behind the first",
        "positions",
        asked=lambda p: p.query_position > LOCAL,
    ),
    Mark("last", lambda p: np.broadcast_to(p.key_position == p.visible.shape[1] - 1, p.visible.shape), "all", _NONE),
    Mark("local", lambda p: np.abs(p.apart) <= LOCAL, "all", _NONE, "positions"),
    Mark("special", _on_key(lambda key: key.special), "all", _NONE, nobody="no token of the corpus is special"),
    Mark(
        "punctuation",
        _on_key(lambda key: key.columns["punctuation"] > 0),
        "all",
        _NONE,
        modality=TEXT,
        nobody="the corpus has no punctuation",
    ),
    Mark("duplicate", _same_earlier, "having", "no token of the corpus comes twice in an input", "positions", TEXT),
    Mark("induction", _after_same, "having", "no token of the corpus comes twice in an input", "positions", TEXT),
    Mark("diagonal", _diagonal, "all", _NONE, "cross"),
    Mark("same_row", lambda p: p.alike("row"), "having", _NO_PATCH, modality=IMAGE),
    Mark("same_column", lambda p: p.alike("column"), "having", _NO_PATCH, modality=IMAGE),
    Mark("neighbour", _neighbour, "having", _NO_PATCH, modality=IMAGE),
    Mark("same_object", lambda p: p.alike("object"), "having", _NO_PATCH, "object", IMAGE),
    Mark("same_colour", lambda p: p.alike("sector"), "having", "no two patches are of one colour", modality=IMAGE),
    Mark(
        "class_token",
        _on_key(lambda key: key.columns["class"] > 0),
        "all",
        _NONE,
        modality=IMAGE,
        nobody="the model has no class token",
    ),
    Mark(
        "registers",
        _on_key(lambda key: key.columns["register"] > 0),
        "all",
        _NONE,
        modality=IMAGE,
        nobody="the model has no registers",
    ),
)


def counted(mark: Mark, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Which pairs a mark takes, bool [queries, keys], and which queries it is a mean over, bool [queries]."""
    found = mark.of(pairs) & pairs.visible
    asking = np.asarray((found if mark.over == "having" else pairs.visible).any(axis=1))
    if mark.asked is not None:
        asking = asking & mark.asked(pairs)[:, 0]
    return found & asking[:, None], asking


# --- tokens -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def sides(atlas: Atlas, stream: StreamInfo) -> tuple[Side, Side]:
    """Queries and keys of a stream."""
    return sides_of(atlas.tokens(stream.query_table), atlas.tokens(stream.key_table))


def sides_of(*tables: TokenTable) -> tuple[Side, Side]:
    """The tokens of two tables, or of one twice, as queries and keys."""
    every = [np.asarray(table.token, dtype=str) for table in tables]
    codes = np.unique(np.concatenate(every), return_inverse=True)[1].astype(np.int64)
    names = np.unique([str(name) for table in tables for name in table.columns.get("object", ())])
    split = len(every[0])
    return _side(tables[0], codes[:split], names), _side(tables[1], codes[split:], names)


def _side(table: TokenTable, codes: np.ndarray, objects: np.ndarray) -> Side:
    columns = {"punctuation": np.array([is_punctuation(text) for text in table.text], np.int8)}
    if "row" in table.columns and "column" in table.columns:
        patch = ~table.special
        for name in ("row", "column"):
            columns[name] = np.where(patch, np.asarray(table.columns[name], np.int64), -1)
        names = np.asarray(table.token, dtype=str)
        register = np.char.startswith(names, "[REG")
        columns |= {"register": register & table.special, "class": ~register & table.special}
        hue = np.asarray(table.columns.get("hue", np.full(len(table), np.nan)), float)
        sector = np.where(np.isfinite(hue), np.rint(hue / SECTOR) % round(360 / SECTOR), -1)
        columns["sector"] = np.where(patch, sector, -1).astype(np.int64)
    if "object" in table.columns:
        named = np.asarray(table.columns["object"], dtype=str)
        columns["object"] = np.where((named == "") | table.special, -1, np.searchsorted(objects, named))
    return Side(codes, np.asarray(table.special, bool), columns)
