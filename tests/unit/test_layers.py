"""The layers of the design hold: pages → components → services, and services know no web framework."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = {"dash", "flask", "plotly", "dash_bootstrap_components", "flask_caching", "components", "pages", "app"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", sorted((ROOT / "services").rglob("*.py")), ids=lambda p: p.stem)
def test_services_import_no_web_framework(path):
    assert not imported(path) & WEB


@pytest.mark.parametrize("path", sorted((ROOT / "components").rglob("*.py")), ids=lambda p: p.stem)
def test_components_import_no_pages(path):
    assert not imported(path) & {"pages", "app"}
