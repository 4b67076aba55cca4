"""Every payload route and export answers what the golden record says; tests/golden says how it is made."""

import json

import pytest

from app import create_app
from services.settings import Settings
from tests.golden import atlases, record
from tests.golden.__main__ import FILE, written
from tests.golden.addresses import addresses


@pytest.fixture(scope="module")
def kept():
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return atlases.make_home(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def found(home):
    return record.record(home, atlases.SLUGS)


def test_every_answer_is_the_one_of_the_record(kept, found):
    assert list(record.differences(kept, found)) == []


def test_the_record_asks_every_route_below_payload_and_export(home):
    """A new route needs a line in tests/golden/addresses.py."""
    server = create_app(Settings(home=home, demo=False)).server
    with server.app_context():
        paths = [one.path.split("?")[0] for slug in atlases.SLUGS for one in addresses(home, slug)]
    match = server.url_map.bind("localhost").match
    asked = {match(path)[0] for path in paths}
    routes = {rule.endpoint for rule in server.url_map.iter_rules() if rule.rule.startswith(("/payload/", "/export/"))}
    assert routes - asked <= {"payload.nothing", "export.nothing"}  # what answers 404 to all else


def test_a_changed_answer_is_told():
    old = {"one": {"a": "text · 3 B · 00", "pair | b": {"dot": 1.0, "list": [1, None]}, "c": "404 · none"}}
    assert list(record.differences(old, json.loads(written(old)))) == []
    for name, value in (
        ("a", "text · 3 B · 01"),
        ("pair | b", {"dot": 1.01, "list": [1, None]}),
        ("pair | b", {"dot": 1.0, "list": [1, 0.0]}),
        ("pair | b", {"dot": 1.0, "list": [1]}),
        ("pair | b", {"dot": 1.0}),
    ):
        (line,) = record.differences(old, {"one": {**old["one"], name: value}})
        assert line.startswith(f"one {name}: ")
    near = {"one": {**old["one"], "pair | b": {"dot": 1.00001, "list": [1, None]}}}
    assert list(record.differences(old, near)) == []
    assert len(list(record.differences(old, {"one": {"a": old["one"]["a"], "d": "new"}}))) == 3
