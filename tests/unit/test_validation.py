"""Repeated random tokens and gold relations: equal plain computations, find planted heads, and refuse bad trees."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_models import save_model

from services.atlas.measure_table import HeadValues, MeasureTable
from services.capture import InputCapture, capture, load_model
from services.commands.line import run
from services.errors import CorpusError
from services.measures.names import UNTRAINED, names_of
from services.measures.of_repeats import NO_REPEATS, REPEATED
from services.modalities.corpora.gold import Gold, Word
from services.modalities.text import repeats as random_tokens
from services.modalities.text.modality import of_ids
from services.modalities.text.tokens import TokenisedInput
from services.models.untrained import untrained
from services.pipeline import protocol, relations, validation
from services.pipeline.relations import between_words, follow, read_trees, word_pieces
from services.pipeline.validation import Known, repeats_report

LENGTH = 6  # the tiny tokenizer has few tokens
TREES = """# text = the cat sat on the mat.
1\tthe\tthe\tDET\t_\t_\t2\tdet\t_\t_
2\tcat\tcat\tNOUN\t_\t_\t3\tnsubj\t_\t_
3\tsat\tsit\tVERB\t_\t_\t0\troot\t_\t_
4\ton\ton\tADP\t_\t_\t6\tcase\t_\t_
5\tthe\tthe\tDET\t_\t_\t6\tdet\t_\t_
6\tmat\tmat\tNOUN\t_\t_\t3\tobl\t_\tSpaceAfter=No
7\t.\t.\tPUNCT\t_\t_\t3\tpunct\t_\t_

"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("models")
    return {name: save_model(home / name, name) for name in ("bert", "gpt2")}


@pytest.fixture(scope="module", params=("bert", "gpt2"))
def loaded(request, folders):
    return load_model(str(folders[request.param]))


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(random_tokens, "LENGTH", LENGTH)


def test_repeats_are_the_diagonals_of_attention_on_random_tokens(loaded):
    found = protocol.repeats(loaded)["self"]
    sequences = protocol.sequences(loaded)
    special = set(loaded.tokenizer.all_special_ids)
    sums = {name: [] for name in REPEATED}
    for one in capture(loaded, [of_ids(loaded, ids.tolist(), lambda item: None) for ids in sequences]):
        ids = sequences[one.index]
        assert (ids[:LENGTH] == ids[LENGTH:]).all()
        assert len(set(ids.tolist())) == LENGTH
        assert not special & set(ids.tolist())
        second, every = np.arange(LENGTH, 2 * LENGTH), np.arange(1, 2 * LENGTH)
        sums["induction_repeated"].append(one.attention[:, :, second, second - LENGTH + 1].mean(-1))
        sums["duplicate_repeated"].append(one.attention[:, :, second, second - LENGTH].mean(-1))
        sums["previous_repeated"].append(one.attention[:, :, every, every - 1].mean(-1))
    for name, of in REPEATED.items():
        plain = np.mean(sums[name], axis=0)
        mine = np.array([[one.value for one in layer[of]] for layer in found])
        assert mine == pytest.approx(plain, abs=1e-6), name
        assert found[0][of][0].low <= found[0][of][0].value <= found[0][of][0].high


def test_rows_hold_every_head_also_untrained_and_say_why_not(loaded):
    rows = protocol.model_rows(loaded)["self"]
    cells = {(row.measure, row.space, row.layer, row.head) for row in rows}
    assert cells == {(n, s, la, h) for n in REPEATED for s in (None, UNTRAINED) for la in (0, 1) for h in range(4)}
    assert all(row.value is not None and row.base is not None and row.n for row in rows)
    short = protocol.model_rows(replace(loaded, max_tokens=6))["self"]
    assert {row.reason for row in short} == {protocol.TOO_SHORT}
    assert protocol.model_rows(replace(loaded, modality="image")) == {}
    banded = replace(loaded, streams=tuple(s.model_copy(update={"attention": "banded"}) for s in loaded.streams))
    assert {row.reason for row in protocol.model_rows(banded)["self"]} == {NO_REPEATS}


def test_random_weights_are_others_and_the_same_each_time(loaded):
    first, second = untrained(loaded), untrained(loaded)
    own, one, two = (dict(model.model.named_parameters()) for model in (loaded, first, second))
    name = next(name for name, values in own.items() if values.dim() == 2)
    assert not own[name].equal(one[name])
    assert all(values.equal(two[name]) for name, values in one.items())


def planted(monkeypatch, goals: dict[tuple[int, int], int]) -> None:
    """Heads that attend so far back, in place of what the model does; the others attend evenly."""

    def fake(loaded, items):
        for index, item in enumerate(items):
            n = len(item)
            weights = np.full((2, 4, n, n), 1 / n, np.float32)
            for (layer, head), back in goals.items():
                weights[layer, head] = np.eye(n, k=-back) * 0.9 + 0.1 / n
            yield InputCapture(index, "self", weights, weights, weights, weights)

    monkeypatch.setattr(protocol, "capture", fake)


def test_planted_heads_are_found_and_a_wrong_expectation_is_red(folders, monkeypatch):
    loaded = load_model(str(folders["bert"]))
    planted(monkeypatch, {(0, 2): 1, (1, 1): LENGTH - 1, (1, 3): LENGTH})
    monkeypatch.setattr(validation, "untrained", lambda loaded: None)
    known = {
        "induction_repeated": (Known(1, 1, 1, "planted"),),
        "duplicate_repeated": (Known(1, 3, 1, "planted"),),
        "previous_repeated": (Known(0, 2, 1, "planted"), Known(1, 0, 1, "wrong"), Known(9, 9, 1, "absent")),
    }
    monkeypatch.setitem(validation.KNOWN, loaded.info.id, known)
    lines = list(repeats_report(loaded))
    assert [line.passed for line in lines if line.passed is not None] == [True, True, True, False, False]
    table = MeasureTable(
        {
            (row.measure, None): HeadValues(*grids(protocol.model_rows(loaded)["self"], row.measure))
            for row in protocol.model_rows(loaded)["self"]
        }
    )
    named = {head: [one.name for one in names_of(table, *head)] for head in ((0, 2), (1, 1), (1, 3), (0, 0))}
    expected = [["previous-token head"], ["induction head"], ["duplicate-token head"], []]
    assert list(named.values()) == expected


def grids(rows, measure):
    found = {part: np.full((2, 4), np.nan) for part in ("value", "base", "low", "high", "n")}
    for row in rows:
        if row.measure == measure and row.space is None:
            for part, grid in found.items():
                grid[row.layer, row.head] = getattr(row, part)
    return found.pop("value"), {}, found


# ---- relations


def test_attention_between_words_is_summed_to_pieces_and_averaged_from_them():
    words = tuple(map(Word, ("un", "believable", "story")))
    offsets = ((0, 0), (0, 2), (3, 5), (5, 13), (13, 19), (0, 0))  # the last piece begins with its space
    special = (True, False, False, False, False, True)
    item = TokenisedInput(("",) * 6, ("",) * 6, (0,) * 6, special, offsets, (-1, 0, 1, 1, 2, -1), False)
    found, pieces = word_pieces(item, Gold(words, ((0, 2), (3, 13), (14, 19))))
    assert [one.word.form for one in found] == ["un", "believable", "story"]
    assert pieces.argmax(axis=1)[1:5].tolist() == [0, 1, 1, 2]
    assert pieces[[0, 5]].sum() == 0
    weights = np.random.default_rng(0).random((1, 1, 6, 6))
    found = between_words(weights, pieces)
    tokens = {0: [1], 1: [2, 3], 2: [4]}
    for query, asking in tokens.items():
        for key, answering in tokens.items():
            plain = np.mean([sum(weights[0, 0, q, k] for k in answering) for q in asking])
            assert found[0, 0, query, key] == pytest.approx(plain)


def test_a_head_that_follows_a_relation_is_found_in_a_treebank(tmp_path, folders, monkeypatch):
    file = tmp_path / "gold.conllu"
    file.write_text(TREES * 25, encoding="utf-8")
    trees = read_trees(file)
    assert (len(trees.texts), trees.texts[0]) == (25, "the cat sat on the mat.")
    assert [word.head for word in trees.gold[0].words] == [1, 2, -1, 5, 5, 2, 2]
    loaded = load_model(str(folders["bert"]))

    def fake(loaded, items):  # [CLS] the cat sat on the mat [SEP]: head L1H2 looks at each word's head
        for index, item in enumerate(items):
            weights = np.full((2, 4, len(item), len(item)), 0.01, np.float32)
            for word, one in enumerate(trees.gold[index].words):
                weights[1, 2, word + 1, one.head + 1] = 0.9
            yield InputCapture(index, "self", weights, weights, weights, weights)

    monkeypatch.setattr(relations, "capture", fake)
    found = follow(loaded, trees, ["det", "case", "obj"])
    assert set(found) == {"det", "case"}  # no object in these sentences
    assert found["det"].accuracy.max() == found["det"].accuracy[1, 2] == 1
    assert (found["det"].pairs, found["det"].offset, found["det"].baseline) == (50, 1, 1.0)
    assert (found["case"].offset, found["case"].pairs) == (2, 25)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\tthe\n", "line 1 has 2 fields between tabs"),
        ("1\tthe\t_\t_\t_\t_\t_\tdet\t_\t_\n", "bad.conllu: holds no tree"),
        ("1\tthe\t_\t_\t_\t_\t7\tdet\t_\t_\n", r"holds no tree.*The heads of 1 text make no tree.*: line 1"),
        ("# nothing\n", "no text found"),
    ],
)
def test_trees_that_do_not_fit_are_refused_with_their_line(tmp_path, text, said):
    (tmp_path / "bad.conllu").write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=said):
        read_trees(tmp_path / "bad.conllu")


def test_a_contraction_is_one_word_and_what_is_left_of_its_tree_still_counts(tmp_path, folders, monkeypatch):
    """ "ona" in the text stands for two words: relations to and from it go by the first, one within it is none."""
    joined = TREES.replace("on the mat", "ona mat").replace("4\ton", "4-5\tona" + "\t_" * 8 + "\n4\ton")
    file = tmp_path / "gold.conllu"
    file.write_text(joined * 25, encoding="utf-8")
    trees = read_trees(file)
    loaded = load_model(str(folders["bert"]))
    seen = []
    monkeypatch.setattr(relations, "word_pieces", lambda *given: seen.append(word_pieces(*given)) or seen[-1])
    found = follow(loaded, trees, ["det", "case"])
    words, pieces = seen[0]
    assert [one.word.form for one in words] == ["the", "cat", "sat", "on", "mat", "."]
    assert [one.head for one in words] == [1, 2, -1, 5, 2, 2]
    assert pieces[:, 3].sum() > 1  # the contraction is several tokens of this vocabulary
    assert found["det"].pairs == 25  # of the two articles the one that is a word of its own
    assert (found["case"].pairs, found["case"].offset) == (25, 1)


def test_the_command_prints_what_it_finds_and_what_cannot_run(folders, tmp_path, capsys):
    (tmp_path / "gold.conllu").write_text(TREES * 25, encoding="utf-8")
    assert run(["validate", "--model", str(folders["bert"]), "--conllu", str(tmp_path / "gold.conllu")], None) == 0
    said = capsys.readouterr().out
    assert "self: induction_repeated: L" in said
    assert "random weights at most" in said
    assert "det: L" in said
    assert "obj: too few pairs" in said
    assert "they come from the hub" in said
    assert run(["validate", "--model", str(tmp_path / "none")], None) == 2
    assert capsys.readouterr().err.count("\n") == 1
