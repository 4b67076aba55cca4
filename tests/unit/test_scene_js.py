"""The scene's Python side; its JavaScript is tested under Node (test_javascript.py)."""

from pathlib import Path

from components.head_scene import SCRIPTS

ROOT = Path(__file__).parents[2]


def test_every_script_is_served():
    folder = ROOT / "components" / "head_scene"
    assert sorted(SCRIPTS) == sorted(path.name for path in folder.glob("*.js"))
