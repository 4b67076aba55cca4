"""The `reference` engine: umap-learn and openTSNE, on the same exact neighbours and the same start.

Slower by an order of magnitude than ours and the oracle of its tests; the coupled maps have `coupled_reference.py`.
The libraries are imported inside the functions: umap-learn takes seconds to import and compiles for about a minute on
first use.
"""

import warnings
from typing import Any

import numpy as np

from services.projection.neighbors import Neighbors
from services.projection.parameters import (
    N_NEIGHBORS,
    REFERENCE_TSNE_ITERATIONS,
    REFERENCE_TSNE_PHASE1,
    perplexity_for,
)
from services.projection.watch import Watch


def umap_learn(cloud: np.ndarray, neighbors: Neighbors, start: np.ndarray, seed: int, watch: Watch) -> np.ndarray:
    """umap-learn with its defaults: float32 [n, dims]. Checks for cancellation only before it begins."""
    import umap

    watch.check()
    n_neighbors = min(N_NEIGHBORS, len(cloud) - 1)
    nearest = neighbors.with_self(n_neighbors)
    reducer = umap.UMAP(
        n_neighbors=n_neighbors,
        n_components=start.shape[1],
        init=start,
        random_state=seed,
        n_jobs=1,
        precomputed_knn=(nearest.indices, nearest.distances, None),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(reducer.fit_transform(cloud), np.float32)


def opentsne(cloud: np.ndarray, neighbors: Neighbors, start: np.ndarray, seed: int, watch: Watch) -> np.ndarray:
    """openTSNE with its defaults (interpolation in 2D, Barnes–Hut in 3D): float32 [n, dims]."""
    import openTSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    def stop(_iteration: int, _error: float, _embedding: Any) -> None:
        watch.check()

    watch.check()
    perplexity = perplexity_for(len(cloud))
    affinities = PerplexityBasedNN(
        knn_index=PrecomputedNeighbors(neighbors.indices, neighbors.distances),
        perplexity=perplexity,
        n_jobs=1,
    )
    embedding = openTSNE.TSNEEmbedding(
        openTSNE.initialization.rescale(start.astype(np.float64)),
        affinities,
        negative_gradient_method="fft" if start.shape[1] == 2 else "bh",
        n_jobs=1,
        random_state=seed,
        callbacks=[stop],
        callbacks_every_iters=5,
    )
    embedding = embedding.optimize(REFERENCE_TSNE_PHASE1, exaggeration=12, momentum=0.5)
    embedding = embedding.optimize(REFERENCE_TSNE_ITERATIONS, momentum=0.8)
    return np.asarray(embedding, np.float32)
