"""Print the path of a Chromium for the browser tests, installing one where that is possible.

Order: CHROMIUM_PATH, a Chromium or Chrome on PATH, the distribution's package (as root, or where sudo
asks for no password), Playwright's own download. Exit code 1 with a clear message when none works.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def on_path() -> str | None:
    named = os.environ.get("CHROMIUM_PATH")
    if named and Path(named).is_file():
        return named
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or next((path for path in MAC_APPS if Path(path).is_file()), None)


def run(*command: str) -> bool:
    """Run a set-up command with its output on stderr: stdout carries nothing but the answer."""
    return subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=False).returncode == 0


def from_distribution() -> str | None:
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        prefix: tuple[str, ...] = ()
    elif shutil.which("sudo") and run("sudo", "-n", "true"):
        prefix = ("sudo", "-n")
    else:
        return None
    print("Installing Chromium from the distribution …", file=sys.stderr)
    run(*prefix, "apt-get", "update", "-qq")
    # Debian's headless shell draws no window, which saves a tenth of the time; other distributions do not have it.
    for package in ("chromium-headless-shell", "chromium"):
        if run(*prefix, "apt-get", "install", "-y", "-qq", "--no-install-recommends", package):
            break
    return on_path()


def from_playwright() -> str | None:
    print("Downloading Playwright's Chromium …", file=sys.stderr)
    if not run(sys.executable, "-m", "playwright", "install", "chromium"):
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


if __name__ == "__main__":
    chromium = on_path() or from_distribution() or from_playwright()
    if chromium is None:
        sys.exit(
            "No Chromium for the browser tests. Install one (Debian/Ubuntu: apt install chromium; "
            "macOS: brew install --cask chromium) or set CHROMIUM_PATH, then run make test again. "
            "Without one: make test PYTEST_ARGS='-m \"not browser\"' CHROMIUM_PATH=none"
        )
    print(chromium)
