"""The scene's pure functions, tested under Node. Running the dashboard needs no Node."""

import shutil
import subprocess
from pathlib import Path

import pytest

from components.head_scene import SCRIPTS

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="node is not on PATH: the JavaScript unit tests are left out")
def test_pure_functions_of_the_scene():
    files = sorted(str(path) for path in (ROOT / "tests" / "node").glob("*.test.cjs"))
    done = subprocess.run([NODE, "--test", *files], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_script_is_served():
    folder = ROOT / "components" / "head_scene"
    assert sorted(SCRIPTS) == sorted(path.name for path in folder.glob("*.js"))
