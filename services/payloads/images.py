"""Pictures of an atlas of images: each as its model saw it, small ones for lists, and one sheet of all patches."""

import io
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from services.atlas import Atlas, TokenTable, token_tables
from services.atlas.schema import StreamInfo
from services.measures.patches import mean_by_offset, of_one_token, rollout, rollout_of
from services.modalities.images.modality import PIXELS

VERSION = 1
THUMBNAIL = 112  # pixels of the longer side
_CELLS = (32, 16, 8)  # pixels of a patch on the sheet: the first with which all patches fit
_LARGEST = 4096  # pixels of a side that every browser can draw
_QUALITY = 90
_PLAIN, _INK = (120, 128, 138), (255, 255, 255)


def has_images(atlas: Atlas) -> bool:
    """Whether the inputs of an atlas are images whose pixels it keeps."""
    return PIXELS in atlas.info.files


def image_facts(atlas: Atlas, index: int) -> dict[str, Any]:
    """Size in pixels, grid of patches and name of an image, for the image view."""
    columns = atlas.inputs.columns
    numbers = {name: int(columns[name][index]) for name in ("height", "width", "rows", "columns")}
    return {**numbers, "name": columns["file"][index], "label": columns["label"][index]}


def pixels(atlas: Atlas, index: int) -> np.ndarray:
    """uint8 [height, width, 3]: what the model saw.

    Raises:
        IndexError: there is no such image.
    """
    if not has_images(atlas) or not 0 <= index < len(atlas.inputs):
        raise IndexError(index)
    heights, widths = (np.asarray(atlas.inputs.columns[name], np.int64) for name in ("height", "width"))
    ends = np.cumsum(3 * heights * widths)
    size = int(3 * heights[index] * widths[index])
    flat = atlas.array(PIXELS.removesuffix(".npy"))[int(ends[index]) - size : int(ends[index])]
    return np.asarray(flat).reshape(int(heights[index]), int(widths[index]), 3)


def image_png(atlas: Atlas, index: int) -> bytes:
    """An image without any loss."""
    return as_png(pixels(atlas, index))


def as_png(levels: np.ndarray) -> bytes:
    """uint8 [height, width, 3] as PNG."""
    return _encoded(Image.fromarray(levels), "PNG", optimize=False, compress_level=4)


def thumbnail(atlas: Atlas, index: int) -> bytes:
    """A small WebP picture."""
    image = Image.fromarray(pixels(atlas, index))
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return _encoded(image, "WEBP", quality=80)


def patch(atlas: Atlas, table: str, token: int) -> Image.Image | None:
    """The pixels of one patch, as its model saw them; None for a special token."""
    tokens = atlas.tokens(table)
    index, row, column = (int(of[token]) for of in (tokens.input, tokens.columns["row"], tokens.columns["column"]))
    if row < 0:
        return None
    facts = image_facts(atlas, index)
    across, down = facts["width"] / facts["columns"], facts["height"] / facts["rows"]
    box = (round(column * across), round(row * down), round((column + 1) * across), round((row + 1) * down))
    return Image.fromarray(pixels(atlas, index)).crop(box)


def of_token(atlas: Atlas, stream: StreamInfo, index: int, position: int, side: str) -> bytes:
    """uint16 [layers, heads, tokens]: weight × 65535 of one token in every head (services.measures.patches)."""
    return _sixteen_bits(of_one_token(atlas, stream, index, position, side))


def rolled_out_of(weights: Iterable[np.ndarray]) -> bytes:
    """uint16 [tokens, tokens]: attention rollout × 65535 over layers of weights [heads, tokens, tokens]."""
    return _sixteen_bits(rollout_of(weights))


def rolled_out(atlas: Atlas, stream: StreamInfo, index: int, layer: int) -> bytes:
    """uint16 [tokens, tokens]: attention rollout × 65535 up to a layer."""
    return _sixteen_bits(rollout(atlas, stream, index, layer))


def by_offset(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> dict[str, Any]:
    """Mean attention by rows and columns between query and key, and how many pairs stand behind each."""
    mean, count = mean_by_offset(atlas, stream, layer, head)
    values = [None if np.isnan(value) else float(f"{value:.5g}") for value in mean.ravel()]
    return {"rows": mean.shape[0], "columns": mean.shape[1], "mean": values, "count": count.ravel().tolist()}


def _sixteen_bits(weights: np.ndarray) -> bytes:
    return np.rint(weights * 65535).clip(0, 65535).astype("<u2").tobytes()


def sheet_facts(atlas: Atlas, table: str) -> dict[str, int | str] | None:
    """Where the patches of a token table lie on their sheet; None when it has no pictures, or too many."""
    if not has_images(atlas) or table not in token_tables(atlas.info):
        return None
    count = atlas.table_rows(table)
    across = max(1, math.ceil(math.sqrt(count)))
    cell = next((cell for cell in _CELLS if across * cell <= _LARGEST), None)
    return None if cell is None else {"path": f"patches/{table}.webp", "cell": cell, "across": across}


def sheet(atlas: Atlas, table: str) -> bytes:
    """All patches of a token table, row by row of the table, as one WebP picture of square cells.

    Raises:
        KeyError: the table has no pictures, or too many.
    """
    facts = sheet_facts(atlas, table)
    if facts is None:
        raise KeyError(table)
    cell, across = int(facts["cell"]), int(facts["across"])
    tokens = atlas.tokens(table)
    whole = Image.new("RGB", (across * cell, -(-len(tokens) // across) * cell), _PLAIN)
    for index in range(len(atlas.inputs)):
        _paste_image(whole, atlas, tokens, index, cell, across)
    return _encoded(whole, "WEBP", quality=_QUALITY, method=2)


def _paste_image(whole: Image.Image, atlas: Atlas, tokens: TokenTable, index: int, cell: int, across: int) -> None:
    facts = image_facts(atlas, index)
    resized = Image.fromarray(pixels(atlas, index)).resize(
        (facts["columns"] * cell, facts["rows"] * cell), Image.Resampling.BOX
    )
    rows = tokens.rows(index)
    places = zip(
        range(rows.start, rows.stop),
        np.asarray(tokens.columns["row"])[rows].tolist(),
        np.asarray(tokens.columns["column"])[rows].tolist(),
        strict=True,
    )
    for token, row, column in places:
        corner = (token % across * cell, token // across * cell)
        if row < 0:
            _letter(whole, corner, cell, tokens.text[token])
        else:
            box = (column * cell, row * cell, (column + 1) * cell, (row + 1) * cell)
            whole.paste(resized.crop(box), corner)


def _letter(whole: Image.Image, corner: tuple[int, int], cell: int, name: str) -> None:
    """A special token: the first letter of its name on grey."""
    font = ImageFont.load_default(size=cell * 0.7)
    middle = (corner[0] + cell / 2, corner[1] + cell / 2)
    ImageDraw.Draw(whole).text(middle, name.strip("[]")[:1], fill=_INK, font=font, anchor="mm")


def _encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
