"""PCA of all heads, and axes made comparable between heads."""

import numpy as np

from services.numerics.linear import principal_axes, rotation_onto, unit_size
from services.projection.points import LayerPoints, joint_cloud


def pca_layer(
    points: LayerPoints, dims: int, *, fitted: np.ndarray | None = None, notes: list[str] | None = None
) -> np.ndarray:
    """The first principal components of every head: float32 [heads, n, dims], queries first.

    All heads at once: one head_dim × head_dim covariance each and one batched eigen-decomposition.
    Missing components (a head_dim smaller than dims, equal vectors) are zero.
    fitted: bool [heads, n], the points that centre and axes are taken from; all points are shown. None: all.
    """
    heads, _, head_dim = points.queries.shape
    covariance = np.empty((heads, head_dim, head_dim))
    rows: list[np.ndarray | None] = [None] * heads if fitted is None else list(fitted)
    for head in range(heads):
        cloud, bad = joint_cloud(points.aligned_queries[head], points.aligned_keys[head], rows[head])
        counted = cloud if fitted is None else cloud[fitted[head]]
        covariance[head] = counted.T @ counted
        if bad and notes is not None:
            notes.append(f"head {head}: {bad} vectors are not finite and were put at the centre")
    axes = principal_axes(covariance, dims)
    layouts = np.zeros((heads, points.n_points, dims), np.float32)
    for head in range(heads):
        cloud, _ = joint_cloud(points.aligned_queries[head], points.aligned_keys[head], rows[head])
        # Not by matrix product, which may round equal vectors apart.
        layouts[head, :, : axes.shape[2]] = np.einsum("nd,de->ne", cloud, axes[head])
    return layouts


def align_axes(layouts: np.ndarray, fitted: np.ndarray | None = None, *, rounds: int = 3) -> None:
    """Turn and mirror every head's layout onto the heads' consensus; in place on [layers, heads, n, dims].

    Generalised Procrustes analysis (Gower 1975) without scaling: distances inside a head do not change, the
    same tokens tend to lie in the same direction in every head. One head is in memory at a time.
    fitted: bool [layers, heads, n], the points that turns and centres are taken from; None: all.
    """

    def centred(cell: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """A layout about its centre, and the same with what does not count at the centre."""
        rows = slice(None) if fitted is None else fitted[cell]
        layout = layouts[cell] - layouts[cell][rows].mean(axis=0, dtype=np.float64)
        return layout, layout if fitted is None else np.where(fitted[cell][:, None], layout, 0.0)

    layers, heads, n, dims = layouts.shape
    cells = [(layer, head) for layer in range(layers) for head in range(heads)]
    consensus = np.zeros((n, dims))
    for _ in range(rounds):
        total = np.zeros((n, dims))
        for cell in cells:
            layout = unit_size(centred(cell)[1])
            # The first head with any extent is the first consensus.
            reference = consensus if consensus.any() else total
            total += layout @ rotation_onto(layout, reference) if reference.any() else layout
        consensus = unit_size(total)
    for cell in cells:
        layout, counted = centred(cell)
        turn = rotation_onto(counted, consensus) if counted.any() else np.eye(dims)
        layouts[cell] = np.einsum("nd,de->ne", layout, turn)
