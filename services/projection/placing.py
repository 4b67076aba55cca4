"""Where new points (a probe's tokens) belong in layouts that exist, without moving anything else."""

from collections.abc import Mapping

import numpy as np

from services.atlas import ProjectionRef
from services.projection.points import LayerPoints, finite, joint_cloud
from services.streams import StreamTokens

PLACING_NEIGHBORS = 15
PLACING_PERPLEXITY = 5.0


def place(
    points: LayerPoints, new: LayerPoints, layouts: Mapping[ProjectionRef, np.ndarray]
) -> dict[ProjectionRef, np.ndarray]:
    """Positions of new tokens in a layer's layouts: float32 [heads, new queries + new keys, dims] each.

    `points` are the tokens the layouts [heads, n, dims] were made from; `new` holds the new tokens, aligned
    with the same factor and translation. PCA is exact. For the others, measured best of several ways
    (docs/projection.md): a new point goes to the median place of its nearest neighbours; in the attention map
    a key does so among the keys, and a query goes to the weighted mean place of the keys it attends to most.
    """
    return {
        ref: np.stack([place_in_head(points, new, ref, layout[head], head) for head in range(points.heads)])
        for ref, layout in layouts.items()
    }


def place_in_head(
    points: LayerPoints, new: LayerPoints, ref: ProjectionRef, layout: np.ndarray, head: int
) -> np.ndarray:
    """Positions of new tokens in one head's layout [n, dims]: float32 [new queries + new keys, dims]."""
    layout = np.asarray(layout)
    if ref.method == "pca":
        placed = place_linearly(points, new, layout, head)
    elif ref.method == "attention":
        placed = place_by_attention(points, new, layout, head)
    else:
        placed = place_by_distance(points, new, layout, head)
    return np.nan_to_num(placed, posinf=0.0, neginf=0.0).astype(np.float32)


def place_linearly(points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int) -> np.ndarray:
    """The layout is an affine function of the aligned vectors: find it and apply it."""
    cloud, _ = joint_cloud(points.aligned_queries[head], points.aligned_keys[head])
    good = np.concatenate([points.aligned_queries[head], points.aligned_keys[head]]).astype(np.float64)
    good = good[np.isfinite(good).all(axis=1)]
    centre = good.mean(axis=0) if len(good) else np.zeros(cloud.shape[1])
    middle = layout.mean(axis=0, dtype=np.float64)
    axes = np.linalg.pinv(cloud.T @ cloud, hermitian=True) @ (cloud.T @ (layout - middle))
    added = np.concatenate([new.aligned_queries[head], new.aligned_keys[head]]).astype(np.float64)
    added[~np.isfinite(added).all(axis=1)] = centre
    return (added - centre) @ axes + middle


def place_by_distance(points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int) -> np.ndarray:
    """The median place of the nearest aligned vectors, queries and keys alike."""
    old = np.concatenate([points.aligned_queries[head], points.aligned_keys[head]])
    added = np.concatenate([new.aligned_queries[head], new.aligned_keys[head]])
    return median_of_nearest(old, added, layout)


def place_by_attention(points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int) -> np.ndarray:
    """Queries by the keys with their best scores, keys by the keys most like them."""
    from services.projection.attention import softmax_at_perplexity

    keys, key_places = points.keys[head], layout[points.n_queries :]
    scores = finite(new.queries[head]) @ centred(keys).T
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
