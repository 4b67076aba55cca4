"""What an app's callbacks share: its settings and its library of atlases."""

from dataclasses import dataclass, field

from flask import current_app

from services.atlas.library import Library
from services.jobs.refining import Refiner
from services.settings import Settings

KEY = "ATTENTION_ATLAS"


@dataclass(frozen=True)
class Context:
    settings: Settings
    library: Library
    refiner: Refiner = field(default_factory=Refiner)


def context() -> Context:
    """The context of the app that serves the present request."""
    return current_app.config[KEY]
