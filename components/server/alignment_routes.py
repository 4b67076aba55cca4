"""Routes of one head under another alignment than the atlas's (`docs/payload.md`)."""

from dataclasses import asdict

from flask import Response, jsonify

from components.server.http import binary
from components.server.site import Asked, Site, wants_whole
from services.alignment.head_maps import HeadMap, map_agreement, own_layout
from services.alignment.live import LiveAlignment, live_head
from services.atlas import ProjectionRef
from services.payloads.scene import one_head
from services.projection import START


def add_alignment_routes(site: Site) -> None:
    @site.of_stream("/live/<stream>/<int:layer>/<int:head>/<int:dims>/<alignment>")
    def live(asked: Asked, dims: int, alignment: str) -> Response:
        onto = own_layout(asked.atlas, asked.stream, *asked.place, _ref(START.name, dims))
        head = live_head(asked.atlas, asked.stream, *asked.place)
        return binary(one_head(head.pca(LiveAlignment.parse(alignment), dims, onto), wants_whole()))

    @site.of_stream("/refined/<stream>/<int:layer>/<int:head>/<method>/<int:dims>/<alignment>")
    def refined(asked: Asked, method: str, dims: int, alignment: str) -> Response:
        ref, chosen = _ref(method, dims), LiveAlignment.parse(alignment)
        layout = HeadMap(asked.atlas, asked.stream, *asked.place, ref, chosen).read(asked.maps)
        return _made_again(binary(one_head(layout, wants_whole())))

    @site.of_stream("/agreement/<stream>/<int:layer>/<int:head>/<method>/<int:dims>/<alignment>")
    def agreement(asked: Asked, method: str, dims: int, alignment: str) -> Response:
        chosen = None if alignment == "own" else LiveAlignment.parse(alignment)
        measured = map_agreement(asked.atlas, asked.stream, *asked.place, _ref(method, dims), chosen, asked.maps)
        found = {
            "alignment": measured.alignment.name,
            "aligned": asdict(measured.aligned),
            "screen": asdict(measured.screen),
            "pending": measured.pending,
            "notFinite": measured.not_finite,
        }
        return _made_again(jsonify(found))


def _made_again(response: Response) -> Response:
    """Maps under another alignment can be made again: asked for each time."""
    response.headers["Cache-Control"] = "no-cache"
    return response


def _ref(method: str, dims: int) -> ProjectionRef:
    """Raises: KeyError: no map can be called so."""
    try:
        return ProjectionRef(method, dims)
    except ValueError as error:
        raise KeyError(method) from error
