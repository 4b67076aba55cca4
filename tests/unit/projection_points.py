"""Small synthetic layers for the projection tests."""

import numpy as np

from services.projection import LayerPoints
from services.streams import FULL, Places, StreamTokens


def make_layer(heads=2, n_queries=60, n_keys=60, head_dim=8, seed=0, mask=FULL) -> LayerPoints:
    """Clustered queries and keys in inputs of ten tokens."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(heads, 6, head_dim)) * 2

    def side(n):
        return (centres[:, np.arange(n) % 6] + rng.normal(size=(heads, n, head_dim)) * 0.5).astype(np.float32)

    return layer_of(side(n_queries), side(n_keys), mask)


def layer_of(queries, keys, mask=FULL) -> LayerPoints:
    shift = queries.mean(1, keepdims=True) - keys.mean(1, keepdims=True)
    n_queries, n_keys = queries.shape[1], keys.shape[1]
    return LayerPoints(
        queries=queries,
        keys=keys,
        aligned_queries=queries,
        aligned_keys=keys + shift,
        tokens=StreamTokens(mask, places_of(n_queries), places_of(n_keys)),
    )


def places_of(n) -> Places:
    return Places((np.arange(n) // 10).astype(np.int32), (np.arange(n) % 10).astype(np.int32))
