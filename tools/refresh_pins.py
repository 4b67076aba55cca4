"""Bring every pin of the requirements files to the newest version that the package index offers.

    python tools/refresh_pins.py           say what would change
    python tools/refresh_pins.py --write   change the files (then: make test)

torch is left alone unless it is named: python tools/refresh_pins.py --write torch. Its pin also chooses the build.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ("requirements.txt", "requirements-lab.txt", "requirements-dev.txt")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)$", re.M)
HELD = {"torch"}


def plain(name: str) -> str:
    """A package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def newest() -> dict[str, str]:
    """Packages of this environment that have a newer version: name → version."""
    command = [sys.executable, "-m", "pip", "list", "--outdated", "--format", "json", "--disable-pip-version-check"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {plain(package["name"]): package["latest_version"] for package in found}


def refreshed(text: str, versions: dict[str, str], held: set[str]) -> str:
    """The text of a requirements file with the pins brought to `versions`; other lines stay as they are."""

    def pin(match: re.Match[str]) -> str:
        name = plain(match[1])
        return match[0] if name in held or name not in versions else f"{match[1]}=={versions[name]}"

    return PIN.sub(pin, text)


def main(arguments: list[str]) -> int:
    held = HELD - set(arguments)
    versions = newest()
    for name in FILES:
        before = (ROOT / name).read_text(encoding="utf-8")
        after = refreshed(before, versions, held)
        for old, new in zip(before.splitlines(), after.splitlines(), strict=True):
            if old != new:
                print(f"{name}: {old} → {new}")
        if "--write" in arguments and after != before:
            (ROOT / name).write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
