"""Answers of the payload routes: never changing for their URL."""

import json
from typing import Any

from flask import Response, request

IMMUTABLE = "public, max-age=31536000, immutable"


def binary(content: bytes, mimetype: str = "application/octet-stream") -> Response:
    """The bytes, or the range of them that was asked for (one head of a chunk)."""
    response = Response(content, mimetype=mimetype, headers={"Cache-Control": IMMUTABLE})
    response.make_conditional(request, accept_ranges=True, complete_length=len(content))
    return response


def json_response(value: Any) -> Response:
    """Texts as they are: escaped, those of most scripts would take three times the room."""
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(content, mimetype="application/json", headers={"Cache-Control": IMMUTABLE})
