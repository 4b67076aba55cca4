"""What people bring: a file's bytes as the body of a request, written to disk as they come.

A body that is too large is refused by the length that it names, before a byte of it is read.
"""

from typing import Any, BinaryIO, cast

from dash import Dash
from flask import Blueprint, Response, jsonify, request

from components.server.context import context
from components.server.permission import limited_person, refusal, visitor
from services.errors import AtlasError
from services.workshop.quotas import Quotas
from services.workshop.uploads import Uploads


def add_uploads(app: Dash, prefix: str) -> None:
    """`POST /upload?name=…` begins an upload, `POST /upload/<id>?name=…` adds an image to one."""
    routes = Blueprint("upload", __name__, url_prefix=f"{prefix.rstrip('/')}/upload")

    @routes.post("")
    @routes.post("/<id>")
    def receive(id: str | None = None) -> Response:
        here = context()
        problem = refusal("upload")
        if problem is not None:
            return refused(problem, 403)
        uploads = Uploads(here.settings.uploads, here.settings.upload_bytes, visitor())
        try:
            Quotas(here.settings, limited_person()).check_bytes(request.content_length or 0)
            found = uploads.receive(request.args.get("name", ""), request.content_length, _body(), id)
        except AtlasError as error:
            return refused(str(error), 413 if (request.content_length or 0) > uploads.most_bytes else 400)
        return jsonify({"id": found.id, "files": len(found.files), "name": found.files[0], "bytes": found.bytes})

    app.server.register_blueprint(routes)


def _body() -> BinaryIO:
    return cast(BinaryIO, request.stream)


def refused(sentence: str, status: int) -> Response:
    """One sentence, and the connection closed: its body was not read."""
    response: Any = Response(sentence, status, mimetype="text/plain")
    response.headers["Connection"] = "close"
    return response
