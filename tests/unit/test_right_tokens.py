"""The right tokens: what tokenizer.json says is what is used, and what stands in a text is told from what is added.

The names of the tests begin with the public case that they hold (B1 … B8).
"""

import json

import numpy as np
import pytest
import torch
from test_models import refusal
from tiny_models import save_model
from tokenizers import Tokenizer

from services.capture import capture, load_model, tokenise
from services.errors import ModelError
from services.modalities.corpora import Corpus
from services.modalities.registry import modality_named
from tests.one_line import one_line

torch.set_num_threads(1)


def change_tokenizer(folder, **changes):
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def notes_on(loaded, *texts):
    corpus = Corpus("made", "made.txt", texts, {}, "0" * 64)
    prepared = modality_named("text").prepare(loaded, corpus, max_tokens=None, tags="none", is_global=lambda item: None)
    return [note for note in prepared.notes if "Parts of speech" not in note]


# B1: transformers 5 rebuilds some tokenizers without the file's own pre-tokenizer


@pytest.mark.parametrize("kind", ["RobertaTokenizer", "GPT2Tokenizer", "LlamaTokenizer"])
def test_b1_ids_are_those_of_tokenizer_json_whatever_class_is_named(tmp_path, kind):
    folder = save_model(tmp_path / "model", "bert")
    change_tokenizer(folder, tokenizer_class=kind)
    loaded = load_model(str(folder))
    text = "The cats sat, tired."
    (found,) = tokenise(loaded, [text])
    assert found.ids == tuple(Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids)
    assert found.tokens == ("[CLS]", "the", "cat", "##s", "sat", ",", "tired", ".", "[SEP]")
    assert found.special == (True, *[False] * 7, True)
    assert loaded.info.notes == (
        f"Its tokens are those of its tokenizer.json: transformers' {kind} would cut texts in another way.",
    )


def test_b1_a_tokenizer_that_agrees_with_its_file_is_left_alone(tmp_path):
    folder = save_model(tmp_path / "model", "bert")
    change_tokenizer(folder, tokenizer_class="BertTokenizer")
    loaded = load_model(str(folder))
    assert type(loaded.tokenizer).__name__ == "BertTokenizer"
    assert loaded.info.notes == ()


def test_b1_lengths_written_into_the_file_cut_nothing(tmp_path):
    folder = save_model(tmp_path / "model", "bert")
    file = Tokenizer.from_file(str(folder / "tokenizer.json"))
    file.enable_truncation(6)
    file.enable_padding(length=6)
    file.save(str(folder / "tokenizer.json"))
    (found,) = tokenise(load_model(str(folder)), ["the cat sat on the mat because it was tired."])
    assert (len(found), found.truncated) == (13, False)


def test_b1_a_file_that_cannot_be_used_is_one_line(tmp_path):
    folder = save_model(tmp_path / "model", "bert")
    content = json.loads((folder / "tokenizer.json").read_text())
    content["model"]["unk_token"] = "[NONE]"
    (folder / "tokenizer.json").write_text(json.dumps(content))
    assert "its tokenizer.json cannot be used (" in refusal(folder)


# B2: added tokens are no bytes


def test_b2_added_tokens_are_shown_as_they_are_written(tmp_path):
    folder = save_model(tmp_path / "model", "gpt2", vocab_size=300)
    loaded = load_model(str(folder))
    loaded.tokenizer.add_tokens(["Größe", "<café>", "naïve"])
    (found,) = tokenise(loaded, ["Die Größe <café> naïve cat é"])
    shown = [token for token in found.display if len(token) > 1]
    assert shown == ["Größe", "<café>", "naïve", "▁cat", "<0xC3>", "<0xA9>"]


# Control tokens in a text, and B4: two of them at its beginning


def test_control_tokens_typed_in_a_text_are_marked_and_said(tmp_path):
    loaded = load_model(str(save_model(tmp_path / "model", "bert")))
    (found,) = tokenise(loaded, ["the cat [SEP] the [UNK]"])
    assert found.tokens[3] == "[SEP]"
    assert found.special == (True, False, False, True, False, False, True)
    assert found.typed == ("[SEP]",)
    assert notes_on(loaded, "the cat [SEP] sat", "the cat") == [
        "1 inputs hold control tokens in their text, [SEP] for one: the model reads them as such, and they are marked"
        " as special."
    ]
    loaded.tokenizer.add_tokens(["<|user|>"], special_tokens=True)
    assert tokenise(loaded, ["<|user|> the cat"])[0].special[:2] == (True, True)


def test_b4_of_two_first_tokens_one_is_left_out_and_it_is_said(tmp_path):
    loaded = load_model(str(save_model(tmp_path / "model", "llama")))
    plain, typed = tokenise(loaded, ["▁cat", "<s>▁cat"])
    assert typed.tokens[0] == "<s>"
    assert typed.tokens.count("<s>") == 1
    assert typed.special == (True, *[False] * (len(typed) - 1))
    assert (plain.doubled, typed.doubled) == (False, True)
    assert len(typed.words) == len(typed.offsets) == len(typed.display) == len(typed)
    assert notes_on(loaded, "<s> cat", "cat", "<s> the cat") == [
        "2 inputs begin with <s>, which the tokenizer adds by itself: one of the two was left out."
    ]
    assert tokenise(loaded, ["<s>"])[0].empty


# B6: places in the text under lower-casing, ligatures and marks that nobody sees


def test_b6_tokens_point_at_their_letters_whatever_was_made_of_them(tmp_path):
    loaded = load_model(str(save_model(tmp_path / "model", "bert")))
    for text in ("Łódź naïve", "ﬁne cat", "ab\u200bcd", "\u202eabc", "The CAT sat"):
        (found,) = tokenise(loaded, [text])
        for token, flag, (start, stop) in zip(found.tokens, found.special, found.offsets, strict=True):
            assert flag or token == "[UNK]" or text[start:stop].strip()
    (family,) = tokenise(loaded, ["👩‍👩‍👧"])
    assert family.special[1:-1] == (False,) * (len(family) - 2)


# B8: padding


@pytest.mark.parametrize("name", ["gpt2", "qwen2", "roberta", "modernbert", "gemma2", "gpt_oss", "mistral"])
def test_b8_an_input_alone_and_among_longer_ones_is_the_same(tmp_path, name):
    loaded = load_model(str(save_model(tmp_path / "model", name)))
    texts = ["the cat", "the cat sat on the mat because it was tired.", "a"]
    together = {item.index: item for item in capture(loaded, tokenise(loaded, texts))}
    for index, text in enumerate(texts):
        (alone,) = capture(loaded, tokenise(loaded, [text]))
        for part in ("queries", "keys", "attention"):
            np.testing.assert_allclose(getattr(together[index], part), getattr(alone, part), atol=2e-6)


def test_a_tokenizer_class_that_finds_no_vocabulary_is_refused(tmp_path):
    """An ALBERT with a vocab.txt, as chemistry has it: transformers makes a tokenizer that knows no word."""
    folder = save_model(tmp_path, "albert")
    pieces = list(Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab())
    for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / file).unlink(missing_ok=True)
    (folder / "vocab.txt").write_text("\n".join(pieces))
    with pytest.raises(ModelError, match="reads no vocabulary from the files that are there") as caught:
        load_model(str(folder))
    assert one_line(caught)
