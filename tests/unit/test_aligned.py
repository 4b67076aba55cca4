"""Tokenizers that do not tell where their tokens are: found in the text by matching, never at a place they are not."""

import pytest
import torch
from tiny_models import save_model
from transformers import PhobertTokenizer

from services.capture import check_capture, load_model, tokenise
from services.modalities.text.aligned import align

torch.set_num_threads(1)


def pieces(text, tokens, unknown="<unk>"):
    return [text[start:stop] for start, stop in align(text, tokens, unknown)]


@pytest.mark.parametrize(
    ("text", "tokens", "expected"),
    [
        ("the cat sat", ["the", "cat", "sat"], ["the", "cat", "sat"]),
        ("Sinh viên", ["Si@@", "nh", "viên"], ["Si", "nh", "viên"]),
        ("low lower", ["lo@@", "w</w>", "low@@", "er</w>"], ["lo", "w", "low", "er"]),
        ("Ça va", ["▁ca", "▁va"], ["Ça", "va"]),
        ("ﬁne naïve", ["fine", "nai", "##ve"], ["ﬁne", "naï", "ve"]),
        ("a 馬 runs", ["a", "<unk>", "runs"], ["a", "馬", "runs"]),
        ("馬 鹿 runs", ["<unk>", "<unk>", "runs"], ["馬 鹿", "馬 鹿", "runs"]),
        ("ends with 馬 ", ["ends", "with", "<unk>"], ["ends", "with", "馬"]),
        ("the the the", ["the", "the", "the"], ["the", "the", "the"]),
        ("don't", ["do", "n't"], ["do", "n't"]),
        ("", [], []),
    ],
)
def test_each_piece_has_its_characters(text, tokens, expected):
    assert pieces(text, tokens) == expected
    spans = align(text, tokens, "<unk>")
    assert all(0 <= start <= stop <= len(text) for start, stop in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)


def test_equal_words_are_told_apart_by_their_order():
    assert align("cat cat", ["cat", "cat"], None) == [(0, 3), (4, 7)]


@pytest.fixture(scope="module")
def phobert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phobert")
    save_model(folder, "roberta", vocab_size=80)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    letters = "abcdefghijklmnopqrstuvwxyzêSH"
    words = [*letters, *(f"{letter}@@" for letter in letters), "ca@@", "cat", "th@@", "the"]
    (folder / "vocab.txt").write_text("".join(f"{word} 1\n" for word in words), encoding="utf-8")
    (folder / "bpe.codes").write_text("c a 3\nca t</w> 2\nt h 2\nth e</w> 1\n", encoding="utf-8")
    PhobertTokenizer(str(folder / "vocab.txt"), str(folder / "bpe.codes")).save_pretrained(folder)
    return load_model(str(folder))


def test_a15_a_model_with_such_a_tokenizer_is_read(phobert):
    text = "the cat Sinh 馬 viên"
    (item,) = tokenise(phobert, [text])
    shown = [text[start:stop] for start, stop in item.offsets]
    assert shown == ["", "the", "cat", "S", "i", "n", "h", "馬", "v", "i", "ê", "n", ""]
    assert item.special == (True, *[False] * 11, True)
    assert item.words == (-1, 0, 1, 2, 2, 2, 2, 3, 4, 4, 4, 4, -1)
    assert phobert.info.tokenizer == "PhobertTokenizer"
    assert any("was found by matching: PhobertTokenizer does not tell" in note for note in phobert.info.notes)
    assert check_capture(phobert, [item]) < 1e-5


def test_its_ids_are_those_of_transformers_also_where_a_text_is_cut(phobert):
    text = "the cat the cat the cat"
    (whole,) = tokenise(phobert, [text])
    assert list(whole.ids) == phobert.tokenizer.slow(text).input_ids
    (cut,) = tokenise(phobert, [text], max_tokens=5)
    assert list(cut.ids) == phobert.tokenizer.slow(text, truncation=True, max_length=5).input_ids
    assert (cut.truncated, whole.truncated) == (True, False)
    assert cut.offsets == ((0, 0), (0, 3), (4, 7), (8, 11), (0, 0))
