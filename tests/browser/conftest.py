"""What every browser test shares: Chromium with software WebGL, and no tolerance for console errors."""

import os
import shutil

import pytest

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
    path = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium: set CHROMIUM_PATH")
    return {**browser_type_launch_args, "executable_path": path, "args": SOFTWARE_GL}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    # Playwright's own page.evaluate needs eval, which the dashboard's policy forbids; one test keeps the policy on
    return {**browser_context_args, "bypass_csp": True}


@pytest.fixture(autouse=True)
def console_errors(page):
    """Fail on any console error or uncaught exception; a test that expects some clears the list."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield errors
    assert not errors, errors
