"""One dashboard over one real atlas, without a browser."""

import pytest

from app import create_app
from services.settings import Settings


@pytest.fixture(scope="session")
def client(dashboard_home):
    return create_app(Settings(home=dashboard_home, demo=False)).server.test_client()
