"""Layouts as they are drawn: the frame of each head, positions within it as integers, and the order of points."""

from functools import lru_cache

import numpy as np

from services.atlas.folder import Atlas
from services.atlas.schema import ProjectionInfo

ORDER_SEED = 20230504
_MARGIN = 1.04  # room for the markers of the outermost points


@lru_cache(maxsize=16)
def draw_order(points: int) -> np.ndarray:
    """uint32 [points]: slot → point id, one seeded permutation for all heads and projections."""
    return np.random.default_rng(ORDER_SEED).permutation(points).astype("<u4")


def frames(layout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and half extent of each head's cell.

    Args:
        layout: [heads, points, dims].

    Returns:
        centre [heads, 1, dims] and half extent [heads, 1, 1]; the half extent is 1 for a head of one place.
    """
    low, high = layout.min(axis=1, keepdims=True), layout.max(axis=1, keepdims=True)
    half = ((high - low).max(axis=2, keepdims=True) / 2) * _MARGIN
    return (low + high) / 2, np.where(half > 0, half, 1)


def quantise(layout: np.ndarray, centre: np.ndarray, half: np.ndarray) -> np.ndarray:
    """uint16 positions in the frame: −half … +half becomes 0 … 65535."""
    return np.rint(((layout - centre) / half / 2 + 0.5) * 65535).clip(0, 65535).astype("<u2")


def flat_layout(atlas: Atlas, projection: ProjectionInfo) -> np.ndarray:
    """[layers × heads, points, dims] view of a projection."""
    layout = atlas.layout(projection)
    return layout.reshape(-1, *layout.shape[2:])


@lru_cache(maxsize=64)
def head_frames(atlas: Atlas, stream: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Frames of all heads of a projection, computed once for an opened atlas.

    Raises:
        KeyError: the atlas has no such projection.
    """
    projection = atlas.info.projection(name, stream)
    if projection is None:
        raise KeyError(name)
    return frames(flat_layout(atlas, projection))
