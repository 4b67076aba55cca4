"""Whatever changes something must come from a page of this server: another site's page cannot act for its reader.

Browsers say where a request comes from: `Sec-Fetch-Site` on https and on this machine, `Origin` everywhere. What says
neither is no browser, and carries nobody's session.
"""

from urllib.parse import urlsplit

from dash import Dash
from flask import Response, request

_READS = ("GET", "HEAD", "OPTIONS")
REFUSED = "This request comes from another site; open the dashboard itself."


def refuse_other_origins(app: Dash) -> None:
    """Answer 403 to every request of another site that could change something."""

    @app.server.before_request
    def check() -> Response | None:
        if request.method in _READS or comes_from_here():
            return None
        return Response(REFUSED, 403, mimetype="text/plain")


def comes_from_here() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc.lower() == request.host.lower()
