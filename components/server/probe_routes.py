"""Routes of probes, readers' own inputs: what the warm process has found of them (docs/payload.md)."""

from pathlib import Path

from flask import Response, abort, request

from components.server.attention_routes import pair_response
from components.server.http import binary, json_response
from components.server.site import Asked, Site, wants_whole
from services.atlas import Atlas
from services.payloads.images import by_offset
from services.probe import payload
from services.probe.kept import KeptProbe, find

GONE = "This probe is no longer kept: type it again."


def add_probe_routes(site: Site, folder: Path) -> None:
    """folder: where probes are kept."""

    def probe_of(asked: Asked, id: str) -> KeptProbe:
        return find(folder, asked.atlas, id) or abort(404, GONE)

    @site.of_stream("/probe/<id>/input/<stream>/0")
    def probe_sides(asked: Asked, id: str) -> Response:
        return json_response(payload.sides(probe_of(asked, id), asked.stream))

    @site.of_stream("/probe/<id>/attention/<stream>/0/<int:layer>/<int:head>")
    def probe_attention(asked: Asked, id: str) -> Response:
        return binary(payload.attention(probe_of(asked, id), asked.stream, *asked.place))

    @site.of_stream("/probe/<id>/values/<stream>/0/<int:layer>/<int:head>")
    def probe_values(asked: Asked, id: str) -> Response:
        return binary(payload.values(probe_of(asked, id), asked.stream, *asked.place))

    @site.of_atlas("/probe/<id>/image/0.png")
    def probe_image(atlas: Atlas, id: str) -> Response:
        return binary(payload.image(find(folder, atlas, id) or abort(404, GONE)), "image/png")

    @site.of_stream("/probe/<id>/token/<stream>/0/<side>/<int:position>")
    def probe_token(asked: Asked, id: str, side: str, position: int) -> Response:
        if side not in ("query", "key"):
            abort(404)
        return binary(payload.of_token(probe_of(asked, id), asked.stream, position, side))

    @site.of_stream("/probe/<id>/rollout/<stream>/0/<int:layer>/<int:head>")
    def probe_rollout(asked: Asked, id: str) -> Response:
        probe = probe_of(asked, id)
        return binary(payload.rolled_out(probe, asked.stream, asked.layer)) if probe.image else abort(404)

    @site.of_stream("/probe/<id>/offset/<stream>/<int:layer>/<int:head>")
    def probe_offset(asked: Asked, id: str) -> Response:
        """The mean over the corpus, which the view shows beside any image."""
        return (
            json_response(by_offset(asked.atlas, asked.stream, *asked.place))
            if probe_of(asked, id).image
            else abort(404)
        )

    @site.of_stream("/probe/<id>/places/<stream>/<projection>")
    def probe_places(asked: Asked, id: str, projection: str) -> Response:
        atlas, chosen = asked.map(projection)
        if chosen.scale is not None:
            abort(404)
        return binary(payload.places(probe_of(asked, id), chosen, atlas, wants_whole()))

    @site.of_stream("/probe/<id>/pair/<stream>/0/<int:layer>/<int:head>/<int:q>/<int:k>")
    def probe_pair(asked: Asked, id: str, q: int, k: int) -> Response:
        name = request.args.get("map")
        projection = asked.own_map(name) if name else None
        return pair_response(payload.pair(probe_of(asked, id), asked.stream, asked.place, q, k, projection))

    @site.of_stream("/probe/<id>/difference/<stream>/<other>")
    def probe_difference(asked: Asked, id: str, other: str) -> Response:
        return json_response(payload.compared(probe_of(asked, id), probe_of(asked, other), asked.stream))
