"""What people bring: a file's bytes as the body of a request, written to disk as they come.

A body that is too large is refused by the length that it names, before a byte of it is read.
"""

from typing import Any, BinaryIO, cast

from dash import Dash
from flask import Blueprint, Response, jsonify, request

from components.server.context import context
from components.server.permission import limited_person, refusal, visitor
from services.errors import AtlasError
from services.models.memory import readable
from services.probe.asked import image_text
from services.probe.brought import FOLDER, MOST_BYTES, forget_old
from services.workshop.quotas import Quotas
from services.workshop.uploads import PICTURES, Uploads


def add_uploads(app: Dash, prefix: str) -> None:
    """`POST /upload?name=…` begins an upload, `POST /upload/<id>?name=…` adds an image to one.

    `POST /upload/probe?name=…` takes an image for a probe.
    """
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

    @routes.post("/probe")
    def receive_image() -> Response:
        """An image that the model of an atlas is to look at: kept in the cache, for whoever knows its name."""
        settings, length = context().settings, request.content_length or 0
        most = min(MOST_BYTES, settings.upload_bytes)
        if length > most:
            return refused(f"It has {readable(length)}; an image for a probe can have {readable(most)}.", 413)
        uploads = Uploads(settings.probes / FOLDER, most, visitor())
        try:
            found = uploads.receive(request.args.get("name", ""), request.content_length, _body())
        except AtlasError as error:
            return refused(str(error), 400)
        if found.corpus.name != PICTURES:
            uploads.discard(found.id)
            return refused(f"{found.files[0]} is no image: give a PNG, JPEG or WebP.", 400)
        forget_old(settings.probes)
        return jsonify({"text": image_text(found.id, found.files[0]), "name": found.files[0]})

    app.server.register_blueprint(routes)


def _body() -> BinaryIO:
    return cast(BinaryIO, request.stream)


def refused(sentence: str, status: int) -> Response:
    """One sentence, and the connection closed: its body was not read."""
    response: Any = Response(sentence, status, mimetype="text/plain")
    response.headers["Connection"] = "close"
    return response
