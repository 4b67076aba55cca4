"""How far the map of a head can be believed: distance on screen against attention, and neighbours kept.

docs/alignment.md explains every measure. "Distance" measures are best at −1, shares and trustworthiness at 1.
Queries and points are sampled, seeded; a measure that is not defined is None and has a reason.
"""

from dataclasses import dataclass, field

import numpy as np

from services.correlation import mean_within, pearson, ranks_within, spearman
from services.pairing import runs_within_inputs

SAMPLE = 500  # queries, and points, that stand for all
NEIGHBORS = 15  # of trustworthiness, recall and mixing, as UMAP's default neighbourhood
ATTENDED = 5  # each query's most attended keys …
ATTENDED_NEAR = 15  # … looked for among so many nearest keys
BEST = 10  # each query's best keys by q·k in the whole corpus …
BEST_NEAR = 100  # … looked for among so many nearest keys
# "Near" is never more than this share of all keys: beyond, finding a key there says nothing.
LARGEST_NEAR_SHARE = 0.25
CHUNK = 4_000_000  # distances held at once

ONE_SPOT = "all points of the map lie on one spot"
NOT_FINITE = "the map holds positions that are not finite"
FEW_PAIRS = "no input has three tokens or more, so there is no order of keys to compare"
EQUAL_SCORES = "all dot products, or all distances, are equal"
FEW_KEYS = "the corpus has fewer than {0} keys"
FEW_POINTS = "the head has fewer than {0} points"


@dataclass(frozen=True)
class Fidelity:
    """Measures by name; None where not defined, and then `reasons` has one sentence under the same name."""

    values: dict[str, float | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def prefixed(self, prefix: str) -> "Fidelity":
        return Fidelity(
            {prefix + name: value for name, value in self.values.items()},
            {prefix + name: reason for name, reason in self.reasons.items()},
        )

    def __or__(self, other: "Fidelity") -> "Fidelity":
        return Fidelity(self.values | other.values, self.reasons | other.reasons)


@dataclass(frozen=True)
class HeadSample:
    """One head and the sample its maps are judged by; made by `head_sample`, used for every map of the head.

    Vectors that are not finite are no part of it.
    """

    queries: np.ndarray  # float64 [sampled, head_dim] as the model dots them
    keys: np.ndarray  # float64 [kept keys, head_dim], less their mean: the same order for every query
    aligned: np.ndarray  # float32 [kept points, head_dim] aligned queries and keys
    query_rows: np.ndarray  # int64 [sampled] rows of the sampled queries in a layout
    key_rows: np.ndarray  # int64 [kept keys] rows of the keys in a layout
    point_rows: np.ndarray  # int64 [kept points] rows of all points in a layout, queries first
    points: np.ndarray  # int64 [sampled points] which of the kept points are sampled
    n_queries: int  # kept points that are queries
    pair_query: np.ndarray  # int64 [pairs] index into the sampled queries, of pairs within an input
    pair_key: np.ndarray  # int64 [pairs] index into the kept keys
    attended: np.ndarray  # int64 [sampled, ATTENDED] index into the kept keys, −1 where there is none


def head_sample(
    queries: np.ndarray,
    keys: np.ndarray,
    aligned_queries: np.ndarray,
    aligned_keys: np.ndarray,
    query_inputs: np.ndarray,
    key_inputs: np.ndarray,
    query_positions: np.ndarray,
    key_positions: np.ndarray,
    *,
    causal: bool = False,
    attended: np.ndarray | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
) -> HeadSample:
    """Prepare one head: vectors [n, head_dim], inputs and positions int [n].

    attended: int [n_queries, ATTENDED], the key rows that the model itself attends to most, −1 for none
        (services.attended); None takes the keys of the query's input with the highest q·k.
    """
    good_queries = np.flatnonzero(np.isfinite(queries).all(axis=1) & np.isfinite(aligned_queries).all(axis=1))
    good_keys = np.flatnonzero(np.isfinite(keys).all(axis=1) & np.isfinite(aligned_keys).all(axis=1))
    rng = np.random.default_rng(seed)
    rows = good_queries[_drawn(len(good_queries), sample, rng)]
    n_points = len(good_queries) + len(good_keys)
    runs = runs_within_inputs(
        np.asarray(query_inputs)[rows],
        np.asarray(query_positions)[rows],
        np.asarray(key_inputs)[good_keys],
        np.asarray(key_positions)[good_keys],
        causal=causal,
    )
    pair_query, pair_key = runs.pairs()
    kept_keys = np.asarray(keys, np.float64)[good_keys]
    kept_keys = kept_keys - kept_keys.mean(axis=0) if len(kept_keys) else kept_keys
    chosen = np.asarray(queries, np.float64)[rows]
    if attended is None:
        top = _top_of_pairs(chosen, kept_keys, pair_query, pair_key)
    else:
        place = np.full(len(keys) + 1, -1, np.int64)  # the last entry stands for −1
        place[good_keys] = np.arange(len(good_keys))
        top = place[np.asarray(attended)[rows, :ATTENDED]]
    top[np.bincount(pair_query, minlength=len(rows)) < 2] = -1  # a query with one key has no choice
    return HeadSample(
        queries=chosen,
        keys=kept_keys,
        aligned=np.concatenate([aligned_queries[good_queries], aligned_keys[good_keys]]),
        query_rows=rows,
        key_rows=len(queries) + good_keys,
        point_rows=np.concatenate([good_queries, len(queries) + good_keys]),
        points=_drawn(n_points, sample, rng),
        n_queries=len(good_queries),
        pair_query=pair_query,
        pair_key=pair_key,
        attended=top,
    )


def _drawn(n: int, sample: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.choice(n, min(n, sample), replace=False))


def _top_of_pairs(queries: np.ndarray, keys: np.ndarray, pair_query: np.ndarray, pair_key: np.ndarray) -> np.ndarray:
    """Of each query's paired keys the ATTENDED with the highest q·k: int64 [queries, ATTENDED], −1 for none."""
    scores = _pair_dots(queries, keys, pair_query, pair_key)
    order = np.lexsort((-scores, pair_query))
    counts = np.bincount(pair_query, minlength=len(queries))
    begins = np.cumsum(counts) - counts
    place = np.arange(len(order)) - begins[pair_query[order]]
    top = np.full((len(queries), ATTENDED), -1, np.int64)
    first = order[place < ATTENDED]
    top[pair_query[first], place[place < ATTENDED]] = pair_key[first]
    return top


def _pair_dots(queries: np.ndarray, keys: np.ndarray, pair_query: np.ndarray, pair_key: np.ndarray) -> np.ndarray:
    found = np.empty(len(pair_query))
    step = max(1, CHUNK // max(queries.shape[1], 1))
    for begin in range(0, len(found), step):
        part = slice(begin, begin + step)
        found[part] = np.einsum("ij,ij->i", queries[pair_query[part]], keys[pair_key[part]])
    return found


def head_fidelity(head: HeadSample, layout: np.ndarray) -> Fidelity:
    """All measures of one map and of the aligned space beneath it, as `screen_…` and `aligned_…`.

    layout: [n_queries + n_keys, dims], queries first, as atlases store it.
    """
    return layout_fidelity(head, layout).prefixed("screen_") | aligned_fidelity(head).prefixed("aligned_")


def layout_fidelity(head: HeadSample, layout: np.ndarray) -> Fidelity:
    """What distances on the map tell: of attention (`reading_fidelity`), and of neighbours in the aligned space.

    trustworthiness: whether the map's neighbours are neighbours (Venna & Kaski 2001), k = 15
    recall: the share of the 15 nearest points in the aligned space that are among the 15 nearest on screen
    """
    layout = np.asarray(layout)
    problem = _problem(layout[head.point_rows])
    names = (*READING, "trustworthiness", "recall")
    if problem:
        return Fidelity(dict.fromkeys(names), dict.fromkeys(names, problem))
    return reading_fidelity(head, layout) | _neighbor_fidelity(head, layout)


def aligned_fidelity(head: HeadSample) -> Fidelity:
    """`reading_fidelity` in the aligned space itself, before any projection."""
    cloud = np.full((head.point_rows.max(initial=-1) + 1, head.aligned.shape[1]), np.nan)
    cloud[head.point_rows] = head.aligned
    return reading_fidelity(head, cloud)


READING = ("pearson", "spearman", "query_spearman", "attended_near", "best_near", "mixing")


def reading_fidelity(head: HeadSample, cloud: np.ndarray) -> Fidelity:
    """What distances in any cloud [n_queries + n_keys, dims] tell of attention.

    pearson, spearman: of q·k with distance over pairs within an input
    query_spearman: Spearman for each query over the keys of its input, averaged: the authors' measure
    attended_near: the share of each query's 5 most attended keys that are among the 15 keys nearest to it
    best_near: the share of each query's 10 best keys by q·k that are among the 100 keys nearest to it
    mixing: share of the other kind among the 15 nearest points, against a perfect mixture: 0 apart, 1 mixed
    """
    result = Fidelity()
    problem = _problem(cloud[head.point_rows])
    if problem:
        return Fidelity(dict.fromkeys(READING), dict.fromkeys(READING, problem))
    dots, distances = np.empty(len(head.pair_query)), np.empty(len(head.pair_query))
    shares = _Shares(head)
    for part, pairs in _query_chunks(head):
        scores = head.queries[part] @ head.keys.T
        shown = squares(cloud[head.query_rows[part]], cloud[head.key_rows])
        inside = head.pair_query[pairs] - part.start, head.pair_key[pairs]
        dots[pairs], distances[pairs] = scores[inside], np.sqrt(shown[inside])
        shares.add(part, scores, shown)
    for name, value in (("pearson", pearson(dots, distances)), ("spearman", spearman(dots, distances))):
        _put(result, name, value, EQUAL_SCORES if len(dots) >= 3 else FEW_PAIRS)
    groups = head.pair_query
    value = mean_within(ranks_within(dots, groups), ranks_within(distances, groups), groups)
    counts = np.bincount(groups) if len(groups) else np.zeros(1)
    _put(result, "query_spearman", value, FEW_PAIRS if counts.max() < 3 else EQUAL_SCORES)
    _put(result, "attended_near", *shares.attended())
    _put(result, "best_near", *shares.best())
    _put(result, "mixing", *_mixing(head, cloud))
    return result


def _put(result: Fidelity, name: str, value: float | None, reason: str) -> None:
    result.values[name] = value
    if value is None:
        result.reasons[name] = reason


def _problem(points: np.ndarray) -> str | None:
    if not np.isfinite(points).all():
        return NOT_FINITE
    if len(points) < 2:
        return FEW_POINTS.format(2)
    size = np.abs(points).max()
    return ONE_SPOT if np.ptp(points, axis=0).max() <= 1e-6 * size or size == 0 else None


def _query_chunks(head: HeadSample) -> list[tuple[slice, slice]]:
    """Sampled queries in chunks, with the slice of their pairs."""
    step = max(1, CHUNK // max(len(head.keys), 1))
    chunks = []
    for begin in range(0, len(head.queries), step):
        end = min(begin + step, len(head.queries))
        first, stop = np.searchsorted(head.pair_query, [begin, end])
        chunks.append((slice(begin, end), slice(int(first), int(stop))))
    return chunks


def squares(rows: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Squared distances float64 [n_rows, n_points]; exact zeros between copies in two and three dimensions."""
    rows, points = rows.astype(np.float64), points.astype(np.float64)
    if rows.shape[1] <= 3:
        found = np.zeros((len(rows), len(points)))
        for row, point in zip(rows.T, points.T, strict=True):
            difference = row[:, None] - point
            difference *= difference
            found += difference
        return found
    centre = points.mean(axis=0)
    rows, points = rows - centre, points - centre
    found = rows @ points.T
    found *= -2
    found += (rows * rows).sum(axis=1)[:, None]
    found += (points * points).sum(axis=1)
    return np.maximum(found, 0.0, out=found)


def within_nearest(distances: np.ndarray, count: int) -> np.ndarray:
    """Membership of the `count` smallest of each row [rows, n]; those tied at the border share what is left."""
    border = np.partition(distances, count - 1, axis=1)[:, count - 1, None]
    member = (distances < border).astype(np.float64)
    tied = distances == border
    left = (count - member.sum(axis=1)) / tied.sum(axis=1)
    rows, columns = np.nonzero(tied)
    member[rows, columns] = left[rows]
    return member


class _Shares:
    """Adds up, over chunks of queries, how many of the keys that matter are near."""

    def __init__(self, head: HeadSample) -> None:
        self._head = head
        n_keys = len(head.keys)
        limit = int(n_keys * LARGEST_NEAR_SHARE)
        self._attended_near = min(ATTENDED_NEAR, limit)
        self._best_near = min(BEST_NEAR, limit)
        self._best = min(BEST, self._best_near)
        self._found: list[np.ndarray] = []
        self._best_found = 0.0

    def add(self, part: slice, scores: np.ndarray, shown: np.ndarray) -> None:
        top = self._head.attended[part, : max(self._attended_near, 0)]
        if self._attended_near:
            near = within_nearest(shown, self._attended_near)
            credit = np.take_along_axis(near, np.maximum(top, 0), axis=1)
            valid = top >= 0
            some = valid.any(axis=1)
            self._found.append((credit * valid).sum(axis=1)[some] / valid.sum(axis=1)[some])
        if self._best_near:
            best = within_nearest(-scores, self._best)
            self._best_found += float((best * within_nearest(shown, self._best_near)).sum()) / self._best

    def attended(self) -> tuple[float | None, str]:
        if not self._attended_near:
            return None, FEW_KEYS.format(round(1 / LARGEST_NEAR_SHARE))
        found = np.concatenate(self._found) if self._found else np.empty(0)
        if not len(found):
            return None, "no query has two keys to choose from"
        return float(found.mean()), ""

    def best(self) -> tuple[float | None, str]:
        if not self._best_near:
            return None, FEW_KEYS.format(round(1 / LARGEST_NEAR_SHARE))
        if not len(self._head.queries):
            return None, "the head has no queries"
        return self._best_found / len(self._head.queries), ""


def near_counts(n_keys: int) -> dict[str, int]:
    """How many keys count as near in a corpus of n_keys: 15 and 100, or a quarter of the keys when that is less."""
    limit = int(n_keys * LARGEST_NEAR_SHARE)
    return {"attended_near": min(ATTENDED_NEAR, limit), "best_near": min(BEST_NEAR, limit)}


def _point_chunks(head: HeadSample) -> list[np.ndarray]:
    step = max(1, CHUNK // max(len(head.point_rows), 1))
    return [head.points[begin : begin + step] for begin in range(0, len(head.points), step)]


def _mixing(head: HeadSample, cloud: np.ndarray) -> tuple[float | None, str]:
    n, n_queries = len(head.point_rows), head.n_queries
    if not 0 < n_queries < n or n < 4:
        return None, FEW_POINTS.format(4)
    k = min(NEIGHBORS, n // 4)
    points = cloud[head.point_rows]
    total = 0.0
    for chosen in _point_chunks(head):
        near = squares(points[chosen], points)
        near[np.arange(len(chosen)), chosen] = np.inf
        near = within_nearest(near, k)
        query = chosen < n_queries
        keys_near = near[:, n_queries:].sum(axis=1) / k
        share = np.where(query, keys_near, 1 - keys_near)
        total += float((share / np.where(query, n - n_queries, n_queries)).sum()) * (n - 1)
    return total / len(head.points), ""


def _neighbor_fidelity(head: HeadSample, layout: np.ndarray) -> Fidelity:
    """Trustworthiness and recall against the aligned space; copies of one vector may stand in for each other."""
    result = Fidelity()
    n = len(head.point_rows)
    k = min(NEIGHBORS, (n - 1) // 2)
    problem = FEW_POINTS.format(3) if k < 1 else _problem(head.aligned)
    if problem:
        if problem == ONE_SPOT:
            problem = "all vectors of the head are equal"
        for name in ("trustworthiness", "recall"):
            _put(result, name, None, problem)
        return result
    late = kept = 0.0
    points = layout[head.point_rows]
    for chosen in _point_chunks(head):
        here = np.arange(len(chosen)), chosen
        true = squares(head.aligned[chosen], head.aligned)
        true = np.round(true / true.max(initial=1e-300), 7)  # copies differ by rounding only
        shown = squares(points[chosen], points)
        true[here] = shown[here] = -1.0
        nearest = np.argpartition(shown, k, axis=1)[:, : k + 1]
        found = np.take_along_axis(true, nearest, axis=1)
        ordered = np.sort(true, axis=1)
        ranks = np.stack([np.searchsorted(row, values) for row, values in zip(ordered, found, strict=True)])
        late += float(np.maximum(ranks - k, 0).sum())
        kept += float((found <= ordered[:, k, None]).sum() - len(chosen))  # the point itself is no neighbour
    count = len(head.points)
    _put(result, "trustworthiness", 1 - 2 / (count * k * (2 * n - 3 * k - 1)) * late, "")
    _put(result, "recall", kept / (count * k), "")
    return result
