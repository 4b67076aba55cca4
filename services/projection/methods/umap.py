"""UMAP (McInnes, Healy & Melville 2018): keeps each point near its nearest neighbours."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from services.projection.parameters import EPOCHS, MIN_DIST, N_NEIGHBORS, NEGATIVE_SAMPLES, SMALL
from services.projection.placing import place_by_distance
from services.projection.points import LayerPoints

if TYPE_CHECKING:
    from torch import Tensor

    from services.projection.layout import HeadLayouts
    from services.projection.torch_engine import TorchLayouts
    from services.projection.torch_graph import Edges


class UmapMethod:
    name = "umap"
    label = "UMAP"
    in_text = "UMAP"
    made = "UMAP keeps similar vectors together"
    trust = (
        "keeps similar vectors together and shows the shape of a head best: spirals, clumps, islands. Distances "
        "between far groups, and the size of groups, mean little, and near does not have to mean attended."
    )
    term = (
        "umap",
        "UMAP",
        "Keeps each point near its nearest neighbours. Shows clumps and spirals; distances between far groups and the "
        "size of groups mean little.",
    )
    preserves = "neighbourhoods of similar vectors, clusters"
    gives_up = "sizes of and distances between clusters; near does not mean attended"
    needs: Literal["vectors"] = "vectors"
    follows_alignment = True
    shows_shape = True
    judged_by = "best_near"
    sizes = ""
    study_space: Literal["cosine"] = "cosine"

    def parameters(self, dims: int, engine: str, points: int) -> dict[str, str | int | float | bool | None]:
        return {
            "engine": engine,
            "n_neighbors": min(N_NEIGHBORS, points - 1),
            "min_dist": MIN_DIST,
            "negative_samples": NEGATIVE_SAMPLES,
            "epochs": 500 if engine == "reference" and points <= SMALL else EPOCHS,
            "metric": "euclidean",
            "start": "pca",
        }

    def iterations(self, points: int) -> int:
        return EPOCHS

    def fit(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        if head.engine == "reference":
            from services.projection.reference import umap_learn

            return umap_learn(head.cloud, head.neighbors, head.spread_start(dims), head.seed, head.watch)
        from services.projection.graph import fuzzy_graph
        from services.projection.umap_kernel import umap_sgd

        graph = fuzzy_graph(head.neighbors.first(N_NEIGHBORS - 1))
        return umap_sgd(graph, head.spread_start(dims), head.seed, head.watch, EPOCHS)

    def refine(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        return self.fit(head, dims)

    def fit_together(self, heads: "TorchLayouts", dims: int) -> np.ndarray:
        return self.tensor(heads, dims).cpu().numpy()

    def tensor(self, heads: "TorchLayouts", dims: int) -> "Tensor":
        """The layouts [heads, n, dims] on the device."""
        from services.projection.torch_engine import umap_sgd
        from services.projection.torch_graph import fuzzy_edges

        def graph() -> "Edges":
            indices, distances = heads.neighbors
            k = min(N_NEIGHBORS - 1, indices.shape[2])
            return fuzzy_edges(indices[..., :k], distances[..., :k])

        def make() -> "Tensor":
            edges = heads.once("memberships", graph)
            return umap_sgd(edges, heads.tensor(heads.starts[dims]), heads.seed, heads.watch)

        return heads.once(f"{self.name}{dims}", make)

    def place(self, points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int) -> np.ndarray:
        return place_by_distance(points, new, layout, head)


UMAP = UmapMethod()
