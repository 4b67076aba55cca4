"""Routes of the page Heads: measures of all heads, their map, heads like one, and the picture of one."""

import json
from pathlib import Path

from flask import Response, abort, request

from components.palettes import THEMES, palette
from components.server.http import binary, json_response
from components.server.site import Asked, Site
from services.attributes.registry import PLAIN, in_atlas
from services.errors import NotStoredError
from services.measures import head_map
from services.measures.report import report_key
from services.payloads import heads, sprite


def add_heads_routes(site: Site, folder: Path) -> None:
    """folder: where maps of heads are kept."""

    @site.of_stream("/finder/<stream>/<version>", "/finder/<stream>/<version>/<space>")
    def finder(asked: Asked, version: str, space: str | None = None) -> Response:
        if version != report_key(asked.atlas, asked.stream):
            abort(404)
        if space is not None:
            asked.own_map(space)
        name = f"finder-{asked.atlas.info.key}-{asked.stream.name}-{version}-{space}"

        def make() -> bytes:
            return json.dumps(heads.measures(asked.atlas, asked.stream, space), ensure_ascii=False).encode()

        return binary(site.cache(name, make), "application/json")

    @site.of_stream("/headmap/<stream>/<version>/<int:families>")
    def placed(asked: Asked, version: str, families: int) -> Response:
        if version != report_key(asked.atlas, asked.stream):
            abort(404)
        by = request.args.get("by", head_map.ATTENTION)
        if by not in head_map.BY:
            abort(404)
        made = head_map.read(head_map.file_of(asked.atlas, asked.stream, folder, by))
        return json_response(heads.placed(asked.atlas, asked.stream, made, families))

    @site.of_stream("/alike/<stream>/<int:layer>/<int:head>")
    def likes(asked: Asked) -> Response:
        other = None
        if "in" in request.args:
            there = site.library.get(request.args["in"]) or abort(404)
            other = there, there.info.stream(asked.stream.name) or there.info.default_stream
        try:
            found = heads.likes(asked.atlas, asked.stream, asked.place, other)
        except NotStoredError as error:
            return Response(str(error), 404, mimetype="text/plain")
        answer = json_response(found)
        if other is not None:
            answer.headers["Cache-Control"] = "no-store"  # the other one may be built anew under its name
        return answer

    @site.of_stream("/headpicture/<stream>/<projection>/<int:layer>/<int:head>/<theme>.png")
    def picture_of_head(asked: Asked, projection: str, theme: str) -> Response:
        if theme not in THEMES:
            abort(404)
        seen, chosen = asked.map(projection)
        attribute = in_atlas(asked.atlas, PLAIN)
        colours = palette(attribute, theme, "safe")
        return binary(sprite.head_png(seen, asked.stream, chosen, attribute, colours, asked.place), "image/png")
