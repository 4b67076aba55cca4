"""What an app's callbacks share: its settings, its library of atlases and its jobs."""

from dataclasses import dataclass

from flask import current_app

from components.server.guarded import GuardedJobs, SeenLibrary
from services.jobs.backend import Backend
from services.settings import Settings

KEY = "ATTENTION_ATLAS"


@dataclass(frozen=True)
class Context:
    """library, jobs: what the present visitor may see · rows: jobs of everyone, to clear away by"""

    settings: Settings
    library: SeenLibrary
    jobs: GuardedJobs
    rows: Backend


def context() -> Context:
    """The context of the app that serves the present request."""
    return current_app.config[KEY]
