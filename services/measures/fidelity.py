"""How far the map of a head can be believed: distance on screen against attention, and neighbours kept.

docs/alignment.md explains every measure. "Distance" measures are best at −1, shares and trustworthiness at 1.
Queries and points are sampled, seeded; a measure that is not defined is None and has a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.numerics.agreement import EQUAL_SCORES, FEW_PAIRS, NOT_FINITE, SAMPLE
from services.numerics.correlation import mean_within, pearson, ranks, ranks_within
from services.numerics.distinct import Distinct
from services.streams import StreamTokens

NEIGHBORS = 15  # of trustworthiness, recall and mixing, as UMAP's default neighbourhood
ATTENDED = 5  # each query's most attended keys …
ATTENDED_NEAR = 15  # … looked for among so many nearest keys
BEST = 10  # each query's best keys by q·k in the whole corpus …
BEST_NEAR = 100  # … looked for among so many nearest keys
# "Near" is never more than this share of all keys: beyond, finding a key there says nothing.
LARGEST_NEAR_SHARE = 0.25
CHUNK = 500_000  # distances held at once: 4 MB, near the processor

ONE_SPOT = "all points of the map lie on one spot"
FEW_KEYS = "the corpus has fewer than {0} keys"
FEW_POINTS = "the head has fewer than {0} points"


@dataclass(frozen=True)
class Fidelity:
    """Measures by name; None where not defined, and then `reasons` has one sentence under the same name."""

    values: dict[str, float | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HeadSample:
    """One head and the sample its maps are judged by; made by `head_sample`, used for every map of the head.

    Vectors that are not finite are no part of it, and of equal vectors of one kind, which have one place, only the
    first is kept: nobody sees a hundred copies.
    """

    queries: np.ndarray  # float64 [sampled, head_dim] as the model dots them
    average: np.ndarray  # float64 [head_dim] mean of all queries: what is left beyond it is preference
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
    tokens: StreamTokens,
    *,
    attended: np.ndarray | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
) -> HeadSample:
    """Prepare one head: vectors [n, head_dim] and their tokens.

    attended: int [n_queries, ATTENDED], the key rows that the model itself attends to most, −1 for none
        (services.measures.attended); None takes the keys of the query's input with the highest q·k.
    """
    good_queries = np.flatnonzero(np.isfinite(queries).all(axis=1) & np.isfinite(aligned_queries).all(axis=1))
    good_keys = np.flatnonzero(np.isfinite(keys).all(axis=1) & np.isfinite(aligned_keys).all(axis=1))
    rng = np.random.default_rng(seed)
    rows = good_queries[_drawn(len(good_queries), sample, rng)]
    pair_query, pair_key = tokens.some(rows, good_keys).runs_within_inputs().pairs()
    of_queries, of_keys = Distinct.of(queries[good_queries]), Distinct.of(keys[good_keys])
    pair_key = of_keys.place[pair_key]
    kept_query_rows, kept_key_rows = good_queries[of_queries.rows], good_keys[of_keys.rows]
    n_points = len(kept_query_rows) + len(kept_key_rows)
    kept_keys = np.asarray(keys, np.float64)[kept_key_rows]
    kept_keys = kept_keys - kept_keys.mean(axis=0) if len(kept_keys) else kept_keys
    chosen = np.asarray(queries, np.float64)[rows]
    average = np.asarray(queries, np.float64)[good_queries].mean(axis=0) if len(rows) else np.zeros(queries.shape[1])
    if attended is None:
        top = _top_of_pairs(chosen, kept_keys, pair_query, pair_key)
    else:
        place = np.full(len(keys) + 1, -1, np.int64)  # the last entry stands for −1
        place[good_keys] = of_keys.place
        top = place[np.asarray(attended)[rows, :ATTENDED]]
    top[np.bincount(pair_query, minlength=len(rows)) < 2] = -1  # a query with one key has no choice
    return HeadSample(
        queries=chosen,
        average=average,
        keys=kept_keys,
        aligned=np.concatenate([aligned_queries[kept_query_rows], aligned_keys[kept_key_rows]]),
        query_rows=rows,
        key_rows=len(queries) + kept_key_rows,
        point_rows=np.concatenate([kept_query_rows, len(queries) + kept_key_rows]),
        points=_drawn(n_points, sample, rng),
        n_queries=len(kept_query_rows),
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


def layout_fidelity(head: HeadSample, layout: np.ndarray) -> Fidelity:
    """What distances on one map tell; see `fidelities`."""
    return fidelities(head, {"map": layout}, {})["map"]


def aligned_fidelity(head: HeadSample) -> Fidelity:
    """The measures of SPACE_MEASURES in the aligned space itself, before any projection."""
    cloud = np.full((head.point_rows.max(initial=-1) + 1, head.aligned.shape[1]), np.nan)
    cloud[head.point_rows] = head.aligned
    return space_fidelity(head, cloud)


def space_fidelity(head: HeadSample, cloud: np.ndarray) -> Fidelity:
    """The measures of SPACE_MEASURES in any cloud [n_queries + n_keys, dims]."""
    return fidelities(head, {}, {"cloud": cloud})["cloud"]


SPACE_MEASURES = (
    "pearson",
    "spearman",
    "query_spearman",
    "attended_near",
    "best_near",
    "preference_order",
    "preferred_near",
    "mixing",
)
MEASURES = (*SPACE_MEASURES, "trustworthiness", "recall")


def fidelities(
    head: HeadSample, maps: Mapping[str, np.ndarray], spaces: Mapping[str, np.ndarray]
) -> dict[str, Fidelity]:
    """What distances tell of attention on maps and in spaces of a head: [n_queries + n_keys, dims] each.

    Of maps and spaces:
    pearson, spearman: of q·k with distance over pairs within an input
    query_spearman: Spearman for each query over the keys of its input, averaged: the authors' measure
    attended_near: the share of each query's 5 most attended keys that are among the 15 keys nearest to it
    best_near: the share of each query's 10 best keys by q·k that are among the 100 keys nearest to it
    preference_order, preferred_near: as query_spearman and best_near, by (q − q̄)·k in place of q·k
    mixing: share of the other kind among the 15 nearest points, against a perfect mixture: 0 apart, 1 mixed

    Of maps alone, against the aligned space:
    trustworthiness: whether the map's neighbours are neighbours (Venna & Kaski 2001), k = 15
    recall: the share of the 15 nearest points in the aligned space that are among the 15 nearest on the map

    Scores and true neighbours are found once for all of them.
    """
    clouds = [_Cloud(head, name, np.asarray(cloud), name in maps) for name, cloud in (*maps.items(), *spaces.items())]
    sound = [cloud for cloud in clouds if not cloud.problem]
    if sound:
        _measure_queries(head, sound)
        _measure_points(head, sound)
    return {cloud.name: cloud.result for cloud in clouds}


class _Cloud:
    """One map or space while it is measured."""

    def __init__(self, head: HeadSample, name: str, cloud: np.ndarray, is_map: bool) -> None:
        self.name, self.is_map = name, is_map
        self.names = MEASURES if is_map else SPACE_MEASURES
        self.problem = _problem(cloud[head.point_rows])
        self.result = Fidelity()
        if self.problem:
            self.result = Fidelity(dict.fromkeys(self.names), dict.fromkeys(self.names, self.problem))
            return
        points = cloud[head.point_rows].astype(np.float64)
        self.places, self.keys, self.points = (
            cloud[head.query_rows].astype(np.float64),
            points[head.n_queries :],
            points,
        )
        self.flat = points.shape[1] <= 3
        self.distances = np.empty(len(head.pair_query))
        self.credits = np.full((len(head.queries), 3), -1.0)

    def to_keys(self, part: slice) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances of some queries to all keys, or none and the keys' coordinates [dims, keys]."""
        if self.flat:
            return np.empty((part.stop - part.start, 0)), np.ascontiguousarray(self.keys.T)
        return squares(self.places[part], self.keys), np.empty((0, 0))

    def to_points(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances of some points to all, or none and the points' coordinates [dims, points]."""
        if self.flat:
            return np.empty((len(chosen), 0)), np.ascontiguousarray(self.points.T)
        return squares(self.points[chosen], self.points), np.empty((0, 0))


def _measure_queries(head: HeadSample, clouds: Sequence[_Cloud]) -> None:
    """The correlations, and the keys that matter among the nearest keys."""
    from services.measures import fidelity_kernels

    near = near_counts(len(head.keys))
    few, many = near["attended_near"], near["best_near"]
    dots, popularity = np.empty(len(head.pair_query)), head.keys @ head.average
    for part, pairs in _query_chunks(head):
        scores = head.queries[part] @ head.keys.T
        inside = head.pair_query[pairs] - part.start, head.pair_key[pairs]
        dots[pairs] = scores[inside]
        best = preferred = None
        if many:
            best = _best_keys(scores, min(BEST, many))
            preferred = _best_keys(scores - popularity, min(BEST, many))
        for cloud in clouds:
            shown, flat = cloud.to_keys(part)
            if cloud.flat:
                apart = cloud.places[head.pair_query[pairs]] - cloud.keys[head.pair_key[pairs]]
                cloud.distances[pairs] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
            else:
                cloud.distances[pairs] = np.sqrt(shown[inside])
            if best is not None and preferred is not None:
                top, credits = head.attended[part, : max(few, 0)], cloud.credits[part]
                fidelity_kernels.near_keys(shown, cloud.places[part], flat, few, many, top, *best, *preferred, credits)
    groups = head.pair_query
    counts = np.bincount(groups) if len(groups) else np.zeros(1)
    order, order_within = ranks(dots), ranks_within(dots, groups)
    preferred_within = ranks_within(dots - popularity[head.pair_key], groups)
    for cloud in clouds:
        result, distances = cloud.result, cloud.distances
        reason = EQUAL_SCORES if len(dots) >= 3 else FEW_PAIRS
        _put(result, "pearson", pearson(dots, distances), reason)
        _put(result, "spearman", pearson(order, ranks(distances)), reason)
        shown_within = ranks_within(distances, groups)
        for name, wanted in (("query_spearman", order_within), ("preference_order", preferred_within)):
            value = mean_within(wanted, shown_within, groups)
            _put(result, name, value, FEW_PAIRS if counts.max() < 3 else EQUAL_SCORES)
        _put_credits(result, cloud.credits, bool(many))


def _best_keys(scores: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each query's best keys: where a query begins int64 [queries + 1], the keys, and what each counts for."""
    border = -np.partition(-scores, count - 1, axis=1)[:, count - 1]
    rows, keys = np.nonzero(scores >= border[:, None])
    begins = np.searchsorted(rows, np.arange(len(scores) + 1))
    tied = scores[rows, keys] == border[rows]
    ties = np.bincount(rows, tied, minlength=len(scores))
    left = (count - np.bincount(rows, ~tied, minlength=len(scores))) / ties
    return begins, keys, np.where(tied, left[rows], 1.0) / count


def _put_credits(result: Fidelity, credits: np.ndarray, enough_keys: bool) -> None:
    if not enough_keys or not len(credits):
        reason = "the head has no queries" if enough_keys else FEW_KEYS.format(round(1 / LARGEST_NEAR_SHARE))
        for name in ("attended_near", "best_near", "preferred_near"):
            _put(result, name, None, reason)
        return
    chosen = credits[credits[:, 0] >= 0, 0]
    value = float(chosen.mean()) if len(chosen) else None
    _put(result, "attended_near", value, "no query has two keys to choose from")
    _put(result, "best_near", float(credits[:, 1].mean()), "")
    _put(result, "preferred_near", float(credits[:, 2].mean()), "")


def _measure_points(head: HeadSample, clouds: Sequence[_Cloud]) -> None:
    """How queries and keys mix, and the neighbours that maps keep; copies of one vector may stand in for each other."""
    from services.measures import fidelity_kernels

    n, n_queries = len(head.point_rows), head.n_queries
    k_mixing = min(NEIGHBORS, n // 4) if 0 < n_queries < n else 0
    k = min(NEIGHBORS, (n - 1) // 2)
    problem = FEW_POINTS.format(3) if k < 1 else _problem(head.aligned)
    compared = not problem and any(cloud.is_map for cloud in clouds)
    sums = {cloud.name: np.zeros(3) for cloud in clouds}
    for chosen in _point_chunks(head):
        true = ordered = np.empty((0, n), np.float32)
        if compared:
            true = squares(head.aligned[chosen], head.aligned)
            # Copies differ by rounding only. Steps of 1e-7 below 1 are apart in float32, which sorts faster.
            true = np.round(true / true.max(initial=1e-300), 7).astype(np.float32)
            true[np.arange(len(chosen)), chosen] = -1.0
            ordered = np.sort(true, axis=1)
        for cloud in clouds:
            shown, flat = cloud.to_points(chosen)
            found = np.zeros((len(chosen), 3))
            compare = (true, ordered, k) if cloud.is_map and compared else (true[:0], ordered[:0], 0)
            if k_mixing or compare[2]:
                fidelity_kernels.near_points(shown, flat, chosen, n_queries, k_mixing, *compare, found)
            if k_mixing:
                keys_near = found[:, 0] / k_mixing
                query = chosen < n_queries
                share = np.where(query, keys_near, 1 - keys_near)
                found[:, 0] = share / np.where(query, n - n_queries, n_queries) * (n - 1)
            sums[cloud.name] += found.sum(axis=0)
    count = len(head.points)
    for cloud in clouds:
        mixed, late, kept = sums[cloud.name].tolist()
        _put(cloud.result, "mixing", mixed / count if k_mixing else None, FEW_POINTS.format(4))
        if cloud.is_map:
            why = "all vectors of the head are equal" if problem == ONE_SPOT else problem or ""
            trust = None if problem else 1 - 2 / (count * k * (2 * n - 3 * k - 1)) * late
            _put(cloud.result, "trustworthiness", trust, why)
            _put(cloud.result, "recall", None if problem else kept / (count * k), why)


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


def _point_chunks(head: HeadSample) -> list[np.ndarray]:
    step = max(1, CHUNK // max(len(head.point_rows), 1))
    return [head.points[begin : begin + step] for begin in range(0, len(head.points), step)]


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


def near_counts(n_keys: int) -> dict[str, int]:
    """How many keys count as near in a corpus of n_keys: 15 and 100, or a quarter of the keys when that is less."""
    limit = int(n_keys * LARGEST_NEAR_SHARE)
    return {"attended_near": min(ATTENDED_NEAR, limit), "best_near": min(BEST_NEAR, limit)}
