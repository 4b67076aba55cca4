"""Do the hits of a search sit in few clusters of a head's map, or are they dispersed?

Yeh et al. 2023, figure 6, tell semantic from positional heads by eye: the hits of one word form few clusters in the
one and scatter in the other. Here it is a number. For each hit, take the radius of the smallest ball around it that
holds a quarter of the other hits; the median of these radii is compared with the same median for random tokens of the
same head, as many as there are hits:

    concentration = expected radius of random tokens / radius of the hits

1: dispersed like any tokens; 4: a quarter of the hits lies within a fourth of the radius that chance would need. This
is the nearest-neighbour ratio of Clark & Evans 1954 (doi:10.2307/1931034), turned round, with two changes. The null
hypothesis is random labelling (Diggle 2013, "Statistical Analysis of Spatial and Spatio-Temporal Point Patterns",
section 9.3): random tokens are drawn from the head's own points, as these are anything but uniform in the plane. And
the neighbour is not the nearest one but the one at a quarter of the hits, so that many scattered pairs do not count
as clusters. The ratio does not change when a map is moved, turned, mirrored or scaled.

Queries and keys are compared each among themselves (a token's own query and key often coincide, which says nothing of
the hits), and the two ratios are combined by their geometric mean.
"""

import math

import numpy as np

FEWEST = 4  # hits of one side; fewer make no cluster
MOST = 128  # hits of one side that are looked at; more are sampled
_PAIRS = 48_000  # random pairs of points a head and side, enough to settle the expected radius
_MOST_SETS = 64
_LARGEST = 99.0  # hits that fall on one place
SEED = 0


def concentrations(layout: np.ndarray, queries: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Concentration of the hits in each head.

    Args:
        layout: float [heads, queries + keys, dims], any frame and scale.
        queries: bool [queries], the hits among them.
        keys: bool [keys].

    Returns:
        float64 [heads]: above 1 where hits lie closer together than random tokens, at most 99; NaN when neither
        side has `FEWEST` hits.
    """
    rng = np.random.default_rng(SEED)
    logs, first = [], 0
    for mask in (queries, keys):
        rows = np.flatnonzero(mask)
        if len(rows) >= FEWEST:
            logs.append(np.log(_one_side(layout, first, len(mask), rows, rng)))
        first += len(mask)
    return np.exp(np.mean(logs, axis=0)) if logs else np.full(len(layout), np.nan)


def draw_sets(size: int, points: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Random sets of `size` different points, so many that their pairs are about `_PAIRS`."""
    sets = min(_MOST_SETS, max(2, math.ceil(_PAIRS / size**2)))
    return [rng.choice(points, size, replace=False) for _ in range(sets)]


def _one_side(layout: np.ndarray, first: int, points: int, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [heads]: expected radius over the hits' radius, within 1/99 … 99."""
    if len(rows) > MOST:
        rows = np.sort(rng.choice(rows, MOST, replace=False))
    observed = radii(np.asarray(layout[:, first + rows], dtype=np.float32))
    sets = draw_sets(len(rows), points, rng)
    expected = np.mean([radii(np.asarray(layout[:, first + drawn], dtype=np.float32)) for drawn in sets], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = expected / observed
    ratio = np.where(expected > 0, ratio, 1.0)  # all points of the head on one place: nothing to compare
    return np.clip(ratio, 1 / _LARGEST, _LARGEST)


def radii(points: np.ndarray) -> np.ndarray:
    """float32 [heads]: median over points of the radius that holds a quarter of the others.

    Args:
        points: float32 [heads, n, dims], n ≥ 2.
    """
    count = points.shape[1]
    neighbour = max(1, round((count - 1) / 4))
    square = np.zeros((len(points), count, count), dtype=np.float32)
    for axis in range(points.shape[2]):
        difference = points[:, :, None, axis] - points[:, None, :, axis]
        square += np.square(difference, out=difference)
    # The point itself, at distance 0, is the first of each row.
    return np.median(np.sqrt(np.partition(square, neighbour, axis=2)[:, :, neighbour]), axis=1)
