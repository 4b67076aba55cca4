"""What the page "Scaling" shows beyond the stored study: constants side by side, distance against dot product."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from services.alignment.fitting import Fitted, fitted_of_head, mean_vector
from services.alignment.live import LiveAlignment, aligned_vectors, head_vectors
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.numerics.correlation import pearson, spearman
from services.streams import StreamTokens

Pairs = Literal["input", "all"]
BINS = 90
# All pairs of so many tokens: a million of them.
SAMPLE = 1000
# Pairs within inputs beyond this are those of a sample of queries.
MOST_PAIRS = 2_000_000


@dataclass(frozen=True)
class Density:
    """Distance against dot product of many pairs, as counts.

    counts: int64 [bins of distance, bins of dot product]; edges of both.
    """

    counts: np.ndarray
    distance_edges: np.ndarray
    dot_edges: np.ndarray
    pairs: int
    pearson: float | None
    spearman: float | None
    reason: str | None


@lru_cache(maxsize=256)
def density(
    atlas: Atlas,
    stream: StreamInfo,
    layer: int,
    head: int,
    alignment: LiveAlignment,
    pairs: Pairs = "input",
    bins: int = BINS,
) -> Density:
    """The paper's Figure 4 for one head: distance after aligning it against q·k as the model computes it.

    pairs: "input" those within an input, "all" those of SAMPLE tokens drawn from the whole corpus; masked pairs are
    left out of both. Vectors that are not finite are left out. Kept for the heads asked for last: do not change it.
    """
    vectors = head_vectors(atlas, stream, layer, head)
    fitted = fitted_of_head(atlas, stream, *vectors)
    tokens = atlas.stream_tokens(stream)
    return pair_density(*vectors, tokens, alignment=alignment, pairs=pairs, bins=bins, fitted=fitted)


def pair_density(
    queries: np.ndarray,
    keys: np.ndarray,
    tokens: StreamTokens,
    *,
    alignment: LiveAlignment,
    pairs: Pairs = "input",
    bins: int = BINS,
    fitted: Fitted | None = None,
) -> Density:
    """As `density`, for vectors [n, head_dim] and their tokens. fitted: of which the means are; None: all."""
    queries, keys = np.asarray(queries, np.float64), np.asarray(keys, np.float64)
    rows, columns = (np.flatnonzero(np.isfinite(side).all(axis=1)) for side in (queries, keys))
    counted = (None, None) if fitted is None else (fitted[0][rows], fitted[1][columns])
    means = mean_vector(queries[rows], counted[0]), mean_vector(keys[columns], counted[1])
    if pairs == "all":
        rows, columns = _drawn(rows, SAMPLE), _drawn(columns, SAMPLE)
        runs = tokens.some(rows, columns).runs_by_position()
    else:
        runs = tokens.some(rows, columns).runs_within_inputs()
        total = int(runs.counts.sum())
        if total > MOST_PAIRS:
            rows = _drawn(rows, max(1, len(rows) * MOST_PAIRS // total))
            runs = tokens.some(rows, columns).runs_within_inputs()
    of_query, of_key = runs.pairs()
    left, right = rows[of_query], columns[of_key]
    dots = _paired(queries, keys, left, right)
    aligned = aligned_vectors(queries, keys, means, alignment)
    if alignment.space == "cosine":
        distances = 1.0 - _paired(*aligned, left, right)
    else:
        distances = np.sqrt(np.maximum(_paired_squares(*aligned, left, right), 0.0))
    return _binned(dots, distances, bins)


def _binned(dots: np.ndarray, distances: np.ndarray, bins: int) -> Density:
    edges = [np.linspace(0.0, 1.0, bins + 1)] * 2
    if len(dots) < 3:
        reason = f"the head has {len(dots)} query–key pairs, and a correlation needs at least 3"
        return Density(np.zeros((bins, bins), np.int64), edges[0], edges[1], len(dots), None, None, reason)
    counts, distance_edges, dot_edges = np.histogram2d(distances, dots, bins=bins)
    linear, ranked = pearson(dots, distances), spearman(dots, distances)
    equal = None in (linear, ranked)
    why = "all dot products, or all distances, of the head are equal" if equal else None
    return Density(counts.astype(np.int64), distance_edges, dot_edges, len(dots), linear, ranked, why)


def _drawn(rows: np.ndarray, count: int) -> np.ndarray:
    if len(rows) <= count:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, count, replace=False))


def _paired(a: np.ndarray, b: np.ndarray, left: np.ndarray, right: np.ndarray, step: int = 200_000) -> np.ndarray:
    """a[left] · b[right], pair by pair, a slice at a time: float64 [pairs]."""
    out = np.empty(len(left))
    for begin in range(0, len(left), step):
        part = slice(begin, begin + step)
        out[part] = np.einsum("ij,ij->i", a[left[part]], b[right[part]])
    return out


def _paired_squares(a: np.ndarray, b: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    squares = np.einsum("ij,ij->i", a, a)[left] + np.einsum("ij,ij->i", b, b)[right]
    return squares - 2 * _paired(a, b, left, right)
