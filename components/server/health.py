"""Whether the server can do its work: /readyz, for a proxy or a container; /healthz only says that it answers."""

import os

from flask import Flask, Response

from components.server.permission import HALTED
from services.errors import AtlasError, JobError
from services.jobs.backend import Backend
from services.settings import Settings


def tell_readiness(server: Flask, settings: Settings, jobs: Backend) -> None:
    """Answer 200 where atlases can be read and jobs kept, else 503 with what is wrong.

    A home that cannot be written is served for looking, so it is ready, and says so.
    """

    @server.get(f"{settings.url_prefix}readyz")
    def readyz() -> Response:
        problem = _problem(settings, jobs)
        halted = f"ready to look only: {HALTED}" if settings.is_halted else "ready"
        return Response(problem or halted, 503 if problem else 200, mimetype="text/plain")


def _problem(settings: Settings, jobs: Backend) -> str | None:
    if not os.access(settings.atlases, os.R_OK | os.X_OK):
        return "The folder of atlases cannot be read."
    if settings.read_only or settings.is_halted:
        return None
    try:
        jobs.check()
        jobs.list()
    except JobError as error:
        return str(error)
    except (AtlasError, OSError):
        return "The jobs cannot be read."
    return None
