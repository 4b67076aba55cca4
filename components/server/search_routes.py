"""Routes of a search: the tokens it finds, in what inputs, and how closely each head keeps them together."""

from functools import lru_cache

from flask import Response, request

from components.server.http import binary, json_response
from components.server.site import Asked, Site
from services.atlas import Atlas, layouts
from services.errors import SearchError
from services.payloads.scene import pack_mask
from services.search import token_sets
from services.search.concentration import concentrations
from services.search.hits import hits_by_input, side_masks
from services.search.query import Question, search


def question() -> Question:
    """The search in the URL; what is wrong with it is said where it is asked."""
    asked = request.args
    return Question(asked.get("q", ""), asked.get("mode", "token"), asked.get("case") == "1")


def add_search_routes(site: Site) -> None:
    @site.of_atlas("/search/<table>")
    def found(atlas: Atlas, table: str) -> Response:
        return binary(pack_mask(search(atlas, table, question())))

    @site.of_stream("/found/<stream>")
    def found_inputs(asked: Asked) -> Response:
        try:
            return json_response(hits_by_input(asked.atlas, asked.stream, question()))
        except SearchError as error:  # an answer like any other: people type their way through impossible patterns
            return json_response({"error": str(error)})

    @site.of_stream("/concentration/<stream>/<projection>")
    def concentration(asked: Asked, projection: str) -> Response:
        atlas, chosen = asked.map(projection)
        definition = request.args.get("s", "")
        found = _concentrations(asked.atlas, asked.stream.name, atlas, chosen.name, definition or question())
        return json_response({"values": found})


@lru_cache(maxsize=256)  # of the searches of late, which many readers share
def _concentrations(atlas: Atlas, of: str, mapped: Atlas, name: str, wanted: Question | str) -> list[float | None]:
    """Of a search, or of a set as the link has it: one number a head, None where there is none.

    mapped: the atlas that holds the map, which may be another of the same points.
    """
    stream = atlas.info.stream(of)
    projection = mapped.info.projection(name, of)
    if stream is None or projection is None:
        raise KeyError(name)
    if isinstance(wanted, str):
        members = token_sets.members(atlas, stream, wanted)
        queries = atlas.points(stream)[0]
        sides = (members[:queries], members[queries:])
    else:
        sides = side_masks(atlas, stream, wanted)
    values = concentrations(layouts.flat_layout(mapped, projection), *sides)
    return [round(value, 2) if value == value else None for value in values.tolist()]
