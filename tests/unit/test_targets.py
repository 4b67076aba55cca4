"""What an encoder–decoder writes: from a column, or by itself; what its decoder reads of it; and what goes wrong."""

import json

import numpy as np
import pytest
import torch
import transformers

from services.atlas import open_atlas, verify
from services.capture import load_model, tokenise
from services.errors import CorpusError, ModelError
from services.modalities.corpora import read_corpus
from services.modalities.text.modality import TextModality
from services.modalities.text.targets import as_decoder_input
from services.payloads.pair import pair_numbers
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.pipeline.request import BuildRequest
from tests.unit.architectures import ROWS, save
from tests.unit.building import request_for
from tests.unit.tiny_models import make_tokenizer

torch.set_num_threads(1)
TEXTS = ("the cat sat on the mat", "a dog", "it was tired because the mat was on the dog")


def writer_folder(folder, made=transformers.T5ForConditionalGeneration):
    """A tiny T5, saved with the head by which it writes."""
    tokenizer = make_tokenizer("wordpiece")
    torch.manual_seed(5)
    model = made(transformers.T5Config(**ROWS["t5"].arguments, vocab_size=len(tokenizer)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder, model.eval()


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    return writer_folder(tmp_path_factory.mktemp("t5"))


def corpus_of(folder, content, **options):
    file = folder / "pairs.csv"
    file.write_text(content, encoding="utf-8")
    return read_corpus(file, **options)


def completed(loaded, corpus, max_tokens=None):
    steps = []
    found = TextModality().complete(loaded, corpus, max_tokens=max_tokens, report=lambda *step: steps.append(step))
    return found, steps


def test_a_column_of_targets_is_kept_whole_and_named(tmp_path):
    long = "the cat " * 300
    corpus = corpus_of(tmp_path, f"source,de,topic\na dog,{long},x\na cat,the mat,y\n", column="source", target="de")
    assert corpus.target == "de"
    assert corpus.columns["de"][0] == long.strip()
    # A column that holds what is written is not the one that is read: no need to name both.
    assert corpus_of(tmp_path, "fr,de\na dog,it\n", target="de").texts == ("a dog",)
    assert corpus_of(tmp_path, "text,target\na dog,it\n").target == "target"
    assert corpus_of(tmp_path, "text,topic\na dog,it\n").target is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "nl"}, 'no column "nl" to write; the columns are "text", "de"'),
        ({"target": "text", "column": "text"}, 'the column "text" cannot be both what is read and what is written'),
    ],
)
def test_a_target_that_is_not_there(tmp_path, options, message):
    with pytest.raises(CorpusError) as error:
        corpus_of(tmp_path, "text,de\na dog,it\n", **options)
    assert message in str(error.value)


def test_without_a_target_the_model_writes_greedily(writer, tmp_path):
    """Token by token: the likeliest next one, from the start token on, as an ordinary run of the model gives it."""
    folder, model = writer
    loaded = load_model(str(folder))
    corpus, steps = completed(loaded, corpus_of(tmp_path, "text\n" + "\n".join(TEXTS) + "\n"), max_tokens=9)
    assert corpus.target == "target"
    assert steps[0] == (0, 3)
    assert steps[-1] == (3, 3)
    assert corpus.notes[-1].startswith("The targets were written by the model itself, greedily")
    for text, target in zip(corpus.texts, corpus.columns["target"], strict=True):
        ids, written = torch.tensor([loaded.tokenizer(text).input_ids]), [0]
        with torch.no_grad():
            while len(written) <= 9 and 2 not in written[1:]:
                step = model(input_ids=ids, decoder_input_ids=torch.tensor([written])).logits[0, -1]
                written.append(int(step.argmax()))
        assert target == " ".join(loaded.tokenizer.decode(written, skip_special_tokens=True).split())


def test_blank_targets_are_written_and_the_others_kept(writer, tmp_path):
    loaded = load_model(str(writer[0]))
    corpus, steps = completed(loaded, corpus_of(tmp_path, "text,target\na dog,the cat\nthe mat,\n"), max_tokens=5)
    assert corpus.columns["target"][0] == "the cat"
    assert corpus.columns["target"][1]
    assert steps[-1] == (1, 1)
    assert "What the model writes comes from the column target." in corpus.notes
    assert any(note.startswith("1 target was written by the model itself") for note in corpus.notes)


def test_a_model_without_a_head_asks_for_targets(tmp_path):
    folder, _ = writer_folder(tmp_path / "bare", transformers.T5Model)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))  # as T5 1.1 has it
    loaded = load_model(str(folder))
    with pytest.raises(ModelError, match=r"holds no weights that choose what it writes .* by --target"):
        completed(loaded, corpus_of(tmp_path, "text\na dog\n"))


@pytest.mark.parametrize(
    ("name", "start", "expected"),
    [
        ("wordpiece", 0, ["[PAD]", "[CLS]", "a", "dog"]),  # the end is no step's input
        ("wordpiece", None, ["[CLS]", "a", "dog"]),
        ("metaspace", 2, ["</s>", "<s>", "▁", "a"]),
    ],
)
def test_a_decoder_reads_its_start_token_and_no_end(writer, name, start, expected):
    loaded = load_model(str(writer[0]))
    loaded.tokenizer = make_tokenizer(name)
    loaded.model.config.decoder_start_token_id = start
    (item,) = tokenise(loaded, ["a dog" if name == "wordpiece" else "a"], written=True)
    found = as_decoder_input(loaded, item)
    assert list(found.tokens) == expected
    assert found.special[0]
    assert found.offsets[0] == (0, 0)
    assert {len(part) for part in (found.display, found.ids, found.special, found.words)} == {len(expected)}


def test_an_atlas_of_an_encoder_decoder(writer, tmp_path):
    """What is stored of all three streams is what an ordinary run of the model gives."""
    folder, model = writer
    file = tmp_path / "pairs.csv"
    file.write_text("source,written\nthe cat sat,a dog\na dog,the cat sat on the mat\n", encoding="utf-8")
    request = BuildRequest(
        model=str(folder), corpus=str(file), column="source", target="written", projections=("pca",), dims=(2,),
        pos="none",
    )  # fmt: skip
    atlas = open_atlas(build(request, tmp_path / "t5", Progress("t5", bar=False)))
    assert verify(atlas.path) == []
    assert [stream.name for stream in atlas.info.streams] == ["encoder", "decoder", "cross"]
    assert [stream.mask.kind for stream in atlas.info.streams] == ["full", "causal", "cross"]
    assert [stream.additive for stream in atlas.info.streams] == [True, True, False]
    assert "What the model writes comes from the column written." in atlas.info.corpus.notes
    ids = make_tokenizer("wordpiece").get_vocab()
    _check_position_bias(atlas, model)
    for index in range(2):
        read, written = (
            torch.tensor([[ids[token] for token in table.token[table.rows(index)]]])
            for table in (atlas.tokens(name) for name in ("tokens", "decoder_tokens"))
        )
        model.set_attn_implementation("eager")
        with torch.no_grad():
            own = model(input_ids=read, decoder_input_ids=written, output_attentions=True)
        for stream, layers in zip(
            atlas.info.streams, (own.encoder_attentions, own.decoder_attentions, own.cross_attentions), strict=True
        ):
            for layer, weights in enumerate(layers):
                stored = atlas.attention(stream).of_layer(index, layer)
                np.testing.assert_allclose(stored, weights[0], atol=1e-3)


def _check_position_bias(atlas, model):
    """T5's bias, a part of its own, as its own function of distance gives it; with it the softmax is right."""
    for name, stack in (("encoder", model.encoder), ("decoder", model.decoder)):
        stream = atlas.stream(name)
        reach = stream.position_reach
        longest = int(atlas.tokens(stream.query_table).counts.max())
        assert reach == longest - 1
        own = stack.block[0].layer[0].SelfAttention.compute_bias(longest, longest)[0].detach().numpy()
        for layer in range(stream.layers):  # the first layer's is that of all
            bias = atlas.vectors(stream).position_bias(layer, 1)
            for query, key in ((longest - 1, 0), (longest - 1, longest - 1), (2, 1), (0, 2)):
                if name == "encoder" or key <= query:
                    assert bias[key - query + reach] == pytest.approx(own[1, query, key], abs=1e-6)
        numbers = pair_numbers(atlas, stream, 1, 1, 2, 3, 1)
        assert numbers.agrees
        assert not numbers.additive
        assert numbers.position == pytest.approx(own[2, 3, 1], abs=1e-6)
    assert atlas.stream("cross").position_reach is None
    assert pair_numbers(atlas, atlas.stream("cross"), 1, 1, 2, 3, 1).position is None


@pytest.mark.parametrize("name", ["longformer", "led"])
def test_models_with_windows_are_built_whole_also_with_their_repeated_tokens(name, tmp_path):
    model = save(tmp_path / "model", name)
    lines = ["text,target", *(f"{text * 4},{text}" for text in TEXTS)]  # four windows long
    (tmp_path / "texts.csv").write_text("\n".join(lines))
    request = request_for(model, tmp_path / "texts.csv", dims=(2,), pos="none", column="text")
    build(request, tmp_path / "atlas", Progress("made", bar=False))
    atlas = open_atlas(tmp_path / "atlas")
    assert atlas.info.capture_error < 5e-3
    window = min(stream.mask.window or 99 for stream in atlas.info.streams)
    assert atlas.tokens("tokens").counts.max() >= 4 * window
