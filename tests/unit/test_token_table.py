"""The token table: columns against plain sums, pages against plain sorting, hostile requests."""

import math

import numpy as np
import pytest

from services.atlas import open_atlas
from services.search import token_table


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def columns(atlas):
    return token_table.columns_of(atlas, atlas.info.streams[0], 1, 2)


def ask(columns, **request):
    shown = np.ones(len(columns["kind"]), bool)
    return token_table.page(columns, shown, {"startRow": 0, "endRow": 100, **request})


def test_received_attention_is_the_column_mean_of_the_models_own_matrix(atlas, columns):
    stream, tokens = atlas.info.streams[0], atlas.tokens()
    for index in range(len(atlas.inputs)):
        first, end = (int(n) for n in tokens.offsets[index : index + 2])
        expected = atlas.attention(stream).block(index, 1, 2).astype(float).mean(axis=0)
        assert columns["received"][len(tokens) + first : len(tokens) + end] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(columns["received"][: len(tokens)]).all()


def test_norms_are_those_of_the_heads_own_vectors(atlas, columns):
    vector = np.asarray(atlas.array("self/keys")[1, 2, 7], float)
    assert columns["norm"][len(atlas.tokens()) + 7] == pytest.approx(math.sqrt((vector**2).sum()))


def test_pages_put_together_are_the_whole_sorted_table(columns):
    total = len(columns["kind"])
    sort = [{"colId": "text", "sort": "asc"}, {"colId": "norm", "sort": "desc"}]
    rows = []
    for start in range(0, total, 100):
        page, count = ask(columns, startRow=start, endRow=start + 100, sortModel=sort)
        assert count == total
        rows += page
    assert sorted(int(row["id"]) for row in rows) == list(range(total))
    keys = [(row["text"].casefold(), row["text"], -columns["norm"][int(row["id"])]) for row in rows]
    assert keys == sorted(keys)


def test_without_a_sort_a_token_stands_beside_itself(columns):
    rows, _ = ask(columns)
    assert [(row["input"], row["position"], row["kind"]) for row in rows[:4]] == [
        (0, 0, "query"),
        (0, 0, "key"),
        (0, 1, "query"),
        (0, 1, "key"),
    ]


def test_filters_agree_with_a_loop(columns):
    rows, count = ask(
        columns,
        filterModel={
            "text": {
                "filterType": "text",
                "operator": "OR",
                "conditions": [
                    {"type": "startsWith", "filter": "CA"},
                    {"type": "equals", "filter": "the"},
                ],
            },
            "kind": {"type": "equals", "filter": "key"},
            "position": {"filterType": "number", "type": "inRange", "filter": 1, "filterTo": 6},
        },
    )
    wanted = [
        point
        for point, text in enumerate(columns["text"])
        if (text.casefold().startswith("ca") or text.casefold() == "the")
        and columns["kind"][point] == "key"
        and 1 <= columns["position"][point] <= 6
    ]
    assert sorted(int(row["id"]) for row in rows) == wanted
    assert count == len(wanted) > 0


def test_keys_without_a_value_sort_last_both_ways(columns):
    for way in ("asc", "desc"):
        rows, _ = ask(columns, sortModel=[{"colId": "received", "sort": way}])
        assert rows[0]["kind"] == "key"


@pytest.mark.parametrize(
    "request_",
    [
        None,
        7,
        "x",
        [],
        {},
        {"startRow": "0", "endRow": 5},
        {"startRow": math.nan, "endRow": 5},
        {"startRow": -1, "endRow": 5},
        {"startRow": 5, "endRow": 5},
        {"startRow": True, "endRow": 5},
    ],
)
def test_a_request_that_is_none_gives_an_empty_page(columns, request_):
    assert token_table.page(columns, np.ones(len(columns["kind"]), bool), request_) == ([], 0)


@pytest.mark.parametrize(
    "more",
    [
        {"filterModel": [1], "sortModel": "x"},
        {"filterModel": {"text": 3, "nope": {"type": "equals", "filter": "x"}}, "sortModel": [{"colId": "__class__"}]},
        {"filterModel": {"text": {"type": "__len__", "filter": "x"}}, "sortModel": [None, {"colId": ["text"]}]},
        {"filterModel": {"norm": {"type": "lessThan", "filter": "5"}, "input": {"conditions": [5, None]}}},
        {"endRow": 10**12},
    ],
)
def test_parts_of_a_request_that_mean_nothing_change_nothing(columns, more):
    rows, count = ask(columns, **more)
    assert count == len(columns["kind"])
    assert 0 < len(rows) <= token_table.MOST_ROWS


def test_a_head_that_is_not_there_is_an_index_error(atlas):
    with pytest.raises(IndexError):
        token_table.columns_of(atlas, atlas.info.streams[0], 99, 0)
