"""Whatever a link or a posted callback holds, the answer is a page or a clear refusal, never a traceback."""

import json
from urllib.parse import urlencode

import pytest

from app import create_app
from components.state.atlas_page import LINK_PROBE, AtlasPage
from services.atlas import open_atlas
from services.search.query import MAX_QUERY
from services.search.token_sets import write_ids
from services.settings import Settings
from tests.real_home import SLUG

PARAMETERS = tuple(AtlasPage.parameters())
# One good value of each parameter: a new one needs a line here.
GOOD = {
    "atlas": SLUG,
    "stream": "self",
    "method": "pca",
    "dims": "3",
    "colour": "position",
    "layer": "1",
    "head": "2",
    "tab": "sentence",
    "panel": "closed",
    "token": "7",
    "side": "key",
    "q": "bank",
    "mode": "token",
    "labels": "off",
    "size": "4",
    "case": "1",
    "palette": "original",
    "bynorm": "on",
    "set": write_ids([0, 1, 5]),
    "input": "0",
    "read": "heatmap-top3-from12-values",
    "hide": "q1k2",
    "rings": "on",
    "groups": "off",
    "shaded": "off",
    "outline": "off",
    "ghost": "on",
    "only": "position-13.64*type-1",
    "mapsizes": "off",
    "whole": "on",
    "patches": "fill",
    "shade": "clipped",
    "cover": "100",
    "flow": "rollout",
    "arrows": "all",
    "badge": "best_near",
    "order": "best_near",
    "scale": "norms",
    "align": "0.5-translated-cosine",
    "probe": "the cat sat",
    "probe2": "the cats sat",
    "probe3": "a dog",
    "probe4": "\u05e9\u05dc\u05d5\u05dd",
    "reads": "a",
    "with": "1",
    "kinds": "kind",
    "cell": "word>special",
    "off": "0.1_1.2",
    "offkey": "2",
    "offon": "random",
    "at": "-0.25_0.1_2.5_0.7_-0.2",
    "heads": "0.1_1.0-1.3",
    "folded": "0_2-3",
}
BAD = {
    "empty": "",
    "foreign": "plaid",
    "negative": "-1",
    "huge": "9" * 400,
    "beyond int": str(2**63),
    "fraction": "1.5",
    "not a number": "nan",
    "markup": "<script>alert(1)</script>",
    "path": "../../../etc/passwd",
    "control characters": "\x00\x1b\u202e",
    "half a character": "\ud800",
    "long": "x" * 10_000,
}
FREE_TEXT = {"q"}  # any text can be searched for
OWN_TEXTS = {"probe", "probe2", "probe3", "probe4"}  # and be read by the model


@pytest.fixture(scope="module")
def app(dashboard_home):
    return create_app(Settings(home=dashboard_home, demo=False))


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


def navigate(client, search: str):
    """What the page router answers for an address."""
    inputs = {"pathname": "/", "search": search}
    body = {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
        "inputs": [{"id": "_pages_location", "property": name, "value": value} for name, value in inputs.items()],
        "changedPropIds": ["_pages_location.pathname"],
    }
    return client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")


def notice_of(response) -> str:
    """The sentences that a page shows about what it dropped."""
    assert response.status_code == 200, response.data[:500]

    def texts(node) -> str:
        if isinstance(node, dict):
            return texts(node.get("props", {}).get("children"))
        return " ".join(map(texts, node)) if isinstance(node, list) else str(node or "")

    def find(node):
        if isinstance(node, dict):
            props = node.get("props", node)
            if props.get("id") == "notice":
                yield node
            for value in props.values():
                yield from find(value)
        elif isinstance(node, list):
            for value in node:
                yield from find(value)

    (found,) = find(response.json["response"])
    return texts(found)


def test_every_parameter_is_tried():
    assert set(GOOD) == set(PARAMETERS)


def test_a_link_of_good_values_drops_nothing(client):
    assert notice_of(navigate(client, f"?{urlencode(GOOD)}")) == ""


@pytest.mark.parametrize("missing", PARAMETERS)
def test_a_link_without_a_parameter_opens(client, missing):
    rest = {name: value for name, value in GOOD.items() if name != missing}
    notice = notice_of(navigate(client, f"?{urlencode(rest)}"))
    assert ("no head" in notice) == (missing in ("layer", "head"))


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_value_is_replaced_by_the_nearest_valid_state_and_said(client, name, bad):
    query = {**GOOD, name: BAD[bad]}
    notice = notice_of(navigate(client, "?" + urlencode(query, errors="surrogatepass")))
    assert len(notice) < 600
    if name in OWN_TEXTS and BAD[bad]:
        assert ("left out" in notice) == (len(BAD[bad]) > 10 * LINK_PROBE)
    elif name in OWN_TEXTS:
        assert ("no text 'a'" in notice) == (name == "probe")
    elif name in FREE_TEXT:
        assert ("left out" in notice) == (len(BAD[bad]) > MAX_QUERY)
    elif name in ("heads", "off") and bad == "fraction":
        assert not notice  # layer 1, head 5
    else:
        assert notice, "nothing was said"


@pytest.mark.parametrize("name", PARAMETERS)
def test_of_a_repeated_parameter_the_first_counts(client, atlas, name):
    rest = {key: value for key, value in GOOD.items() if key != name}
    query = urlencode([*rest.items(), (name, GOOD[name]), (name, "plaid"), (name, "")])
    assert f"{name} is given 3 times" in notice_of(navigate(client, f"?{query}"))
    repeated = AtlasPage.from_query({**GOOD, name: [GOOD[name], "plaid"]}, atlas)
    assert repeated.model_copy(update={"dropped": ()}) == AtlasPage.from_query(GOOD, atlas)


@pytest.mark.parametrize("search", ["?", "?&&&", "?=1", "?%", "?%zz=%ff", "x", "?" + "a=1&" * 5000, "?__proto__=1"])
def test_an_address_that_is_no_query_opens_the_default_page(client, search):
    assert notice_of(navigate(client, search)) == ""


def test_every_state_that_comes_out_of_a_bad_link_is_valid(atlas):
    for name in PARAMETERS:
        for value in BAD.values():
            state = AtlasPage.from_query({**GOOD, name: value}, atlas)
            for store, kind in AtlasPage.stores().items():
                found = getattr(state, store)
                assert kind.model_validate(found.to_store()) == found
                assert len(json.dumps(found.to_store()).encode()) < 10_000
            view = state.view
            assert atlas.info.projection(f"{view.method}{view.dims}d", view.stream) is not None


# --- callbacks ----------------------------------------------------------------------------------------------------

VALUES = {
    "none": None,
    "number": -7,
    "huge number": 10**400,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "bool": True,
    "list": [],
    "nested list": [[[{"a": [None]}]]],
    "dict": {},
    "store of nonsense": {"atlas": 5, "stream": [], "layer": -1, "head": {}, "query": 7, "token": "x", "input": None},
    "store of strangers": {
        "atlas": SLUG,
        "stream": "cross",
        "layer": 10**9,
        "head": -1,
        "token": 10**12,
        "input": 10**9,
    },
    "store of text": {"atlas": SLUG, "stream": "self", "layer": "1", "head": "NaN", "query": "(", "mode": "regex"},
    "huge text": "x" * 100_000,
    "markup": "<script>alert(1)</script>",
    "half a character": "\ud800",
}


def ids_of(text: str):
    """`{"kind":"x"}.value` and `name.prop` alike; a pattern is posted as one match."""
    name, prop = text.rsplit(".", 1)
    return (json.loads(name) if name.startswith("{") else name), prop


def server_callbacks(app) -> dict:
    app.server.test_client().get("/_dash-dependencies")  # registers what is registered late
    return {output: c for output, c in app.callback_map.items() if "callback" in c}


def body_of(output: str, callback: dict, value) -> dict:
    parts = output.strip(".").split("...") if output.startswith("..") else [output]
    outputs = []
    for part in parts:
        name, prop = ids_of(part.split("@")[0] if not part.startswith("{") else part)
        outputs.append({"id": name, "property": prop})
    inputs, state = (
        [
            {"id": ids_of(f"{i['id']}.{i['property']}")[0], "property": i["property"], "value": value}
            for i in callback[key]
        ]
        for key in ("inputs", "state")
    )
    changed = [f"{i['id'] if isinstance(i['id'], str) else json.dumps(i['id'])}.{i['property']}" for i in inputs]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": inputs,
        "state": state,
        "changedPropIds": changed,
    }


def test_a_second_app_has_every_callback_of_the_first(app, dashboard_home):
    second = create_app(Settings(home=dashboard_home, demo=False))
    for each in (app, second):
        each.server.test_client().get("/_dash-dependencies")
    assert set(second.callback_map) == set(app.callback_map)
    assert len(second._callback_list) == len(app._callback_list)


@pytest.mark.parametrize("kind", VALUES)
def test_every_callback_survives_whatever_is_posted(app, kind):
    client = app.server.test_client()
    found = server_callbacks(app)
    assert len(found) >= 5
    for output, callback in found.items():
        body = json.dumps(body_of(output, callback, VALUES[kind]))
        response = client.post("/_dash-update-component", data=body, content_type="application/json")
        assert response.status_code < 500, (output, kind)
        assert b"Traceback" not in response.data


@pytest.mark.parametrize("kind", ["nested list", "dict", "huge text"])
def test_every_callback_survives_nonsense_beside_a_view_that_is_right(app, kind):
    client = app.server.test_client()
    view = {"atlas": SLUG, "stream": "self", "method": "pca", "dims": 2, "layer": 1, "head": 2}
    for output, callback in server_callbacks(app).items():
        body = body_of(output, callback, VALUES[kind])
        for part in (*body["inputs"], *body["state"]):
            if part["id"] == "view":
                part["value"] = view
        response = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
        assert response.status_code < 500, (output, kind)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"output": 5}',
        b'{"output": "none.children", "outputs": {"id": "none", "property": "children"}, "inputs": []}',
        b'{"output": "legend.children", "inputs": 5, "outputs": 5, "changedPropIds": 5}',
        b'{"output": "..a.b..", "outputs": [], "inputs": [null], "state": "x", "changedPropIds": [null]}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_a_post_that_is_no_callback_is_refused_clearly(client, body):
    response = client.post("/_dash-update-component", data=body, content_type="application/json")
    assert response.status_code < 500
    assert b"Traceback" not in response.data


def test_a_call_that_lacks_a_part_or_has_another_is_refused_for_every_callback(app):
    client = app.server.test_client()
    for output, callback in server_callbacks(app).items():
        body = body_of(output, callback, None)
        foreign = {"id": "nobody", "property": "data", "value": None}
        changes = [
            {"outputs": []},
            {"outputs": None},
            {"outputs": [foreign]},
            {"outputs": {"id": {"a": []}, "property": "b"}},
        ]
        changes += [{name: [*body[name], foreign]} for name in ("inputs", "state")]
        changes += [{name: body[name][1:]} for name in ("inputs", "state") if body[name]]
        if isinstance(body["inputs"][0]["id"], str):
            changes.append({"inputs": [foreign, *body["inputs"][1:]]})
        for change in changes:
            response = client.post(
                "/_dash-update-component", data=json.dumps({**body, **change}), content_type="application/json"
            )
            assert response.status_code == 400, (output, change)
    browsers_own = next(name for name, callback in app.callback_map.items() if "callback" not in callback)
    response = client.post("/_dash-update-component", json={"output": browsers_own, "inputs": []})
    assert (response.status_code, response.text) == (400, "There is no such callback.")


@pytest.mark.parametrize("value", [None, 5, [], {}, True, "x" * 100_000, "\x00"])
def test_the_router_survives_any_place(client, value):
    body = {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
        "inputs": [
            {"id": "_pages_location", "property": "pathname", "value": value},
            {"id": "_pages_location", "property": "search", "value": value},
        ],
        "changedPropIds": ["_pages_location.pathname"],
    }
    response = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert response.status_code < 500


def test_components_are_sent_as_data_not_as_code(client):
    response = navigate(client, f"?{urlencode({'colour': BAD['markup']})}")
    assert "<script>" in notice_of(response)  # as text of a component, which the browser never reads as markup
    assert response.mimetype == "application/json"
