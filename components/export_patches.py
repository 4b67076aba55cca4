"""Patches on the Plotly page of a head: some drawn on the map, and the one under the pointer beside it."""

import base64
import io
import json
from typing import Any

import numpy as np
from PIL import ImageOps

from components.palettes import Name, palette
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.attributes.attribute import SIDE_STEPS
from services.attributes.registry import attribute_of
from services.payloads import images

_CELLS = 14  # of the map each way: each shows one patch at most, as Plotly draws a few hundred pictures at best
_SHARE = 0.8  # of a cell that a picture covers
_BORDER = 2  # pixels around a patch, in the colour of queries or keys
_PIXELS = 24  # of a patch with its border
_MOST_SHEET = 4_000_000  # bytes of the sheet of all patches that a page carries

_LENS = """
(() => {
  const { source, cell, across, queries } = %s;
  const plot = document.querySelector(".js-plotly-plot"), lens = document.querySelector("#lens");
  const scale = 96 / cell;
  lens.style.backgroundImage = `url(${source})`;
  lens.style.backgroundSize = `${across * cell * scale}px auto`;
  plot.on("plotly_hover", ({ points }) => {
    const token = points[0].text %% queries;
    const [x, y] = [token %% across, Math.floor(token / across)];
    lens.style.backgroundPosition = `${-x * cell * scale}px ${-y * cell * scale}px`;
    lens.hidden = false;
  });
  plot.on("plotly_unhover", () => (lens.hidden = true));
})();
"""


def thinned(layout: np.ndarray, cells: int = _CELLS) -> tuple[np.ndarray, float]:
    """One point of each square of a grid over a map [n, 2], the nearest to its middle; and the side of a square."""
    low = layout.min(axis=0)
    side = float(max((layout.max(axis=0) - low).max(), 1e-9)) / cells
    square = np.minimum((layout - low) // side, cells - 1).astype(int)
    away = np.linalg.norm(layout - low - (square + 0.5) * side, axis=1)
    order = np.lexsort((away, square[:, 1], square[:, 0]))
    _, first = np.unique(square[order], axis=0, return_index=True)
    return order[first], side


def patch_images(
    atlas: Atlas, stream: StreamInfo, layout: np.ndarray, kept: np.ndarray, palette_name: Name
) -> list[dict[str, Any]]:
    """Plotly's layout images of a thinned set of the points [n, 2] kept; special tokens stay points."""
    points = np.flatnonzero(kept)
    if not images.has_images(atlas) or not len(points):
        return []
    chosen, side = thinned(layout[points])
    colours = palette(attribute_of("type"), "light", palette_name)
    count, _ = atlas.points(stream)
    out = []
    for point in points[chosen].tolist():
        is_key = point >= count
        picture = images.patch(atlas, stream.key_table if is_key else stream.query_table, point - count * is_key)
        if picture is None:
            continue
        inner = picture.resize((_PIXELS - 2 * _BORDER,) * 2)
        colour = colours[SIDE_STEPS + SIDE_STEPS // 2 if is_key else SIDE_STEPS // 2]
        buffer = io.BytesIO()
        ImageOps.expand(inner, _BORDER, colour).save(buffer, "PNG")
        out.append(
            {
                "source": _address(buffer.getvalue(), "png"),
                "x": float(layout[point, 0]),
                "y": float(layout[point, 1]),
                "sizex": _SHARE * side,
                "sizey": _SHARE * side,
                "xref": "x",
                "yref": "y",
                "xanchor": "center",
                "yanchor": "middle",
                "layer": "above",
            }
        )
    return out


def lens(atlas: Atlas, stream: StreamInfo) -> str:
    """HTML that shows the patch under the pointer, from one sheet of all; empty where there is none or it is too large.

    Traces name their points by number (`text`), queries first; the sheet is that of queries and keys alike.
    """
    facts = images.sheet_facts(atlas, stream.query_table)
    if facts is None or stream.query_table != stream.key_table:
        return ""
    sheet = images.sheet(atlas, stream.query_table)
    if len(sheet) > _MOST_SHEET:
        return ""
    given = {
        "source": _address(sheet, "webp"),
        "cell": facts["cell"],
        "across": facts["across"],
        "queries": atlas.points(stream)[0],
    }
    return (
        "<style>#lens{position:fixed;right:1rem;bottom:1rem;width:96px;height:96px;border:2px solid #16202b;"
        "border-radius:4px;image-rendering:pixelated}#lens[hidden]{display:none}</style>"
        f'<div id="lens" hidden></div><script>{_LENS % json.dumps(given)}</script>'
    )


def _address(content: bytes, form: str) -> str:
    return f"data:image/{form};base64,{base64.b64encode(content).decode()}"
