"""What is no address answers 404: a line of text where data are served, elsewhere the page that says so."""

import dash
from dash import Dash
from flask import Response, abort, make_response

DATA = ("payload", "export")  # first parts of addresses that no reader types


def refuse_unknown_addresses(app: Dash) -> None:
    """Give Dash's answer to every address it does not know, its page with status 200, the status 404."""
    everything = f"{app.config.routes_pathname_prefix}<path:path>"
    page = app.server.view_functions[everything]

    def answer(path: str) -> Response:
        if path.split("/", 1)[0] in DATA:
            abort(404)
        response = make_response(page(path))
        if path.strip("/") not in _pages():
            response.status_code = 404
        return response

    app.server.view_functions[everything] = answer


def _pages() -> set[str]:
    """Addresses of the pages; the page of unknown addresses has one too, which is none."""
    pages = dash.page_registry.values()
    return {page["path"].strip("/") for page in pages if not page["module"].endswith("not_found_404")}
