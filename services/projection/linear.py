"""PCA of all heads, and axes made comparable between heads."""

import numpy as np

from services.numerics.linear import principal_axes, rotation_onto, unit_size
from services.projection.points import LayerPoints, joint_cloud


def pca_layer(points: LayerPoints, dims: int, *, notes: list[str] | None = None) -> np.ndarray:
    """The first principal components of every head: float32 [heads, n, dims], queries first.

    All heads at once: one head_dim × head_dim covariance each and one batched eigen-decomposition.
    Missing components (a head_dim smaller than dims, equal vectors) are zero.
    """
    heads, _, head_dim = points.queries.shape
    covariance = np.empty((heads, head_dim, head_dim))
    for head in range(heads):
        cloud, bad = joint_cloud(points.aligned_queries[head], points.aligned_keys[head])
        covariance[head] = cloud.T @ cloud
        if bad and notes is not None:
            notes.append(f"head {head}: {bad} vectors are not finite and were put at the centre")
    axes = principal_axes(covariance, dims)
    layouts = np.zeros((heads, points.n_points, dims), np.float32)
    for head in range(heads):
        cloud, _ = joint_cloud(points.aligned_queries[head], points.aligned_keys[head])
        # Not by matrix product, which may round equal vectors apart.
        layouts[head, :, : axes.shape[2]] = np.einsum("nd,de->ne", cloud, axes[head])
    return layouts


def align_axes(layouts: np.ndarray, *, rounds: int = 3) -> None:
    """Turn and mirror every head's layout onto the heads' consensus; in place on [layers, heads, n, dims].

    Generalised Procrustes analysis (Gower 1975) without scaling: distances inside a head do not change, the
    same tokens tend to lie in the same direction in every head. One head is in memory at a time.
    """
    layers, heads, n, dims = layouts.shape
    cells = [(layer, head) for layer in range(layers) for head in range(heads)]
    consensus = np.zeros((n, dims))
    for _ in range(rounds):
        total = np.zeros((n, dims))
        for cell in cells:
            layout = unit_size(layouts[cell])
            # The first head with any extent is the first consensus.
            reference = consensus if consensus.any() else total
            total += layout @ rotation_onto(layout, reference) if reference.any() else layout
        consensus = unit_size(total)
    for cell in cells:
        centre = layouts[cell].mean(axis=0, dtype=np.float64)
        layout = layouts[cell] - centre
        turn = rotation_onto(layout, consensus) if layout.any() else np.eye(dims)
        layouts[cell] = np.einsum("nd,de->ne", layout, turn)
