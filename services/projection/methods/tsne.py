"""t-SNE (van der Maaten & Hinton 2008): keeps neighbours together by their probability."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from services.projection.methods.umap import UMAP
from services.projection.parameters import (
    REFERENCE_TSNE_ITERATIONS,
    REFERENCE_TSNE_PHASE1,
    TSNE_ITERATIONS,
    neighbors_for,
    perplexity_for,
    sources_for,
)
from services.projection.placing import place_by_distance
from services.projection.points import LayerPoints, sized_start

if TYPE_CHECKING:
    from services.projection.layout import HeadLayouts
    from services.projection.torch_engine import TorchLayouts

# Along the first axis, for a map of 10,000 points, by dims; a little above where t-SNE ends: it shrinks fast.
SPREAD = {2: 60.0, 3: 30.0}


class TsneMethod:
    """Starts from the head's UMAP layout, which replaces early exaggeration; openTSNE's has its own beginning."""

    name = "tsne"
    label = "t-SNE"
    in_text = "t-SNE"
    made = "t-SNE keeps similar vectors together too"
    trust = "keeps neighbours together as UMAP does, by their probability: read neighbourhoods, not distances."
    term = (
        "tsne",
        "t-SNE",
        "Keeps neighbours together by their probability. Like UMAP, read neighbourhoods and not distances.",
    )
    preserves = "neighbourhoods, best of those that see the vectors"
    gives_up = "distances between clusters and their densities; near does not mean attended"
    needs: Literal["vectors"] = "vectors"
    follows_alignment = True
    shows_shape = True
    judged_by = "best_near"
    sizes = ""
    study_space = None

    def parameters(self, dims: int, engine: str, points: int) -> dict[str, str | int | float | bool | None]:
        reference = engine == "reference"
        return {
            "engine": engine,
            "perplexity": round(perplexity_for(points), 2),
            "n_neighbors": neighbors_for(points),
            "early_iterations": REFERENCE_TSNE_PHASE1 if reference else 0,
            "iterations": REFERENCE_TSNE_ITERATIONS if reference else TSNE_ITERATIONS,
            "repulsion_sources": points if reference else sources_for(points),
            "metric": "euclidean",
            "start": "pca" if reference else "umap",
        }

    def iterations(self, points: int) -> int:
        return TSNE_ITERATIONS

    def fit(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        if head.engine == "reference":
            from services.projection.reference import opentsne

            return opentsne(head.cloud, head.neighbors, head.spread_start(dims), head.seed, head.watch)
        return self._descend(head, head.fitted(UMAP, dims))

    def refine(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        return self._descend(head, head.target(dims))

    def _descend(self, head: "HeadLayouts", start: np.ndarray) -> np.ndarray:
        from services.projection.graph import affinity_graph
        from services.projection.tsne_kernel import tsne_descent

        graph = affinity_graph(head.neighbors, perplexity_for(len(head.cloud)))
        return tsne_descent(graph, sized_start(start, SPREAD), head.seed, head.watch, TSNE_ITERATIONS)

    def fit_together(self, heads: "TorchLayouts", dims: int) -> np.ndarray:
        from services.projection.torch_engine import tsne_descent
        from services.projection.torch_graph import affinity_edges

        edges = heads.once("affinities", lambda: affinity_edges(*heads.neighbors, perplexity_for(heads.n)))
        start = heads.tensor(np.stack([sized_start(layout, SPREAD) for layout in UMAP.fit_together(heads, dims)]))
        return tsne_descent(edges, start, heads.seed, heads.watch, TSNE_ITERATIONS).cpu().numpy()

    def place(self, points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int) -> np.ndarray:
        return place_by_distance(points, new, layout, head)


TSNE = TsneMethod()
