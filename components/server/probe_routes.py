"""Routes of probes, readers' own inputs: what the warm process has found of them (docs/payload.md)."""

from pathlib import Path

from flask import Response, abort

from components.server.http import binary, json_response
from components.server.site import Asked, Site, wants_whole
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

    @site.of_stream("/probe/<id>/places/<stream>/<projection>")
    def probe_places(asked: Asked, id: str, projection: str) -> Response:
        atlas, chosen = asked.map(projection)
        if chosen.scale is not None:
            abort(404)
        return binary(payload.places(probe_of(asked, id), chosen, atlas, wants_whole()))

    @site.of_stream("/probe/<id>/difference/<stream>/<other>")
    def probe_difference(asked: Asked, id: str, other: str) -> Response:
        return json_response(payload.compared(probe_of(asked, id), probe_of(asked, other), asked.stream))
