"""What an app's callbacks share: its settings and its library of atlases."""

from dataclasses import dataclass

from flask import current_app

from services.library import Library
from services.settings import Settings

KEY = "ATTENTION_ATLAS"


@dataclass(frozen=True)
class Context:
    settings: Settings
    library: Library


def context() -> Context:
    """The context of the app that serves the present request."""
    return current_app.config[KEY]
