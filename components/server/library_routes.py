"""Atlases as files: one to take away, sent while it is packed; one that somebody sent, taken in when it is whole."""

from typing import BinaryIO, cast

from dash import Dash
from flask import Blueprint, Response, abort, jsonify, request

from components import static_atlas
from components.server.context import context
from components.server.permission import limited_person, refusal, visitor
from components.server.site import NO_ATLAS
from components.server.upload_routes import refused
from services.errors import AtlasError
from services.workshop.keeping import Keeping
from services.workshop.packing import pack
from services.workshop.quotas import Quotas


def add_library(app: Dash, prefix: str) -> None:
    """`GET /library/<slug>.zip` downloads an atlas, `GET /library/<slug>/page.zip` makes a static page of it, and

    `POST /library/open?name=…` opens one."""
    routes = Blueprint("library", __name__, url_prefix=f"{prefix.rstrip('/')}/library")

    @routes.get("/<slug>.zip")
    def download(slug: str) -> Response:
        atlas = context().library.get(slug)
        if atlas is None:
            abort(404, NO_ATLAS)
        headers = {"Content-Disposition": f'attachment; filename="{atlas.slug}.zip"', "Cache-Control": "no-store"}
        return Response(pack(atlas), mimetype="application/zip", headers=headers)

    @routes.get("/<slug>/page.zip")
    def static_page(slug: str) -> Response:
        atlas = context().library.get(slug)
        if atlas is None:
            abort(404, NO_ATLAS)
        try:
            contents = static_atlas.choose(atlas)
        except AtlasError as error:
            return Response(str(error), 413, mimetype="text/plain")
        headers = {"Content-Disposition": f'attachment; filename="{atlas.slug}-page.zip"', "Cache-Control": "no-store"}
        return Response(static_atlas.archive(contents), mimetype="application/zip", headers=headers)

    @routes.post("/open")
    def receive() -> Response:
        here = context()
        problem = refusal("open")
        if problem is not None:
            return refused(problem, 403)
        length = request.content_length
        try:
            keeping = Keeping(here.settings, visitor(), Quotas(here.settings, limited_person()))
            slug = keeping.receive(request.args.get("name", ""), length, cast(BinaryIO, request.stream))
        except AtlasError as error:
            return refused(str(error), 413 if (length or 0) > here.settings.atlas_bytes else 400)
        return jsonify({"slug": slug})

    app.server.register_blueprint(routes)
