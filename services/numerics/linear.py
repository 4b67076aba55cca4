"""Linear algebra of clouds of points: principal axes, rotations, and the exact inner-product lift."""

import numpy as np


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
