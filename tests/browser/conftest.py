"""What every browser test shares: Chromium with software WebGL, and no tolerance for console errors."""

import pytest
from playwright.sync_api import expect

from services.settings import Settings
from tests.find_chromium import on_path
from tests.gunicorn_server import two_workers
from tests.patience import PATIENCE

expect.set_options(timeout=1000 * PATIENCE)

# WebGL as everywhere, but pages are put together without it: on two cores that saves a fifth of the time.
SOFTWARE_GL = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",
    "--disable-gpu-rasterization",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    path = on_path()
    if path is None:
        pytest.fail("No Chromium: set CHROMIUM_PATH, let `make test` install one, or leave out with -m 'not browser'.")
    return {**browser_type_launch_args, "executable_path": path, "args": SOFTWARE_GL}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    # Playwright's own page.evaluate needs eval, which the dashboard's policy forbids; one test keeps the policy on
    return {**browser_context_args, "bypass_csp": True}


@pytest.fixture(scope="session")
def dashboard(dashboard_home):
    """The address of the dashboard on the sample atlas, answered by two workers as on a server."""
    with two_workers(Settings(home=dashboard_home, demo=False)) as url:
        yield url


@pytest.fixture
def context(context):
    context.set_default_timeout(1000 * PATIENCE)
    return context


@pytest.fixture
def open_context(browser):
    """Opens browser contexts of a test's own, as patient as the common one, and closes them at its end."""
    opened = []

    def open_one(**options):
        opened.append(browser.new_context(**options))
        opened[-1].set_default_timeout(1000 * PATIENCE)
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture(autouse=True)
def console_errors(page):
    """Fail on any console error or uncaught exception; a test that expects some clears the list."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield errors
    assert not errors, errors
