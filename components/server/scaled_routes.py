"""HTTP routes of maps made with another c (`docs/payload.md`): one head aligned live or at several constants."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from flask import Blueprint, Response, jsonify

from services.alignment.head_maps import ConstantMaps, HeadMap, map_agreement, own_layout
from services.alignment.live import SPACES, LiveAlignment, live_head
from services.alignment.variants import scale_variant
from services.atlas import Atlas, ProjectionRef, layouts
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.payloads import scene as payload
from services.projection import START

Binary = Callable[[bytes], Response]
FindHead = Callable[..., tuple[Atlas, StreamInfo]]


def find_variant(
    atlas: Atlas, stream: StreamInfo, name: str, key: str, folder: Path
) -> tuple[Atlas, ProjectionInfo] | None:
    """A map of all heads by a metric, such as `umap_norms2d`, and the atlas to read it from; None without one."""
    try:
        scale = ProjectionRef.parse(name).scale
    except KeyError:
        return None
    variant = scale_variant(atlas, stream, scale, folder) if scale else None
    found = variant.info.projection(name, stream.name) if variant else None
    if variant is None or found is None or payload.projection_key(found) != key or not variant.ready(found):
        return None
    return variant, found


def constants_chunk(atlas: Atlas, stream: StreamInfo, name: str, key: str, chunk: int, folder: Path) -> bytes | None:
    """Chunk of the small maps of one head at the study's constants; None when the name is of no such map.

    Raises:
        IndexError, KeyError: there is no such head or chunk, or the map has not been made yet.
    """
    try:
        maps = ConstantMaps.parse(name)
    except KeyError:
        return None
    if maps.layer >= stream.layers or maps.head >= stream.heads or maps.key(atlas, stream) != key:
        raise KeyError(name)
    return layout_chunk(maps.read(atlas, stream, folder), chunk)


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
    """Routes of one head under any alignment, on the blueprint of the payloads."""

    @routes.get("/live/<stream>/<int:layer>/<int:head>/<int:dims>/<alignment>")
    def live(slug: str, key: str, stream: str, layer: int, head: int, dims: int, alignment: str) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        onto = own_layout(atlas, found, layer, head, _ref(START.name, dims))
        layout = live_head(atlas, found, layer, head).pca(LiveAlignment.parse(alignment), dims, onto)
        return binary(live_positions(layout))

    @routes.get("/refined/<stream>/<int:layer>/<int:head>/<method>/<int:dims>/<alignment>")
    def refined(
        slug: str, key: str, stream: str, layer: int, head: int, method: str, dims: int, alignment: str
    ) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        wanted = HeadMap(atlas, found, layer, head, _ref(method, dims), LiveAlignment.parse(alignment))
        response = binary(live_positions(wanted.read(folder)))
        response.headers["Cache-Control"] = "no-cache"
        return response

    @routes.get("/agreement/<stream>/<int:layer>/<int:head>/<method>/<int:dims>/<alignment>")
    def agreement(
        slug: str, key: str, stream: str, layer: int, head: int, method: str, dims: int, alignment: str
    ) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        chosen = None if alignment == "own" else LiveAlignment.parse(alignment)
        measured = map_agreement(atlas, found, layer, head, _ref(method, dims), chosen, folder)
        response = jsonify(
            {
                "alignment": measured.alignment.name,
                "aligned": asdict(measured.aligned),
                "screen": asdict(measured.screen),
                "pending": measured.pending,
                "notFinite": measured.not_finite,
            }
        )
        response.headers["Cache-Control"] = "no-cache"
        return response


def _ref(method: str, dims: int) -> ProjectionRef:
    """Raises: KeyError: no map can be called so."""
    try:
        return ProjectionRef(method, dims)
    except ValueError as error:
        raise KeyError(method) from error


__all__ = ["SPACES", "add_live_routes", "constants_chunk", "find_variant", "layout_chunk"]
