"""A line of JSON for each request, where logs are such (logs.py): who, what, how long; no query, no body."""

import logging
import time

from flask import Flask, Response, g, request

_log = logging.getLogger("attention_atlas.requests")


def time_requests(server: Flask) -> None:
    """Note when each began, as `g.asked_at`; before the door is opened, so that refusals have it, too."""

    @server.before_request
    def begin() -> None:
        g.asked_at = time.perf_counter()


def log_requests(server: Flask) -> None:
    """A line each, of those that are refused as well."""

    @server.after_request
    def say(answer: Response) -> Response:
        user = getattr(g, "user", None)
        facts = {
            "method": request.method,
            "path": request.path,  # a query may hold what somebody has typed
            "status": answer.status_code,
            "milliseconds": round(1000 * (time.perf_counter() - g.asked_at), 1),
            "bytes": answer.content_length,
            "user": user.name if user else None,
            "address": request.remote_addr,
        }
        _log.info("%s %s %d", request.method, request.path, answer.status_code, extra={"facts": facts})
        return answer
