"""Attention from kind to kind: how much nouns attend to pronouns, patches of a dog to patches of the grass.

Of each pair of kinds the mean weight that a query of the one puts on all keys of the other that it sees, over queries
that see one; its lift is that over what even attention on the same inputs gives. Kinds are the categories of a token
attribute.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.atlas import Atlas, AttentionBlocks
from services.atlas.schema import StreamInfo
from services.attributes.registry import attribute_of, in_atlas, listed, why_not
from services.measures.averages import MOST_FOR_ALL, MOST_FOR_HEAD
from services.numerics.bootstrap import ratio_interval

LEAST_QUERIES = 20  # behind a cell that says something
STRONGEST = 30  # pairs of a cell that are shown
MOST_KINDS = 14
PREFERRED = ("pos", "object", "kind", "patch_kind")  # what an atlas opens with: the first it has


@dataclass(frozen=True, eq=False)
class Kinds:
    """The kinds of an atlas's tokens: names, and the number of each query and each key, −1 for none of them."""

    names: tuple[str, ...]
    queries: np.ndarray
    keys: np.ndarray


@dataclass(frozen=True, eq=False)
class KindMatrix:
    """One head: [query kinds, key kinds], NaN where no query sees such a key.

    weight: mean weight · even: the same of even attention · low, high: ends of the 95 % interval of the weight over
    inputs · queries: int64, how many stand behind a cell · names: of the kinds · to: of the columns, where they are not
    the kinds again
    """

    names: tuple[str, ...]
    weight: np.ndarray
    even: np.ndarray
    low: np.ndarray
    high: np.ndarray
    queries: np.ndarray
    to: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.to or self.names

    def title(self, query: int, key: int) -> str:
        """A cell's name: "noun → pronoun", or "nsubj: word → its head"."""
        return f"{self.names[query]}{': ' if self.to else ' → '}{self.columns[key]}"

    @property
    def lift(self) -> np.ndarray:
        """Weight over even; 1 is what even attention gives."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.weight / self.even

    @property
    def enough(self) -> np.ndarray:
        """bool: cells with LEAST_QUERIES behind them."""
        return self.queries >= LEAST_QUERIES


@lru_cache(maxsize=32)
def offered(atlas: Atlas) -> tuple[str, ...]:
    """Names of the attributes whose categories are kinds of tokens, the one that an atlas opens with first."""
    found = [
        one.name
        for one in listed(atlas.info.modality)
        if one.kind in ("categorical", "cyclic") and one.scope == "token" and not why_not(atlas, one)
    ]
    found = [name for name in found if len(in_atlas(atlas, attribute_of(name)).categories) > 1]
    return tuple(sorted(found, key=lambda name: PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)))


@lru_cache(maxsize=16)
def kinds_of(atlas: Atlas, stream: StreamInfo, attribute: str) -> Kinds:
    """The MOST_KINDS most frequent kinds.

    Raises:
        KeyError: the atlas has no such kinds.
    """
    if attribute not in offered(atlas):
        raise KeyError(attribute)
    known = in_atlas(atlas, attribute_of(attribute))
    values = np.asarray(known.values(atlas, stream)).astype(np.int64)
    counts = np.bincount(values, minlength=len(known.categories))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_KINDS])
    kept = kept[counts[kept] > 0]
    number = np.full(len(counts), -1)
    number[kept] = np.arange(len(kept))
    split = atlas.points(stream)[0]
    names = tuple(str(known.categories[kind]) for kind in kept)
    return Kinds(names, number[values[:split]], number[values[split:]])


def unavailable(atlas: Atlas, stream: StreamInfo) -> str | None:
    """Why there is no such matrix, in one sentence; None when there is."""
    blocks = atlas.attention(stream)
    if not blocks.kept:
        return "This atlas keeps no attention weights of this kind."
    if blocks.weights_of_head > MOST_FOR_HEAD:
        return "This atlas has too many weights to sum them up while you wait."
    return None if offered(atlas) else "The tokens of this atlas are of no kinds."


def _one_hot(numbers: np.ndarray, kinds: int) -> np.ndarray:
    return (numbers[:, None] == np.arange(kinds)).astype(np.float32)


@lru_cache(maxsize=64)
def kind_matrix(atlas: Atlas, stream: StreamInfo, layer: int, head: int, attribute: str) -> KindMatrix:
    """Of one head, with intervals.

    Raises:
        KeyError: the atlas has no such kinds.
    """
    kinds = kinds_of(atlas, stream, attribute)
    size, blocks = len(kinds.names), atlas.attention(stream)
    above, even, asked = (np.zeros((blocks.inputs, size, size)) for _ in range(3))
    for index in inputs_of(blocks):
        of, to, visible = _sides(blocks, index, kinds)
        seen = visible @ to
        asking = seen > 0
        share = seen / np.maximum(visible.sum(axis=1, keepdims=True), 1)
        weights = blocks.block(index, layer, head).astype(np.float32)
        above[index] = of.T @ (weights @ to)
        even[index], asked[index] = of.T @ share, of.T @ asking
    total = asked.sum(axis=0)
    low, high = ratio_interval(above.reshape(len(above), -1, 1), asked.reshape(len(asked), -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        weight, base = above.sum(axis=0) / total, even.sum(axis=0) / total
    shape = (size, size)
    return KindMatrix(kinds.names, weight, base, low.reshape(shape), high.reshape(shape), total.astype(np.int64))


def inputs_of(blocks: AttentionBlocks) -> Iterator[int]:
    """Inputs that have queries and keys."""
    return (index for index in range(blocks.inputs) if all(blocks.shape(index)))


def _sides(blocks: AttentionBlocks, index: int, kinds: Kinds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One-hot kinds of an input's queries and keys, and what its mask shows, float32."""
    queries, keys = blocks.rows(index)
    size = len(kinds.names)
    visible = blocks.visible(index).astype(np.float32)
    return _one_hot(kinds.queries[queries], size), _one_hot(kinds.keys[keys], size), visible


@lru_cache(maxsize=8)
def lift_of_all(atlas: Atlas, stream: StreamInfo, attribute: str, query: str, key: str) -> np.ndarray | None:
    """float64 [layers, heads]: the lift of one cell in every head; None when the atlas is too large for it.

    Raises:
        KeyError: the atlas has no such kinds.
    """
    blocks, kinds = atlas.attention(stream), kinds_of(atlas, stream, attribute)
    if query not in kinds.names or key not in kinds.names:
        raise KeyError(f"{query} → {key}")
    if blocks.length > MOST_FOR_ALL:
        return None
    asked, answered = kinds.names.index(query), kinds.names.index(key)
    above, even = np.zeros((stream.layers, stream.heads)), 0.0
    for index in inputs_of(blocks):
        rows, columns = blocks.rows(index)
        of, to = kinds.queries[rows] == asked, kinds.keys[columns] == answered
        if not (of.any() and to.any()):
            continue
        visible = blocks.visible(index)[of]
        even += float((visible[:, to].sum(axis=1) / np.maximum(visible.sum(axis=1), 1)).sum())
        for layer in range(stream.layers):
            above[layer] += blocks.of_layer(index, layer)[:, of][:, :, to].sum(axis=(1, 2), dtype=np.float64)
    return above / even if even else np.full(above.shape, np.nan)


def strongest_pairs(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, attribute: str, query: str, key: str
) -> list[int]:
    """Point ids of the STRONGEST pairs of a cell, queries and keys, ascending.

    Raises:
        KeyError: the atlas has no such kinds.
    """
    blocks, kinds = atlas.attention(stream), kinds_of(atlas, stream, attribute)
    if query not in kinds.names or key not in kinds.names:
        raise KeyError(f"{query} → {key}")
    asked, answered = kinds.names.index(query), kinds.names.index(key)
    found: list[tuple[float, int, int]] = []
    points = atlas.points(stream)[0]
    for index in inputs_of(blocks):
        rows, columns = blocks.rows(index)
        of, to = np.flatnonzero(kinds.queries[rows] == asked), np.flatnonzero(kinds.keys[columns] == answered)
        visible = blocks.visible(index)[np.ix_(of, to)]
        weights = np.where(visible, blocks.block(index, layer, head)[np.ix_(of, to)], 0)
        best = np.argsort(-weights, axis=None, kind="stable")[:STRONGEST]
        for one in best.tolist():
            q, k = divmod(one, len(to))
            if weights[q, k] > 0:
                found.append((-float(weights[q, k]), rows.start + int(of[q]), points + columns.start + int(to[k])))
    chosen = sorted(found)[:STRONGEST]
    return sorted({point for _, *pair in chosen for point in pair})
