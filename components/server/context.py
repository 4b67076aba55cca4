"""What an app's callbacks share: its settings, its library of atlases and its jobs."""

from dataclasses import dataclass

from flask import current_app

from services.atlas.library import Library
from services.jobs.backend import Backend
from services.settings import Settings

KEY = "ATTENTION_ATLAS"


@dataclass(frozen=True)
class Context:
    settings: Settings
    library: Library
    jobs: Backend


def context() -> Context:
    """The context of the app that serves the present request."""
    return current_app.config[KEY]
