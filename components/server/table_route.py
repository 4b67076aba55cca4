"""The route of what the browser reads of the declarations: one small script, before all others."""

import hashlib

from flask import Flask, Response

from components.server.http import IMMUTABLE
from components.state.tables import script


def serve_tables(server: Flask, prefix: str) -> str:
    """Add the route; returns its address, which changes with its content, so that browsers keep it for good."""
    content = script(prefix)
    path = f"{prefix}tables/{hashlib.sha256(content).hexdigest()[:12]}.js"

    @server.get(path, endpoint="tables")
    def tables() -> Response:
        return Response(content, mimetype="text/javascript", headers={"Cache-Control": IMMUTABLE})

    return path
