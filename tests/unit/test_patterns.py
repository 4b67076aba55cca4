"""No pattern hangs, and a wrong one is told where it is wrong."""

import pytest

from services.errors import SearchError
from services.search.patterns import Pattern
from tests.patience import ends


def test_a_catastrophic_pattern_answers():
    """One that backtracks would try 2 to the power of 5000 ways."""
    with ends():
        pattern = Pattern("(a+)+$", match_case=False)
        assert not pattern.found("a" * 5000 + "b")
        assert pattern.found("a" * 5000)


@pytest.mark.parametrize(
    ("source", "place", "reason"),
    [
        ("ca(t", 3, "never closed"),
        ("cat)", 4, "closes nothing"),
        ("x[abc", 2, "never closed"),
        ("*cat", 1, "nothing before it"),
        ("a**", 3, "one repetition follows another"),
        ("ab[z-a]", 4, "range or class"),
        ("(?=cat)", 1, "look-around"),
        ("(cat)\\1", 6, "back-references"),
        ("a{2000}", 2, "too often"),
        ("cat\\", 4, "lone"),
    ],
)
def test_a_fault_is_told_with_its_place_and_reason(source, place, reason):
    with pytest.raises(SearchError, match=reason) as caught:
        Pattern(source, match_case=False)
    assert f"at character {place} " in str(caught.value)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("source", ["((((a{100}){100}){100}){100})", "(" * 200, "\\", "\ud800", "(?i" * 60, "[" * 200])
def test_any_other_nonsense_is_one_sentence(source):
    with ends(), pytest.raises(SearchError) as caught:
        Pattern(source, match_case=True)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_texts_that_are_no_unicode_match_nothing():
    assert not Pattern(".", match_case=False).found("\ud800")


def test_case_is_folded_only_when_asked():
    assert Pattern("CAT", match_case=False).found("a cat")
    assert not Pattern("CAT", match_case=True).found("a cat")
