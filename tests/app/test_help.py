"""What help says is complete: each explained control exists, each word it leads to is in the glossary."""

import re

import pytest
from dash import html

from components import ids
from components.glossary_terms import GLOSSARY
from components.help import help_dialog, with_help
from components.help_texts import HELP, KEYS, TOUR
from tests.real_home import ROOT

ID_NAMES = {value for name, value in vars(ids).items() if name.isupper()}
SCRIPTS = "\n".join(path.read_text() for path in [*ROOT.glob("assets/*.js"), *ROOT.glob("components/*/*.js")])


@pytest.mark.parametrize("name", HELP)
def test_each_explained_control_exists_and_its_word_is_explained(name):
    title, text, entry = HELP[name]
    assert name in ID_NAMES
    assert title
    assert text.endswith(".")
    assert entry is None or entry in GLOSSARY


def test_the_tour_has_five_steps_that_point_at_known_elements():
    assert len(TOUR) == 5
    for at, title, text in TOUR:
        assert set(re.findall(r"#([\w-]+)", at)) <= ID_NAMES
        assert title
        assert text.endswith(".")


def test_each_listed_key_is_handled_by_some_script():
    names = {"←": "ArrowLeft", "→": "ArrowRight", "↑": "ArrowUp", "↓": "ArrowDown", "Esc": "Escape", "−": "-"}
    names |= {"Page Up": "PageUp", "Page Down": "PageDown"}
    for keys, _ in KEYS:
        for key in keys:
            name = names.get(key, key)
            assert re.search(rf"[\"'`]{re.escape(name)}[\"'`]|\b{re.escape(name)}:", SCRIPTS), key


def test_help_is_put_beside_the_label_of_a_control():
    page = html.Div([html.Div([html.Label("Colour", htmlFor=ids.COLOUR_SELECT), html.Div(id=ids.COLOUR_SELECT)])])
    with_help(page)
    row = page.children[0].children[0]
    assert [type(child).__name__ for child in row.children] == ["Label", "Button"]
    assert HELP[ids.COLOUR_SELECT][1] in str(row)


def test_help_follows_a_control_without_a_label_and_spares_the_rest():
    page = html.Div(html.Div(id=ids.SENTENCE_MODE))
    with_help(page)
    assert [type(child).__name__ for child in page.children] == ["Div", "Button"]
    plain = html.Div([html.Div(id="nothing"), "text", None])
    assert str(with_help(plain)) == str(html.Div([html.Div(id="nothing"), "text", None]))


def test_the_help_dialog_lists_every_key():
    text = str(help_dialog("/"))
    assert all(key in text for keys, _ in KEYS for key in keys)
