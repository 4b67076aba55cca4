"""Routes of attention: weights of one input, means over inputs, numbers of a pair, what is measured of heads."""

import json
from dataclasses import asdict

from flask import Response, abort, request

from components.catalogue import unattended
from components.server.http import binary, json_response
from components.server.site import Asked, Site
from services.measures.averages import Variant, unavailable
from services.measures.report import report_key, report_payload
from services.payloads import average as average_payload
from services.payloads import scene
from services.payloads.pair import PairNumbers, pair_numbers

_VARIANTS = {"special", "first", "values"}


def add_attention_routes(site: Site) -> None:
    @site.of_stream("/attention/<stream>/<int:index>/<int:layer>/<int:head>")
    def attention(asked: Asked, index: int) -> Response:
        asked.check_input(index)
        if (words := unattended(asked.stream)) is not None:
            return Response(words, 404, mimetype="text/plain")
        return binary(scene.attention(asked.atlas, asked.stream, index, *asked.place))

    @site.of_stream("/values/<stream>/<int:index>/<int:layer>/<int:head>")
    def values(asked: Asked, index: int) -> Response:
        asked.check_input(index)
        return binary(scene.values(asked.atlas, asked.stream, index, *asked.place))

    @site.of_stream("/pair/<stream>/<int:index>/<int:layer>/<int:head>/<int:q>/<int:k>")
    def pair(asked: Asked, index: int, q: int, k: int) -> Response:
        name = request.args.get("map")
        projection = asked.own_map(name) if name else None
        return pair_response(pair_numbers(asked.atlas, asked.stream, index, *asked.place, q, k, projection))

    @site.of_stream("/average/<stream>")
    def average_cells(asked: Asked) -> Response:
        return _or_reason(average_payload.cells(asked.atlas, asked.stream), asked)

    @site.of_stream("/average/<stream>/<int:layer>/<int:head>", "/average/<stream>/<int:layer>/<int:head>/<variant>")
    def average(asked: Asked, variant: str = "") -> Response:
        words = [word for word in variant.split("-") if word]
        if not set(words) <= _VARIANTS or len(set(words)) < len(words):
            abort(404)
        chosen = Variant(special="special" in words, first="first" in words, values="values" in words)
        atlas, stream, place = asked.atlas, asked.stream, asked.place
        name = "-".join(
            ["average", str(average_payload.VERSION), atlas.info.key, stream.name, *map(str, place), *sorted(words)]
        )
        content = site.cache(name, lambda: average_payload.average(atlas, stream, *place, chosen) or b"")
        return _or_reason(content or None, asked)

    @site.of_stream("/heads/<stream>/<version>")
    def heads(asked: Asked, version: str) -> Response:
        atlas, stream = asked.atlas, asked.stream
        if version != report_key(atlas, stream):
            abort(404)  # a build has measured more since: the page learns the new address
        name = f"heads-{atlas.info.key}-{stream.name}-{version}"
        return binary(site.cache(name, lambda: json.dumps(report_payload(atlas, stream)).encode()), "application/json")


def pair_response(numbers: PairNumbers) -> Response:
    """What is told of a pair (docs/payload.md)."""
    found = {name: _rounded(value) for name, value in asdict(numbers).items()}
    return json_response(found | {"agrees": numbers.agrees})


def _rounded(value: float | bool | None) -> float | bool | None:
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _or_reason(content: bytes | None, asked: Asked) -> Response:
    if content is not None:
        return binary(content)
    reason = unavailable(asked.atlas, asked.stream) or "This atlas is too large to work this mean out now."
    return Response(reason, 404, mimetype="text/plain")
