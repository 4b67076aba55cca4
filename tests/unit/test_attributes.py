"""Each attribute says of a token what its explanation says, in steps that tell queries from keys."""

import numpy as np
import pytest
from tables import SAMPLE, OneTable

from services.atlas import open_atlas
from services.attributes.attribute import SIDE_STEPS, Scale
from services.attributes.registry import ATTRIBUTES, attribute_of, point_values, why_not

WORD, PUNCTUATION, SPECIAL = range(3)
START, CONTINUATION = range(2)

OF_TEXT = [attribute for attribute in ATTRIBUTES if attribute.modality in (None, "text")]


def values(name, atlas=SAMPLE):
    return attribute_of(name).of_table(atlas.tokens()).tolist()


def test_kinds_of_tokens():
    assert values("kind") == [
        SPECIAL, WORD, WORD, WORD, WORD, WORD, PUNCTUATION, WORD, SPECIAL,
        SPECIAL, WORD, WORD, PUNCTUATION, PUNCTUATION, SPECIAL,
    ]  # fmt: skip


def test_continuations_are_the_later_pieces_of_a_word():
    expected = [START] * 15
    expected[3] = expected[4] = CONTINUATION
    for row in (0, 8, 9, 14):
        expected[row] = SPECIAL
    assert values("subword") == expected


def test_tokens_outside_words_are_no_continuations():
    assert values("subword", OneTable([("a", -1, False), ("b", -1, False)])) == [START, START]


def test_position_runs_from_first_to_last_of_each_input():
    assert values("position") == pytest.approx([*(n / 8 for n in range(9)), *(n / 5 for n in range(6))])
    assert values("position5") == [0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 1, 2, 3, 4, 0]
    assert values("position", OneTable([("a", 0, False)])) == [0]


def test_lengths_are_of_the_text_without_marks():
    lengths = [5, 3, 2, 6, 4, 3, 1, 3, 5, 5, 6, 4, 2, 1, 5]
    assert values("token_length") == pytest.approx([(n - 1) / 5 for n in lengths])
    assert values("input_length") == [1] * 9 + [0] * 6


def test_frequency_is_on_a_logarithmic_scale():
    assert values("frequency") == [float(token in ("[CLS]", "[SEP]")) for token in SAMPLE.table.token]
    thrice = OneTable([("a", 0, False)] * 4 + [("b", 1, False)] * 2 + [("c", 2, False)])
    assert values("frequency", thrice) == pytest.approx([1] * 4 + [0.5] * 2 + [0])


def test_one_value_everywhere_is_the_lowest_step():
    assert values("frequency", OneTable([("a", 0, False), ("b", 1, False)])) == [0, 0]


@pytest.mark.parametrize("attribute", OF_TEXT, ids=lambda attribute: attribute.name)
def test_keys_lie_half_a_palette_above_queries(attribute, small_atlas):
    atlas = open_atlas(small_atlas)
    by_head = attribute.scope == "head"
    steps = point_values(atlas, atlas.stream("self"), attribute, (3, 7) if by_head else None)
    tokens = len(atlas.tokens())
    assert steps.dtype == np.uint8
    assert steps.shape == (2 * tokens,)
    assert steps[:tokens].max() < SIDE_STEPS <= steps[tokens:].min()
    if by_head:
        return
    assert np.array_equal(steps[:tokens] + SIDE_STEPS, steps[tokens:])
    if attribute.kind == "sequential":
        assert (steps[:tokens].min(), steps[:tokens].max()) == (0, SIDE_STEPS - 1)
    else:
        assert steps[:tokens].max() < len(attribute.categories)


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
def test_each_attribute_explains_itself(attribute):
    assert attribute.label
    assert attribute.explain.endswith(".")
    if attribute.kind != "colour":
        assert (attribute.low and attribute.high) if attribute.kind == "sequential" else attribute.categories


def test_a_scale_says_what_its_ends_and_places_are():
    assert [Scale(1, 14, form="{:.0f} characters").text(place) for place in (0, 1)] == ["1 characters", "14 characters"]
    counts = Scale(1, 100, logarithmic=True, form="{:.0f}")
    assert [counts.text(place) for place in (0, 0.5, 1)] == ["1", "10", "100"]
    assert len(counts.steps()) == SIDE_STEPS


def test_legends_show_the_numbers_of_the_corpus(small_atlas):
    atlas = open_atlas(small_atlas)
    stream, tokens = atlas.stream("self"), atlas.tokens()
    texts = [text.removeprefix("##") for text in tokens.text]

    def ends(name):
        scale = attribute_of(name).scale(atlas, stream)
        return scale.text(0), scale.text(1)

    assert ends("token_length") == (f"{min(map(len, texts))} characters", f"{max(map(len, texts))} characters")
    counts = [list(tokens.input).count(index) for index in range(len(atlas.inputs))]
    assert ends("input_length") == (f"{min(counts)} tokens", f"{max(counts)} tokens")
    often = max(list(tokens.token).count(token) for token in set(tokens.token))
    assert ends("frequency") == ("1×", f"{often}×")
    for name in ("type", "position", "pos", "norm"):
        assert attribute_of(name).scale(atlas, stream) is None


def test_an_atlas_without_tags_says_why_it_cannot_show_them(small_atlas, monkeypatch):
    atlas = open_atlas(small_atlas)
    assert all(why_not(atlas, attribute) is None for attribute in OF_TEXT if not attribute.rare)
    monkeypatch.setattr(atlas, "has_column", lambda _table, _column: False)
    assert why_not(atlas, attribute_of("pos")).startswith("No parts of speech")
    assert why_not(atlas, attribute_of("norm")) is None
