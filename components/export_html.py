"""One head as one HTML file that opens without a network: a Plotly figure with plotly.js inside."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from plotly.io import templates, to_html

from components.export_patches import lens, patch_images
from components.palettes import Name, palette
from services.atlas import Atlas
from services.atlas.layouts import flat_layout, head_frames, outside, units
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.attributes.attribute import SIDE_STEPS
from services.attributes.registry import Attribute, in_atlas, point_values
from services.export import facts
from services.payloads.images import has_images
from services.search.token_table import columns_of

MOST_POINTS = 20_000  # keeps the file below 10 MB, of which plotly.js is half
_AROUND = 6  # tokens before and after, in the text a point shows
_LONGEST = 90  # characters of that text
_VECTOR_UP_TO = 4000  # points; more are drawn with WebGL
_CONFIG = {"showSendToCloud": False, "plotlyServerURL": "", "displaylogo": False, "responsive": True}
_SYMBOLS = {"query": "circle", "key": "triangle-up"}
_SYMBOLS_3D = {"query": "circle", "key": "diamond"}


class TooManyPointsError(ValueError):
    """The head has more points than one file holds; the message says how many."""


def head_html(
    atlas: Atlas,
    stream: StreamInfo,
    projection: ProjectionInfo,
    place: tuple[int, int],
    attribute: Attribute,
    mask: np.ndarray | None = None,
    palette_name: Name = "safe",
    whole: bool = False,
) -> str:
    """The file.

    Args:
        place: layer and head.
        mask: bool [queries + keys], points to keep.
        whole: a map in 2D is shown with every point; else as far as the scene's frame goes, until one zooms out.

    Raises:
        IndexError: no such head.
        TooManyPointsError: more than 20,000.
    """
    words = facts(atlas, stream, projection, place)
    figure = head_figure(atlas, stream, projection, place, attribute, mask, palette_name)
    if projection.dims == 2 and not whole:
        words["caption"] += _framed(figure, atlas, projection, place[0] * stream.heads + place[1])
    caption = "".join(f"<p>{escape(sentence)}</p>" for sentence in [*words["caption"], attribute.explain])
    # Not as an object of plotly.py, which would copy every text of every point.
    inner = to_html(
        figure, full_html=False, include_plotlyjs=True, config=_CONFIG, default_height="78vh", validate=False
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # An empty icon of its own: else the browser asks the network for one.
        f'<link rel="icon" href="data:,"><title>{escape(words["title"])}</title>'
        "<style>body{font:15px/1.5 system-ui,sans-serif;margin:1rem;color:#16202b;background:#fff}"
        "h1{font-size:1.15rem;margin:0}p{margin:.2rem 0;font-size:.85rem;color:#55616e;overflow-wrap:anywhere}</style>"
        f"</head><body><h1>{escape(words['title'])}</h1>{inner}{caption}{lens(atlas, stream)}</body></html>"
    )


def _framed(figure: dict[str, Any], atlas: Atlas, projection: ProjectionInfo, head: int) -> list[str]:
    """Show the frame of the scene, and say how many points lie outside."""
    frame = head_frames(atlas, projection.stream, projection.name).of(head)
    out = int(outside(units(flat_layout(atlas, projection)[head : head + 1], frame)).sum())
    if not out:
        return []
    (x, y), half = frame.centre[0, 0].tolist(), frame.half.item()
    figure["layout"]["xaxis"]["range"] = [x - half, x + half]
    figure["layout"]["yaxis"]["range"] = [y - half, y + half]
    return [f"{out:,} {'point lies' if out == 1 else 'points lie'} outside this view: zoom out to see all."]


def head_figure(
    atlas: Atlas,
    stream: StreamInfo,
    projection: ProjectionInfo,
    place: tuple[int, int],
    attribute: Attribute,
    mask: np.ndarray | None = None,
    palette_name: Name = "safe",
) -> dict[str, Any]:
    """Plotly's figure of one head, queries and keys as one trace a side and category.

    Token, kind and context show on hover.
    """
    layer, head = place
    columns = columns_of(atlas, stream, layer, head)
    layout = np.asarray(atlas.layout(projection)[layer, head])
    kept = np.ones(len(layout), bool) if mask is None else mask
    if int(kept.sum()) > MOST_POINTS:
        raise TooManyPointsError(f"{int(kept.sum()):,} points are more than the {MOST_POINTS:,} of one HTML file.")
    texts = _hover_texts(atlas, stream, columns, kept)
    attribute = in_atlas(atlas, attribute)
    colours = palette(attribute, "light", palette_name)
    deep = projection.dims == 3
    data = []
    for group in _groups(atlas, stream, attribute, place, columns, colours):
        points = np.flatnonzero(group["mask"] & kept)
        if not len(points):
            continue
        marker: dict[str, Any] = {
            "symbol": (_SYMBOLS_3D if deep else _SYMBOLS)[group["side"]],
            "size": 3 if deep else 7,
            "color": group["colour"] if isinstance(group["colour"], str) else group["colour"][points],
            "opacity": 0.85,
        }
        if "scale" in group:
            marker |= group["scale"]
        common = {
            "x": layout[points, 0],
            "y": layout[points, 1],
            "mode": "markers",
            "name": group["name"],
            "marker": marker,
            "customdata": texts[points],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
        if has_images(atlas):
            common["text"] = points  # the lens asks for the point under the pointer
        if deep:
            data.append({"type": "scatter3d", "z": layout[points, 2], **common})
        else:
            data.append({"type": "scatter" if kept.sum() <= _VECTOR_UP_TO else "scattergl", **common})
    bare = {"visible": False}
    shown = {
        "template": templates["plotly_white"].to_plotly_json(),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "legend": {"itemsizing": "constant", "orientation": "h"},
        "dragmode": "orbit" if deep else "pan",
        "hoverlabel": {"align": "left", "namelength": 0},
        "xaxis": {**bare, "scaleanchor": "y"},  # x and y share a scale: distances must not be distorted
        "yaxis": dict(bare),
        "images": [] if deep else patch_images(atlas, stream, layout, kept, palette_name),
        "scene": {"xaxis": bare, "yaxis": bare, "zaxis": bare, "aspectmode": "data"},
        "spikedistance": 20,
    }
    return {"data": data, "layout": shown}


def _groups(
    atlas: Atlas,
    stream: StreamInfo,
    attribute: Attribute,
    place: tuple[int, int],
    columns: dict[str, np.ndarray],
    colours: Sequence[str],
) -> list[dict[str, Any]]:
    """What shares a trace: a side, and within it each category; a sequential attribute keeps one trace a side."""
    steps = point_values(atlas, stream, attribute, place if attribute.scope == "head" else None) % SIDE_STEPS
    scale = attribute.scale(atlas, stream, place)
    low, high = (scale.text(0), scale.text(1)) if scale else (attribute.low, attribute.high)
    out: list[dict[str, Any]] = []
    for side, start in (("query", 0), ("key", SIDE_STEPS)):
        of_side = columns["kind"] == side
        own = colours[start : start + SIDE_STEPS]
        title = "Queries" if side == "query" else "Keys"
        if attribute.kind == "sequential":
            stops = [[i / 6, own[round(i / 6 * (SIDE_STEPS - 1))]] for i in range(7)]
            out.append(
                {
                    "side": side,
                    "name": f"{title} · {attribute.label}: {low} (pale) … {high} (deep)",
                    "mask": of_side,
                    "colour": steps,
                    "scale": {"colorscale": stops, "cmin": 0, "cmax": SIDE_STEPS - 1},
                }
            )
        elif len(attribute.categories) < 2:
            out.append({"side": side, "name": title, "mask": of_side, "colour": own[SIDE_STEPS // 2]})
        else:
            out += [
                {"side": side, "name": f"{title} · {label}", "mask": of_side & (steps == number), "colour": own[number]}
                for number, label in enumerate(attribute.categories)
            ]
    return out


def _hover_texts(atlas: Atlas, stream: StreamInfo, columns: dict[str, np.ndarray], kept: np.ndarray) -> np.ndarray:
    """Token, kind, and the words about it or its image. Plotly reads a little HTML in hover texts: they are escaped."""
    count, _ = atlas.points(stream)
    pictures = has_images(atlas)
    names = atlas.inputs.text
    # Read once a table: each is many thousand tokens long.
    tables = [atlas.tokens(table) for table in (stream.query_table, stream.key_table)]
    escaped = [[escape(text.strip() or "␣") for text in tokens.text] for tokens in tables]
    ends = [tokens.offsets.tolist() for tokens in tables]
    out = np.empty(len(kept), dtype=object)
    points = np.flatnonzero(kept)
    places = zip(*(columns[name][points].tolist() for name in ("kind", "row", "input", "position")), strict=True)
    for point, (kind, row, number, position) in zip(points.tolist(), places, strict=True):
        side = 0 if point < count else 1
        word = f"<b>{escaped[side][row]}</b>"
        if pictures:
            out[point] = f"{word} · {kind} · {escape(names[number])}"
            continue
        text, (first, end) = tables[side].text, ends[side][number : number + 2]
        before = " ".join(text[max(first, row - _AROUND) : row])[-_LONGEST // 2 :]
        after = " ".join(text[row + 1 : min(end, row + 1 + _AROUND)])[: _LONGEST // 2]
        out[point] = f"{word} · {kind} · position {position}<br>input {number}: {escape(before)} {word} {escape(after)}"
    return out
