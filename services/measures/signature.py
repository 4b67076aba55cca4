"""The visual signature of a head: what neighbours on a map tell of a token, its position, its word, its kind.

kNN-R²: a point's NEIGHBORS nearest on the map, queries and keys alike, say what it should be; 1: they know all, 0:
no more than the whole map does, below 0: they mislead. Of numbers it is 1 − (mean squared error of their mean) /
(variance), of categories the same of the shares that they have among the neighbours (the Brier skill score, Brier
1950). Of equal vectors, which have one place, one counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from services.atlas import TokenTable
from services.measures.layer import Layer
from services.measures.measure import SHARE, Measure, Values
from services.numerics.distinct import Distinct

GROUP = "What neighbours on the map tell"
NEIGHBORS = 15
NOTHING_VARIES = "all points have one value"
TOO_FEW = f"fewer than {2 * NEIGHBORS} points have one"
ONE_SPOT = "all points of the map lie on one spot"


@dataclass(frozen=True)
class Target:
    """What neighbours may tell. of: float [tokens], NaN where a token has none, or names (object)."""

    name: str
    label: str
    words: str
    modality: str
    of: Callable[[TokenTable], np.ndarray]


def _token(tokens: TokenTable) -> np.ndarray:
    return np.asarray(tokens.token, dtype=object)


def _part_of_speech(tokens: TokenTable) -> np.ndarray:
    return np.asarray(tokens.columns.get("pos", [""] * len(tokens)), dtype=object)


def _patch(column: str) -> Callable[[TokenTable], np.ndarray]:
    return lambda tokens: np.where(tokens.special, np.nan, np.asarray(tokens.columns[column], float))


TARGETS = (
    Target(
        "position", "Position, told by neighbours", "position in its input", "text", lambda t: t.position.astype(float)
    ),
    Target("token", "Token, told by neighbours", "token", "text", _token),
    Target("pos", "Part of speech, told by neighbours", "part of speech", "text", _part_of_speech),
    Target("row", "Row, told by neighbours", "row in the image", "image", _patch("row")),
    Target("column", "Column, told by neighbours", "column in the image", "image", _patch("column")),
    Target("brightness", "Brightness, told by neighbours", "brightness", "image", _patch("brightness")),
)


def targets(modality: str) -> list[Target]:
    """Those that inputs of a modality have."""
    return [target for target in TARGETS if target.modality == modality]


def told_by_neighbours(layout: np.ndarray, values: np.ndarray) -> float | str:
    """kNN-R² of values [points], float with NaN for none or names, on a map [points, dims]; or why there is none."""
    names = values.dtype == object
    has = np.ones(len(values), bool) if names else np.isfinite(values)
    layout, values = layout[has], values[has]
    if len(values) < 2 * NEIGHBORS:
        return TOO_FEW
    if np.ptp(layout, axis=0).max() <= 0:
        return ONE_SPOT
    codes = np.unique(values.astype(str), return_inverse=True)[1] if names else values
    if np.ptp(codes) == 0:
        return NOTHING_VARIES
    near = nearest(layout, NEIGHBORS)
    return skill(codes, near) if names else float(1 - ((codes - codes[near].mean(axis=1)) ** 2).mean() / codes.var())


def nearest(layout: np.ndarray, count: int) -> np.ndarray:
    """The nearest other points of each on a map [points, dims]: int64 [points, count]."""
    from scipy.spatial import cKDTree

    found = cKDTree(layout).query(layout, count + 1)[1]
    # Where points coincide, a point need not be the first of its own neighbours, or among them.
    own = found == np.arange(len(layout))[:, None]
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(len(layout), count)


def skill(codes: np.ndarray, near: np.ndarray) -> float:
    """1 − (squared error of the neighbours' shares of each category) / (that of the map's shares)."""
    seen = np.sort(codes[near], axis=1)
    own = (seen == codes[:, None]).mean(axis=1)
    # Σ over categories of (share among the neighbours)²: pairs of neighbours that agree.
    squares = (seen[:, :, None] == seen[:, None, :]).mean(axis=(1, 2))
    shares = np.bincount(codes) / len(codes)
    return float(1 - (1 - 2 * own + squares).mean() / (1 - (shares**2).sum()))


def signature(target: Target, layer: Layer) -> Values:
    """Of each head, on the map that is asked for."""
    assert layer.space is not None
    sides = (layer.query_tokens, layer.key_tokens)
    if target.modality != layer.atlas.info.modality:
        return [f"{layer.atlas.info.modality} has none"] * layer.heads
    values = np.concatenate([target.of(tokens) for tokens in sides])
    found: list[float | str] = []
    for head in range(layer.heads):
        rows = layer.once(f"distinct {head}", partial(_distinct_rows, layer, head))
        found.append(told_by_neighbours(layer.cloud(layer.space, head)[rows], values[rows]))
    return found


def _distinct_rows(layer: Layer, head: int) -> np.ndarray:
    queries, keys = layer.queries[head], layer.keys[head]
    return np.concatenate([Distinct.of(queries).rows, len(queries) + Distinct.of(keys).rows])


def _measure(target: Target) -> Measure:
    return Measure(
        f"told_{target.name}",
        target.label,
        f"How well the {NEIGHBORS} nearest points on the map tell the {target.words} of a token (kNN-R²): 100 % is "
        "always, 0 % no better than chance.",
        partial(signature, target),
        "map",
        GROUP,
        SHARE,
        best=1.0,
        modality=target.modality,
    )


SIGNATURE: Sequence[Measure] = tuple(_measure(target) for target in TARGETS)
