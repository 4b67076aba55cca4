"""The `fast` engine, the default: our compiled UMAP and t-SNE, single-threaded and without the GIL."""

import numpy as np

from services.projection.graph import Graph, affinity_graph, fuzzy_graph
from services.projection.neighbors import Neighbors
from services.projection.parameters import (
    ATTENTION_ITERATIONS,
    EPOCHS,
    N_NEIGHBORS,
    TSNE_ITERATIONS,
    perplexity_for,
)
from services.projection.tsne_kernel import tsne_descent
from services.projection.umap_kernel import umap_sgd
from services.projection.watch import Watch

TSNE_STARTS_FROM_UMAP = True

# Along the first axis, for a map of 10,000 points, by dims; a little above where t-SNE ends: it shrinks fast.
TSNE_SPREAD = {2: 60.0, 3: 30.0}
ATTENTION_SPREAD = {2: 60.0, 3: 60.0}


def umap_layout(cloud: np.ndarray, neighbors: Neighbors, start: np.ndarray, seed: int, watch: Watch) -> np.ndarray:
    """UMAP of a head from a common start [n, dims]: float32 [n, dims]."""
    return umap_sgd(fuzzy_graph(neighbors.first(N_NEIGHBORS - 1)), start, seed, watch, EPOCHS)


def tsne_layout(cloud: np.ndarray, neighbors: Neighbors, start: np.ndarray, seed: int, watch: Watch) -> np.ndarray:
    """t-SNE of a head, started from its UMAP layout, which replaces early exaggeration: float32 [n, dims]."""
    graph = affinity_graph(neighbors, perplexity_for(len(cloud)))
    return tsne_descent(graph, sized_start(start, TSNE_SPREAD), seed, watch, TSNE_ITERATIONS)


def attention_layout(graph: Graph, start: np.ndarray, seed: int, watch: Watch) -> np.ndarray:
    """t-SNE's descent over the attention graph: float32 [n, dims]."""
    return tsne_descent(graph, sized_start(start, ATTENTION_SPREAD), seed, watch, ATTENTION_ITERATIONS)


def sized_start(layout: np.ndarray, spreads: dict[int, float]) -> np.ndarray:
    """A layout [n, dims] centred and scaled to about the size that its map will have."""
    n, dims = layout.shape
    layout = layout - layout.mean(axis=0)
    spread = spreads[dims] * (n / 10_000) ** (1 / dims)
    layout = layout * (spread / max(layout[:, 0].std(), 1e-12))
    # Equal points have no direction in which to part.
    return layout + np.random.default_rng(0).normal(0.0, 1e-4 * spread, layout.shape)
