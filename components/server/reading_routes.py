"""Routes of the panel that reads a head: averages over inputs, numbers of a pair, inputs by their text."""

from collections.abc import Callable
from dataclasses import asdict

from flask import Blueprint, Response, abort, request

from components.server.http import binary, json_response
from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.measures.averages import Variant, unavailable
from services.payloads import average as average_payload
from services.payloads.pair import pair_numbers

FindHead = Callable[..., tuple[Atlas, StreamInfo]]
_VARIANTS = {"special", "first", "values"}


def add_reading_routes(routes: Blueprint, find_head: FindHead) -> None:
    """Add the routes to the payload's blueprint."""

    @routes.get("/average/<stream>")
    def average_cells(slug: str, key: str, stream: str) -> Response:
        atlas, found = find_head(slug, key, stream)
        return _or_reason(average_payload.cells(atlas, found), atlas, found)

    @routes.get("/average/<stream>/<int:layer>/<int:head>")
    @routes.get("/average/<stream>/<int:layer>/<int:head>/<variant>")
    def average(slug: str, key: str, stream: str, layer: int, head: int, variant: str = "") -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        words = [word for word in variant.split("-") if word]
        if not set(words) <= _VARIANTS or len(set(words)) < len(words):
            abort(404)
        chosen = Variant(special="special" in words, first="first" in words, values="values" in words)
        return _or_reason(average_payload.average(atlas, found, layer, head, chosen), atlas, found)

    @routes.get("/pair/<stream>/<int:index>/<int:layer>/<int:head>/<int:q>/<int:k>")
    def pair(slug: str, key: str, stream: str, index: int, layer: int, head: int, q: int, k: int) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        name = request.args.get("map")
        projection = atlas.info.projection(name, stream) if name else None
        if name and projection is None:
            abort(404)
        numbers = pair_numbers(atlas, found, index, layer, head, q, k, projection)
        return json_response(
            {name: _rounded(value) for name, value in asdict(numbers).items()} | {"agrees": numbers.agrees}
        )


def _rounded(value: float | bool | None) -> float | bool | None:
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _or_reason(content: bytes | None, atlas: Atlas, stream: StreamInfo) -> Response:
    if content is not None:
        return binary(content)
    reason = unavailable(atlas, stream) or "This atlas is too large to work this mean out now."
    return Response(reason, 404, mimetype="text/plain")
