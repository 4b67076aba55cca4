"""The query–key pairs of one head, and its metrics at any c from one Gram matrix.

After scale and translation a pair's distance is ‖c(q − q̄) − (k − k̄)/c‖, so with a = ‖q − q̄‖², b = ‖k − k̄‖² and
g = (q − q̄)·(k − k̄) it is √(c² a + b/c² − 2 g) for every c. The raw dot product is g + (q − q̄)·k̄ + (k − k̄)·q̄ and a
constant that no correlation notices.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.alignment.fitting import Fitted, mean_vector
from services.numerics.correlation import clipped, mean_within, pearson, ranks, ranks_within, weighted_correlation
from services.streams import KeyRuns, Places, StreamTokens

PERCENTILE = 0.5  # of the head's distances: the threshold d of the seed
LEAST_PAIRS = 3  # any two points lie on a line: with fewer, a correlation is ±1 whatever the head does
# Up to this many pairs, every distance is a candidate for the threshold; beyond, a sample bounds it first.
SAMPLED_BEYOND = 20_000
SAMPLE_SHARE = 25
LARGEST_SAMPLE = 60_000
# A spread of distances below this share of the vectors' own size is rounding: √ of float64's resolution.
ROUNDING = 1e-7


@dataclass(frozen=True)
class PairChoice:
    """Which pairs count and how their distance is taken; the defaults are the reading of docs/alignment.md.

    pairs: "input" pairs within an input, "all" pairs of `sample` tokens drawn from the whole corpus
    distance: "euclidean" or "cosine" · translate: keys moved so that both centroids coincide, as on the maps
    per_query: correlations within each query's pairs, averaged, instead of over all pairs at once
    """

    pairs: Literal["input", "all"] = "input"
    distance: Literal["euclidean", "cosine"] = "euclidean"
    translate: bool = True
    per_query: bool = False
    sample: int = 2500
    seed: int = 0


@dataclass(frozen=True)
class ScaleFigures:
    """What one c does to one head; None where a correlation is not defined.

    The weighted correlation is over pairs nearer than a threshold d, with weights (d − dᵢ)². d is the 0.5 percentile
    of the distances either at this c (`weighted`) or before scaling, at c = 1 (`weighted_unscaled`); `near` counts the
    pairs under the latter.
    """

    c: float
    pearson: float | None
    spearman: float | None
    weighted: float | None
    threshold: float | None
    weighted_unscaled: float | None
    near: int


class HeadPairs:
    """One head, ready to be measured at any c. Made by `head_pairs`.

    `undefined`: why nothing can be measured, or None.
    """

    def __init__(
        self,
        queries: np.ndarray,
        keys: np.ndarray,
        runs: KeyRuns,
        whole: bool,
        choice: PairChoice,
        means: tuple[np.ndarray, ...],
    ) -> None:
        """queries, keys float64, less their means when translated.

        whole: most keys count for most queries, so that one matrix product gives all of them.
        """
        from services.alignment import pair_kernels as kernels

        self._kernels = kernels
        self.choice = choice
        self._first, self._stop = runs.first, runs.stop
        self._offsets = np.concatenate([[0], np.cumsum(runs.stop - runs.first)])
        self._counts = (runs.stop - runs.first).astype(np.float64)
        self.pairs = int(self._offsets[-1])
        self._begins = self._offsets[:-1]
        entry: np.ndarray | slice = slice(None)  # which key each entry of the runs is
        if runs.repeats:
            entry = runs.order
            self._gram = np.empty(self.pairs)
            kernels.gram_entries(queries, keys, runs.order, runs.first, runs.stop, self._offsets, self._gram)
        else:
            keys = np.ascontiguousarray(keys[runs.order])
            if whole:
                self._gram = (queries @ keys.T).ravel()
                self._begins = runs.first + np.arange(len(queries)) * len(keys)
            else:
                self._gram = np.empty(self.pairs)
                kernels.gram_runs(queries, keys, runs.first, runs.stop, self._offsets, self._gram)
        query_mean, key_mean = means
        self._query_squares = np.einsum("ij,ij->i", queries, queries)
        self._key_squares = np.einsum("ij,ij->i", keys, keys)[entry]
        self._u, self._v = queries @ key_mean, (keys @ query_mean)[entry]
        self._mean_square = float(query_mean @ query_mean)
        if choice.distance == "cosine":
            raw = queries + query_mean
            self._query_raw, self._query_on_mean = np.einsum("ij,ij->i", raw, raw), raw @ query_mean
        # Upper bounds on the squared size of any raw vector: what rounding is measured against.
        self._sizes = tuple(
            (np.sqrt(squares.max(initial=0.0)) + np.sqrt(mean @ mean)) ** 2
            for squares, mean in ((self._query_squares, query_mean), (self._key_squares, key_mean))
        )
        self._centre_dots()
        self._near_d, self._near_x, self._near_row = np.empty(0), np.empty(0), np.empty(0, np.int64)
        self._fixed: float | None = None
        self.undefined = self._why_undefined()

    def _centre_dots(self) -> None:
        """Moves x so that its mean is 0: sums of products then lose no digits."""
        sums = self._kernels.dot_sums(self._gram, self._begins, self._first, self._stop, self._u, self._v)
        mean = sums[:, 0].sum() / max(self.pairs, 1)
        self._u = self._u - mean
        sums[:, 1] += mean * (self._counts * mean - 2 * sums[:, 0])
        sums[:, 0] -= self._counts * mean
        self._x_sums = sums

    def _why_undefined(self) -> str | None:
        if self.pairs < LEAST_PAIRS:
            return f"the head has {self.pairs} query–key pairs, and a correlation needs at least {LEAST_PAIRS}"
        spread = self._x_sums[:, 1].sum() / self.pairs
        if spread <= (1e-9 * np.sqrt(self._sizes[0] * self._sizes[1])) ** 2:
            return "all dot products of the head are equal"
        return None

    def _geometry(self, c: float) -> tuple[bool, np.ndarray, np.ndarray, np.ndarray]:
        """cosine?, numbers of the queries [rows, 2], of the keys [keys] twice, as the kernels take them."""
        rows = np.zeros((len(self._first), 2))
        if self.choice.distance == "euclidean":
            rows[:, 0] = c * c * self._query_squares
            return False, rows, self._key_squares / (c * c), self._key_squares
        along = self._v  # (k − k̄)·q̄, or 0 when nothing is translated
        rows[:, 0] = c * c * self._query_on_mean
        norms = np.sqrt(self._query_raw)
        rows[:, 1] = _inverse(norms)
        squares = self._key_squares / (c * c) + 2 * along + c * c * self._mean_square
        return True, rows, along, _inverse(c * np.sqrt(np.maximum(squares, 0.0)))

    def distances(self, c: float) -> np.ndarray:
        """Distances of all pairs at c: float64 [pairs], query after query."""
        out = np.empty(self.pairs)
        shape = self._begins, self._first, self._stop, self._offsets
        self._kernels.all_distances(self._gram, *shape, *self._geometry(c), out)
        return out

    def dots(self) -> np.ndarray:
        """Dot products of all pairs less their mean: float64 [pairs], in the order of `distances`."""
        out = np.empty(self.pairs)
        shape = self._begins, self._first, self._stop, self._offsets
        self._kernels.all_dots(self._gram, *shape, self._u, self._v, out)
        return out

    def density(self, c: float, bins: int = 80) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distance against dot product (the paper's Figure 4), drawn for any number of pairs.

        Returns:
            counts int64 [bins of distance, bins of dot product], edges of both. Dot products are less their mean.
        """
        if not self.pairs:
            return np.zeros((bins, bins), np.int64), np.linspace(0, 1, bins + 1), np.linspace(0, 1, bins + 1)
        counts, distance_edges, dot_edges = np.histogram2d(self.distances(c), self.dots(), bins=bins)
        return counts.astype(np.int64), distance_edges, dot_edges

    @property
    def unscaled_threshold(self) -> float | None:
        """d at c = 1: the 0.5 percentile of the distances before scaling."""
        if self._fixed is None and self.undefined is None:
            self._fixed = self._pass(1.0, None)[1]
        return self._fixed

    def measure(self, c: float, *, spearman: bool = True) -> ScaleFigures:
        """All metrics at one c; Spearman's costs a sort of all pairs and can be left out."""
        if not (np.isfinite(c) and c > 0):
            raise ValueError(f"c must be a positive number, not {c!r}")
        if self.undefined is not None:
            return ScaleFigures(c, None, None, None, None, None, 0)
        fixed = self.unscaled_threshold
        sums, threshold, count = self._pass(c, fixed)
        if not self._spreads(c, sums):
            return ScaleFigures(c, None, None, None, None, None, 0)
        weighted_unscaled, near = self._weighted(fixed, count)
        return ScaleFigures(
            c=c,
            pearson=self._pearson(sums),
            spearman=self._spearman(c) if spearman else None,
            weighted=self._weighted(threshold, count)[0],
            threshold=threshold,
            weighted_unscaled=weighted_unscaled,
            near=near,
        )

    def _pass(self, c: float, also: float | None) -> tuple[np.ndarray, float, int]:
        """One pass at c: row sums, the threshold, and how many candidates lie in the near buffers.

        The candidates hold every pair under the threshold and every pair under `also`.
        """
        geometry = self._geometry(c)
        position = PERCENTILE / 100 * (self.pairs - 1)
        needed = int(position) + 2  # order statistics on both sides of the percentile
        sums = np.empty((len(self._first), 3))
        bound = max(self._upper_bound(geometry), also if also is not None else -np.inf)
        while True:
            count = self._kernels.measure_rows(
                self._gram,
                self._begins,
                self._first,
                self._stop,
                *geometry,
                self._u,
                self._v,
                bound,
                sums,
                self._near_d,
                self._near_x,
                self._near_row,
            )
            if count > len(self._near_d):
                room = min(self.pairs, count + count // 4)
                self._near_d, self._near_x = np.empty(room), np.empty(room)
                self._near_row = np.empty(room, np.int64)
            elif count < min(needed, self.pairs):
                bound = np.inf
            else:
                break
        return sums, _percentile(self._near_d[:count], position), count

    def _upper_bound(self, geometry: tuple[bool, np.ndarray, np.ndarray, np.ndarray]) -> float:
        """A distance that is almost surely above the threshold, from a sample; infinity for few pairs."""
        if self.pairs <= SAMPLED_BEYOND:
            return np.inf
        row, column, gram = self._sampled_pairs
        cosine, a, b, s = geometry
        if cosine:
            found = 1.0 - (gram + b[column] + a[row, 0]) * s[column] * a[row, 1]
        else:
            found = np.sqrt(np.maximum(a[row, 0] + b[column] - 2 * gram, 0.0))
        expected = PERCENTILE / 100 * len(found)
        place = int(expected + 6 * np.sqrt(expected) + 2)  # six standard deviations
        return float(np.partition(found, place)[place])

    @property
    def _sampled_pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if not hasattr(self, "_sample"):
            size = min(LARGEST_SAMPLE, self.pairs // SAMPLE_SHARE)
            chosen = np.random.default_rng(self.choice.seed).integers(0, self.pairs, size)
            row = np.searchsorted(self._offsets, chosen, side="right") - 1
            within = chosen - self._offsets[row]
            self._sample = row, self._first[row] + within, self._gram[self._begins[row] + within]
        return self._sample

    def _spreads(self, c: float, sums: np.ndarray) -> bool:
        """Whether the distances differ at all, beyond rounding."""
        mean = sums[:, 0].sum() / self.pairs
        variance = sums[:, 1].sum() / self.pairs - mean * mean
        size = 1.0
        if self.choice.distance == "euclidean":
            size = c * c * self._sizes[0] + self._sizes[1] / (c * c)
        return bool(variance > ROUNDING**2 * size)

    def _pearson(self, sums: np.ndarray) -> float | None:
        counts = self._counts
        x1, x2 = self._x_sums.T
        d1, d2, xd = sums.T
        if not self.choice.per_query:
            counts, x1, x2, d1, d2, xd = (np.array([v.sum()]) for v in (counts, x1, x2, d1, d2, xd))
        counted = counts >= LEAST_PAIRS
        n = np.where(counted, counts, 1.0)
        var_x, var_d, cov = x2 - x1 * x1 / n, d2 - d1 * d1 / n, xd - x1 * d1 / n
        defined = counted & (var_x > 1e-12 * x2) & (var_d > 1e-12 * d2)
        if not defined.any():
            return None
        return clipped(float(np.mean(cov[defined] / np.sqrt(var_x[defined] * var_d[defined]))))

    def _spearman(self, c: float) -> float | None:
        distances = self.distances(c)
        if self.choice.per_query:
            rows = self._rows()
            return mean_within(ranks_within(self.dots(), rows), ranks_within(distances, rows), rows)
        if not hasattr(self, "_dot_ranks"):
            self._dot_ranks = ranks(self.dots())
        return pearson(self._dot_ranks, ranks(distances))

    def _rows(self) -> np.ndarray:
        return np.repeat(np.arange(len(self._first)), np.diff(self._offsets))

    def _weighted(self, threshold: float | None, count: int) -> tuple[float | None, int]:
        """The weighted correlation under a threshold, and how many pairs it is over."""
        if threshold is None:
            return None, 0
        near = np.flatnonzero(self._near_d[:count] < threshold)
        if len(near) < LEAST_PAIRS:
            return None, len(near)
        d, x = self._near_d[near], self._near_x[near]
        weights = (threshold - d) ** 2
        if self.choice.per_query:
            return mean_within(x, d, self._near_row[near], weights), len(near)
        return weighted_correlation(x, d, weights), len(near)


def head_pairs(
    queries: np.ndarray,
    keys: np.ndarray,
    tokens: StreamTokens,
    *,
    choice: PairChoice | None = None,
    fitted: Fitted | None = None,
) -> HeadPairs:
    """Prepare one head.

    Args:
        queries: [n_queries, head_dim], as the model dots them.
        keys: [n_keys, head_dim].
        tokens: of the queries and the keys. Pairs that their mask hides are left out; among all pairs this holds across
            inputs as well: no text could put that key where the query sees it.
        fitted: the queries and keys whose means translation brings together; None: all.

    Vectors that are not finite are left out.
    """
    choice = choice or PairChoice()
    sides: list[tuple[np.ndarray, Places]] = []
    means = []
    for vectors, places, counted in zip(
        (queries, keys), (tokens.queries, tokens.keys), fitted or (None, None), strict=True
    ):
        vectors = np.asarray(vectors, np.float64)
        good: np.ndarray | slice = slice(None)
        if not np.isfinite(vectors.sum()):  # a cheap sign that there may be some
            good = np.isfinite(vectors).all(axis=1)
        vectors, places = vectors[good], places[good]
        mean = mean_vector(vectors, None if counted is None else counted[good])
        means.append(mean if choice.translate else np.zeros_like(mean))
        kept = _drawn(len(vectors), choice)
        sides.append((vectors[kept] - means[-1], places[kept]))
    (q, query_places), (k, key_places) = sides
    chosen = StreamTokens(tokens.mask, query_places, key_places)
    whole = choice.pairs == "all"
    runs = chosen.runs_by_position() if whole else chosen.runs_within_inputs()
    return HeadPairs(q, k, runs, whole, choice, tuple(means))


def _drawn(n: int, choice: PairChoice) -> np.ndarray | slice:
    """Which tokens take part: all, or a sample; the same for queries and keys of a self-attention head."""
    if choice.pairs == "input" or n <= choice.sample:
        return slice(None)
    return np.sort(np.random.default_rng(choice.seed).choice(n, choice.sample, replace=False))


def _inverse(values: np.ndarray) -> np.ndarray:
    """1 / values, and 0 for 0: the cosine with a zero vector counts as 0."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)


def _percentile(values: np.ndarray, position: float) -> float:
    """The order statistic at a fractional position, interpolated as numpy.percentile does."""
    low = int(position)
    high = min(low + 1, len(values) - 1)
    found = np.partition(values, (low, high))
    return float(found[low] + (found[high] - found[low]) * (position - low))
