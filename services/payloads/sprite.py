"""The matrix of all heads as one PNG: for browsers without WebGL2, previews and export."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from services.atlas import Atlas
from services.atlas.layouts import draw_order, flat_layout, head_frames, units
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.attributes.attribute import SIDE_STEPS
from services.attributes.registry import Attribute, point_values

VERSION = 3
SMALL = 32  # pixels of a cell of a thumbnail
_CELL = 96  # pixels of a cell when the matrix is small
_LARGEST = 4096  # pixels of the longer side at most
_TRANSPARENT = 255
_FADED = SIDE_STEPS - 1  # gives way to the colour of all that a search leaves out


def cell_pixels(stream: StreamInfo) -> int:
    """Side of a square cell."""
    return max(8, min(_CELL, _LARGEST // max(stream.layers, stream.heads)))


def matrix_png(
    atlas: Atlas,
    stream: StreamInfo,
    projection: ProjectionInfo,
    attribute: Attribute,
    colours: Sequence[str],
    hits: np.ndarray | None = None,
    faded: str = "#b9c0ca",
    whole: bool = False,
    small: bool = False,
) -> bytes:
    """A palette PNG with a transparent ground, `layers` × `heads` square cells without gaps.

    Args:
        colours: 256 entries `#rrggbb`; entry 255 gives way to the ground.
        hits: bool [queries + keys]: these points lie on top, larger and in colour, all others are `faded`.
        whole: each cell holds every point of its head, however far away.
        small: cells of `SMALL` pixels, for lists.
    """
    side = SMALL if small else cell_pixels(stream)
    layout = flat_layout(atlas, projection)
    order = draw_order(layout.shape[1])
    if hits is not None:
        order = np.concatenate([order[~hits[order]], order[hits[order]]])
        colours = [*colours[:_FADED], faded, *colours[_FADED + 1 :]]
    shared = None if attribute.scope == "head" else point_values(atlas, stream, attribute)
    frame = head_frames(atlas, projection.stream, projection.name, whole)
    picture = np.full((stream.layers * side, stream.heads * side), _TRANSPARENT, dtype=np.uint8)
    for number in range(layout.shape[0]):
        row, column = divmod(number, stream.heads)
        values = point_values(atlas, stream, attribute, (row, column)) if shared is None else shared
        colour = np.minimum(values, _TRANSPARENT - 1)
        if hits is not None:
            colour = np.where(hits, np.where(colour == _FADED, _FADED - 1, colour), _FADED)
        x, y = _pixels(units(layout[number : number + 1, order], frame.of(number))[0], side)
        cell = picture[row * side : (row + 1) * side, column * side : (column + 1) * side]
        cell[y, x] = colour[order]
        if hits is not None:
            _enlarge(cell, x, y, colour[order], int(hits.sum()))
    return _png(picture, colours)


def head_png(
    atlas: Atlas,
    stream: StreamInfo,
    projection: ProjectionInfo,
    attribute: Attribute,
    colours: Sequence[str],
    place: tuple[int, int],
) -> bytes:
    """One cell of it, for a head that is pointed at."""
    layout, number = flat_layout(atlas, projection), place[0] * stream.heads + place[1]
    order = draw_order(layout.shape[1])
    frame = head_frames(atlas, projection.stream, projection.name, False)
    values = point_values(atlas, stream, attribute, place if attribute.scope == "head" else None)
    picture = np.full((_CELL, _CELL), _TRANSPARENT, dtype=np.uint8)
    x, y = _pixels(units(layout[number : number + 1, order], frame.of(number))[0], _CELL)
    picture[y, x] = np.minimum(values, _TRANSPARENT - 1)[order]
    return _png(picture, colours)


def _pixels(places: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Column and row of places in [-1, 1]² in a square of so many pixels."""
    unit = places / 2 + 0.5
    return (unit[:, 0] * (side - 1)).round().astype(int), ((1 - unit[:, 1]) * (side - 1)).round().astype(int)


def _png(picture: np.ndarray, colours: Sequence[str]) -> bytes:
    image = Image.fromarray(picture, mode="P")
    image.putpalette([int(c[i : i + 2], 16) for c in colours for i in (1, 3, 5)])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=_TRANSPARENT, optimize=False)
    return buffer.getvalue()


def _enlarge(cell: np.ndarray, x: np.ndarray, y: np.ndarray, colour: np.ndarray, hits: int) -> None:
    """Draw the last `hits` points of a cell as squares of three pixels."""
    if not hits:
        return
    last = slice(len(x) - hits, None)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            cell[np.clip(y[last] + dy, 0, len(cell) - 1), np.clip(x[last] + dx, 0, len(cell) - 1)] = colour[last]
