"""HTTP routes of the binary payloads (`docs/payload.md`): check every part of the URL, answer bytes or a plain 404."""

from pathlib import Path

from flask import Blueprint, Response, abort

from components.server.alignment_routes import add_alignment_routes
from components.server.attention_routes import add_attention_routes
from components.server.compare_routes import add_compare_routes
from components.server.heads_routes import add_heads_routes
from components.server.image_routes import add_image_routes
from components.server.map_routes import add_map_routes
from components.server.probe_routes import add_probe_routes
from components.server.search_routes import add_search_routes
from components.server.site import MakeOnce, Site
from components.server.token_routes import add_token_routes
from services.atlas import Atlas
from services.atlas.library import Library
from services.errors import SearchError
from services.search.token_sets import SetError


def payload_routes(library: Library, cache: MakeOnce, maps: Path, probes: Path, heads: Path) -> Blueprint:
    """The blueprint under `/payload`; probes, heads: where those are kept, the other arguments are those of `Site`."""
    routes = Blueprint("payload", __name__, url_prefix="/payload/<slug>/<key>")
    site = Site(routes, library, maps, cache)
    add_map_routes(site)
    add_token_routes(site)
    add_image_routes(site)
    add_search_routes(site)
    add_attention_routes(site)
    add_alignment_routes(site)
    add_probe_routes(site, probes)
    add_heads_routes(site, heads)
    add_compare_routes(site, heads)

    @site.of_atlas("/<path:rest>")
    def nothing(_atlas: Atlas, rest: str) -> Response:
        abort(404)  # else Dash would answer with its page

    @routes.errorhandler(SearchError)
    @routes.errorhandler(SetError)
    def not_understood(error: Exception) -> Response:
        return Response(str(error), 400, mimetype="text/plain")

    @routes.errorhandler(KeyError)
    @routes.errorhandler(IndexError)
    def unknown(_error: Exception) -> Response:
        return Response("There is no such part of this atlas.", 404, mimetype="text/plain")

    return routes
