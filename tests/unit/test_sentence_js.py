"""SentenceView's Python side; its JavaScript is tested under Node (test_javascript.py)."""

import re
from pathlib import Path

import pytest
from dash import Dash, html

import components.sentence_view as package
from components.sentence_view import SentenceView

FOLDER = Path(package.__file__).parent


def test_every_file_is_served_and_from_here():
    app = Dash(__name__)
    app.layout = html.Div(SentenceView(id="view"))
    client = app.server.test_client()
    page = client.get("/").text
    found = re.findall(r'(?:src|href)="([^"]*components\.sentence_view[^"]*)"', page)
    assert len(found) == len(list(FOLDER.glob("*.js"))) + 1
    for address in found:
        assert client.get(address).status_code == 200


def test_every_prop_is_described():
    text = SentenceView.__doc__
    assert [name for name in SentenceView._prop_names if not re.search(rf"\b{name} \(", text)] == []


def test_unknown_prop_is_refused():
    with pytest.raises(TypeError, match="colour"):
        SentenceView(id="view", colour="red")


def test_layout_json_carries_only_what_was_set():
    json = SentenceView(id="view", layer=0, head=0, selection=None).to_plotly_json()
    assert json == {
        "props": {"id": "view", "layer": 0, "head": 0, "selection": None},
        "type": "SentenceView",
        "namespace": "atlas_sentence_view",
    }
