"""Which low-rank parts of a head's joint space tell keys of a query's own kind from others: contrastive covariance.

Lee, Belinkov, Viégas and Wattenberg 2026 (arXiv 2602.04752): the mean of q kᵀ over pairs whose tokens share a feature,
minus that over pairs that do not but are alike otherwise; its singular vectors are the directions of queries and of
keys that the feature lives in. An experiment: there the pairs were made up so as to differ in one feature alone; here
they are pairs of a corpus, matched by the query's kind and by how far the key stands from it. Special tokens and the
first token as a key are left out: their long vectors would drown the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.errors import NotStoredError
from services.measures.kinds import kinds_of
from services.measures.kinds import unavailable as kinds_unavailable

SHUFFLES = 19  # of the kinds within each input: a part beyond all of them stands out at 5 %
MOST_PARTS = 6
LEAST_PAIRS = 200  # of one kind, behind a result
MARKED = 20  # queries and keys that have most of a part
MOST_PAIRS = 60_000_000  # of all inputs, times SHUFFLES: some seconds


@dataclass(frozen=True, eq=False)
class Part:
    """One direction of queries (u) and of keys (v), unit vectors.

    strength: its singular value · gap: what it adds to the mean score of a pair of one kind, over a pair of two, in
    units of scores: strength · (u·v) · scale · queries, keys: mean coordinate of each kind, in standard deviations
    points: ids of the MARKED queries and keys with the largest coordinate, ascending
    """

    strength: float
    gap: float
    queries: np.ndarray
    keys: np.ndarray
    points: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Contrast:
    """parts: those beyond chance, the strongest first, MOST_PARTS at most · beyond: how many there are

    chance: the largest singular value of shuffled kinds · strengths: of all directions, falling
    gap: how much higher the mean score of a pair of one kind is than that of a pair of two; all directions sum to it
    own_half, held_out: what directions of one half of the inputs, as many as are beyond chance, add to that difference
    on the same half and on the other, mean of both ways; None where there are none or too few pairs
    pairs: of one kind · names: of the kinds
    """

    names: tuple[str, ...]
    parts: tuple[Part, ...]
    beyond: int
    chance: float
    strengths: np.ndarray
    gap: float
    own_half: float | None
    held_out: float | None
    pairs: int


_Shuffled = list[tuple[np.ndarray, np.ndarray]]  # kinds of the queries and of the keys of each input


@dataclass(frozen=True, eq=False)
class _Input:
    """One input: vectors, kinds (−1: none), and which pairs count, with the number of their distance."""

    q: np.ndarray
    k: np.ndarray
    of: np.ndarray
    to: np.ndarray
    counts: np.ndarray
    distance: np.ndarray


def _inputs(atlas: Atlas, stream: StreamInfo, layer: int, head: int, attribute: str) -> Iterator[_Input]:
    kinds, blocks = kinds_of(atlas, stream, attribute), atlas.attention(stream)
    queries, keys = atlas.vectors(stream).head(layer, head)
    asking, answering = (atlas.tokens(table) for table in stream.tables)
    same = stream.query_table == stream.key_table
    for index in range(blocks.inputs):
        rows, columns = blocks.rows(index)
        of, to = kinds.queries[rows], kinds.keys[columns]
        distance = answering.position[columns][None, :] - asking.position[rows][:, None]
        plain = (of >= 0) & ~asking.special[rows], (to >= 0) & ~answering.special[columns]
        counts = blocks.visible(index) & plain[0][:, None] & (plain[1] & (answering.position[columns] > 0))[None, :]
        if same:
            counts = counts & (distance != 0)  # a token is of its own kind
        if counts.any():
            yield _Input(queries[rows], keys[columns], of, to, counts, distance)


def _weights(
    inputs: list[_Input], kinds: int, shuffled: _Shuffled | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each input the pairs of one kind, and weights of the others that make these as many of each kind of query at
    each distance: float32 [queries, keys] twice."""
    given = shuffled or [(one.of, one.to) for one in inputs]
    reach = max(int(np.abs(one.distance).max()) for one in inputs) + 1
    width = 2 * reach + 1
    together, apart = np.zeros(kinds * width), np.zeros(kinds * width)
    strata, alike = [], []
    for one, (of, to) in zip(inputs, given, strict=True):
        stratum = of[:, None] * width + one.distance + reach
        same = of[:, None] == to[None, :]
        together += np.bincount(stratum[one.counts & same], minlength=len(together))
        apart += np.bincount(stratum[one.counts & ~same], minlength=len(apart))
        strata.append(stratum)
        alike.append(same)
    both = (together > 0) & (apart > 0)
    share = np.divide(together, apart, out=np.zeros_like(together), where=both)
    for one, stratum, same in zip(inputs, strata, alike, strict=True):
        safe = np.where(one.counts, stratum, 0)
        yield (
            (one.counts & same & both[safe]).astype(np.float32),
            np.where(one.counts & ~same, share[safe], 0).astype(np.float32),
        )


def covariances(inputs: list[_Input], kinds: int, shuffled: _Shuffled | None = None) -> tuple[np.ndarray, np.ndarray]:
    """float64 [2, dims, dims]: the contrast of the even and of the odd inputs, each a mean over its own pairs, with the
    number of pairs of one kind, int [2]."""
    size = inputs[0].q.shape[1]
    sums, pairs = np.zeros((2, size, size)), np.zeros(2)
    for index, (one, (same, other)) in enumerate(zip(inputs, _weights(inputs, kinds, shuffled), strict=True)):
        sums[index % 2] += one.q.T @ ((same - other) @ one.k)
        pairs[index % 2] += same.sum()
    return sums / np.maximum(pairs, 1)[:, None, None], pairs.astype(np.int64)


def _whole(halves: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    return (halves * pairs[:, None, None]).sum(axis=0) / max(1, pairs.sum())


def unavailable(atlas: Atlas, stream: StreamInfo) -> str | None:
    """Why a head cannot be taken apart while one waits, in one sentence; None when it can."""
    why = kinds_unavailable(atlas, stream)
    if why is not None:
        return why
    blocks = atlas.attention(stream)
    pairs = sum(int(np.prod(blocks.shape(index))) for index in range(blocks.inputs))
    return "This atlas has too many pairs to take a head apart while you wait." if pairs > MOST_PAIRS else None


@lru_cache(maxsize=32)
def contrast(atlas: Atlas, stream: StreamInfo, layer: int, head: int, attribute: str) -> Contrast:
    """Take a head's joint space apart by one attribute's kinds.

    Raises:
        KeyError: the atlas has no such kinds.
        NotStoredError: there are too few pairs of one kind.
    """
    inputs = list(_inputs(atlas, stream, layer, head, attribute))
    kinds = kinds_of(atlas, stream, attribute)
    count = len(kinds.names)
    halves, pairs = covariances(inputs, count) if inputs else (np.zeros((2, 1, 1)), np.zeros(2, np.int64))
    if pairs.sum() < LEAST_PAIRS:
        raise NotStoredError(
            f"Only {pairs.sum()} pairs of one kind have others at the same distance: too few to say anything."
        )
    random = np.random.default_rng(0)
    chance = 0.0
    for _ in range(SHUFFLES):
        shuffled = []
        for one in inputs:
            order = random.permutation(len(one.of))
            # where queries and keys are the same tokens they keep one kind
            to = one.to[order] if len(one.to) == len(one.of) else random.permutation(one.to)
            shuffled.append((one.of[order], to))
        chance = max(chance, float(np.linalg.svd(_whole(*covariances(inputs, count, shuffled)), compute_uv=False)[0]))
    whole = _whole(halves, pairs)
    u, strengths, v = np.linalg.svd(whole)
    beyond = int((strengths > chance).sum())
    scale = stream.scaling[layer]
    queries, keys = atlas.vectors(stream).head(layer, head)
    plain = [~atlas.tokens(table).special for table in stream.tables]
    known = [np.where(side, mine, -1) for side, mine in zip(plain, (kinds.queries, kinds.keys), strict=True)]
    parts = []
    for at in range(min(beyond, MOST_PARTS)):
        of, to = queries @ u[:, at], keys @ v[at]
        if of[known[0] >= 0].mean() < 0:  # a pair of directions has no sign of its own
            of, to = -of, -to
        most = [*_most(of, known[0]), *(len(queries) + _most(to, known[1]))]
        parts.append(
            Part(
                float(strengths[at]),
                float(strengths[at] * (u[:, at] @ v[at]) * scale),
                _means(of, known[0], count),
                _means(to, known[1], count),
                tuple(sorted(int(point) for point in most)),
            )
        )
    checked = beyond and pairs.min() >= LEAST_PAIRS / 2
    own_half, held_out = scale * _crossed(halves, beyond) if checked else (None, None)
    gap = float(np.trace(whole) * scale)
    return Contrast(kinds.names, tuple(parts), beyond, chance, strengths, gap, own_half, held_out, int(pairs.sum()))


def _most(values: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Rows of the MARKED largest values of tokens that are of a kind."""
    known = np.flatnonzero(kinds >= 0)
    return known[np.argsort(-values[known], kind="stable")[:MARKED]]


def _means(values: np.ndarray, kinds: np.ndarray, count: int) -> np.ndarray:
    """Mean of each kind, in standard deviations from the mean of all; NaN where there is none of a kind."""
    some = values[kinds >= 0]
    centred = (values - some.mean()) / max(float(some.std()), 1e-12)
    return np.array([centred[kinds == kind].mean() if (kinds == kind).any() else np.nan for kind in range(count)])


def _crossed(halves: np.ndarray, parts: int) -> np.ndarray:
    """float64 [2]: what the strongest directions of a half add to the difference there, and on the other half."""
    found = np.zeros(2)
    for fitted, other in (halves, halves[::-1]):
        u = np.linalg.svd(fitted)[0][:, :parts]
        found += [np.trace(u.T @ one @ u) / 2 for one in (fitted, other)]
    return found
