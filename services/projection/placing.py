"""Ways to find where new points (a probe's tokens) belong in a layout that exists, without moving anything else."""

import numpy as np

from services.projection.points import LayerPoints, finite
from services.streams import StreamTokens

PLACING_NEIGHBORS = 15
PLACING_PERPLEXITY = 5.0


def place_by_distance(points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int) -> np.ndarray:
    """The median place of the nearest aligned vectors, queries and keys alike."""
    old = np.concatenate([points.aligned_queries[head], points.aligned_keys[head]])
    added = np.concatenate([new.aligned_queries[head], new.aligned_keys[head]])
    return median_of_nearest(old, added, layout)


def place_by_attention(
    points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int, centred_on_average: bool
) -> np.ndarray:
    """Queries by the keys with their best scores, keys by the keys most like them.

    centred_on_average: scores of a query less the average query's, (q − q̄)·k.
    """
    from services.projection.affinities import softmax_at_perplexity

    keys, key_places = points.keys[head], layout[points.n_queries :]
    queries = finite(new.queries[head])
    if centred_on_average:
        queries = queries - finite(points.queries[head]).mean(axis=0)
    scores = queries @ centred(keys).T
    hidden = StreamTokens(points.tokens.mask, new.tokens.queries, points.tokens.keys).hidden()
    if hidden is not None:
        scores[hidden] = -np.inf
    k = min(PLACING_NEIGHBORS, len(keys))
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    scores = np.take_along_axis(scores, best, axis=1)
    weights = softmax_at_perplexity(scores, PLACING_PERPLEXITY)
    # A query that may attend to no key of the atlas goes to the middle of the keys.
    weights[weights.sum(axis=1) == 0] = 1 / k
    placed_queries = (weights[..., None] * key_places[best]).sum(axis=1)
    return np.concatenate([placed_queries, median_of_nearest(keys, new.keys[head], key_places)])


def centred(vectors: np.ndarray) -> np.ndarray:
    vectors = finite(vectors)
    return vectors - vectors.mean(axis=0)


def median_of_nearest(old: np.ndarray, added: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The median place [n_added, dims] of each added vector's nearest old ones."""
    k = min(PLACING_NEIGHBORS, len(old))
    centre = finite(old).mean(axis=0, dtype=np.float64)
    old, added = finite(old) - centre, finite(added) - centre
    squares = (old**2).sum(axis=1) - 2 * added @ old.T
    nearest = np.argpartition(squares, k - 1, axis=1)[:, :k]
    return np.median(places[nearest], axis=1)
