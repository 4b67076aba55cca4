"""Sets of points: the text that names one in a link, the points it holds, and what they have in common.

The text is the one of `components/head_scene/sets.js`: parts joined by "~", each a polygon drawn in one head's picture
or a list of point ids. The browser sends the polygon and not the points: the positions are here.
"""

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.atlas import Atlas
from services.atlas.layouts import flat_layout, head_frames, quantise
from services.atlas.schema import StreamInfo
from services.modalities.text.marks import without_marks

MOST_TEXT = 8000  # a store holds at most 10 kB
LINK_TEXT = 6000  # what the browser makes: a link is to stay below 8 kB
MOST_VERTICES = 512
DRAWN_VERTICES = 64  # of a polygon that the browser makes
MOST_REGIONS = 8
MOST_POINTS = 1000
FARTHEST = 1e4  # half sides of a cell: beyond any zoom of the scene
TOP = 5

# The scene's perspective: distance of the eye from the middle of a cube whose half side is 1, and how much smaller the
# cube is drawn, so that its corners stay near its cell when it turns: between 1 / √3 (always inside) and 1.
EYE = 4.5
SHRINK = 0.88

_REGION = re.compile(r"([rm])\.(\d{1,4})\.(\d{1,4})\.([a-z][a-z0-9_]{0,31}[23]d)\.([A-Za-z0-9_-]{1,5500})")
_LIST = re.compile(r"([px])\.([A-Za-z0-9_-]{1,5500})")


class SetError(ValueError):
    """The text names no set; the message says why."""


@dataclass(frozen=True)
class Region:
    """A polygon in the picture of one head: `vertices` [n][2] in the unit square of the cell, y upwards.

    whole: the frame holds every point of the head.
    """

    layer: int
    head: int
    projection: str
    turn: tuple[float, float] | None  # yaw and pitch, radians, in 3D
    vertices: tuple[tuple[float, float], ...]
    whole: bool = False


@dataclass(frozen=True)
class SetDefinition:
    """What a set is made of: points in any region or in `points`, without those in `out`."""

    regions: tuple[Region, ...]
    points: tuple[int, ...]
    out: tuple[int, ...]


def parse(text: str) -> SetDefinition:
    """Read the text of a set.

    Raises:
        SetError: it is too long, malformed, or a polygon has fewer than 3 or more than 512 vertices or one that is
            not finite.
    """
    if not isinstance(text, str) or not text or len(text) > MOST_TEXT:
        raise SetError("A set is a text of 1 to 8,000 characters.")
    regions: list[Region] = []
    lists: dict[str, tuple[int, ...]] = {}
    for part in text.split("~"):
        if match := _REGION.fullmatch(part):
            regions.append(_region(int(match[2]), int(match[3]), match[4], match[5], whole=match[1] == "r"))
        elif (match := _LIST.fullmatch(part)) and match[1] not in lists:
            lists[match[1]] = _ids(match[2])
        else:
            raise SetError("A part of the set is neither a region nor a list of points.")
    if len(regions) > MOST_REGIONS:
        raise SetError(f"A set has at most {MOST_REGIONS} regions.")
    return SetDefinition(tuple(regions), lists.get("p", ()), lists.get("x", ()))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise SetError("A part of the set is not base64.") from error


def _region(layer: int, head: int, projection: str, encoded: str, whole: bool) -> Region:
    raw = _bytes(encoded)
    deep = projection.endswith("3d")
    if len(raw) % 8:
        raise SetError("A polygon holds pairs of numbers.")
    numbers = np.frombuffer(raw, "<f4").astype(float)
    if not np.isfinite(numbers).all() or np.abs(numbers).max(initial=0) > FARTHEST:
        raise SetError("A polygon holds a number that is not finite or lies far outside the picture.")
    vertices = numbers[2 if deep else 0 :].reshape(-1, 2)
    if not 3 <= len(vertices) <= MOST_VERTICES:
        raise SetError(f"A polygon has 3 to {MOST_VERTICES} vertices.")
    turn = (float(numbers[0]), float(numbers[1])) if deep else None
    return Region(layer, head, projection, turn, tuple((float(x), float(y)) for x, y in vertices), whole)


def _ids(encoded: str) -> tuple[int, ...]:
    """Ascending ids from varints of their steps."""
    ids: list[int] = []
    last = step = shift = 0
    for byte in _bytes(encoded):
        step |= (byte & 127) << shift
        shift += 7
        if shift > 35:
            raise SetError("A point id is too large.")
        if not byte & 128:
            last += step
            ids.append(last)
            step = shift = 0
    if shift or len(ids) > MOST_POINTS:
        raise SetError(f"A list of points is cut off or holds more than {MOST_POINTS:,}.")
    return tuple(ids)


def write_ids(points: Sequence[int]) -> str:
    """Points as the text of a set: what `parse` reads back."""
    out = bytearray()
    last = 0
    for point in sorted(set(points)):
        step, last = point - last, point
        while step > 127:
            out.append(step & 127 | 128)
            step >>= 7
        out.append(step)
    return "p." + base64.urlsafe_b64encode(bytes(out)).decode().rstrip("=")


def write_region(
    layer: int,
    head: int,
    projection: str,
    vertices: np.ndarray,
    turn: tuple[float, float] | None = None,
    whole: bool = False,
) -> str:
    """A polygon [n, 2] as the text of a set."""
    numbers = [*(turn or ()), *np.asarray(vertices, float).ravel()]
    encoded = base64.urlsafe_b64encode(np.asarray(numbers, "<f4").tobytes()).decode().rstrip("=")
    return f"{'r' if whole else 'm'}.{layer}.{head}.{projection}.{encoded}"


def inside(points: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Which points lie inside a closed polygon, by the nonzero winding rule: a loop drawn twice stays inside.

    Winding number by the sign of edge crossings (Sunday 2001, "Inclusion of a point in a polygon").

    Args:
        points: float [n, 2].
        vertices: float [m, 2], closed by itself.

    Returns:
        bool [n].
    """
    x, y = points[:, 0], points[:, 1]
    near = np.flatnonzero(
        (x >= vertices[:, 0].min())
        & (x <= vertices[:, 0].max())
        & (y >= vertices[:, 1].min())
        & (y <= vertices[:, 1].max())
    )
    x, y = x[near], y[near]
    winding = np.zeros(len(near), dtype=np.int32)
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        left = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        winding += (y0 <= y) & (y1 > y) & (left > 0)
        winding -= (y0 > y) & (y1 <= y) & (left < 0)
    out = np.zeros(len(points), dtype=bool)
    out[near[winding != 0]] = True
    return out


def on_screen(positions: np.ndarray, turn: tuple[float, float] | None) -> np.ndarray:
    """Where the scene draws the points of a head, in its cell's unit square: float [n, 2].

    Args:
        positions: float [n, 2 or 3], −1 … 1.
        turn: yaw and pitch of a 3D head; the formula of `projectCube` in components/head_scene/camera.js.
    """
    if turn is None or positions.shape[1] == 2:
        return positions[:, :2]
    (cy, cp), (sy, sp) = np.cos(turn), np.sin(turn)
    rotation = np.array([[cy, 0, sy], [sp * sy, cp, -sp * cy], [-cp * sy, sp, cp * cy]])
    turned = positions @ rotation.T * SHRINK
    return turned[:, :2] * (EYE / (EYE - turned[:, 2:]))


def head_positions(
    atlas: Atlas, stream: StreamInfo, name: str, layer: int, head: int, whole: bool = False
) -> np.ndarray:
    """float64 [queries + keys, dims]: positions as the browser has them, −1 … 1 in the head's cell.

    whole: the cell holds every point of the head.

    Raises:
        KeyError: no such projection.
        IndexError: no such head.
    """
    projection = atlas.info.projection(name, stream.name)
    if projection is None:
        raise KeyError(name)
    if not (0 <= layer < stream.layers and 0 <= head < stream.heads):
        raise IndexError(head)
    number = layer * stream.heads + head
    frame = head_frames(atlas, stream.name, name, whole).of(number)
    values = quantise(np.asarray(flat_layout(atlas, projection)[number : number + 1]), frame)
    return values[0] / 32767.5 - 1


@lru_cache(maxsize=64)
def members(atlas: Atlas, stream: StreamInfo, text: str) -> np.ndarray:
    """bool [queries + keys]: the points of a set. Kept for the last sets: treat it as read-only.

    Raises:
        SetError: the text names no set, or a point, head or projection that this atlas does not have.
    """
    definition = parse(text)
    mask = np.zeros(sum(atlas.points(stream)), dtype=bool)
    for region in definition.regions:
        try:
            row = stream.row(region.layer)
            if row is None:
                raise IndexError(region.layer)
            positions = head_positions(atlas, stream, region.projection, row, region.head, region.whole)
        except (KeyError, IndexError) as error:
            raise SetError("The set was drawn in a head or projection that this atlas does not have.") from error
        mask |= inside(on_screen(positions, region.turn), np.asarray(region.vertices))
    for ids, value in ((definition.points, True), (definition.out, False)):
        if ids and max(ids) >= len(mask):
            raise SetError("The set names a point that this atlas does not have.")
        mask[list(ids)] = value
    mask.flags.writeable = False
    return mask


def identity(text: str) -> str:
    """A short name of a set for files: a hash of its text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class SetCounts:
    """What the points of a set have in common.

    frequent: most frequent token texts with the number of their points, at most TOP
    mean_position: mean place in the input, 0 the first and 1 the last token; None for an empty set
    """

    points: int
    tokens: int
    queries: int
    keys: int
    inputs: int
    frequent: tuple[tuple[str, int], ...]
    mean_position: float | None


def counted(atlas: Atlas, stream: StreamInfo, mask: np.ndarray) -> SetCounts:
    """Count a set.

    Args:
        mask: bool [queries + keys].
    """
    count, _ = atlas.points(stream)
    sides = ((stream.query_table, np.flatnonzero(mask[:count])), (stream.key_table, np.flatnonzero(mask[count:])))
    inputs: set[int] = set()
    texts: dict[str, int] = {}
    place = 0.0
    for table, rows in sides:
        tokens = atlas.tokens(table)
        inputs.update(np.unique(tokens.input[rows]).tolist())
        place += float((tokens.position[rows] / np.maximum(tokens.length[rows] - 1, 1)).sum())
        for row in rows.tolist():
            text = without_marks(tokens.text[row])
            texts[text] = texts.get(text, 0) + 1
    points = int(mask.sum())
    one_table = stream.query_table == stream.key_table
    tokens_in = len(np.union1d(sides[0][1], sides[1][1])) if one_table else points
    frequent = sorted(texts.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    mean = place / points if points and math.isfinite(place) else None
    return SetCounts(points, tokens_in, len(sides[0][1]), len(sides[1][1]), len(inputs), tuple(frequent), mean)
