"""Averages and numbers of a pair over HTTP."""

import numpy as np
import pytest

from services.atlas import open_atlas
from services.measures.averages import Variant, head_average, mean_attention
from tests.real_home import SLUG


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


@pytest.fixture(scope="module")
def base(atlas):
    return f"/payload/{SLUG}/{atlas.info.key}"


def test_the_small_heatmaps_hold_the_means_and_mark_means_of_few_inputs(client, atlas, base):
    sent = np.frombuffer(client.get(f"{base}/average/self").data, np.uint8)
    assert len(sent) <= 150_000
    rows, columns = sent[:2]
    levels = sent[2:].reshape(6, 12, rows, columns)
    stream = atlas.stream("self")
    for layer, head in [(0, 0), (3, 5), (5, 11)]:
        mean = mean_attention(atlas, stream, layer, head)
        few = mean.count[:rows, :columns] < 5
        assert (levels[layer, head][few] == 255).all()
        weights = (levels[layer, head][~few] / 254) ** 2
        assert np.abs(weights - mean.mean[:rows, :columns][~few]).max() < 0.005


def test_a_mean_that_another_formula_has_left_on_the_disk_is_worked_out_anew(client, base, monkeypatch):
    """The cache outlives the program that filled it."""
    known = client.get(f"{base}/average/self/1/1").data
    monkeypatch.setattr("services.payloads.average.average", lambda *_: b"of another formula")
    assert client.get(f"{base}/average/self/1/1").data == known
    monkeypatch.setattr("services.payloads.average.VERSION", -1)
    assert client.get(f"{base}/average/self/1/1").data == b"of another formula"


@pytest.mark.parametrize(
    ("path", "variant"),
    [("", Variant()), ("/special", Variant(special=True)), ("/first-values", Variant(first=True, values=True))],
)
def test_one_head_travels_with_counts_and_profile(client, atlas, base, path, variant):
    sent = client.get(f"{base}/average/self/2/3{path}").data
    rows, columns, inputs = np.frombuffer(sent, "<u4", 3)
    found = head_average(atlas, atlas.stream("self"), 2, 3, variant)
    cells = int(rows) * int(columns)
    assert inputs == len(atlas.inputs)
    assert np.array_equal(np.frombuffer(sent, "<f4", cells, 12), found.average.mean.ravel())
    assert np.array_equal(np.frombuffer(sent, "<u4", cells, 12 + 4 * cells), found.average.count.ravel())
    assert np.array_equal(np.frombuffer(sent, "<f4", 23, 12 + 8 * cells), found.offsets)
    assert len(sent) == 12 + 8 * cells + 8 * 23


def test_the_numbers_of_a_pair_are_one_small_answer(client, base):
    answer = client.get(f"{base}/pair/self/3/2/5/1/2?map=pca2d")
    assert answer.json["agrees"] is True
    assert answer.json["screen"] > 0
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "average/nothing",
        "average/self/99/0",
        "average/self/0/0/plaid",
        "average/self/0/0/special-special",
        "pair/self/3/2/5/99999/2",
        "pair/self/99999/2/5/1/2",
        "pair/self/3/2/5/1/2?map=../atlas",
    ],
)
def test_what_is_not_there_is_a_plain_404(client, base, path):
    answer = client.get(f"{base}/{path}")
    assert answer.status_code == 404
    assert b"Traceback" not in answer.data


@pytest.mark.parametrize("text", [None, 5, {"a": 1}, "x" * 5000, "<script>"])
def test_the_choice_of_inputs_takes_whatever_is_posted(client, text):
    body = {
        "output": "input-choices.children",
        "outputs": {"id": "input-choices", "property": "children"},
        "inputs": [
            {"id": "input-picker-open", "property": "n_clicks", "value": 1},
            {"id": "input-search", "property": "value", "value": text},
        ],
        "state": [{"id": "view", "property": "data", "value": {"atlas": SLUG}}],
        "changedPropIds": ["input-search.value"],
    }
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200
