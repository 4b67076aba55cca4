"""Search finds tokens as people type them, and nothing for nonsense."""

import pytest
from tables import SAMPLE

from services.search import MAX_QUERY, search


def found(query, mode="token"):
    return [SAMPLE.table.token[row] for row in search(SAMPLE, "tokens", query, mode).nonzero()[0]]


@pytest.mark.parametrize(
    ("query", "tokens"),
    [
        ("the", ["The", "the"]),
        (" THE ", ["The", "the"]),
        ("able", ["##able", "able"]),
        ("##able", ["##able"]),
        ("[cls]", ["[CLS]", "[CLS]"]),
        ("strasse", ["\u2581Stra\u00dfe"]),
        (",", [","]),
        ("##", ["##"]),
        ("th", []),
        ("unbelievable", []),
    ],
)
def test_a_token_is_found_whole_without_marks_and_case(query, tokens):
    assert found(query) == tokens


@pytest.mark.parametrize(
    ("query", "tokens"),
    [
        ("Unbelievable", ["un", "##believ", "##able"]),
        ("cat", ["cat"]),
        ("able", ["able"]),
        ("believ", []),
        ("[SEP]", ["[SEP]", "[SEP]"]),
        ("thecat", []),
    ],
)
def test_a_word_is_found_over_all_its_pieces(query, tokens):
    assert found(query, "word") == tokens


@pytest.mark.parametrize(
    ("query", "tokens"),
    [("A", ["##able", "cat", "\u2581Stra\u00dfe", "able"]), ("believ", ["##believ"]), ("sep", ["[SEP]", "[SEP]"])],
)
def test_a_part_is_found_anywhere_in_a_token(query, tokens):
    assert found(query, "contains") == tokens


@pytest.mark.parametrize("mode", ["token", "word", "contains"])
@pytest.mark.parametrize("query", ["", "  \t", "x" * 1_000_000, "\0", "(?:", "<script>", "\ud800"])
def test_nonsense_finds_nothing(query, mode):
    mask = search(SAMPLE, "tokens", query, mode)
    assert mask.dtype == bool
    assert mask.shape == (len(SAMPLE.table),)
    assert not mask.any()


def test_a_long_query_is_cut():
    assert found("cat" + " " * (MAX_QUERY + 5) + "dog") == ["cat"]


def test_an_unknown_mode_finds_nothing_and_an_unknown_table_is_an_error():
    assert found("cat", "magic") == []
    with pytest.raises(KeyError):
        search(SAMPLE, "../tokens", "cat")


def test_search_over_a_real_atlas_agrees_with_a_plain_scan(small_atlas):
    from services.atlas import open_atlas

    atlas = open_atlas(small_atlas)
    texts = [text.removeprefix("##").casefold() for text in atlas.tokens().text]
    for query in ("the", "Cat", "capital", "1", "<"):
        assert search(atlas, "tokens", query).tolist() == [text == query.casefold() for text in texts]
        assert search(atlas, "tokens", query, "contains").tolist() == [query.casefold() in text for text in texts]
