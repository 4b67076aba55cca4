"""A kind of input that is not text takes the same road: one class in the registry; it is built, shown, exported."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel, BertConfig, BertModel

from app import create_app
from services import export
from services.atlas import open_atlas
from services.attributes.registry import attribute_of, why_not
from services.capture import load_model
from services.commands.line import parser
from services.errors import ModelError
from services.modalities import registry
from services.modalities.contract import Modality, Prepared
from services.modalities.corpora import Corpus
from services.modalities.text.modality import TextModality
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.pipeline.request import BuildRequest
from services.search.query import Question, search
from services.settings import Settings

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ("kitten", "sitting", "saturday", "sunday", "attention")


class LettersConfig(BertConfig):
    model_type = "letters"


class LettersModel(BertModel):
    """BERT whose input is called otherwise."""

    config_class = LettersConfig
    main_input_name = "letter_ids"

    def forward(self, letter_ids, **more):
        return super().forward(input_ids=letter_ids, **more)


@dataclass(frozen=True)
class Word:
    """One input: a word, letter by letter."""

    word: str

    def __len__(self) -> int:
        return len(self.word)

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def lengths(self) -> dict[str, int]:
        return {"tokens": len(self.word)}

    def global_tokens(self, table: str) -> None:
        return None


class Letters:
    """A modality whose inputs are words and whose tokens are their letters."""

    corpora = "a file of words"
    name, label, main_input = "letters", "Letters", "letter_ids"
    token_columns: ClassVar = {"token": "the letter", "text": "the letter", "special": "never"}

    def reads(self, config):
        return config.get("model_type") == "letters"

    def read_corpus(self, source, *, column, target=None, max_inputs):
        words = tuple(Path(source).read_text().split())[:max_inputs]
        return Corpus("words", Path(source).name, words, {}, "0" * 64)

    def load_processor(self, folder):
        return LETTERS, ()

    def longest(self, model, processor):
        return model.config.max_position_embeddings

    def trial(self, loaded):
        return Word("abcdefgh")

    def complete(self, loaded, corpus, *, max_tokens, report):
        return corpus

    def prepare(self, loaded, corpus, *, max_tokens, tags, is_global):
        inputs = [Word(word[:max_tokens]) for word in corpus.texts]
        letters = [letter for item in inputs for letter in item.word]
        columns = {"tokens": {"token": letters, "text": letters, "special": [False] * len(letters)}}
        return Prepared(range(len(inputs)), inputs, columns, ("Letter by letter.",))

    def check(self, loaded, inputs: Sequence[Word]):
        if any(letter not in LETTERS for item in inputs for letter in item.word):
            raise ModelError("not a letter")

    def arguments(self, loaded, inputs: Sequence[Word]):
        ids = torch.zeros((len(inputs), max(map(len, inputs))), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, item in enumerate(inputs):
            ids[row, : len(item)] = torch.tensor([LETTERS.index(letter) for letter in item.word])
            mask[row, : len(item)] = 1
        return {"letter_ids": ids, "attention_mask": mask}

    def lacking(self, atlas, *, tags):
        return None

    def preview(self, atlas, index):
        return atlas.inputs.text[index].upper()

    def find_inputs(self, atlas, words):
        found = [index for index, text in enumerate(atlas.inputs.text) if words in text]
        return [(index, self.preview(atlas, index)) for index in found], len(found)


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "MODALITIES", (*registry.MODALITIES, Letters()))
        AutoConfig.register("letters", LettersConfig, exist_ok=True)
        AutoModel.register(LettersConfig, LettersModel, exist_ok=True)
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory, patched):
    torch.manual_seed(3)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    folder = tmp_path_factory.mktemp("letters")
    LettersModel(LettersConfig(vocab_size=26, max_position_embeddings=16, **sizes)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def atlas(tmp_path_factory, model):
    home = tmp_path_factory.mktemp("home")
    (home / "words.txt").write_text("\n".join(WORDS))
    request = BuildRequest(
        model=str(model), corpus=str(home / "words.txt"), modality="letters", projections=("pca",), dims=(2,)
    )
    return open_atlas(build(request, home / "atlases" / "letters", Progress("letters", bar=False)))


def test_the_model_is_read_by_the_modality_that_knows_its_input(model):
    loaded = load_model(str(model))
    assert (loaded.modality, loaded.max_tokens, loaded.tokenizer) == ("letters", 16, LETTERS)
    assert [stream.name for stream in loaded.streams] == ["self"]


def test_an_atlas_of_letters(atlas):
    tokens = atlas.tokens()
    assert atlas.info.modality == "letters"
    assert list(tokens.text) == list("".join(WORDS))
    assert tokens.columns == {}
    assert "Letter by letter." in atlas.info.corpus.notes
    stream = atlas.info.default_stream
    for index, word in enumerate(WORDS):
        np.testing.assert_allclose(atlas.attention(stream).block(index, 1, 1).sum(axis=1), 1, atol=2e-3)
        assert atlas.attention(stream).shape(index) == (len(word), len(word))


def test_what_only_text_has_is_not_offered_and_all_else_works(atlas):
    for name in ("pos", "kind", "subword"):
        assert "is an attribute of text, and this atlas holds letters." in (why_not(atlas, attribute_of(name)) or "")
    for name in ("type", "position", "norm"):
        assert why_not(atlas, attribute_of(name)) is None
    assert search(atlas, "tokens", Question("t", "token")).sum() == "".join(WORDS).count("t")
    assert search(atlas, "tokens", Question("t", "word")).sum() == "".join(WORDS).count("t")
    table = export.tokens_table(atlas, atlas.info.default_stream, 1, 1)
    assert table.num_rows == 2 * len("".join(WORDS))


def test_the_dashboard_shows_it(atlas, patched):
    client = create_app(Settings(home=atlas.path.parents[1], demo=False)).server.test_client()
    assert client.get("/").status_code == 200
    base = f"/payload/letters/{atlas.info.key}"
    for route in ("input/self/1", "attention/self/1/1/1", "average/self", "tokens/tokens/0", "found/self?q=t"):
        assert client.get(f"{base}/{route}").status_code == 200, route
    assert registry.modality_named("letters").find_inputs(atlas, "day") == ([(2, "SATURDAY"), (3, "SUNDAY")], 2)


def test_the_command_line_offers_it(patched, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["build", "--help"])
    assert "{text,image,letters}" in capsys.readouterr().out


def test_a_model_that_reads_something_else_says_what_to_ask_for(model, tmp_path):
    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    request = BuildRequest(model=str(model), corpus=str(tmp_path / "words.txt"), projections=("pca",), dims=(2,))
    with pytest.raises(ModelError, match="reads letters: build with --modality letters"):
        build(request, tmp_path / "atlases" / "wrong", Progress("wrong", bar=False))


def test_every_modality_keeps_the_contract():
    parts = [name for name in vars(Modality) if not name.startswith("_")] + list(Modality.__annotations__)
    for modality in (*registry.MODALITIES, Letters()):
        assert [name for name in parts if not hasattr(modality, name)] == []
    assert len({one.name for one in registry.MODALITIES}) == len(registry.MODALITIES)
    assert isinstance(registry.modality_named(registry.DEFAULT), TextModality)
    with pytest.raises(KeyError):
        registry.modality_named("smell")
