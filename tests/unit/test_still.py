"""Pieces of the page that nothing listens to travel as one tree, and are the same elements in the browser."""

import json

import pytest
from dash import dcc, html

from components.still import plain, still
from tests.node_runtime import run_node

PIECE = [
    html.H2("Heads", className="title"),
    None,
    html.Table(
        [html.Caption(["of ", html.Strong("all")]), html.Tr([html.Td("a < b & c", colSpan=2), html.Td(0.5)])],
        **{"aria-label": "numbers", "data-x": "1"},
    ),
    html.Div(html.Img(src="x.png", alt=""), style={"width": "3%"}),
    "text",
]
ELEMENTS = [
    "div",
    {"id": "piece", "className": "facts"},
    ["h2", {"className": "title"}, "Heads"],
    [
        "table",
        {"aria-label": "numbers", "data-x": "1"},
        ["caption", {}, "of ", ["strong", {}, "all"]],
        ["tr", {}, ["td", {"colSpan": 2}, "a < b & c"], ["td", {}, 0.5]],
    ],
    ["div", {"style": {"width": "3%"}}, ["img", {"src": "x.png", "alt": ""}]],
    "text",
]


def test_the_tree_becomes_the_elements_that_dash_would_make():
    script = f"""
        const createElement = (tag, {{ key, ...props }}, ...inside) => [tag, props, ...inside];
        globalThis.window = {{ React: {{ createElement, memo: (component) => component }} }};
        require("./components/still/component.js");
        const props = {{ id: "piece", className: "facts", tree: {json.dumps(still(PIECE))} }};
        console.log(JSON.stringify(globalThis.atlas_still.Still(props)));
    """
    ran = run_node("-e", script)
    assert json.loads(ran.stdout or "0") == ELEMENTS, ran.stderr[-600:]


def test_plain_elements_are_those_of_dash():
    made = [
        plain.H2("Heads", className="title"),
        None,
        plain.Table(
            [plain.Caption(["of ", plain.Strong("all")]), plain.Tr([plain.Td("a < b & c", colSpan=2), plain.Td(0.5)])],
            **{"aria-label": "numbers", "data-x": "1"},
        ),
        plain.Div(plain.Img(src="x.png", alt=""), style={"width": "3%"}),
        "text",
    ]
    assert still(made) == still(PIECE)


@pytest.mark.parametrize(
    "live", [dcc.Link("there", href="/"), html.Div([html.P(dcc.Store(id="x"))]), html.Button(id={"kind": "a", "n": 1})]
)
def test_what_something_may_listen_to_is_refused(live):
    with pytest.raises(TypeError, match="cannot be still"):
        still(live)
