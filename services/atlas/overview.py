"""A first look at thousands of heads: how dense the points of each are, and where queries or keys lie, as thumbnails.

A map of very many heads is seen before its points are fetched: a head is a small square of texels of one byte. What is
made with the map (`ProjectionRef.density_file`) need not be counted when someone asks for it.
"""

import numpy as np

from services.atlas.folder import Atlas
from services.atlas.layouts import Frames, flat_layout, head_frames, units
from services.atlas.schema import ProjectionInfo

MANY = 600  # heads from which on there are thumbnails: the points of fewer are drawn as quickly
MOST_POINTS = 2_000_000  # of all heads: up to so many are drawn as quickly, however many heads there are
SIDES = (32, 16, 8)
MOST_TEXELS = 8_000_000  # of all heads: bytes on the wire, and what a texture of 4,096 rows holds
LEVELS = 15
_AT_ONCE = 64  # heads


def thumbnail_side(heads: int, points: int) -> int | None:
    """Texels of a side; None where a map of so many heads of so many points (queries and keys) is not first seen so."""
    if heads < MANY or heads * points <= MOST_POINTS:
        return None
    return next((side for side in SIDES if heads * side**2 <= MOST_TEXELS), SIDES[-1])


def densities(layout: np.ndarray, queries: int, frame: Frames, side: int) -> np.ndarray:
    """uint8 [heads, side, side], rows from the top: 16 · density + share of keys, both in 0 … 15.

    The density is on a logarithmic scale, log(1 + n) of the log(1 + n) of the head's fullest texel, rounded up: where
    there is a point it is at least 1, and 0 where there is none. The share is that of keys among the texel's points.

    Args:
        layout: [heads, points, 2], the first `queries` of them queries.
        frame: of each head; points outside it count at its edge, as they are drawn.
    """
    heads, points = layout.shape[:2]
    made = np.empty((heads, side, side), np.uint8)
    kinds = np.where(np.arange(points) < queries, 0, side**2)
    for first in range(0, heads, _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        places = units(layout[some], Frames(frame.centre[some], frame.half[some]))
        texels = np.clip(((places + 1) * (side / 2)).astype(np.int32), 0, side - 1)
        cells = (side - 1 - texels[..., 1]) * side + texels[..., 0] + kinds
        count = len(cells)
        cells += np.arange(count, dtype=cells.dtype)[:, None] * (2 * side**2)
        counts = np.bincount(cells.ravel(), minlength=count * 2 * side**2)
        asking, answering = counts.reshape(count, 2, side**2).swapaxes(0, 1)
        total = asking + answering
        most = np.maximum(total.max(axis=1, keepdims=True), 1)
        density = np.ceil(LEVELS * np.log1p(total) / np.log1p(most) - 1e-9)
        share = np.rint(LEVELS * answering / np.maximum(total, 1))
        made[some] = (16 * density + share).reshape(count, side, side)
    return made


def thumbnails(atlas: Atlas, projection: ProjectionInfo, whole: bool = False) -> bytes:
    """`densities` of a map, made now; whole: in frames that hold every point.

    Raises:
        KeyError: the map is not seen so.
    """
    stream = atlas.stream(projection.stream)
    queries, keys = atlas.points(stream)
    side = thumbnail_side(stream.layers * stream.heads, queries + keys)
    if side is None or projection.dims != 2:
        raise KeyError(projection.name)
    frame = head_frames(atlas, projection.stream, projection.name, whole)
    return densities(flat_layout(atlas, projection), queries, frame, side).tobytes()


def kept_thumbnails(atlas: Atlas, projection: ProjectionInfo) -> bytes | None:
    """The same as they were made with the map; None where an earlier program made it, or another of another side."""
    name = projection.ref.density_file(projection.stream)
    if name not in atlas.info.files:
        return None
    kept = atlas.array(name.removesuffix(".npy"))
    stream = atlas.stream(projection.stream)
    side = thumbnail_side(stream.layers * stream.heads, sum(atlas.points(stream)))
    return kept.tobytes() if kept.shape[-1] == side else None
