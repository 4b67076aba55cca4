"""Text to tokens: what each token shows, where it stands in the text, and texts that no one expects."""

import pytest
import torch
from tiny_models import save_model

from services.capture import load_model, tokenise
from services.errors import ModelError

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return load_model(str(save_model(tmp_path_factory.mktemp("bert"), "bert")))


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    return load_model(str(save_model(tmp_path_factory.mktemp("gpt2"), "gpt2")))


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return load_model(str(save_model(tmp_path_factory.mktemp("llama"), "llama")))


def test_wordpiece(bert):
    (one,) = tokenise(bert, ["The cats sat."])
    assert one.tokens == ("[CLS]", "the", "cat", "##s", "sat", ".", "[SEP]")
    assert one.display == one.tokens
    assert one.special == (True, False, False, False, False, False, True)
    assert one.offsets == ((0, 0), (0, 3), (4, 7), (7, 8), (9, 12), (12, 13), (0, 0))
    assert one.words == (-1, 0, 1, 1, 2, 3, -1)
    assert not one.truncated
    assert not one.empty


def test_byte_level_pieces_are_shown_readably(gpt2):
    (one,) = tokenise(gpt2, ["a cat\té\n"])
    assert one.tokens == ("a", "Ġcat", "ĉ", "Ã", "©", "Ċ")
    assert one.display == ("a", "▁cat", "⇥", "<0xC3>", "<0xA9>", "↵")
    assert one.special == (False,) * 6


def test_sentencepiece_words_come_from_white_space(llama):
    (one,) = tokenise(llama, ["cat  at cat."])
    assert one.tokens == ("<s>", "▁cat", "▁", "▁", "at", "▁cat", ".")
    assert one.display == one.tokens
    assert [w for w, token in zip(one.words, one.tokens, strict=True) if "at" in token] == [0, 1, 2]
    assert one.words[0] == -1
    assert one.words[-1] == 2


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_blank_text_is_empty(text, bert, gpt2):
    assert tokenise(bert, [text])[0].empty
    assert tokenise(gpt2, [""])[0].empty


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b",
        "😀👩‍👩‍👧",
        "שלום עולם",
        "مرحبا",
        "<script>alert(1)</script><br>",
        "\ud83d lone",
        "e\u0301",
        "\u202eabc",
    ],
)
def test_any_text_is_taken_and_offsets_point_into_it(text, bert, gpt2, llama):
    for loaded in (bert, gpt2, llama):
        (one,) = tokenise(loaded, [text])
        assert all(0 <= start <= stop <= len(text) for start, stop in one.offsets)
        assert len(one.tokens) == len(one.display) == len(one.special) == len(one.offsets) == len(one.words)
        for shown in one.display:
            assert shown.isprintable() or shown == "\u202e" or "\u200d" in shown


def test_markup_stays_text(bert):
    (one,) = tokenise(bert, ["<br>"])
    assert one.tokens == ("[CLS]", "[UNK]", "b", "##r", "[UNK]", "[SEP]")
    assert one.special == (True, False, False, False, False, True)  # an unknown word stands for text


def test_control_token_typed_in_the_text_is_special_and_keeps_its_place(bert):
    (one,) = tokenise(bert, ["the [MASK] sat"])
    assert one.tokens[2] == "[MASK]"
    assert one.special[2]
    assert one.offsets[2] == (4, 10)


def test_long_text_is_cut_and_says_so(bert):
    long, short = tokenise(bert, ["cat " * 25_000, "cat"], max_tokens=10)
    assert (len(long), long.truncated) == (10, True)
    assert (len(short), short.truncated) == (3, False)
    assert len(tokenise(bert, ["cat " * 25_000])[0]) == bert.max_tokens == 64
    assert len(tokenise(bert, ["cat " * 25_000], max_tokens=10_000)[0]) == 64


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_limit_without_room_for_text_is_refused(limit, bert):
    with pytest.raises(ModelError, match=f"A limit of {limit} tokens leaves no room for text: .* at least 3"):
        tokenise(bert, ["cat"], max_tokens=limit)


def test_no_texts_no_inputs(bert):
    assert tokenise(bert, []) == []
