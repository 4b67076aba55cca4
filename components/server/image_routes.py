"""Routes of pictures: images as the model saw them, small ones, and the sheet of all patches."""

from typing import get_args

from flask import Response, abort

from components.server.http import binary, json_response
from components.server.site import Asked, Site
from services.atlas import Atlas
from services.payloads import images
from services.search import token_sets
from services.search.similar import By, like


def add_image_routes(site: Site) -> None:
    @site.of_atlas("/image/<int:index>.png")
    def image(atlas: Atlas, index: int) -> Response:
        return binary(images.image_png(atlas, index), "image/png")

    @site.of_atlas("/thumbnail/<int:index>.webp")
    def thumbnail(atlas: Atlas, index: int) -> Response:
        return binary(images.thumbnail(atlas, index), "image/webp")

    @site.of_stream("/token/<stream>/<int:index>/<side>/<int:position>")
    def one_token(asked: Asked, index: int, side: str, position: int) -> Response:
        asked.check_input(index)
        if side not in ("query", "key"):
            abort(404)
        return binary(images.of_token(asked.atlas, asked.stream, index, position, side))

    @site.of_stream("/rollout/<stream>/<int:index>/<int:layer>/<int:head>")
    def rolled_out(asked: Asked, index: int) -> Response:
        asked.check_input(index)
        if asked.stream.query_table != asked.stream.key_table:
            abort(404)  # what one text says of another is no flow from layer to layer
        return binary(images.rolled_out(asked.atlas, asked.stream, index, asked.layer))

    @site.of_stream("/offset/<stream>/<int:layer>/<int:head>")
    def by_offset(asked: Asked) -> Response:
        if not images.has_images(asked.atlas):
            abort(404)
        return json_response(images.by_offset(asked.atlas, asked.stream, *asked.place))

    @site.of_stream("/like/<stream>/<int:layer>/<int:head>/<side>/<int:row>/<by>")
    def similar(asked: Asked, side: str, row: int, by: str) -> Response:
        if side not in ("query", "key") or by not in get_args(By):
            abort(404)
        points = like(asked.atlas, asked.stream, asked.place, side, row, by)
        return json_response({"definition": token_sets.write_ids(points.tolist())})

    @site.of_atlas("/patches/<table>.webp")
    def patches(atlas: Atlas, table: str) -> Response:
        if images.sheet_facts(atlas, table) is None:
            raise KeyError(table)
        name = f"patches-{images.VERSION}-{atlas.info.key}-{table}"
        return binary(site.cache(name, lambda: images.sheet(atlas, table)), "image/webp")
