"""Search finds tokens as people type them, and nothing for nonsense."""

import pytest
from tables import SAMPLE, OneTable

from services.errors import SearchError
from services.search.query import MAX_QUERY, MODES, Question, search


def found(query, mode="token", match_case=False):
    mask = search(SAMPLE, "tokens", Question(query, mode, match_case))
    return [SAMPLE.table.token[row] for row in mask.nonzero()[0]]


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


@pytest.mark.parametrize("mode", ["token", "word", "prefix", "contains"])
@pytest.mark.parametrize("query", ["", "  \t", "x" * MAX_QUERY, "\0", "(?:", "<script>", "\ud800"])
def test_nonsense_finds_nothing(query, mode):
    mask = search(SAMPLE, "tokens", Question(query, mode))
    assert mask.dtype == bool
    assert mask.shape == (len(SAMPLE.table),)
    assert not mask.any()


@pytest.mark.parametrize(
    ("query", "mode", "tokens"),
    [
        ("un", "prefix", ["un"]),
        ("BEL", "prefix", ["##believ"]),
        ("the, cat", "token", ["The", "cat", "the"]),
        ("the,the,", "token", ["The", "the"]),
        ("unbelievable , cat", "word", ["un", "##believ", "##able", "cat"]),
        ('"," , cat', "token", ["cat", ","]),
        (",,", "contains", []),
        ("^(un|c).*$", "regex", ["un", "cat"]),
        ("a.le", "regex", ["##able", "able"]),
        ("[[:punct:]]", "regex", ["[CLS]", ",", "[SEP]", "[CLS]", "##", "_", "[SEP]"]),
    ],
)
def test_prefixes_patterns_and_several_terms(query, mode, tokens):
    assert found(query, mode) == tokens


@pytest.mark.parametrize("mode", ["token", "word", "prefix", "contains", "regex"])
def test_case_counts_when_asked(mode):
    assert found("The", mode) == ["The", "the"]
    assert found("The", mode, match_case=True) == ["The"]
    assert found("the", mode, match_case=True) == ["the"]


def test_a_part_of_speech_is_found_by_tag_or_name(small_atlas):
    from services.atlas import open_atlas

    atlas = open_atlas(small_atlas)
    tokens = atlas.tokens()

    def texts(query):
        return {tokens.text[row] for row in search(atlas, "tokens", Question(query, "pos")).nonzero()[0]}

    assert {"paris", "rome", "france", "italy"} <= texts("PROPN") == texts("proper nouns")
    assert {"cat", "mat"} <= texts("noun")
    assert texts("noun, PROPN") == texts("noun") | texts("PROPN")
    assert texts("special") == {"[CLS]", "[SEP]"}
    assert {"and", "but"} & texts("conjunction")
    with pytest.raises(SearchError, match="is no part of speech"):
        texts("gerundive")


def test_without_tags_a_search_for_them_says_so():
    with pytest.raises(SearchError, match="No parts of speech"):
        search(SAMPLE, "tokens", Question("NOUN", "pos"))


@pytest.fixture(autouse=True, scope="module")
def _sample_has_a_header():
    from types import SimpleNamespace

    SAMPLE.info = SimpleNamespace(corpus=SimpleNamespace(notes=()))


@pytest.mark.parametrize("mode", MODES)
def test_too_long_a_search_is_refused_with_its_length(mode):
    with pytest.raises(SearchError, match="10,000"):
        found("x" * 10_000, mode)


def test_an_unknown_mode_or_table_is_an_error():
    with pytest.raises(SearchError, match="magic"):
        found("cat", "magic")
    with pytest.raises(KeyError):
        search(SAMPLE, "../tokens", Question("cat"))


def test_search_over_a_real_atlas_agrees_with_a_plain_scan(small_atlas):
    from services.atlas import open_atlas

    atlas = open_atlas(small_atlas)
    texts = [text.removeprefix("##").casefold() for text in atlas.tokens().text]
    for query in ("the", "Cat", "capital", "1", "<"):
        assert search(atlas, "tokens", Question(query)).tolist() == [text == query.casefold() for text in texts]
        assert search(atlas, "tokens", Question(query, "contains")).tolist() == [
            query.casefold() in text for text in texts
        ]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("🙂", [1, 2, 3]),
        ("马", [4, 5]),
        ("路", [5, 6]),  # the last byte of one character and the first ones of the next may share a token
        ("é", [7, 8]),
        ("É", [7, 8]),
        ("a", [0]),
        ("<0xF0>", [1]),
        ("猫", []),
    ],
)
@pytest.mark.parametrize("mode", ["token", "word", "prefix", "contains"])
def test_b5_a_character_over_several_tokens_is_found_with_all_of_them(query, rows, mode):
    smile, horse, road, e = ([f"<0x{byte:02X}>" for byte in text.encode()] for text in "🙂马路é")
    pieces = ["a", smile[0], smile[1], "".join(smile[2:]), "".join(horse[:2]), horse[2] + "".join(road[:1])]
    pieces += ["".join(road[1:]), *e]
    other = [("<0xF0>", 0, False)]  # the first byte alone, and the others in another input
    sample = OneTable([(piece, number, False) for number, piece in enumerate(pieces)], other, [("<0x9F>", 0, False)])
    if mode == "contains" and query == "a":
        return  # a part of the name of a byte, "<0xA9>"
    found_rows = search(sample, "tokens", Question(query, mode)).nonzero()[0].tolist()
    expected = rows if query != "<0xF0>" else [1, len(pieces)]
    assert found_rows == expected
