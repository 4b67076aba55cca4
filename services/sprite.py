"""The matrix of all heads as one PNG: for browsers without WebGL2, previews and export."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from services.atlas import Atlas
from services.attributes import Attribute, point_values
from services.payload import draw_order, flat_layout, head_frames
from services.schema import ProjectionInfo, StreamInfo

VERSION = 1
_CELL = 96  # pixels of a cell when the matrix is small
_LARGEST = 4096  # pixels of the longer side at most
_TRANSPARENT = 255


def cell_pixels(stream: StreamInfo) -> int:
    """Side of a square cell."""
    return max(8, min(_CELL, _LARGEST // max(stream.layers, stream.heads)))


def matrix_png(
    atlas: Atlas, stream: StreamInfo, projection: ProjectionInfo, attribute: Attribute, colours: Sequence[str]
) -> bytes:
    """A palette PNG with a transparent ground, `layers` × `heads` square cells without gaps.

    Args:
        colours: 256 entries `#rrggbb`; entry 255 gives way to the ground.
    """
    side = cell_pixels(stream)
    index = np.minimum(point_values(atlas, stream, attribute), _TRANSPARENT - 1)
    layout = flat_layout(atlas, projection)
    order = draw_order(layout.shape[1])
    centre, half = head_frames(atlas, projection.stream, projection.name)
    picture = np.full((stream.layers * side, stream.heads * side), _TRANSPARENT, dtype=np.uint8)
    colour = index[order]
    for number in range(layout.shape[0]):
        row, column = divmod(number, stream.heads)
        unit = (layout[number, order, :2] - centre[number, :, :2]) / half[number] / 2 + 0.5
        x = np.clip((unit[:, 0] * (side - 1)).round().astype(int), 0, side - 1)
        y = np.clip(((1 - unit[:, 1]) * (side - 1)).round().astype(int), 0, side - 1)
        picture[row * side + y, column * side + x] = colour
    image = Image.fromarray(picture, mode="P")
    image.putpalette([int(c[i : i + 2], 16) for c in colours for i in (1, 3, 5)])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=_TRANSPARENT, optimize=False)
    return buffer.getvalue()
