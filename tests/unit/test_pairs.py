"""Pairs of texts are one input, read as their model reads pairs (B7)."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import transformers

from services.atlas import open_atlas
from services.attributes.registry import attribute_of, offered
from services.capture import capture, load_model
from services.errors import CorpusError
from services.measures.kinds import kind_matrix
from services.modalities.corpora import read_corpus
from services.modalities.text.aligned import AlignedTokenizer
from services.modalities.text.tokens import tokenise
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.probe.question import PairQuestion
from services.probe.read_again import input_of
from services.probe.seen import check_same
from tests.one_line import one_line
from tests.unit.building import request_for
from tests.unit.tiny_models import save_model

ROWS = (
    ("the cat sat on the mat.", "it was tired", "0"),
    ("a dog", "the dog sat on the mat because it was tired", "2"),
    ("it was the cat.", "the cat", "1"),
)
CSV = "premise,hypothesis,label\n" + "".join(f"{a},{b},{c}\n" for a, b, c in ROWS)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model"), "bert")


@pytest.fixture(scope="module")
def atlas(model, tmp_path_factory):
    place = tmp_path_factory.mktemp("pairs")
    (place / "pairs.csv").write_text(CSV)
    request = request_for(model, place / "pairs.csv", dims=(2,), column="premise", pair="hypothesis", pos="none")
    build(request, place / "atlas", Progress("made", bar=False))
    return open_atlas(place / "atlas")


def test_segment_ids_and_attention_are_those_of_the_model_itself(model):
    loaded = load_model(str(model))
    firsts, seconds = [row[0] for row in ROWS], [row[1] for row in ROWS]
    inputs = tokenise(loaded, firsts, pair=seconds)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    own = transformers.AutoModel.from_pretrained(model, attn_implementation="eager").eval()
    for found in capture(loaded, inputs):
        encoded = tokenizer(firsts[found.index], seconds[found.index], return_token_type_ids=True, return_tensors="pt")
        item = inputs[found.index]
        assert list(item.ids) == encoded.input_ids[0].tolist()
        assert list(item.type_ids) == encoded.token_type_ids[0].tolist()
        assert max(item.type_ids) == 1
        with torch.no_grad():
            wanted = torch.stack(own(**encoded, output_attentions=True).attentions)[:, 0].numpy()
            encoded["token_type_ids"] *= 0
            without = torch.stack(own(**encoded, output_attentions=True).attentions)[:, 0].numpy()
        assert np.abs(found.attention - wanted).max() < 1e-5
        assert np.abs(found.attention - without).max() > 1e-3  # what segments of zeros would have shown


def test_an_input_is_the_whole_pair_and_its_tokens_say_which_text_they_are_of(atlas):
    tokens = atlas.tokens("tokens")
    assert atlas.inputs.text[0] == "the cat sat on the mat. ‖ it was tired"
    assert list(atlas.inputs.columns["second"]) == [row[1] for row in ROWS]
    assert list(atlas.inputs.columns["label"]) == ["0", "2", "1"]
    assert "hypothesis" not in atlas.inputs.columns
    some = tokens.rows(2)
    assert list(tokens.token[some]) == ["[CLS]", "it", "was", "the", "cat", ".", "[SEP]", "the", "cat", "[SEP]"]
    assert np.asarray(tokens.columns["segment"])[some].tolist() == [-1, 0, 0, 0, 0, 0, -1, 1, 1, -1]
    assert np.asarray(tokens.columns["word"])[some].tolist() == [-1, 0, 1, 2, 3, 4, -1, 5, 6, -1]
    assert atlas.info.capture_error < 5e-3


def test_texts_of_a_pair_are_colours_kinds_and_a_column(atlas):
    assert "segment" in {one.name for one in offered(atlas)}
    values = attribute_of("segment").values(atlas, atlas.info.default_stream)
    assert values[atlas.tokens("tokens").rows(2)].tolist() == [2, 0, 0, 0, 0, 0, 2, 1, 1, 2]
    matrix = kind_matrix(atlas, atlas.info.default_stream, 0, 0, "segment")
    assert matrix.names == ("first text", "second text", "special token")
    of, to = matrix.names.index("first text"), matrix.names.index("second text")
    blocks, weights, count = atlas.attention(atlas.info.default_stream), 0.0, 0
    sides = np.asarray(atlas.tokens("tokens").columns["segment"])
    for index in range(len(ROWS)):
        mine = sides[atlas.tokens("tokens").rows(index)]
        block = np.asarray(blocks.block(index, 0, 0), float)
        weights += block[mine == 0][:, mine == 1].sum()
        count += int((mine == 0).sum())
    assert matrix.weight[of, to] == pytest.approx(weights / count, rel=1e-3)


def test_an_input_of_the_atlas_is_read_again_as_the_pair_that_it_is(atlas, model):
    loaded = load_model(str(model))
    check_same(atlas, loaded)
    question = PairQuestion(stream=atlas.info.default_stream.name, input=1, layer=0, head=0, query=1, key=2)
    item, _ = input_of(atlas, loaded, question, 64, lambda: None)
    assert max(item.type_ids) == 1
    assert list(item.tokens) == list(atlas.tokens("tokens").token[atlas.tokens("tokens").rows(1)])


@pytest.mark.parametrize(("name", "told"), [("bert", True), ("albert", True), ("electra", True), ("llama", False)])
def test_models_that_know_no_segments_are_told_nothing_and_that_is_said(name, told, tmp_path):
    folder = save_model(tmp_path / "model", name)
    loaded = load_model(str(folder))
    (tmp_path / "pairs.csv").write_text(CSV)
    request = request_for(folder, tmp_path / "pairs.csv", dims=(2,), column="premise", pair="hypothesis", pos="none")
    build(request, tmp_path / "atlas", Progress("made", bar=False))
    notes = open_atlas(tmp_path / "atlas").info.corpus.notes
    (item,) = tokenise(loaded, ["the cat"], pair=["a dog"])
    assert (item.type_ids is not None) is told
    assert any(note.startswith("Nothing but special tokens and places tells") for note in notes) is not told
    assert any("puts no token between the two texts" in note for note in notes) is not told


def test_the_longer_text_is_cut_first(model):
    loaded = load_model(str(model))
    (item,) = tokenise(loaded, ["cat " * 20], 10, pair=["the dog"])
    assert item.truncated
    assert item.segments == (-1, 0, 0, 0, 0, 0, -1, 1, 1, -1)


def test_slow_tokenizers_read_pairs_alike(model):
    fast = transformers.AutoTokenizer.from_pretrained(model)

    class Slow:
        """The same tokenizer with the manners of a slow one."""

        unk_token = fast.unk_token

        def __call__(self, text, text_pair=None, **options):
            return fast(text, text_pair, **options)

        def convert_ids_to_tokens(self, ids):
            return fast.convert_ids_to_tokens(ids)

    for first, second, most in (("the cat sat.", "a dog", None), ("cat " * 9, "the dog", 10), ("a", "a " * 12, 9)):
        options = {"truncation": most is not None, "max_length": most}
        (mine,) = AlignedTokenizer(Slow())([first], text_pair=[second], **options).encodings
        (wanted,) = fast([first], text_pair=[second], **options).encodings
        assert (mine.ids, mine.tokens, mine.type_ids) == (wanted.ids, wanted.tokens, wanted.type_ids)
        assert (mine.sequence_ids, mine.offsets) == (wanted.sequence_ids, wanted.offsets)


def test_pairs_come_from_any_kind_of_table(tmp_path):
    records = [{"premise": a, "hypothesis": b} for a, b, _ in ROWS]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    (tmp_path / "a.json").write_text(json.dumps(records))
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text(CSV)
    for ending in ("jsonl", "json", "parquet", "csv"):
        corpus = read_corpus(tmp_path / f"a.{ending}", column="premise", pair="hypothesis")
        assert list(zip(corpus.texts, corpus.pair, strict=True)) == [row[:2] for row in ROWS]
    nested = [{"pair": {"a": "one", "b": "two"}}]
    (tmp_path / "b.json").write_text(json.dumps(nested))
    assert read_corpus(tmp_path / "b.json", column="pair.a", pair="pair.b").pair == ("two",)


def test_rows_without_a_second_text_are_skipped_and_counted(tmp_path):
    (tmp_path / "a.csv").write_text("premise,hypothesis\nA cat.,A dog.\nAlone.,\nTwo.,Too.\nTwo.,Other.\n")
    corpus = read_corpus(tmp_path / "a.csv", column="premise", pair="hypothesis")
    assert corpus.texts == ("A cat.", "Two.", "Two.")
    assert corpus.notes == ("Skipped 1 blank text: row 2.",) or "line 3" in corpus.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "options", "words"),
    [
        ("a.csv", CSV, {"column": "premise", "pair": "nothing"}, 'no column "nothing" of second texts'),
        ("a.csv", CSV, {"column": "premise", "pair": "premise"}, "cannot be both the second text and another"),
        ("a.txt", "One line.\n", {"pair": "hypothesis"}, "pairs of texts stand in two columns of one file"),
        ("a.csv", "a,b\nOne.,Two.\n", {"column": "a", "pair": "b", "target": "b"}, "cannot be both"),
    ],
)
def test_pairs_that_cannot_be_are_one_line(name, content, options, words, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(CorpusError, match=words) as caught:
        read_corpus(tmp_path / name, **options)
    assert one_line(caught)
