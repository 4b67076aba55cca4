"""Who may import whom: pages → components → services, services know no web framework, and rooms stand in one order."""

import ast
from pathlib import Path

import pytest

from tools import rooms

ROOT = Path(__file__).parents[2]
WEB = {"dash", "flask", "plotly", "dash_bootstrap_components", "flask_caching", "components", "pages", "app"}

# Each room and the rooms below it that it may import, besides errors. A new edge is explained in its commit.
_ALLOWED = """
errors:
access:
settings: access
numerics:
streams: numerics
atlas: numerics streams
projection: atlas numerics streams
models: atlas settings
modalities: atlas models streams
capture: atlas modalities models streams
alignment: atlas numerics projection streams
attributes: atlas modalities
measures: alignment atlas attributes modalities numerics projection streams
search: alignment atlas attributes measures modalities numerics streams
payloads: alignment atlas attributes measures modalities numerics projection search streams
export: alignment atlas attributes measures payloads projection search streams
pipeline: alignment atlas capture measures modalities models numerics projection settings streams
probe: alignment atlas capture measures modalities models numerics payloads projection streams
jobs: alignment atlas measures modalities models pipeline probe projection settings streams
workshop: atlas jobs modalities models pipeline projection settings streams
commands: access alignment atlas capture jobs measures modalities models pipeline projection settings
"""
ALLOWED = {
    room: {*others.split(), "errors"} - {room}
    for room, _, others in (line.partition(":") for line in _ALLOWED.strip().splitlines())
}


def web_imports(path: Path) -> set[str]:
    return {name.split(".")[0] for name in rooms.imports(path)} & WEB


@pytest.mark.parametrize("path", sorted((ROOT / "services").rglob("*.py")), ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_services_import_no_web_framework(path):
    assert not web_imports(path)


@pytest.mark.parametrize("path", sorted((ROOT / "components").rglob("*.py")), ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_components_import_no_pages(path):
    assert not {name.split(".")[0] for name in rooms.imports(path)} & {"pages", "app"}


@pytest.mark.parametrize(("edge", "imports"), rooms.edges().items(), ids=lambda value: "→".join(value)[:40])
def test_every_edge_between_rooms_is_an_allowed_one(edge, imports):
    room, other = edge
    if room in rooms.TOP:
        assert other != "pages"
    else:
        assert other in ALLOWED[room], imports


def test_services_are_15_to_18_rooms_without_a_circle():
    rooms.floors(rooms.graph())  # a ValueError would name the circle
    rooms.floors(ALLOWED)  # nor may what is allowed go in one
    names = {room for room, path in rooms.files() if room not in rooms.TOP and path.parent != ROOT / "services"}
    assert 15 <= len(names) <= 18
    assert names | {"access", "errors", "settings"} == ALLOWED.keys()


def test_a_circle_is_named():
    with pytest.raises(ValueError, match="a → b → c → a"):
        rooms.floors({"a": {"b"}, "b": {"c"}, "c": {"a"}})


def test_every_room_says_what_it_is():
    for folder in sorted({path.parent for _, path in rooms.files()}):
        face = folder / "__init__.py"
        if folder.name == "pages":
            continue
        assert ast.get_docstring(ast.parse(face.read_text())), face


def test_the_picture_in_the_architecture_document_is_the_code_as_it_is():
    text = rooms.DOCUMENT.read_text(encoding="utf-8")
    assert rooms.document(text) == text, "draw it anew: python -m tools.rooms --write"
