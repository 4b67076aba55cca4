"""Positions of some points of some heads: of thousands of heads the browser asks for what is in view, and no more."""

import base64
import binascii
import re

import numpy as np

from services.atlas import Atlas
from services.atlas.layouts import draw_order, flat_layout, head_frames, quantise
from services.atlas.schema import ProjectionInfo

MOST_LISTED = 1000  # slots named one by one: an address of some 2,700 characters
_MOST_VALUES = 4_000_000  # points of one answer: 16 MB in 2D, what an atlas of few heads gives in two chunks
_CODE = re.compile(r"[A-Za-z0-9_-]{1,8000}", re.ASCII)


def listed_slots(code: str, points: int) -> np.ndarray:
    """uint32 [slots], rising, of their code: base64url of each slot's distance from the one before (the first from −1),
    seven bits a byte, lowest first, the highest bit set where more follow.

    Raises:
        KeyError: the code names no slots of so many points.
    """
    if not _CODE.fullmatch(code):
        raise KeyError(code)
    try:
        coded = base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise KeyError(code) from None
    steps, value, shift = [], 0, 0
    for byte in coded:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            steps.append(value)
            value, shift = 0, 0
        elif shift > 28:
            raise KeyError(code)
    slots = np.cumsum(np.array(steps, np.int64)) - 1
    if shift or not 0 < len(steps) <= MOST_LISTED or min(steps) < 1 or slots[-1] >= points:
        raise KeyError(code)
    return slots.astype(np.uint32)


def some_points(
    atlas: Atlas, projection: ProjectionInfo, heads: range, slots: np.ndarray | slice, whole: bool = False
) -> bytes:
    """uint16 [heads, slots, dims]: as `scene.positions`, of these heads (counted layer after layer) and slots alone.

    Raises:
        IndexError: there are no such heads, or more points than one answer may have.
    """
    layout = flat_layout(atlas, projection)
    if not 0 <= heads.start < heads.stop <= len(layout):
        raise IndexError(heads)
    points = draw_order(layout.shape[1])[slots]
    if not 0 < len(points) * len(heads) <= _MOST_VALUES:
        raise IndexError(slots)
    frames = head_frames(atlas, projection.stream, projection.name, whole)
    some = slice(heads.start, heads.stop)
    return quantise(layout[some][:, points], type(frames)(frames.centre[some], frames.half[some])).tobytes()
