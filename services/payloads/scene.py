"""The bytes the browser's scene reads; `docs/payload.md` is their contract.

Positions are quantised to 16 bits in a frame of one head, with one scale for all axes, so that distances on screen
are distances in the layout.
"""

from functools import lru_cache

import numpy as np

from services.atlas import Atlas
from services.atlas.layouts import Frames, draw_order, flat_layout, frames, head_frames, quantise
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.attributes.registry import attribute_of, point_values
from services.modalities.text.pairs import SEGMENT
from services.payloads.images import has_images, image_facts

CHUNK = 1000
_OVERVIEW = 1_250_000  # points of a chunk of all heads at most: 5 MB in 2D
_FEWEST = 100
PAGE = 4096
_KEPT_BYTES = 600_000  # a chunk larger than this is cut anew for each who asks


def projection_key(projection: ProjectionInfo) -> str:
    """The part of a positions URL that changes with its content."""
    return projection.sha256[:12]


def chunk_size(cells: int) -> int:
    """Points of a cell in a chunk: fewer of thousands of cells, so that a first picture is there at once."""
    return min(CHUNK, max(_FEWEST, _OVERVIEW // max(1, cells)))


def chunk_count(points: int, cells: int) -> int:
    return -(-points // chunk_size(cells))


def chunk_of(layout: np.ndarray, frame: Frames, chunk: int) -> bytes:
    """uint16 [cells, points in the chunk, dims] of a layout [cells, points, dims] in the frame of each cell.

    Raises:
        IndexError: there is no such chunk.
    """
    cells, points = layout.shape[:2]
    if not 0 <= chunk < chunk_count(points, cells):
        raise IndexError(chunk)
    size = chunk_size(cells)
    slots = draw_order(points)[chunk * size : (chunk + 1) * size]
    return quantise(layout[:, slots], frame).tobytes()


def positions(atlas: Atlas, projection: ProjectionInfo, chunk: int, whole: bool = False) -> bytes:
    """`chunk_of` a map: its cells are the heads, layer after layer; whole: in frames that hold every point."""
    layout = flat_layout(atlas, projection)
    if layout.shape[0] * layout.shape[2] * CHUNK * 2 > _KEPT_BYTES:
        return chunk_of(layout, head_frames(atlas, projection.stream, projection.name, whole), chunk)
    return _kept_positions(atlas, projection.stream, projection.name, projection.sha256, chunk, whole)


@lru_cache(maxsize=64)  # of the maps shown of late: most readers look at the same
def _kept_positions(atlas: Atlas, stream: str, name: str, _content: str, chunk: int, whole: bool) -> bytes:
    projection = atlas.info.projection(name, stream)
    if projection is None:
        raise KeyError(name)
    return chunk_of(flat_layout(atlas, projection), head_frames(atlas, stream, name, whole), chunk)


def one_head(layout: np.ndarray, whole: bool = False) -> bytes:
    """uint16 [points, dims] of one head's layout [points, dims], in slot order, in a frame of its own."""
    cell = layout[None]
    return quantise(cell[:, draw_order(len(layout))], frames(cell, whole)).tobytes()


def attribute(atlas: Atlas, stream: StreamInfo, name: str) -> bytes:
    """uint8 [points]: palette index of each point.

    Raises:
        KeyError: there is no attribute of that name.
    """
    return point_values(atlas, stream, attribute_of(name)).tobytes()


def head_attribute(atlas: Atlas, stream: StreamInfo, name: str, layer: int, head: int) -> bytes:
    """uint8 [points]: palette index of each point of one head, for an attribute that differs by head.

    Raises:
        KeyError: there is no head attribute of that name.
    """
    return point_values(atlas, stream, attribute_of(name), (layer, head)).tobytes()


def token_page(atlas: Atlas, table: str, page: int) -> dict[str, list]:
    """Rows `PAGE·page …` of a token table.

    Raises:
        KeyError: no such table.
        IndexError: no such page.
    """
    tokens = atlas.tokens(table)
    rows = slice(page * PAGE, (page + 1) * PAGE)
    if page < 0 or rows.start >= len(tokens):
        raise IndexError(page)
    return {
        "text": list(tokens.text[rows]),
        "input": tokens.input[rows].tolist(),
        "position": tokens.position[rows].tolist(),
        "length": tokens.length[rows].tolist(),
        "special": tokens.special[rows].astype(int).tolist(),
    }


def input_sides(atlas: Atlas, stream: StreamInfo, index: int) -> dict[str, object]:
    """Text and tokens of one input, and how many pairs of them its mask shows, for the sentence view.

    Raises:
        IndexError: no such input.
    """
    if not 0 <= index < len(atlas.inputs):
        raise IndexError(index)

    def side(table: str) -> dict[str, object]:
        tokens = atlas.tokens(table)
        rows = tokens.rows(index)
        return {
            "first": rows.start,
            "tokens": list(tokens.text[rows]),
            "special": tokens.special[rows].astype(int).tolist(),
            **({"texts": np.asarray(tokens.columns[SEGMENT])[rows].tolist()} if SEGMENT in tokens.columns else {}),
        }

    image = {"image": image_facts(atlas, index)} if has_images(atlas) else {}
    return {
        **image,
        "text": atlas.inputs.text[index],
        "queries": side(stream.query_table),
        "keys": side(stream.key_table),
        "pairs": int(atlas.attention(stream).visible(index).sum()),
    }


def attention(atlas: Atlas, stream: StreamInfo, index: int, layer: int, head: int) -> bytes:
    """uint16 [queries, keys]: attention weight × 65535, rounded."""
    weights = atlas.attention(stream).block(index, layer, head).astype(np.float32)
    return np.rint(weights * 65535).clip(0, 65535).astype("<u2").tobytes()


def values(atlas: Atlas, stream: StreamInfo, index: int, layer: int, head: int) -> bytes:
    """float32 [keys]: norm of the value vector of each key."""
    rows = atlas.tokens(stream.key_table).rows(index)
    return atlas.vectors(stream).value_norms(layer, head, rows).astype("<f4").tobytes()


def pack_mask(mask: np.ndarray) -> bytes:
    """bool [tokens] → bit mask, least significant bit first."""
    return np.packbits(mask, bitorder="little").tobytes()
