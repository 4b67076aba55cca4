"""The list of hits counts right, shows each hit in its context and stays small."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from tables import OneTable

from services.atlas import open_atlas
from services.search.hits import MOST_INPUTS, hits_by_input
from services.search.query import Question, search

STREAM = SimpleNamespace(query_table="tokens", key_table="tokens")


def test_counts_agree_with_a_plain_count(small_atlas):
    atlas = open_atlas(small_atlas)
    tokens = atlas.tokens()
    found = hits_by_input(atlas, atlas.stream("self"), Question("the"))
    rows = [row for row, text in enumerate(tokens.text) if text == "the"]
    assert found["queries"] == found["keys"] == len(rows)
    inputs = sorted({int(tokens.input[row]) for row in rows})
    assert found["inputs"] == len(inputs)
    assert [entry["input"] for entry in found["list"]] == inputs
    for entry in found["list"]:
        mine = [row for row in rows if tokens.input[row] == entry["input"]]
        assert (entry["token"], entry["hits"], entry["hit"]) == (mine[0], len(mine), "the")


def test_a_hit_stands_between_the_words_around_it(small_atlas):
    atlas = open_atlas(small_atlas)
    entry = hits_by_input(atlas, atlas.stream("self"), Question("capital"))["list"][0]
    whole = "[CLS] paris is the capital of france , and rome is the capital of italy . [SEP]"
    assert entry["before"] + entry["hit"] == "[CLS] paris is the capital"
    assert entry["after"].endswith("…")
    assert whole.startswith(entry["before"] + entry["hit"] + entry["after"].rstrip("…"))


def test_pieces_of_a_word_are_joined(small_atlas):
    atlas = open_atlas(small_atlas)
    entry = hits_by_input(atlas, atlas.stream("self"), Question("photosynthesis", "word"))["list"][0]
    assert (entry["before"] + entry["hit"] + entry["after"]).startswith("[CLS] photosynthesis turns sunlight")


def test_no_match_is_an_empty_list(small_atlas):
    atlas = open_atlas(small_atlas)
    found = hits_by_input(atlas, atlas.stream("self"), Question("zzz"))
    assert found == {"queries": 0, "keys": 0, "inputs": 0, "list": []}


@pytest.mark.parametrize("letter", ["a", "\u732b", "\U0001f370", '"', "\0"])
def test_the_answer_to_any_search_stays_below_20_kb(letter):
    tokens = [[(letter * 40 + str(n), n, False) for n in range(50)] for _ in range(200)]
    atlas = OneTable(*tokens)  # 10,000 tokens
    found = hits_by_input(atlas, STREAM, Question(".", "regex"))
    size = len(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    mask = np.packbits(search(atlas, "tokens", Question(".", "regex")))
    assert size + mask.nbytes < 20_000
    assert len(found["list"]) <= MOST_INPUTS
    assert found["inputs"] == 200
