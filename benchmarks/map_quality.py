"""How far a layout can be trusted: neighbours kept, and attention read from distance.

All functions take points as rows, queries first; large layouts are sampled by `sample` rows, seeded.
"""

import numpy as np
from scipy.stats import rankdata


def sampled_rows(n: int, sample: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).choice(n, min(n, sample), replace=False))


def squared_distances(rows: np.ndarray, points: np.ndarray) -> np.ndarray:
    """float64 [n_rows, n_points]."""
    rows, points = rows.astype(np.float64), points.astype(np.float64)
    squares = (rows**2).sum(axis=1)[:, None] + (points**2).sum(axis=1) - 2 * rows @ points.T
    return np.maximum(squares, 0.0)


def neighbor_quality(
    cloud: np.ndarray, layout: np.ndarray, *, k: int = 15, sample: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Trustworthiness (Venna & Kaski 2001) and recall of the k nearest neighbours.

    cloud [n, head_dim] the vectors, layout [n, dims]. Points at equal distance count as equally near, so that
    copies of one vector may stand in for each other.
    """
    n = len(cloud)
    k = min(k, (n - 1) // 2)
    if k < 1:
        return 1.0, 1.0
    rows = sampled_rows(n, sample, seed)
    here = (np.arange(len(rows)), rows)
    true = squared_distances(cloud[rows], cloud)
    shown = squared_distances(layout[rows], layout)
    true[here] = shown[here] = -1.0
    # Copies differ by rounding only: one distance for all of them.
    true = np.round(true / max(true.max(), 1e-30), 7)
    ranks = rankdata(true, method="min", axis=1) - 1  # the point itself has rank 0
    nearest = np.argpartition(shown, k, axis=1)[:, : k + 1]
    found = np.take_along_axis(ranks, nearest, axis=1)
    late = np.maximum(found - k, 0).sum()
    trustworthiness = 1 - 2 / (len(rows) * k * (2 * n - 3 * k - 1)) * late
    border = np.partition(true, k, axis=1)[:, k, None]
    kept = (np.take_along_axis(true, nearest, axis=1) <= border).sum(axis=1) - 1
    return float(trustworthiness), float((kept / k).mean())


def top_keys_share(
    layout: np.ndarray,
    queries: np.ndarray,
    keys: np.ndarray,
    *,
    best: int = 10,
    near: int = 100,
    sample: int = 500,
    seed: int = 0,
) -> float:
    """The share of each query's `best` keys by q·k that are among its `near` nearest keys on screen.

    Chance is near / n_keys. Keys of equal score (copies of one vector) may stand in for each other.
    """
    n_keys = len(keys)
    best, near = min(best, n_keys), min(near, n_keys)
    rows = sampled_rows(len(queries), sample, seed)
    scores = queries[rows] @ keys.T
    shown = squared_distances(layout[rows], layout[len(queries) :])
    close = np.zeros(scores.shape, bool)
    np.put_along_axis(close, np.argpartition(shown, near - 1, axis=1)[:, :near], True, axis=1)
    border = -np.partition(-scores, best - 1, axis=1)[:, best - 1, None]
    rounding = 1e-5 * np.abs(scores).max(initial=0.0)
    better = scores > border + rounding
    equal = (scores >= border - rounding) & ~better
    found = (better & close).sum(axis=1) + np.minimum(best - better.sum(axis=1), (equal & close).sum(axis=1))
    return float((found / best).mean())


def top_keys_distance(
    layout: np.ndarray,
    queries: np.ndarray,
    keys: np.ndarray,
    *,
    best: int = 10,
    sample: int = 500,
    seed: int = 0,
) -> float:
    """A query's mean on-screen distance to its `best` keys over that to all keys: 1 is not near at all."""
    best = min(best, len(keys))
    rows = sampled_rows(len(queries), sample, seed)
    scores = queries[rows] @ keys.T
    shown = np.sqrt(squared_distances(layout[rows], layout[len(queries) :]))
    top = np.argpartition(-scores, best - 1, axis=1)[:, :best]
    every = shown.mean(axis=1)
    ratio = np.take_along_axis(shown, top, axis=1).mean(axis=1) / np.where(every > 0, every, 1.0)
    return float(np.median(ratio))


def query_spearman(
    layout: np.ndarray, queries: np.ndarray, keys: np.ndarray, *, sample: int = 500, seed: int = 0
) -> float:
    """The mean over queries of the rank correlation of on-screen distance with q·k; −1 is perfect."""
    rows = sampled_rows(len(queries), sample, seed)
    scores = queries[rows] @ keys.T
    shown = squared_distances(layout[rows], layout[len(queries) :])
    return float(np.mean(row_spearman(scores, shown)))


def input_spearman(
    layout: np.ndarray,
    queries: np.ndarray,
    keys: np.ndarray,
    query_inputs: np.ndarray,
    key_inputs: np.ndarray,
    *,
    inputs: int = 60,
    seed: int = 0,
) -> float:
    """As `query_spearman`, over the keys of the query's own input only: what the head really chooses from."""
    shared = np.intersect1d(query_inputs, key_inputs)
    found: list[np.ndarray] = []
    for chosen in np.random.default_rng(seed).permutation(shared)[:inputs]:
        rows, columns = np.flatnonzero(query_inputs == chosen), np.flatnonzero(key_inputs == chosen)
        if len(columns) < 6:
            continue
        shown = squared_distances(layout[rows], layout[len(queries) + columns])
        found.append(row_spearman(queries[rows] @ keys[columns].T, shown))
    return float(np.concatenate(found).mean()) if found else 0.0


def row_spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of each row of a [n, m] with that of b; 0 where a row is constant."""
    a, b = rankdata(a, axis=1), rankdata(b, axis=1)
    a -= a.mean(axis=1, keepdims=True)
    b -= b.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return (a * b).sum(axis=1) / np.where(size > 0, size, 1.0)
