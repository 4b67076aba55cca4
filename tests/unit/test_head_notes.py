import pytest

from services.measures.notes import head_notes, worst_tenth


def kinds(**numbers):
    return [note.kind for note in head_notes(**numbers)]


def test_a_good_head_has_no_notes():
    good = {"tokens": 3000, "query_norm": 9.0, "key_norm": 10.0, "mixing": 0.9, "sink_share": 0.2}
    assert kinds(**good, query_spearman=-0.8, trustworthiness=0.97) == []
    assert kinds() == []


@pytest.mark.parametrize(
    ("numbers", "kind", "words"),
    [
        ({"mixing": 0.05}, "apart", "only 5 % of the other kind"),
        ({"query_norm": 4.0, "key_norm": 12.4}, "norms", "Keys are 3.1 times as long as queries"),
        ({"query_norm": 0.0, "key_norm": 12.4}, "norms", "of the queries are zero"),
        (
            {"sink_share": 0.8, "first_share": 0.79, "even_share": 0.05},
            "sink",
            "80 % of the attention goes to the first",
        ),
        ({"sink_share": 0.8, "last_share": 0.79, "even_share": 0.05}, "sink", "the last token"),
        ({"sink_share": 0.8}, "sink", "one token of each input"),
        ({"query_spearman": -0.12}, "attention", "−0.12"),
        ({"query_spearman": 0.25}, "attention", "0.25"),
        ({"preference_order": -0.12}, "attention", "preferred: distance and preference agree"),
        ({"trustworthiness": 0.7}, "neighbors", "0.70"),
        ({"tokens": 1}, "few", "There is only one token"),
        ({"tokens": 50}, "few", "There are only 50 tokens"),
    ],
)
def test_each_note_says_what_is_wrong(numbers, kind, words):
    (note,) = head_notes(**numbers)
    assert note.kind == kind
    assert words in note.text


def test_a_large_share_of_two_tokens_is_no_sink():
    assert kinds(sink_share=0.55, even_share=0.5) == []


def test_notes_come_together():
    assert kinds(mixing=0.0, tokens=3, query_spearman=0.0) == ["apart", "attention", "few"]


def test_only_the_worst_tenth_of_a_map_is_noted():
    values = [-0.01 * n for n in range(21)]  # all poor
    common = {"query_spearman": worst_tenth(values, best=-1.0)}
    noted = [value for value in values if kinds(query_spearman=value, worst=common)]
    assert noted == values[:2]
    shares = [0.2 + 0.001 * n for n in range(21)]
    common = {"mixing": worst_tenth(shares, best=1.0)}
    assert [kinds(mixing=value, worst=common) for value in shares[:3]] == [["apart"], ["apart"], []]
    assert kinds(mixing=0.9, worst=common) == []


def test_equal_heads_and_few_heads_have_no_worst_tenth():
    assert worst_tenth([0.1] * 7, best=1.0) is None
    assert kinds(mixing=0.1, worst={"mixing": worst_tenth([0.1] * 20, best=1.0)}) == []
    assert kinds(mixing=0.1, worst={"mixing": worst_tenth([float("nan")] * 20, best=1.0)}) == ["apart"]
