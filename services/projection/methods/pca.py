"""PCA: the directions of largest spread; exact, and where every other layout starts."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from services.projection.points import LayerPoints

if TYPE_CHECKING:
    from services.projection.layout import HeadLayouts
    from services.projection.torch_engine import TorchLayouts


class PcaMethod:
    name = "pca"
    label = "PCA"
    in_text = "PCA"
    made = "PCA shows the largest directions and nothing else"
    trust = "keeps the large directions and is exact about what it shows, but shows little."
    term = (
        "pca",
        "PCA",
        "Principal component analysis: the directions of largest spread. Exact, but shows little.",
    )
    preserves = "the directions of largest variance, exactly; large distances; new points land exactly"
    gives_up = "most neighbours (one in ten kept on MiniLM in 2D); near does not mean attended"
    needs: Literal["vectors"] = "vectors"
    follows_alignment = True
    shows_shape = False
    judged_by = "best_near"
    sizes = ""
    study_space: Literal["euclidean"] = "euclidean"

    def parameters(self, dims: int, engine: str, points: int) -> dict[str, str | int | float | bool | None]:
        return {"engine": "exact", "components": dims}

    def iterations(self, points: int) -> int:
        return 0

    def fit(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        """The layer's PCA, whose axes are made consistent between heads: services.projection.linear."""
        return head.target(dims)

    def refine(self, head: "HeadLayouts", dims: int) -> np.ndarray:
        return head.target(dims)

    def fit_together(self, heads: "TorchLayouts", dims: int) -> None:
        return None

    def place(self, points: LayerPoints, new: LayerPoints, layout: np.ndarray, head: int) -> np.ndarray:
        """The layout is an affine function of the aligned vectors: find it and apply it."""
        cloud = np.concatenate([points.aligned_queries[head], points.aligned_keys[head]]).astype(np.float64)
        good = np.isfinite(cloud).all(axis=1)
        cloud, layout = cloud[good], layout[good].astype(np.float64)
        centre = cloud.mean(axis=0) if good.any() else np.zeros(cloud.shape[1])
        middle = layout.mean(axis=0) if good.any() else np.zeros(layout.shape[1])
        cloud -= centre
        axes = np.linalg.pinv(cloud.T @ cloud, hermitian=True) @ (cloud.T @ (layout - middle))
        added = np.concatenate([new.aligned_queries[head], new.aligned_keys[head]]).astype(np.float64)
        added[~np.isfinite(added).all(axis=1)] = centre
        return (added - centre) @ axes + middle


PCA = PcaMethod()
