"""Routes of maps: positions of points, their draw order, and the matrix as a picture."""

import numpy as np
from flask import Response, abort, request

from components.palettes import NAMES, SCENE_COLOURS, THEMES, palette
from components.server.http import binary
from components.server.search_routes import question
from components.server.site import Asked, Site, map_address, wants_whole
from services.atlas import layouts, overview
from services.attributes.registry import find_attribute, in_atlas
from services.payloads import scene, sprite
from services.payloads.maps import constants_chunk
from services.payloads.some_points import listed_slots, some_points
from services.search.hits import side_masks


def add_map_routes(site: Site) -> None:
    @site.of_stream("/positions/<stream>/<projection>/<int:chunk>")
    def positions(asked: Asked, projection: str, chunk: int) -> Response:
        whole = wants_whole()
        constants = constants_chunk(asked.atlas, asked.stream, *map_address(projection), chunk, asked.maps, whole)
        return binary(constants or scene.positions(*asked.map(projection), chunk, whole))

    @site.of_stream("/points/<stream>/<projection>/<int:first>-<int:last>")
    def points(asked: Asked, projection: str, first: int, last: int) -> Response:
        count = sum(asked.atlas.points(asked.stream))
        code = request.args.get("slots")
        most = request.args.get("most", default=0, type=int)
        slots = listed_slots(code, count) if code is not None else slice(0, max(0, min(most, count)))
        return binary(some_points(*asked.map(projection), range(first, last + 1), slots, wants_whole()))

    @site.of_stream("/thumbnails/<stream>/<projection>")
    def thumbnails(asked: Asked, projection: str) -> Response:
        seen, chosen = asked.map(projection)
        whole = wants_whole()
        kept = None if whole else overview.kept_thumbnails(seen, chosen)
        name = f"thumbnails-{asked.atlas.info.key}-{chosen.sha256}-{whole:d}"
        return binary(kept or site.cache(name, lambda: overview.thumbnails(seen, chosen, whole)))

    @site.of_stream("/order/<stream>")
    def order(asked: Asked) -> Response:
        return binary(layouts.draw_order(sum(asked.atlas.points(asked.stream))).tobytes())

    @site.of_stream("/sprite/<stream>/<projection>/<colour>/<theme>.png")
    def sprite_png(asked: Asked, projection: str, colour: str, theme: str) -> Response:
        seen, chosen = asked.map(projection)
        name = request.args.get("palette", "safe")
        attribute = find_attribute(colour)
        if attribute is None or theme not in THEMES or name not in NAMES:
            abort(404)
        attribute = in_atlas(asked.atlas, attribute)
        colours = palette(attribute, theme, name)
        whole, small = wants_whole(), request.args.get("small") == "1"
        if request.args.get("q"):  # not kept: anyone could fill the cache
            hits, faded = (
                np.concatenate(side_masks(asked.atlas, asked.stream, question())),
                SCENE_COLOURS[theme]["faded"],
            )
            made = sprite.matrix_png(seen, asked.stream, chosen, attribute, colours, hits, faded, whole)
            return binary(made, "image/png")
        content = site.cache(
            f"sprite-{sprite.VERSION}-{asked.atlas.info.key}-{chosen.sha256}-{colour}-{theme}-{name}-{whole:d}{small:d}",
            lambda: sprite.matrix_png(seen, asked.stream, chosen, attribute, colours, whole=whole, small=small),
        )
        return binary(content, "image/png")
