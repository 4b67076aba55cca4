"""PCA of all heads, axes made comparable between heads, and the exact inner-product lift."""

import numpy as np

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
        layouts[head, :, : axes.shape[2]] = cloud @ axes[head]
    return layouts


def principal_axes(covariance: np.ndarray, dims: int) -> np.ndarray:
    """The leading eigenvectors [..., d, min(dims, d)] of covariances [..., d, d].

    Signs of eigenvectors are arbitrary; here the largest entry is positive: equal data, equal maps.
    """
    _, vectors = np.linalg.eigh(covariance)
    axes = vectors[..., ::-1][..., :dims]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=-2)[..., None, :], axis=-2)
    return axes * np.where(largest < 0, -1.0, 1.0)


def rotation_onto(layout: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The orthogonal matrix R [dims, dims] that brings layout @ R nearest to target (Schönemann 1966).

    Both are centred [n, dims]. Reflections are allowed: the sign of an axis means nothing in these maps.
    """
    left, _, right = np.linalg.svd(layout.T.astype(np.float64) @ target)
    return left @ right


def unit_size(layout: np.ndarray) -> np.ndarray:
    """Centred, with a root-mean-square distance of one from the centre (or all zero): float64 [n, dims]."""
    layout = layout - layout.mean(axis=0, dtype=np.float64)
    size = np.sqrt((layout**2).sum(axis=1).mean()) if layout.size else 0.0
    return layout / size if size > 0 else layout


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
        layouts[cell] = layout @ rotation_onto(layout, consensus) if layout.any() else layout


def lift(queries: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Queries and keys with one coordinate more, in which distance orders the keys exactly as attention does.

    k̃ = (k, √(M² − ‖k‖²)), q̃ = (q, 0), M = max ‖k‖, so ‖q̃ − k̃‖² = ‖q‖² + M² − 2 q·k: for a given query the
    nearest key is the most attended one (Bachrach et al. 2014, the reduction of inner-product search to
    nearest neighbours). Keys are first translated by their mean, which leaves every softmax as it was and
    makes M small. float32 [n_queries, head_dim] and [n_keys, head_dim] → [..., head_dim + 1].
    """
    keys = keys - keys.mean(axis=0, dtype=np.float64)
    squares = (keys**2).sum(axis=1)
    height = np.sqrt(np.maximum(squares.max(initial=0.0) - squares, 0.0))
    lifted_queries = np.concatenate([queries, np.zeros((len(queries), 1))], axis=1)
    lifted_keys = np.concatenate([keys, height[:, None]], axis=1)
    return lifted_queries.astype(np.float32), lifted_keys.astype(np.float32)
