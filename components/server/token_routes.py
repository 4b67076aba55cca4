"""Routes of tokens and inputs: their texts, what points are coloured by, sets of points."""

from flask import Response, request

from components.server.http import binary, json_response
from components.server.site import Asked, Site
from services.atlas import Atlas
from services.payloads import scene
from services.search import token_sets


def add_token_routes(site: Site) -> None:
    @site.of_atlas("/offsets/<table>")
    def offsets(atlas: Atlas, table: str) -> Response:
        return binary(atlas.tokens(table).offsets.astype("<u4").tobytes())

    @site.of_atlas("/tokens/<table>/<int:page>")
    def tokens(atlas: Atlas, table: str, page: int) -> Response:
        return json_response(scene.token_page(atlas, table, page))

    @site.of_stream("/input/<stream>/<int:index>")
    def input_sides(asked: Asked, index: int) -> Response:
        return json_response(scene.input_sides(asked.atlas, asked.stream, index))

    @site.of_stream("/attribute/<stream>/<name>")
    def attribute(asked: Asked, name: str) -> Response:
        return binary(scene.attribute(asked.atlas, asked.stream, name))

    @site.of_stream("/headattribute/<stream>/<name>/<int:layer>/<int:head>")
    def head_attribute(asked: Asked, name: str) -> Response:
        return binary(scene.head_attribute(asked.atlas, asked.stream, name, *asked.place))

    @site.of_stream("/set/<stream>")
    def token_set(asked: Asked) -> Response:
        members = token_sets.members(asked.atlas, asked.stream, request.args.get("s", ""))
        return binary(scene.pack_mask(members))
