"""How an idle page learns that something has begun or ended: every answer to a callback carries a stamp.

A page does not ask again and again. It compares the stamp of whatever it asked with the one before
(assets/06-jobs.js), and looks when they differ.
"""

import hashlib
import json

from dash import Dash
from flask import Response, request

from components.server.context import Context, context

HEADER = "X-Atlas-Jobs"


def job_stamp(here: Context) -> str:
    """8 hexadecimal digits that change when an announced job begins or ends, or an atlas changes."""
    return _digest([here.jobs.stamp(), here.library.stamp()])


def tell_of_jobs(app: Dash, path: str) -> None:
    """Put the stamp into each answer of the callbacks, which no cache keeps."""

    @app.server.after_request
    def tell(response: Response) -> Response:
        if request.method == "POST" and request.path == path:
            response.headers[HEADER] = job_stamp(context())
        return response


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:8]
