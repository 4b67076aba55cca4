"""Which c a head takes, by each of the seed's three metrics: on the seed's constants, and anywhere between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.alignment.pairs import HeadPairs, ScaleFigures
from services.alignment.transform import scale_by_norms

CONSTANTS = (0.2, 0.4, 0.8, 1.0, 1.25, 2.5, 5.0)  # Chen et al.: the grid of the study
# Evenly spaced in log c over the same range: the curves have several minima, a search needs a bracket of the best.
CURVE = tuple(float(c) for c in np.geomspace(CONSTANTS[0], CONSTANTS[-1], 33))
METRICS = ("weighted", "scaled", "norms", "pearson")
METRIC_LABELS = {
    "weighted": "Weighted correlation",
    "scaled": "Weighted correlation, scaled",
    "norms": "Ratio of norms",
    "pearson": "Pearson's correlation",
}

CountRule = Literal["share", "total", "own"]
COUNT_RULES: tuple[CountRule, ...] = ("share", "total", "own")
Threshold = Literal["each", "unscaled"]


@dataclass(frozen=True)
class HeadStudy:
    """One head measured at every constant. `undefined` says why there are no correlations, or is None.

    optimum: the c between 0.2 and 5 that takes a correlation nearest to −1, by the name of the field of ScaleFigures.
    norms: √(median ‖k‖ / median ‖q‖), or None when a median is zero.
    """

    grid: tuple[ScaleFigures, ...]
    curve: tuple[ScaleFigures, ...]
    optimum: dict[str, float | None]
    norms: float | None
    undefined: str | None


@dataclass(frozen=True)
class HeadChoice:
    """The c of one head by each of METRICS; None with a reason where the metric is not defined.

    grid: the best of CONSTANTS · best: the continuous optimum · scaled: value of the scaled metric at CONSTANTS
    """

    grid: dict[str, float | None]
    best: dict[str, float | None]
    scaled: tuple[float | None, ...]
    reasons: dict[str, str]


def norm_ratio(queries: np.ndarray, keys: np.ndarray) -> float | None:
    """The c that gives queries and keys the same median norm; None when a median is zero or not finite.

    The seed's text takes the ratio of query to key norms; with queries multiplied by c that would drive the norms
    further apart. Its code divides queries and multiplies keys. Ours is √(median ‖k‖ / median ‖q‖).
    """
    medians = [float(np.median(np.linalg.norm(side, axis=-1))) if len(side) else 0.0 for side in (queries, keys)]
    if not all(np.isfinite(m) and m > 0 for m in medians):
        return None
    return scale_by_norms(queries, keys)


def study_head(pairs: HeadPairs, norms: float | None, *, spearman: bool = True) -> HeadStudy:
    """Measure one head at CONSTANTS and along CURVE and find the continuous optima."""
    grid = tuple(pairs.measure(c, spearman=spearman) for c in CONSTANTS)
    curve = tuple(pairs.measure(c, spearman=False) for c in CURVE)
    optimum = {}
    for name in ("weighted", "weighted_unscaled", "pearson"):
        values = [getattr(measures, name) for measures in curve]

        def at(c: float, name: str = name) -> float | None:
            return getattr(pairs.measure(c, spearman=False), name)

        optimum[name] = refine(values, at)
    return HeadStudy(grid, curve, optimum, norms, pairs.undefined)


def refine(values: Sequence[float | None], at: Callable[[float], float | None]) -> float | None:
    """The c with the least value: a bounded search around the best point of CURVE."""
    from scipy.optimize import minimize_scalar

    known = [np.inf if value is None else value for value in values]
    best = int(np.argmin(known))
    if not np.isfinite(known[best]):
        return None

    def objective(log_c: float) -> float:
        value = at(float(np.exp(log_c)))
        return 2.0 if value is None else value

    bounds = np.log(CURVE[max(best - 1, 0)]), np.log(CURVE[min(best + 1, len(CURVE) - 1)])
    found = minimize_scalar(objective, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x)) if found.fun < known[best] else CURVE[best]


def scaled_by_counts(
    correlations: Sequence[Sequence[float | None]], counts: Sequence[Sequence[int]], rule: CountRule = "share"
) -> list[list[float | None]]:
    """The seed's second metric: weighted correlations [heads][constants], normalised by the counts of near pairs.

    share: times the head's share of all heads' near pairs at that constant
    total: divided by all heads' near pairs at that constant · own: divided by the head's own near pairs
    """
    if rule not in COUNT_RULES:
        raise ValueError(f"rule must be one of {', '.join(COUNT_RULES)}, not {rule!r}")
    totals = [sum(column) for column in zip(*counts, strict=True)]
    return [
        [_scaled(w, n, total, rule) for w, n, total in zip(row, ns, totals, strict=True)]
        for row, ns in zip(correlations, counts, strict=True)
    ]


def _scaled(correlation: float | None, near: float, total: float, rule: CountRule) -> float | None:
    if correlation is None or near <= 0 or total <= 0:
        return None
    return correlation * {"share": near / total, "total": 1 / total, "own": 1 / near}[rule]


def choose_scales(
    studies: Sequence[HeadStudy],
    *,
    rule: CountRule = "share",
    threshold: Threshold = "unscaled",
    pairs_of: Callable[[int], HeadPairs] | None = None,
) -> list[HeadChoice]:
    """The c of each head by each metric. All heads of a stream belong together: the counts are compared.

    threshold: of the first metric. pairs_of: gives the pairs of head i again, to search the scaled metric's optimum
    beyond the points of CURVE.
    """
    weighted = "weighted" if threshold == "each" else "weighted_unscaled"
    on_grid = scaled_metric([study.grid for study in studies], rule)
    on_curve = scaled_metric([study.curve for study in studies], rule)
    totals = [sum(study.curve[i].near for study in studies) for i in range(len(CURVE))]
    choices = []
    for index, study in enumerate(studies):
        values = {
            "weighted": [getattr(measures, weighted) for measures in study.grid],
            "scaled": on_grid[index],
            "pearson": [measures.pearson for measures in study.grid],
        }
        grid = {name: _best(found) for name, found in values.items()}
        grid["norms"] = None if study.norms is None else nearest_constant(study.norms)
        best = {
            "weighted": study.optimum[weighted],
            "scaled": _best(on_curve[index], CURVE),
            "norms": study.norms,
            "pearson": study.optimum["pearson"],
        }
        if pairs_of is not None and best["scaled"] is not None:
            best["scaled"] = _refine_scaled(pairs_of(index), on_curve[index], totals, rule)
        reasons = {name: _reason(study, name) for name in METRICS if grid[name] is None}
        choices.append(HeadChoice(grid, best, tuple(on_grid[index]), reasons))
    return choices


def scaled_metric(measured: Sequence[Sequence[ScaleFigures]], rule: CountRule = "share") -> list[list[float | None]]:
    """The scaled metric [heads][constants] of what was measured there, under the threshold taken at c = 1."""
    return scaled_by_counts(
        [[m.weighted_unscaled for m in row] for row in measured], [[m.near for m in row] for row in measured], rule
    )


def _refine_scaled(
    pairs: HeadPairs, values: Sequence[float | None], totals: Sequence[int], rule: CountRule
) -> float | None:
    """Between the points of CURVE, the heads' total count is interpolated in the logarithm."""
    log_totals = np.log(np.maximum(totals, 1))

    def at(c: float) -> float | None:
        measures = pairs.measure(c, spearman=False)
        total = float(np.exp(np.interp(np.log(c), np.log(CURVE), log_totals)))
        return _scaled(measures.weighted_unscaled, measures.near, total, rule)

    return refine(values, at)


def _best(values: Sequence[float | None], constants: Sequence[float] = CONSTANTS) -> float | None:
    known = [(value, abs(np.log(c)), c) for value, c in zip(values, constants, strict=True) if value is not None]
    return min(known)[2] if known else None  # of equal values, the c nearest to 1


def nearest_constant(c: float) -> float:
    """The constant of the seed's grid nearest to c in ratio."""
    return min(CONSTANTS, key=lambda constant: abs(np.log(constant / c)))


def _reason(study: HeadStudy, metric: str) -> str:
    if metric == "norms":
        return "the median norm of the queries or of the keys is zero"
    if study.undefined is not None:
        return study.undefined
    if all(measures.pearson is None for measures in study.grid):
        return "all distances of the head are equal"
    return "too few pairs are nearer than the threshold: the corpus is too small"
