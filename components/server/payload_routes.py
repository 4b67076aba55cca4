"""HTTP routes of the binary payloads (`docs/payload.md`): check every part of the URL, answer bytes or a plain 404."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from flask import Blueprint, Response, abort, request

from components.palettes import NAMES, SCENE_COLOURS, THEMES, palette
from components.server.http import binary as _binary
from components.server.http import json_response as _json
from components.server.reading_routes import add_reading_routes
from components.server.scaled_routes import add_live_routes, constants_chunk, find_variant
from services.atlas import Atlas, layouts
from services.atlas.library import Library
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.attributes.registry import find_attribute
from services.errors import SearchError
from services.measures.report import report_key, report_payload
from services.payloads import scene as payload
from services.payloads import sprite
from services.search import hits as search_hits
from services.search import token_sets
from services.search.concentration import concentrations
from services.search.query import Question, search

_PROJECTION = re.compile(r"([a-z][a-z0-9_]*)-([0-9a-f]{12})")


def payload_routes(library: Library, cache: Callable[[str, Callable[[], bytes]], bytes], maps: Path) -> Blueprint:
    """The blueprint under `/payload`.

    Args:
        library: where atlases are looked up.
        cache: `cache(key, make)` returns the bytes of a key, made at most once.
        maps: folder of the maps made with another c than the atlas's.
    """
    routes = Blueprint("payload", __name__, url_prefix="/payload/<slug>/<key>")

    def find(slug: str, key: str) -> Atlas:
        atlas = library.get(slug)
        if atlas is None or atlas.info.key != key:
            abort(404)
        return atlas

    def find_head(slug: str, key: str, name: str, layer: int = 0, head: int = 0) -> tuple[Atlas, StreamInfo]:
        atlas = find(slug, key)
        stream = atlas.info.stream(name)
        if stream is None or layer >= stream.layers or head >= stream.heads:
            abort(404)
        return atlas, stream

    def find_map(atlas: Atlas, stream: StreamInfo, text: str) -> tuple[Atlas, ProjectionInfo]:
        """A projection and the atlas to read it from: this one, or this one seen through another metric."""
        match = _PROJECTION.fullmatch(text)
        if match is None:
            abort(404)
        found = atlas.info.projection(match[1], stream.name)
        if found is not None and payload.projection_key(found) == match[2]:
            return atlas, found
        return find_variant(atlas, stream, match[1], match[2], maps) or abort(404)

    @routes.get("/positions/<stream>/<projection>/<int:chunk>")
    def positions(slug: str, key: str, stream: str, projection: str, chunk: int) -> Response:
        atlas, found = find_head(slug, key, stream)
        match = _PROJECTION.fullmatch(projection)
        constants = match and constants_chunk(atlas, found, match[1], match[2], chunk, maps)
        if constants:
            return _binary(constants)
        return _binary(payload.positions(*find_map(atlas, found, projection), chunk))

    @routes.get("/order/<stream>")
    def order(slug: str, key: str, stream: str) -> Response:
        atlas, found = find_head(slug, key, stream)
        return _binary(layouts.draw_order(sum(atlas.points(found))).tobytes())

    @routes.get("/attribute/<stream>/<name>")
    def attribute(slug: str, key: str, stream: str, name: str) -> Response:
        atlas, found = find_head(slug, key, stream)
        return _binary(payload.attribute(atlas, found, name))

    @routes.get("/headattribute/<stream>/<name>/<int:layer>/<int:head>")
    def head_attribute(slug: str, key: str, stream: str, name: str, layer: int, head: int) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        return _binary(payload.head_attribute(atlas, found, name, layer, head))

    @routes.get("/offsets/<table>")
    def offsets(slug: str, key: str, table: str) -> Response:
        return _binary(find(slug, key).tokens(table).offsets.astype("<u4").tobytes())

    @routes.get("/tokens/<table>/<int:page>")
    def tokens(slug: str, key: str, table: str, page: int) -> Response:
        return _json(payload.token_page(find(slug, key), table, page))

    @routes.get("/search/<table>")
    def found(slug: str, key: str, table: str) -> Response:
        return _binary(payload.pack_mask(search(find(slug, key), table, _question())))

    @routes.get("/found/<stream>")
    def found_inputs(slug: str, key: str, stream: str) -> Response:
        atlas, chosen = find_head(slug, key, stream)
        try:
            return _json(search_hits.hits_by_input(atlas, chosen, _question()))
        except SearchError as error:  # an answer like any other: people type their way through impossible patterns
            return _json({"error": str(error)})

    @routes.get("/concentration/<stream>/<projection>")
    def concentration(slug: str, key: str, stream: str, projection: str) -> Response:
        atlas, chosen = find_head(slug, key, stream)
        layout = layouts.flat_layout(*find_map(atlas, chosen, projection))
        values = concentrations(layout, *search_hits.side_masks(atlas, chosen, _question()))
        return _json({"values": [round(value, 2) if value == value else None for value in values.tolist()]})

    @routes.get("/set/<stream>")
    def token_set(slug: str, key: str, stream: str) -> Response:
        atlas, found = find_head(slug, key, stream)
        return _binary(payload.pack_mask(token_sets.members(atlas, found, request.args.get("s", ""))))

    @routes.get("/input/<stream>/<int:index>")
    def input_sides(slug: str, key: str, stream: str, index: int) -> Response:
        atlas, found = find_head(slug, key, stream)
        return _json(payload.input_sides(atlas, found, index))

    @routes.get("/attention/<stream>/<int:index>/<int:layer>/<int:head>")
    def attention(slug: str, key: str, stream: str, index: int, layer: int, head: int) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        _check_input(atlas, index)
        return _binary(payload.attention(atlas, found, index, layer, head))

    @routes.get("/values/<stream>/<int:index>/<int:layer>/<int:head>")
    def values(slug: str, key: str, stream: str, index: int, layer: int, head: int) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        _check_input(atlas, index)
        return _binary(payload.values(atlas, found, index, layer, head))

    @routes.get("/heads/<stream>/<version>")
    def heads(slug: str, key: str, stream: str, version: str) -> Response:
        atlas, found = find_head(slug, key, stream)
        if version != report_key(atlas, found):
            abort(404)  # a build has measured more since: the page learns the new address
        content = cache(f"heads-{key}-{stream}-{version}", lambda: json.dumps(report_payload(atlas, found)).encode())
        return _binary(content, "application/json")

    @routes.get("/sprite/<stream>/<projection>/<colour>/<theme>.png")
    def sprite_png(slug: str, key: str, stream: str, projection: str, colour: str, theme: str) -> Response:
        atlas, found = find_head(slug, key, stream)
        seen, chosen = find_map(atlas, found, projection)
        name = request.args.get("palette", "safe")
        attribute = find_attribute(colour)
        if attribute is None or theme not in THEMES or name not in NAMES:
            abort(404)
        colours = palette(attribute, theme, name)
        if request.args.get("q"):  # not kept: anyone could fill the cache
            hits = np.concatenate(search_hits.side_masks(atlas, found, _question()))
            return _binary(
                sprite.matrix_png(seen, found, chosen, attribute, colours, hits, SCENE_COLOURS[theme]["faded"]),
                "image/png",
            )
        content = cache(
            f"sprite-{sprite.VERSION}-{key}-{chosen.sha256}-{colour}-{theme}-{name}",
            lambda: sprite.matrix_png(seen, found, chosen, attribute, colours),
        )
        return _binary(content, "image/png")

    add_live_routes(routes, find_head, _binary, maps)
    add_reading_routes(routes, find_head)

    @routes.get("/<path:rest>")
    def nothing(slug: str, key: str, rest: str) -> Response:
        abort(404)  # else Dash would answer with its page

    @routes.errorhandler(SearchError)
    def not_understood(error: SearchError) -> Response:
        return Response(str(error), 400, mimetype="text/plain")

    @routes.errorhandler(token_sets.SetError)
    def no_set(error: token_sets.SetError) -> Response:
        return Response(str(error), 400, mimetype="text/plain")

    @routes.errorhandler(KeyError)
    @routes.errorhandler(IndexError)
    def unknown(_error: Exception) -> Response:
        return Response("There is no such part of this atlas.", 404, mimetype="text/plain")

    return routes


def _question() -> Question:
    """The search in the URL; what is wrong with it is said where it is asked."""
    asked = request.args
    return Question(asked.get("q", ""), asked.get("mode", "token"), asked.get("case") == "1")


def _check_input(atlas: Atlas, index: int) -> None:
    if index >= len(atlas.inputs):
        abort(404)
