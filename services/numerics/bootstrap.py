"""How sure a ratio of sums over inputs is: the percentile bootstrap (Efron 1979), inputs drawn with replacement."""

from functools import lru_cache

import numpy as np

RESAMPLES = 400
COVERS = 0.95
LEAST = 5  # inputs behind an interval
_MOST_GROUPS = 1000  # more inputs than this are drawn in groups


def ratio_interval(numerators: np.ndarray, denominators: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the interval that holds Σ numerators / Σ denominators in COVERS of all draws.

    Args:
        numerators: float [inputs, scores, heads] · denominators: float [inputs, scores], 0 where an input says nothing

    Returns:
        low, high: float64 [scores, heads], NaN for a score on which fewer than LEAST inputs have a say.
    """
    inputs, scores, heads = numerators.shape
    low = np.full((2, scores, heads), np.nan)
    enough = (denominators > 0).sum(axis=0) >= LEAST
    if not enough.any():
        return low[0], low[1]
    above = numerators[:, enough].reshape(inputs, -1)
    below = denominators[:, enough]
    if inputs > _MOST_GROUPS:
        group = np.random.default_rng(0).permutation(inputs) % _MOST_GROUPS
        above, below = (_grouped(side, group) for side in (above, below))
    draws = _draws(len(above))
    drawn = (draws @ above).reshape(RESAMPLES, -1, heads)
    of = draws @ below
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = drawn / np.where(of > 0, of, np.nan)[:, :, None]
    tail = (1 - COVERS) / 2
    low[:, enough] = np.nanquantile(ratios, (tail, 1 - tail), axis=0)
    return low[0], low[1]


def _grouped(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    found = np.zeros((_MOST_GROUPS, values.shape[1]))
    np.add.at(found, group, values)
    return found


@lru_cache(maxsize=4)
def _draws(inputs: int) -> np.ndarray:
    """float64 [RESAMPLES, inputs]: how often each input is drawn; the same at every call."""
    return np.random.default_rng(0).multinomial(inputs, np.full(inputs, 1 / inputs), RESAMPLES).astype(np.float64)
