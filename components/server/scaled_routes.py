"""HTTP routes of maps made with another c (`docs/payload.md`): one head aligned live or at several constants."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from flask import Blueprint, Response, abort, jsonify

from services.alignment.comparison import constant_ways
from services.alignment.live import SPACES, Agreement, Way, live_head, own_way
from services.alignment.variants import METRICS, constants_layout, content_key, one_head_file, scaled_atlas
from services.atlas import Atlas, arrays, layouts
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.payloads import scene as payload

_SCALED = re.compile(r"([a-z]+)_([a-z]+)([23])d")
_CONSTANTS = re.compile(r"constants_(pca|umap)_(\d{1,4})_(\d{1,4})_(\d{1,6})", re.ASCII)

Binary = Callable[[bytes], Response]
FindHead = Callable[..., tuple[Atlas, StreamInfo]]


def find_scaled(
    atlas: Atlas, stream: StreamInfo, name: str, key: str, folder: Path
) -> tuple[Atlas, ProjectionInfo] | None:
    """A map of all heads by a metric, such as `umap_norms2d`, and the atlas to read it from; None without one."""
    match = _SCALED.fullmatch(name)
    if match is None or match[2] not in METRICS:
        return None
    scaled = scaled_atlas(atlas, stream, match[2], folder)
    found = scaled.info.projection(name, stream.name) if scaled else None
    if scaled is None or found is None or payload.projection_key(found) != key or not scaled.ready(found):
        return None
    return scaled, found


def constants_chunk(atlas: Atlas, stream: StreamInfo, name: str, key: str, chunk: int, folder: Path) -> bytes | None:
    """Chunk of the small maps of one head at the study's constants; None when the name is of no such map.

    Raises:
        IndexError, KeyError: there is no such head or chunk, or the map has not been made yet.
    """
    match = _CONSTANTS.fullmatch(name)
    if match is None:
        return None
    layer, head, tenths = int(match[2]), int(match[3]), int(match[4])
    if layer >= stream.layers or head >= stream.heads or constants_key(atlas, stream, name) != key:
        raise KeyError(name)
    ways = constant_ways(tenths / 10_000, match[1])
    layout = constants_layout(atlas, stream, layer, head, match[1], ways, folder)
    return layout_chunk(layout, chunk)


def constants_key(atlas: Atlas, stream: StreamInfo, name: str) -> str:
    return content_key(atlas, stream, name)


def layout_chunk(layout: np.ndarray, chunk: int) -> bytes:
    """uint16 [cells, points in the chunk, dims] of a layout [cells, points, dims].

    Raises:
        IndexError: there is no such chunk.
    """
    points = layout.shape[1]
    if not 0 <= chunk < payload.chunk_count(points):
        raise IndexError(chunk)
    slots = layouts.draw_order(points)[chunk * payload.CHUNK : (chunk + 1) * payload.CHUNK]
    return layouts.quantise(layout[:, slots], *layouts.frames(layout)).tobytes()


def live_positions(layout: np.ndarray) -> bytes:
    """uint16 [points, dims] of one head's layout, in slot order."""
    slots = layouts.draw_order(len(layout))
    return layouts.quantise(layout[None, slots], *layouts.frames(layout[None])).tobytes()


def add_live_routes(routes: Blueprint, find_head: FindHead, binary: Binary, folder: Path) -> None:
    """Routes of one head aligned in any way, on the blueprint of the payloads."""

    @routes.get("/live/<stream>/<int:layer>/<int:head>/<int:dims>/<way>")
    def live(slug: str, key: str, stream: str, layer: int, head: int, dims: int, way: str) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        if dims not in (2, 3):
            abort(404)
        own = atlas.info.projection(f"pca{dims}d", stream)
        onto = np.array(atlas.layout(own)[layer, head]) if own else None
        return binary(live_positions(live_head(atlas, found, layer, head).pca(Way.read(way), dims, onto)))

    @routes.get("/refined/<stream>/<int:layer>/<int:head>/<method>/<int:dims>/<way>")
    def refined(slug: str, key: str, stream: str, layer: int, head: int, method: str, dims: int, way: str) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        response = binary(live_positions(_one_head(atlas, found, layer, head, method, dims, Way.read(way), folder)))
        response.headers["Cache-Control"] = "no-cache"
        return response

    @routes.get("/agreement/<stream>/<int:layer>/<int:head>/<method>/<int:dims>/<way>")
    def agreement(
        slug: str, key: str, stream: str, layer: int, head: int, method: str, dims: int, way: str
    ) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        live = live_head(atlas, found, layer, head)
        own = atlas.info.projection(f"{method}{dims}d", stream)
        if own is None:
            abort(404)
        base = np.array(atlas.layout(own)[layer, head])
        pending = False
        if way == "own":
            chosen, screen = own_way(atlas, found, layer, head), live.agreement_of(base)
        else:
            chosen = Way.read(way)
            if method == "pca":
                screen = live.agreement_of(live.pca(chosen, dims))
            elif method == "attention":  # made from q·k, which no alignment changes
                screen = live.agreement_of(base)
            else:
                pending = not one_head_file(atlas, found, layer, head, method, dims, chosen, folder, "own").is_file()
                layout = base if pending else _one_head(atlas, found, layer, head, method, dims, chosen, folder)
                screen = live.agreement_of(layout)
        response = jsonify(
            {
                "way": chosen.name,
                "aligned": _values(live.agreement(chosen)),
                "screen": _values(screen),
                "pending": pending,
                "notFinite": live.not_finite,
            }
        )
        response.headers["Cache-Control"] = "no-cache"
        return response


def _one_head(
    atlas: Atlas, stream: StreamInfo, layer: int, head: int, method: str, dims: int, way: Way, folder: Path
) -> np.ndarray:
    if method not in ("umap", "tsne") or dims not in (2, 3):
        raise KeyError(method)
    path = one_head_file(atlas, stream, layer, head, method, dims, way, folder, "own")
    if not path.is_file():
        raise KeyError(path.name)
    return np.asarray(arrays.read(path))


def _values(agreement: Agreement) -> dict[str, float | str | None]:
    return {
        "pearson": agreement.pearson,
        "spearman": agreement.spearman,
        "query_spearman": agreement.query_spearman,
        "reason": agreement.reason,
    }


__all__ = ["SPACES", "add_live_routes", "constants_chunk", "constants_key", "find_scaled", "layout_chunk"]
