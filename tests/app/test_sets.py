"""Sets and the token table over HTTP: right answers, and clear ones to wrong questions."""

import numpy as np
import pytest

from services.atlas import open_atlas
from services.search import token_sets
from tests.real_home import SLUG


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


@pytest.fixture(scope="module")
def route(atlas):
    return f"/payload/{SLUG}/{atlas.info.key}/set/self"


def test_the_mask_is_the_set(client, atlas, route):
    text = token_sets.write_region(2, 3, "umap2d", np.array([[-0.5, -0.5], [0.5, -0.5], [0, 0.7]]))
    sent = np.unpackbits(np.frombuffer(client.get(route, query_string={"s": text}).data, np.uint8), bitorder="little")
    expected = token_sets.members(atlas, atlas.info.streams[0], text)
    assert np.array_equal(sent[: len(expected)].astype(bool), expected)
    assert expected.any()


@pytest.mark.parametrize("text", ["", "x", "r.0.0.umap2d.AAAA", "p.gA", "r.99.0.umap2d." + "A" * 32, "A" * 1_000_000])
def test_a_text_that_is_no_set_is_a_400_with_a_sentence(client, route, text):
    answer = client.get(route, query_string={"s": text})
    assert answer.status_code == 400
    assert answer.text.endswith(".")
    assert "Traceback" not in answer.text


def test_a_set_of_an_unknown_stream_is_a_404(client, atlas):
    assert client.get(f"/payload/{SLUG}/{atlas.info.key}/set/nothere?s=p.AQ").status_code == 404


def posted_rows(client, **values):
    view = {"atlas": SLUG, "stream": "self", "layer": 1, "head": 2}
    given = {
        "request": {"startRow": 0, "endRow": 5},
        "scope": "all",
        "view": view,
        "set": None,
        "search": None,
        **values,
    }
    names = [("token-table", "getRowsRequest", "request"), ("table-scope", "value", "scope"), ("view", "data", "view")]
    names += [("token-set", "data", "set"), ("search", "data", "search")]
    parts = [{"id": id, "property": prop, "value": given[name]} for id, prop, name in names]
    return client.post(
        "/_dash-update-component",
        json={
            "output": "..token-table.getRowsResponse...table-count.children..",
            "outputs": [
                {"id": "token-table", "property": "getRowsResponse"},
                {"id": "table-count", "property": "children"},
            ],
            "inputs": parts[:1],
            "state": parts[1:],
            "changedPropIds": ["token-table.getRowsRequest"],
        },
    )


def test_the_table_shows_all_rows_or_those_of_the_set(client, atlas):
    everything = posted_rows(client).json["response"]["token-table"]["getRowsResponse"]
    assert everything["rowCount"] == sum(atlas.points(atlas.info.streams[0]))
    assert len(everything["rowData"]) == 5
    chosen = {"definition": token_sets.write_ids([4, 9])}
    few = posted_rows(client, scope="set", set=chosen).json["response"]["token-table"]["getRowsResponse"]
    assert sorted(int(row["id"]) for row in few["rowData"]) == [4, 9]


@pytest.mark.parametrize(
    "wrong",
    [
        {"request": "x"},
        {"view": 7},
        {"view": {"atlas": SLUG, "layer": 10**6, "head": 0}},
        {"view": {"atlas": "../../etc", "layer": 0, "head": 0}},
    ],
)
def test_what_asks_for_no_head_or_no_rows_gets_none(client, wrong):
    answer = posted_rows(client, **wrong)
    assert answer.status_code == 200
    assert answer.json["response"]["token-table"]["getRowsResponse"] == {"rowData": [], "rowCount": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": {"a": 1}},
        {"scope": ["set"]},
        {"set": {"definition": "r.0.0.umap2d.zz"}, "scope": "set"},
        {"set": ["p.AQ"]},
        {"search": {"query": ["a"]}, "scope": "search"},
    ],
)
def test_what_names_no_set_and_no_search_gets_all_rows(client, wrong):
    answer = posted_rows(client, **wrong)
    assert answer.status_code == 200
    assert answer.json["response"]["token-table"] == posted_rows(client).json["response"]["token-table"]
