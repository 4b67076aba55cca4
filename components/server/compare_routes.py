"""Routes of the page Compare: two heads, the second named after the first (`docs/payload.md`)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from flask import Response, abort, request

from components.catalogue import pane_facts, scene_colour
from components.compare_colours import difference_colour
from components.palettes import Name, Theme
from components.server.context import context
from components.server.http import binary, json_response
from components.server.site import Asked, Site, wants_whole
from services.alignment.side_by_side import Pane, SideBySide, shared_by, side_by_side
from services.attributes.registry import find_attribute, why_not
from services.errors import AtlasError
from services.export.csv_text import write_csv
from services.measures import change
from services.measures.difference import Difference, Mapped, difference
from services.payloads import compare

NO_MAP = "none"
Compared = tuple[Difference, Pane, Pane]
_HEAD = "<stream>/<int:layer>/<int:head>/<projection>"
_OTHER = "<slug2>/<key2>/<stream2>/<int:layer2>/<int:head2>/<projection2>"


def add_compare_routes(site: Site, folder: Path) -> None:
    """folder: where comparisons of all heads are kept."""

    def pair_of(asked: Asked, projection: str, parts: dict[str, Any], second: bool = False) -> SideBySide:
        """The head that the URL names, and the other after it: second: before it."""
        other = site.asked(*(parts[f"{name}2"] for name in ("slug", "key", "stream", "layer", "head")))
        on, its = asked.map(projection), other.map(parts["projection2"])
        panes = [pane(asked), pane(other)]
        maps = [(on[0], on[1].name), (its[0], its[1].name)]
        return side_by_side(*panes[::-1], *maps[::-1]) if second else side_by_side(*panes, *maps)

    @site.of_stream("/pane/<stream>")
    def facts(asked: Asked) -> Response:
        response = json_response(pane_facts(asked.atlas, asked.stream, context().settings.url_prefix))
        response.headers["Cache-Control"] = "no-store"  # a build may add maps
        return response

    @site.of_stream("/shared/<stream>/<slug2>/<key2>/<stream2>")
    def shared(asked: Asked, slug2: str, key2: str, stream2: str) -> Response:
        other = site.asked(slug2, key2, stream2)
        try:
            return json_response(compare.shared(shared_by(pane(asked), pane(other))))
        except AtlasError as error:  # an answer, not a fault: a page of two such atlases is no error
            return json_response({"why": str(error)})

    @site.of_stream("/change/<stream>/<slug2>/<key2>/<stream2>")
    def changed(asked: Asked, slug2: str, key2: str, stream2: str) -> Response:
        other = site.asked(slug2, key2, stream2)
        found = change.read(change.file_of((asked.atlas, asked.stream, other.atlas, other.stream), folder))
        return json_response(compare.changes(found, asked.stream, other.stream))

    @site.of_stream(f"/fit/{_HEAD}/{_OTHER}")
    def fitted(asked: Asked, projection: str, **parts: Any) -> Response:
        return _or_why_not(lambda: json_response(compare.fitted(pair_of(asked, projection, parts))))

    @site.of_stream(f"/beside/<role>/{_HEAD}/{_OTHER}")
    def beside(asked: Asked, role: str, projection: str, **parts: Any) -> Response:
        held = role.endswith("-held")
        second, whole = _is_second(role.removesuffix("-held")), wants_whole()
        return _or_why_not(
            lambda: binary(compare.positions(pair_of(asked, projection, parts, second), second, whole, held))
        )

    def difference_of(asked: Asked, projection: str, parts: dict[str, Any], second: bool = False) -> Compared:
        """What sets the pair apart, and its panes in their order; NO_MAP stands for a map where they have none."""
        other = site.asked(*(parts[f"{name}2"] for name in ("slug", "key", "stream", "layer", "head")))
        first, then = pane(asked), pane(other)
        on: Mapped | None = None
        its: Mapped | None = None
        if projection != NO_MAP:
            (atlas, mine), (atlas2, theirs) = asked.map(projection), other.map(parts["projection2"])
            on, its = (atlas, mine.name), (atlas2, theirs.name)
        if second:
            return difference(then, first, its, on), then, first
        return difference(first, then, on, its), first, then

    @site.of_stream(f"/difference/<order>/{_HEAD}/{_OTHER}")
    def ranked(asked: Asked, order: str, projection: str, **parts: Any) -> Response:
        return _or_why_not(lambda: json_response(compare.ranked(*difference_of(asked, projection, parts), order)))

    @site.of_stream(f"/differences.csv/{_HEAD}/{_OTHER}")
    def differences(asked: Asked, projection: str, **parts: Any) -> Response:
        def make() -> Response:
            response = binary(write_csv(compare.table(*difference_of(asked, projection, parts))), "text/csv")
            first = f"{asked.atlas.slug}-L{asked.layer}H{asked.head}"
            second = "{slug2}-L{layer2}H{head2}".format(**parts)
            response.headers["Content-Disposition"] = f'attachment; filename="{first}_{second}.csv"'
            return response

        return _or_why_not(make)

    @site.of_stream(f"/differing/<role>/<kind>/{_HEAD}/{_OTHER}")
    def differing(asked: Asked, role: str, kind: str, projection: str, **parts: Any) -> Response:
        second = _is_second(role)

        def make() -> Response:
            found = difference_of(asked, projection, parts, second)[0]
            return binary(compare.steps(found, kind, pane(asked), second))

        return _or_why_not(make)

    @site.of_stream(f"/differing/<role>/<kind>/{_HEAD}/{_OTHER}/<theme>/<palette>")
    def differing_colour(
        asked: Asked, role: str, kind: str, projection: str, theme: str, palette: str, **parts: Any
    ) -> Response:
        second, (shade, colours) = _is_second(role), _look(theme, palette)

        def make() -> Response:
            found = difference_of(asked, projection, parts, second)[0]
            path = request.path.split(f"/{asked.atlas.info.key}/", 1)[1].rsplit("/", 2)[0]
            return json_response(difference_colour(kind, compare.scale(found, kind), shade, colours) | {"path": path})

        return _or_why_not(make)

    @site.of_stream("/colour/<stream>/<name>/<theme>/<palette>")
    def colour(asked: Asked, name: str, theme: str, palette: str) -> Response:
        attribute, (shade, colours) = find_attribute(name) or abort(404), _look(theme, palette)
        if (why := why_not(asked.atlas, attribute)) is not None:
            return Response(why, 404, mimetype="text/plain")
        return json_response(scene_colour(asked.atlas, asked.stream, name, shade, colours))


def pane(asked: Asked) -> Pane:
    return Pane(asked.atlas, asked.stream, *asked.place)


def _is_second(role: str) -> bool:
    """Which of the pair the head is that an address begins with."""
    return role == "second" if role in ("first", "second") else abort(404)


def _look(theme: str, palette: str) -> tuple[Theme, Name]:
    shade = next((one for one in get_args(Theme) if one == theme), None)
    colours = next((one for one in get_args(Name) if one == palette), None)
    return (shade, colours) if shade and colours else abort(404)


def _or_why_not(make: Callable[[], Response]) -> Response:
    """The answer; where the heads do not share enough for it, one sentence."""
    try:
        return make()
    except AtlasError as error:
        return Response(str(error), 404, mimetype="text/plain")
