"""Who may attend to whom: every answer of a mask against the plainest words for it, pair by pair."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from services.streams import CAUSAL, CROSS, FULL, Places, StreamMask, StreamTokens
from tests.unit.head_data import MASKS, make_head, masked, naive_pairs, seen

WINDOW = StreamMask(kind="local", window=2)


@pytest.mark.parametrize("mask", [*MASKS.values(), StreamMask(kind="sliding", window=1)], ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (5, 9), (9, 3), (0, 4)])
def test_visible_is_what_the_words_say(mask, shape):
    found = mask.visible(*shape)
    assert found.shape == shape
    assert found.dtype == bool
    assert found.tolist() == [[bool(seen(mask, q, k)) for k in range(shape[1])] for q in range(shape[0])]


def test_a_global_token_sees_and_is_seen_by_all():
    queries, keys = np.array([0, 0, 1, 0, 0, 0], bool), np.array([0, 0, 0, 0, 0, 1], bool)
    found = WINDOW.visible(6, 6, queries, keys)
    assert found[2].all()
    assert found[:, 5].all()
    assert found[0].tolist() == [True, True, True, False, False, True]


def test_only_a_local_mask_knows_global_tokens():
    flags = np.ones(4, bool)
    assert np.array_equal(CAUSAL.visible(4, 4, flags, flags), CAUSAL.visible(4, 4))


def test_an_answer_cannot_be_changed_by_who_asked():
    with pytest.raises(ValueError, match="read-only"):
        CAUSAL.visible(3, 3)[0, 2] = True
    with pytest.raises(ValueError, match="read-only"):
        WINDOW.visible(3, 3, None, np.array([True, False, False]))[0, 2] = True


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("pairs", ["input", "all"])
def test_the_runs_hold_exactly_the_pairs(name, pairs):
    head = masked(make_head(seed=3, inputs=7, longest=9), name)
    mixed = np.random.default_rng(1).permutation(len(head["keys"]))
    tokens = head["tokens"].some(slice(None, None, -1), mixed)
    runs = tokens.runs_within_inputs() if pairs == "input" else tokens.runs_by_position()
    rows, columns = runs.pairs()
    expected = naive_pairs({"tokens": tokens}, pairs=pairs)
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == sorted(zip(*expected, strict=True))
    assert np.array_equal(runs.counts, np.bincount(expected[0], minlength=len(rows) and len(head["queries"])))
    assert runs.repeats == name.endswith("global")


@pytest.mark.parametrize("name", MASKS)
def test_counts_of_keys_and_pairs(name):
    tokens = masked(make_head(seed=4, inputs=6, longest=8), name)["tokens"]
    rows, _ = naive_pairs({"tokens": tokens})
    assert tokens.mask.keys_seen(tokens.queries, tokens.keys).tolist() == np.bincount(rows).tolist()
    of_inputs = np.bincount(tokens.queries.input[rows], minlength=8)
    assert tokens.mask.pairs_in_inputs(tokens.queries, tokens.keys, 8).tolist() == of_inputs.tolist()


@pytest.mark.parametrize("name", MASKS)
def test_what_is_hidden_across_inputs(name):
    tokens = masked(make_head(seed=5, inputs=4, longest=6), name)["tokens"]
    hidden = tokens.hidden()
    rows, columns = naive_pairs({"tokens": tokens}, pairs="all")
    shown = np.zeros((len(tokens.queries), len(tokens.keys)), bool)
    shown[rows, columns] = True
    if hidden is None:
        assert shown.all()
    else:
        assert np.array_equal(hidden, ~shown)


def test_queries_and_keys_of_different_tables():
    queries = Places(np.array([0, 0, 1]), np.array([0, 1, 0]))
    keys = Places(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 2]))
    tokens = StreamTokens(CROSS, queries, keys)
    assert list(zip(*(side.tolist() for side in tokens.runs_within_inputs().pairs()), strict=True)) == [
        (0, 0),
        (1, 0),
        (2, 1),
        (2, 2),
        (2, 3),
    ]
    assert CROSS.pairs_in_inputs(queries, keys, 3).tolist() == [2, 3, 0]


def test_an_input_without_keys_shows_no_pair():
    queries, keys = Places(np.array([0, 1]), np.array([0, 0])), Places(np.array([1]), np.array([0]))
    for mask in MASKS.values():
        assert mask.keys_seen(queries, keys).tolist() == [0, 1]


def test_the_browser_gets_words_and_bounds_and_nothing_to_work_out():
    assert FULL.description() == {"kind": "full", "hides": None, "offsets": [None, None]}
    assert CAUSAL.description() == {"kind": "causal", "hides": "the causal mask", "offsets": [None, 0]}
    sliding = StreamMask(kind="sliding", window=5).description()
    assert sliding["offsets"] == [-4, 0]
    assert "5 tokens" in sliding["hides"]
    assert WINDOW.description()["offsets"] == [-2, 2]
    assert CROSS.description()["offsets"] is None
    assert json.loads(json.dumps(sliding)) == sliding


def test_a_mask_is_stored_as_plain_json():
    for mask in MASKS.values():
        assert StreamMask.model_validate_json(mask.model_dump_json()) == mask
    for bad in ({"kind": "sliding"}, {"kind": "causal", "window": 4}, {"kind": "local", "window": 0}, {"kind": "odd"}):
        with pytest.raises(ValidationError):
            StreamMask.model_validate(bad)
