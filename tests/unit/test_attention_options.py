"""How an input is read: the address in, and nothing of it that makes no sense."""

import pytest

from components.state.atlas_page import AtlasPage, Selection
from components.state.attention_options import AttentionOptions
from services.atlas import open_atlas
from services.atlas.inputs import first_to_show
from services.modalities.text.inputs import inputs_with


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


def read(atlas, query, index=0):
    state = AtlasPage.from_query(query if index is None else {**query, "input": str(index)}, atlas)
    return state.options, state.dropped


def test_a_link_brings_back_every_choice(atlas):
    found, dropped = read(
        atlas,
        {
            "read": "heatmap-top3-from12-special-first-nowithin-noacross-values-nolines-offsets-cut-average",
            "hide": "q2.1k5",
        },
    )
    assert dropped == ()
    assert found == AttentionOptions(
        mode="heatmap", topk=3, threshold=0.12, special=True, first=True, within=True, across=True, values=True,
        lines=False, offsets=True, cut=True, average=True, queries=(1, 2), keys=(5,),
    )  # fmt: skip
    assert found.scene_lines() is None


@pytest.mark.parametrize(
    "query",
    [
        {"read": "plaid"},
        {"read": "from999"},
        {"read": "<script>"},
        {"hide": "q999"},
        {"hide": "k-1"},
        {"hide": "1,2"},
        {"hide": "q" + ".".join(["1"] * 9000)},
        {"hide": "q99999999999999999999"},
    ],
)
def test_a_bad_link_is_dropped_with_a_sentence(atlas, query):
    found, dropped = read(atlas, query)
    assert found == AttentionOptions()
    assert len(dropped) == 1


def test_hidden_tokens_without_an_input_mean_nothing(atlas):
    assert read(atlas, {"hide": "k1"}, index=None)[0] == AttentionOptions()


@pytest.mark.parametrize("data", [None, 5, "x", {"topk": "many"}, {"queries": [-1, "a"]}, {"mode": []}])
def test_a_foreign_store_falls_back_to_the_default(data):
    assert AttentionOptions.from_store(data) == AttentionOptions()


def test_an_input_can_be_linked_without_a_token(atlas):
    assert AtlasPage.from_query({"input": "3"}, atlas).selection == Selection(input=3)
    state = AtlasPage.from_query({"input": "9999"}, atlas)
    assert state.selection == Selection()
    assert "no input" in state.dropped[0]


def test_inputs_are_found_by_their_words_and_number(atlas):
    assert [index for index, _ in inputs_with(atlas, "CAT chased")[0]] == [7]
    assert inputs_with(atlas, "3")[0][0][0] == 3
    assert inputs_with(atlas, "zzz") == ([], 0)
    assert inputs_with(atlas, "")[1] == len(atlas.inputs)
    assert 10 <= atlas.tokens().counts[first_to_show(atlas, "tokens")] <= 24
