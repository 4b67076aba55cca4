"""Correlations that say "not defined" (None) instead of dividing by zero."""

import numpy as np

# A spread below this share of the values' own size is the rounding of float64, not a spread.
ROUNDING = 1e-12


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0 of values [n], equal values sharing their average: float64 [n]."""
    return ranks_within(values, None)


def ranks_within(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Ranks of values [n] among all values of one group, equal values sharing their average; float64 [n].

    Groups are numbered in ascending order: groups [n] never decreases. Ranks go on from group to group, which no
    correlation within a group notices.
    """
    n = len(values)
    order = np.argsort(values) if groups is None else np.lexsort((values, groups))
    ordered = values[order]
    fresh = np.empty(n, bool)  # where a run of equal values begins
    fresh[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    if groups is not None:
        fresh[1:] |= groups[1:] != groups[:-1]
    begins = np.flatnonzero(fresh)
    found = np.empty(n)
    if len(begins) == n:
        found[order] = np.arange(n, dtype=np.float64)
        return found
    lengths = np.diff(begins, append=n)
    found[order] = np.repeat(begins + (lengths - 1) / 2, lengths)
    return found


def pearson(x: np.ndarray, y: np.ndarray) -> float | None:
    """Pearson's correlation of x [n] with y [n]; None when either is constant or n < 3."""
    if len(x) < 3:
        return None
    return weighted_correlation(x, y, np.ones(len(x)))


def spearman(x: np.ndarray, y: np.ndarray) -> float | None:
    """Spearman's rank correlation, ties averaged; None when either is constant or n < 3."""
    return pearson(ranks(x), ranks(y))


def weighted_correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float | None:
    """cov(x, y; w) / √(cov(x, x; w) · cov(y, y; w)); None when that is 0 / 0."""
    total = float(weights.sum())
    if not total > 0:
        return None
    weights = weights / total
    sizes = [float(weights @ (values * values)) for values in (x, y)]
    x, y = x - weights @ x, y - weights @ y
    spreads = [float(weights @ (values * values)) for values in (x, y)]
    if any(spread <= ROUNDING**2 * size or spread == 0 for spread, size in zip(spreads, sizes, strict=True)):
        return None
    return clipped(float((weights * x) @ y) / float(np.sqrt(spreads[0]) * np.sqrt(spreads[1])))


def correlation_within(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, weights: np.ndarray | None = None, *, least: int = 3
) -> np.ndarray:
    """The (weighted) correlation of x with y inside each group of at least `least` pairs in which it is defined.

    groups int [n], non-negative. float64 [defined groups], in the order of the groups.
    """
    if not len(x):
        return np.empty(0)
    weights = np.ones(len(x)) if weights is None else weights
    counts = np.bincount(groups)
    totals = np.bincount(groups, weights)
    safe = np.where(totals > 0, totals, 1.0)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(groups, weights * values) / safe

    sizes = mean(x * x), mean(y * y)
    x, y = x - mean(x)[groups], y - mean(y)[groups]
    var_x, var_y = mean(x * x), mean(y * y)
    defined = (counts >= least) & (totals > 0)
    for spread, size in zip((var_x, var_y), sizes, strict=True):
        defined &= (spread > 0) & (spread > ROUNDING**2 * size)
    bottom = np.sqrt(var_x[defined]) * np.sqrt(var_y[defined])
    return np.clip(mean(x * y)[defined] / bottom, -1.0, 1.0)


def mean_within(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, weights: np.ndarray | None = None, *, least: int = 3
) -> float | None:
    """The mean of `correlation_within`; None when it is defined in no group."""
    found = correlation_within(x, y, groups, weights, least=least)
    return float(found.mean()) if len(found) else None


def clipped(value: float) -> float:
    """Into [−1, 1]: rounding may leave it."""
    return min(1.0, max(-1.0, value))
