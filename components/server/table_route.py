"""The route of what the browser reads of the declarations: one small script, before all others."""

import hashlib

from dash import Dash
from flask import Response

from components.server.http import IMMUTABLE
from components.state.tables import script


def serve_tables(app: Dash, prefix: str) -> None:
    """Add the route, and its script to every page; the address changes with the content, so that browsers keep it."""
    content = script(prefix)
    path = f"{prefix}tables/{hashlib.sha256(content).hexdigest()[:12]}.js"

    @app.server.get(path, endpoint="tables")
    def tables() -> Response:
        return Response(content, mimetype="text/javascript", headers={"Cache-Control": IMMUTABLE})

    app.index_string = app.index_string.replace("{%css%}", f'<script src="{path}"></script>{{%css%}}', 1)
