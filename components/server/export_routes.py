"""HTTP routes of files to take away: check every part of the URL, answer the file, or one sentence and a 4xx."""

import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from flask import Blueprint, Response, abort, jsonify, request

from components.export_html import TooManyPointsError, head_html
from components.palettes import Name
from services.atlas import Atlas
from services.atlas.library import Library
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.attributes.registry import BY_NAME, why_not
from services.export import (
    TooLargeError,
    attention_tables,
    coordinates_table,
    csv_parts,
    facts,
    file_name,
    measures_table,
    tokens_table,
    write_parquet,
)
from services.export.tables import attention_rows, check_rows
from services.search import token_sets

_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "html": "text/html"}


def export_routes(library: Library) -> Blueprint:
    """The blueprint under `/export`."""
    routes = Blueprint("export", __name__, url_prefix="/export/<slug>/<key>/<stream>")

    def find(slug: str, key: str, stream: str) -> tuple[Atlas, StreamInfo]:
        atlas = library.get(slug)
        found = atlas.info.stream(stream) if atlas else None
        if atlas is None or found is None or atlas.info.key != key:
            abort(404)
        return atlas, found

    def find_head(slug: str, key: str, stream: str, layer: int, head: int) -> tuple[Atlas, StreamInfo]:
        atlas, found = find(slug, key, stream)
        if layer >= found.layers or head >= found.heads:
            abort(404)
        return atlas, found

    def find_projection(atlas: Atlas, stream: StreamInfo, name: str) -> ProjectionInfo:
        return atlas.info.projection(name, stream.name) or abort(404)

    @routes.get("/facts")
    def where_from(slug: str, key: str, stream: str) -> Response:
        atlas, found = find(slug, key, stream)
        layer, head = (request.args.get(name, type=int) for name in ("layer", "head"))
        inside = layer is not None and head is not None and 0 <= layer < found.layers and 0 <= head < found.heads
        projection = atlas.info.projection(request.args.get("projection", ""), found.name)
        place = (layer, head) if inside and layer is not None and head is not None else None
        return jsonify(facts(atlas, found, projection, place))

    @routes.get("/measures.<kind>")
    def measures(slug: str, key: str, stream: str, kind: str) -> Response:
        atlas, found = find(slug, key, stream)
        return _table(atlas, measures_table(atlas, found), kind, facts(atlas, found, None, None), "measures")

    @routes.get("/<int:layer>/<int:head>/tokens.<kind>")
    def tokens(slug: str, key: str, stream: str, layer: int, head: int, kind: str) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        table = tokens_table(atlas, found, layer, head, _mask(atlas, found))
        return _table(atlas, table, kind, facts(atlas, found, None, (layer, head)), f"L{layer}H{head}", "tokens")

    @routes.get("/<int:layer>/<int:head>/coordinates/<projection>.<kind>")
    def coordinates(slug: str, key: str, stream: str, layer: int, head: int, projection: str, kind: str) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        chosen = find_projection(atlas, found, projection)
        table = coordinates_table(atlas, found, chosen, layer, head, _mask(atlas, found))
        words = facts(atlas, found, chosen, (layer, head))
        return _table(atlas, table, kind, words, f"L{layer}H{head}", chosen.name, "coordinates")

    @routes.get("/<int:layer>/<int:head>/attention.<kind>")
    def attention(slug: str, key: str, stream: str, layer: int, head: int, kind: str) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        index = None
        if "input" in request.args:
            index = request.args.get("input", type=int)
            if index is None or not 0 <= index < len(atlas.inputs):
                abort(404)
        check_rows(attention_rows(atlas, found, index), kind)
        parts = attention_tables(atlas, found, layer, head, index)
        which = "attention" if index is None else f"attention-input-{index}"
        return _tables(atlas, parts, kind, facts(atlas, found, None, (layer, head)), f"L{layer}H{head}", which)

    @routes.get("/<int:layer>/<int:head>/figure/<projection>.html")
    def figure(slug: str, key: str, stream: str, layer: int, head: int, projection: str) -> Response:
        atlas, found = find_head(slug, key, stream, layer, head)
        chosen = find_projection(atlas, found, projection)
        attribute = BY_NAME.get(request.args.get("colour", "type")) or abort(404)
        if why_not(atlas, attribute):
            abort(404)
        name: Name = "original" if request.args.get("palette") == "original" else "safe"
        page = head_html(atlas, found, chosen, (layer, head), attribute, _mask(atlas, found), name)
        return _file(page.encode(), "html", file_name(atlas, f"L{layer}H{head}", chosen.name))

    @routes.errorhandler(token_sets.SetError)
    def no_set(error: Exception) -> Response:
        return Response(str(error), 400, mimetype="text/plain")

    @routes.errorhandler(TooLargeError)
    @routes.errorhandler(TooManyPointsError)
    def too_large(error: Exception) -> Response:
        return Response(str(error), 413, mimetype="text/plain")

    return routes


def _mask(atlas: Atlas, stream: StreamInfo) -> np.ndarray | None:
    """The set of the request, or None for all points."""
    return token_sets.members(atlas, stream, request.args["set"]) if request.args.get("set") else None


def _table(atlas: Atlas, table: pa.Table, kind: str, words: dict[str, Any], *name: str) -> Response:
    check_rows(table.num_rows, kind)
    return _tables(atlas, [table], kind, words, *name)


def _tables(atlas: Atlas, parts: Iterable[pa.Table], kind: str, words: dict[str, Any], *name: str) -> Response:
    """Tables of one schema as one file, part after part."""
    if kind == "csv":
        return _file(csv_parts(parts), kind, file_name(atlas, *name))
    if kind != "parquet":
        abort(404)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the answer has been read
    write_parquet(parts, words, file)
    file.seek(0)

    def content() -> Iterator[bytes]:
        with file:
            while block := file.read(1 << 16):
                yield block

    return _file(content(), kind, file_name(atlas, *name))


def _file(content: bytes | Iterable[bytes], kind: str, name: str) -> Response:
    return Response(
        content,
        mimetype=_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"},
    )
