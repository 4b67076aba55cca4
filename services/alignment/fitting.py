"""Which tokens the centre of a head's clouds and its principal axes are taken from: sinks would own both.

A token that takes attention from all others lies far from them, and in a causal model it is the first of every input.
docs/projection.md has what leaving it out is worth.
"""

from typing import get_args

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo, Without
from services.projection.points import LayerPoints
from services.streams import Places, StreamTokens

WITHOUT: tuple[Without, ...] = get_args(Without)
WITHOUT_TEXT: dict[Without, str] = {
    "nothing": "all tokens",
    "first": "all tokens but the first of each input",
    "special": "all tokens but the special ones",
    "outliers": "all tokens but those of outlying norm",
}
# A norm so many median absolute deviations from the median norm is an outlier.
OUTLYING = 6.0

Fitted = tuple[np.ndarray, np.ndarray]  # bool [n_queries], bool [n_keys]


def fitted_tokens(queries: np.ndarray, keys: np.ndarray, tokens: StreamTokens, without: Without) -> Fitted | None:
    """Which queries [n_queries, head_dim] and keys [n_keys, head_dim] of a head count; None for all.

    All of a side count where fewer than half of it would, or only equal vectors.
    """
    if without == "nothing":
        return None
    return _side(queries, tokens.queries, without), _side(keys, tokens.keys, without)


def fitted_of_head(atlas: Atlas, stream: StreamInfo, queries: np.ndarray, keys: np.ndarray) -> Fitted | None:
    """As `fitted_tokens`, as the atlas was made."""
    return fitted_tokens(queries, keys, atlas.stream_tokens(stream), atlas.info.alignment.without)


def fitted_points(points: LayerPoints, without: Without) -> np.ndarray:
    """As `fitted_tokens`, for all heads of a layer: bool [heads, n], queries first."""
    found = np.ones((points.heads, points.n_points), bool)
    for head in range(points.heads):
        sides = fitted_tokens(points.queries[head], points.keys[head], points.tokens, without)
        if sides is not None:
            found[head] = np.concatenate(sides)
    return found


def mean_vector(vectors: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
    """[head_dim], of all vectors [n, head_dim] or of those that count, bool [n]; zero when there are no vectors."""
    if counted is not None and counted.any():
        vectors = vectors[counted]
    return vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1])


def _side(vectors: np.ndarray, places: Places, without: Without) -> np.ndarray:
    kept = _kept(vectors, places, without)
    if 2 * kept.sum() < len(kept) or not np.ptp(vectors[kept], axis=0).any():
        return np.ones(len(vectors), bool)
    return kept


def _kept(vectors: np.ndarray, places: Places, without: Without) -> np.ndarray:
    if without == "first":
        return np.asarray(places.position) != 0
    if without == "special":
        return np.ones(len(vectors), bool) if places.is_special is None else ~np.asarray(places.is_special)
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    good = np.isfinite(norms)
    middle = np.median(norms[good]) if good.any() else 0.0
    deviation = np.median(np.abs(norms[good] - middle)) if good.any() else 0.0
    # Not finite: never kept. Norms that are all but equal have no outliers.
    return good & (np.abs(norms - middle) <= OUTLYING * deviation) if deviation > 0 else good
