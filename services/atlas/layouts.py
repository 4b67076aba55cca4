"""Layouts as they are drawn: the frame of each head, positions within it as integers, and the order of points."""

from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np

from services.atlas.folder import Atlas
from services.atlas.schema import ProjectionInfo

ORDER_SEED = 20230504
EDGE = 0.05  # of the points, at both ends of an axis: what lies between is the middle nine tenths
FENCE = 2.5
LEAST_GAIN = 1.3
OUTSIDE = 0.99  # of the way to the edge of the cell: points beyond lie outside the frame
_MARGIN = 1.04  # room for the markers of the outermost points
_SAMPLE = 2000


class Frames(NamedTuple):
    """centre [heads, 1, dims] and half extent [heads, 1, 1]; the half extent is 1 for a head of one place."""

    centre: np.ndarray
    half: np.ndarray

    def of(self, head: int) -> "Frames":
        """Those of one head, as of a layout of it alone."""
        return Frames(self.centre[head : head + 1], self.half[head : head + 1])


@lru_cache(maxsize=16)
def draw_order(points: int) -> np.ndarray:
    """uint32 [points]: slot → point id, one seeded permutation for all heads and projections."""
    return np.random.default_rng(ORDER_SEED).permutation(points).astype("<u4")


def frames(layout: np.ndarray, whole: bool = False) -> Frames:
    """The square, or cube, of the layout that each head's cell shows; one scale for all axes.

    It is the smallest that holds the head's points. Where a few lie far away, it is that of the others: those within
    `FENCE` times the middle nine tenths of every axis, if they are drawn at least `LEAST_GAIN` times as large for it.

    Args:
        layout: [heads, points, dims].
        whole: hold every point, however far away.
    """
    low, high = _ends(layout)
    if not whole:
        lower, upper = _middle(layout)
        fences = FENCE * (upper - lower).max(axis=1) / 2
        middles = (lower + upper) / 2
        reach = np.maximum(high - middles, middles - low).max(axis=1)
        for head in np.flatnonzero((reach > fences) & (fences > 0)):
            near = (np.abs(layout[head] - middles[head]) <= fences[head]).all(axis=1)
            inner_low, inner_high = _ends(layout[head][near][None])
            if (high[head] - low[head]).max() >= LEAST_GAIN * (inner_high - inner_low).max() > 0:
                low[head], high[head] = inner_low[0], inner_high[0]
    half = (high - low).max(axis=1)[:, None, None] / 2 * _MARGIN
    return Frames(((low + high) / 2)[:, None], np.where(half > 0, half, 1))


def _ends(layout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest coordinates [heads, dims]; axis by axis, which numpy does forty times as fast as at once."""
    axes = range(layout.shape[2])
    low = np.stack([layout[..., axis].min(axis=1) for axis in axes], axis=1)
    return low, np.stack([layout[..., axis].max(axis=1) for axis in axes], axis=1)


def _middle(layout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends [heads, dims] of the middle nine tenths of the points on each axis, from a fair sample of them."""
    few = np.asarray(layout[:, draw_order(layout.shape[1])[:_SAMPLE]])
    along = np.sort(np.ascontiguousarray(few.swapaxes(1, 2)), axis=2)
    skipped = int(EDGE * along.shape[2])
    return along[..., skipped], along[..., -1 - skipped]


def units(layout: np.ndarray, frame: Frames) -> np.ndarray:
    """Places in the cell, −1 … +1 on each axis; one outside the frame at the edge, on its way from the middle.

    layout: [heads, points, dims].
    """
    places = (layout - frame.centre) / frame.half
    return places / np.maximum(_reach(places)[..., None], 1)


def _reach(places: np.ndarray) -> np.ndarray:
    """Of each place the greatest coordinate, whatever its sign; axis by axis, as in `_ends`."""
    return reduce(np.maximum, (np.abs(places[..., axis]) for axis in range(places.shape[2])))


def outside(places: np.ndarray) -> np.ndarray:
    """bool [heads, points]: which of the places that `units` gives are of points outside the frame."""
    return _reach(places) > OUTSIDE


def quantise(layout: np.ndarray, frame: Frames) -> np.ndarray:
    """uint16 places: −1 … +1 of `units` becomes 0 … 65535."""
    return np.rint((units(layout, frame) / 2 + 0.5) * 65535).astype("<u2")


def flat_layout(atlas: Atlas, projection: ProjectionInfo) -> np.ndarray:
    """[layers × heads, points, dims] view of a projection."""
    layout = atlas.layout(projection)
    return layout.reshape(-1, *layout.shape[2:])


@lru_cache(maxsize=64)
def head_frames(atlas: Atlas, stream: str, name: str, whole: bool = False) -> Frames:
    """Frames of all heads of a projection, computed once for an opened atlas; whole: as of `frames`.

    Raises:
        KeyError: the atlas has no such projection.
    """
    projection = atlas.info.projection(name, stream)
    if projection is None:
        raise KeyError(name)
    return frames(flat_layout(atlas, projection), whole)
