"""HTTP routes of files to take away: check every part of the URL, answer the file, or one sentence and a 4xx."""

import gzip
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from flask import Blueprint, Response, abort, jsonify, request

from components.export_html import TooManyPointsError, head_html
from components.palettes import Name
from components.server.site import Asked, MakeOnce, Site, wants_whole
from services.atlas.library import Library
from services.atlas.schema import ProjectionInfo
from services.attributes.registry import PLAIN, find_attribute, why_not
from services.errors import NotStoredError
from services.export import (
    TooLargeError,
    attention_tables,
    coordinates_table,
    csv_parts,
    facts,
    file_name,
    kinds_table,
    measures_table,
    parts_table,
    tokens_table,
    write_parquet,
)
from services.export.tables import attention_rows, check_rows
from services.measures import contrast, kinds, related
from services.search import token_sets

NO_ROOM = (
    "A Parquet file is first written to the server's folder for temporary files, where that cannot be done ({}): take "
    "CSV, or tell whoever runs the server."
)
_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "html": "text/html"}


def export_routes(library: Library, cache: MakeOnce, maps: Path) -> Blueprint:
    """The blueprint under `/export`; the arguments are those of `Site`."""
    routes = Blueprint("export", __name__, url_prefix="/export/<slug>/<key>/<stream>")
    site = Site(routes, library, maps, cache, numbered=True)
    _add_tables(site)
    _add_figure(site)

    @site.of_stream("/facts")
    def where_from(asked: Asked) -> Response:
        stream = asked.stream
        number, head = (request.args.get(name, type=int) for name in ("layer", "head"))
        layer = stream.row(number)
        inside = layer is not None and head is not None and 0 <= head < stream.heads
        projection = asked.atlas.info.projection(request.args.get("projection", ""), stream.name)
        place = (layer, head) if inside and layer is not None and head is not None else None
        return jsonify(facts(asked.atlas, stream, projection, place))

    @routes.errorhandler(token_sets.SetError)
    def no_set(error: Exception) -> Response:
        return Response(str(error), 400, mimetype="text/plain")

    @routes.errorhandler(TooLargeError)
    @routes.errorhandler(TooManyPointsError)
    def too_large(error: Exception) -> Response:
        return Response(str(error), 413, mimetype="text/plain")

    return routes


def _add_tables(site: Site) -> None:
    @site.of_stream("/measures.<kind>")
    def measures(asked: Asked, kind: str) -> Response:
        table = measures_table(asked.atlas, asked.stream)
        return _table(asked, table, kind, facts(asked.atlas, asked.stream, None, None), "measures")

    @site.of_stream("/<int:layer>/<int:head>/tokens.<kind>")
    def tokens(asked: Asked, kind: str) -> Response:
        table = tokens_table(asked.atlas, asked.stream, *asked.place, _mask(asked))
        return _table(asked, table, kind, _facts(asked), _head(asked), "tokens")

    @site.of_stream("/<int:layer>/<int:head>/coordinates/<projection>.<kind>")
    def coordinates(asked: Asked, projection: str, kind: str) -> Response:
        chosen = asked.own_map(projection)
        table = coordinates_table(asked.atlas, asked.stream, chosen, *asked.place, _mask(asked))
        return _table(asked, table, kind, _facts(asked, chosen), _head(asked), chosen.name, "coordinates")

    @site.of_stream("/<int:layer>/<int:head>/attention.<kind>")
    def attention(asked: Asked, kind: str) -> Response:
        index = None
        if "input" in request.args:
            index = request.args.get("input", type=int)
            asked.check_input(-1 if index is None else index)
        check_rows(attention_rows(asked.atlas, asked.stream, index), kind)
        parts = attention_tables(asked.atlas, asked.stream, *asked.place, index)
        which = "attention" if index is None else f"attention-input-{index}"
        return _tables(asked, parts, kind, _facts(asked), _head(asked), which)

    @site.of_stream("/<int:layer>/<int:head>/kinds/<attribute>.<kind>")
    def from_kind_to_kind(asked: Asked, attribute: str, kind: str) -> Response:
        if (why := kinds.unavailable(asked.atlas, asked.stream)) is not None:
            abort(404, why)
        try:
            source = related.source_of(asked.atlas, asked.stream, attribute)
            matrix = source.kind_matrix(asked.atlas, asked.stream, *asked.place, attribute)
        except KeyError:
            abort(404)
        return _table(asked, kinds_table(matrix), kind, _facts(asked), _head(asked), "kinds", attribute)

    @site.of_stream("/<int:layer>/<int:head>/parts/<attribute>.<kind>")
    def parts(asked: Asked, attribute: str, kind: str) -> Response:
        if (why := contrast.unavailable(asked.atlas, asked.stream)) is not None:
            abort(404, why)
        try:
            found = contrast.contrast(asked.atlas, asked.stream, *asked.place, attribute)
        except NotStoredError as error:
            abort(404, str(error))
        except KeyError:
            abort(404)
        return _table(asked, parts_table(found), kind, _facts(asked), _head(asked), "parts", attribute)


def _add_figure(site: Site) -> None:
    @site.of_stream("/<int:layer>/<int:head>/figure/<projection>.html")
    def figure(asked: Asked, projection: str) -> Response:
        chosen = asked.own_map(projection)
        attribute = find_attribute(request.args.get("colour", PLAIN.name)) or abort(404)
        if why_not(asked.atlas, attribute):
            abort(404)
        name: Name = "original" if request.args.get("palette") == "original" else "safe"
        page = head_html(asked.atlas, asked.stream, chosen, asked.place, attribute, _mask(asked), name, wants_whole())
        answer = _file(page.encode(), "html", file_name(asked.atlas, _head(asked), chosen.name))
        if "gzip" in request.headers.get("Accept-Encoding", "").lower():
            # Five megabytes: at the compression of pages it would take a fifth of a second of everybody's server.
            answer.set_data(gzip.compress(answer.get_data(), 1))
            answer.headers["Content-Encoding"] = "gzip"
        return answer


def _head(asked: Asked) -> str:
    """The head in the name of a file."""
    return asked.stream.head_name(*asked.place).replace(" ", "")


def _facts(asked: Asked, chosen: ProjectionInfo | None = None) -> dict[str, Any]:
    """Where a table of a head, or of one of its maps, comes from."""
    return facts(asked.atlas, asked.stream, chosen, asked.place)


def _mask(asked: Asked) -> np.ndarray | None:
    """The set of the request, or None for all points."""
    text = request.args.get("set")
    return token_sets.members(asked.atlas, asked.stream, text) if text else None


def _table(asked: Asked, table: pa.Table, kind: str, words: dict[str, Any], *name: str) -> Response:
    check_rows(table.num_rows, kind)
    return _tables(asked, [table], kind, words, *name)


def _tables(asked: Asked, parts: Iterable[pa.Table], kind: str, words: dict[str, Any], *name: str) -> Response:
    """Tables of one schema as one file, part after part."""
    if kind == "csv":
        return _file(csv_parts(parts), kind, file_name(asked.atlas, *name))
    if kind != "parquet":
        abort(404)
    with ExitStack() as kept:
        try:
            file = kept.enter_context(tempfile.TemporaryFile())
            write_parquet(parts, words, file)
        except OSError as error:
            abort(Response(NO_ROOM.format(error.strerror or error), 507, mimetype="text/plain"))
        file.seek(0)
        kept.pop_all()  # closed when the answer has been read

    def content() -> Iterator[bytes]:
        with file:
            while block := file.read(1 << 16):
                yield block

    return _file(content(), kind, file_name(asked.atlas, *name))


def _file(content: bytes | Iterable[bytes], kind: str, name: str) -> Response:
    return Response(
        content,
        mimetype=_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"},
    )
