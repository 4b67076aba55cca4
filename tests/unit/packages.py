"""Models that come in packages, for tests that are skipped without them."""

from contextlib import contextmanager

import pytest

from services.models import packaged
from services.models.files import find_model
from services.settings import Settings


@contextmanager
def from_package(name, package, file, home):
    """The folder of a model, made below `home` from `file` of an optional package."""
    if packaged._file_of(package, file) is None:
        pytest.skip(f"{package} is not installed (requirements-{name}.txt)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packaged, "load_settings", lambda: Settings(home=home))
        yield find_model(name)
