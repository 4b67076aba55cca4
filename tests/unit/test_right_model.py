"""The right model: what its authors run is what is shown, or it is refused, or every view says what differs.

The names of the tests begin with the public case that they hold (A1 … A17): reports of people whose tools drew a model
that was not theirs. Each case is made here on tiny weights.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from building import request_for, write_corpus
from plotly.utils import PlotlyJSONEncoder
from safetensors.torch import load_file, save_file
from test_models import change_config, refusal
from tiny_models import ARCHITECTURES, SMALL, make_tokenizer, save_model

from app import create_app
from components.scaling.view import scaling_body
from components.server.context import context
from components.state.atlas_page import AtlasPage
from components.state.scaling_page import ScalingPage
from components.workspace import _map_foot
from services.atlas import open_atlas
from services.capture import capture, check_capture, load_model, tokenise
from services.export.provenance import facts
from services.models.files import find_model
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.settings import Settings
from services.streams import CAUSAL, FULL

torch.set_num_threads(1)
TEXT = "the cat sat on the mat"
WEIGHTS = "model.safetensors"


@pytest.fixture
def bert(tmp_path):
    return save_model(tmp_path / "model", "bert")


@pytest.fixture
def qwen2(tmp_path):
    return save_model(tmp_path / "model", "qwen2")


def change_weights(folder, change):
    """Write the weights again as `change` gives them."""
    save_file(change(load_file(folder / WEIGHTS)), folder / WEIGHTS, {"format": "pt"})


# A1: the authors' code attends in another way


def test_a1_code_of_the_authors_is_refused_and_shown_as_the_librarys_own_on_request(qwen2):
    change_config(qwen2, auto_map={"AutoModel": "modeling_qwen.Qwen2Model"})
    message = refusal(qwen2)
    assert "runs with code of its authors (modeling_qwen.Qwen2Model)" in message
    assert "by --library-code, which every view then says" in message
    note, *_ = load_model(str(qwen2), library_code=True).info.notes
    assert note == (
        "The authors run this model with code of their own (modeling_qwen.Qwen2Model), which may attend in another way:"
        " shown is transformers' Qwen2Model."
    )


def test_a1_own_code_for_the_configuration_alone_changes_nothing(qwen2):
    change_config(qwen2, auto_map={"AutoConfig": "configuration_qwen.Qwen2Config"})
    assert not [note for note in load_model(str(qwen2)).info.notes if "authors" in note]


def test_a1_is_causal_false_is_obeyed(qwen2):
    assert load_model(str(qwen2)).streams[0].mask == CAUSAL
    change_config(qwen2, is_causal=False)
    assert load_model(str(qwen2)).streams[0].mask == FULL


@pytest.mark.parametrize(
    "changes",
    [{"bidirectional": True}, {"use_bidirectional_attention": "all"}, {"architectures": ["Qwen2BiModel"]}],
    ids=lambda changes: next(iter(changes)),
)
def test_a1_settings_for_both_directions_that_the_library_does_not_know_are_refused(qwen2, changes):
    change_config(qwen2, **changes)
    assert "is meant to attend in both directions" in refusal(qwen2)
    assert load_model(str(qwen2), library_code=True).streams[0].mask == CAUSAL


def test_a1_decoder_settings_are_held_to_what_was_seen(bert, tmp_path):
    change_config(bert, is_decoder=True)
    assert load_model(str(bert)).streams[0].mask == CAUSAL
    distil = save_model(tmp_path / "distil", "distilbert")
    change_config(distil, is_decoder=True)
    assert "is meant to attend to earlier tokens alone (is_decoder: true)" in refusal(distil)


# A2, A3: terms of the scores that the library does not compute


def test_a2_relative_positions_that_transformers_dropped_are_refused(bert):
    change_config(bert, position_embedding_type="relative_key")
    assert "its scores add a term for distance (position_embedding_type 'relative_key')" in refusal(bert)
    change_config(bert, position_embedding_type="absolute")
    assert load_model(str(bert)).info.notes == ()


@pytest.mark.parametrize(
    "key",
    [
        "encoder.layer.0.attention.self.distance_embedding.weight",
        "encoder.layer.1.attention.self.rel_pos_bias",
        "encoder.layer.0.attention.self.q_norm.weight",
        "encoder.layer.0.attention.self.sinks",
        "embeddings.rotary.weight",
        "bert.encoder.layer.0.attention.adapters_down.weight",
        "bert.relative_attention_bias.weight",
    ],
)
def test_a2_weights_left_over_inside_the_model_are_refused(bert, key):
    change_weights(bert, lambda tensors: tensors | {key: torch.ones(7, 8)})
    message = refusal(bert)
    assert key.removeprefix("bert.") in message
    assert "has no place in transformers' BertModel" in message


def test_a2_more_layers_than_described_are_refused(bert):
    change_config(bert, num_hidden_layers=1)
    assert "its files hold weights of layer 1, and its config.json describes fewer layers" in refusal(bert)


def test_a2_heads_on_top_and_old_buffers_are_no_reason(tmp_path, bert):
    old = {"embeddings.position_ids": torch.arange(64)[None], "cls.predictions.bias": torch.ones(3)}
    change_weights(bert, lambda tensors: tensors | old | {"classifier.weight": torch.ones(2, 32)})
    assert load_model(str(bert)).info.notes == ()
    gpt2 = save_model(tmp_path / "gpt2", "gpt2")
    triangle = torch.ones(1, 1, 64, 64).tril().to(torch.uint8)
    masks = {"h.0.attn.bias": triangle, "h.0.attn.masked_bias": torch.tensor(-1e4)}
    change_weights(gpt2, lambda tensors: tensors | masks)
    assert load_model(str(gpt2)).info.notes == ()


def test_a3_alibi_under_the_name_of_bert_is_refused_for_its_reason(bert):
    change_weights(bert, lambda tensors: {k: v for k, v in tensors.items() if "position_embeddings" not in k})
    message = refusal(bert)
    assert "its files hold no embeddings.position_embeddings.weight: it tells positions in another way" in message
    change_config(bert, position_embedding_type="alibi")
    assert "position_embedding_type 'alibi'" in refusal(bert)
    change_config(bert, auto_map={"AutoModel": "jinaai/jina-bert-implementation--modeling_bert.JinaBertModel"})
    assert "runs with code of its authors (jinaai/jina-bert" in refusal(bert)


def test_a3_a_class_that_the_library_does_not_have_is_said(bert):
    change_config(bert, architectures=["BertForEverything"])
    assert load_model(str(bert)).info.notes == (
        "Its config.json names the class BertForEverything, which transformers does not have: shown is its BertModel.",
    )


# A4: adapters


def test_a4_an_adapter_beside_the_weights_is_refused(bert):
    (bert / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base", "peft_type": "LORA"}')
    assert "has an adapter beside its weights (adapter_config.json), which would be left out" in refusal(bert)
    (bert / "config.json").unlink()
    (bert / WEIGHTS).unlink()
    assert "is an adapter without adapter_model.safetensors: merge it with org/base" in refusal(bert)


def test_a4_an_adapter_among_the_weights_is_refused(bert):
    query = "encoder.layer.0.attention.self.query"
    change_weights(bert, lambda tensors: tensors | {f"{query}.lora_A.default.weight": torch.ones(4, 32)})
    assert f"its weights hold an adapter that is not merged ({query}.lora_A.default.weight)" in refusal(bert)


# A6: pruned heads


def prune(tensors, layer, kept, size):
    """Rows of the heads that stay, in queries, keys and values; columns in the output."""
    part = f"encoder.layer.{layer}.attention"
    for name in ("query", "key", "value"):
        for kind in ("weight", "bias"):
            tensors[f"{part}.self.{name}.{kind}"] = tensors[f"{part}.self.{name}.{kind}"][: kept * size].clone()
    tensors[f"{part}.output.dense.weight"] = tensors[f"{part}.output.dense.weight"][:, : kept * size].clone()
    return tensors


def test_a6_pruned_heads_are_refused_with_their_number_and_layer(bert):
    change_weights(bert, lambda tensors: prune(prune(tensors, 0, 1, 8), 1, 2, 8))
    assert "has pruned heads (3 of layer 0, 2 of layer 1)" in refusal(bert)


def test_a6_heads_that_are_said_to_be_pruned_and_are_not_are_refused(bert):
    change_config(bert, pruned_heads={"1": []})
    load_model(str(bert))
    change_config(bert, pruned_heads={"0": [], "1": [2]})
    assert "says that heads are pruned (layer 1), and its files hold the weights of all" in refusal(bert)


def test_a6_other_sizes_than_described_are_named(bert):
    change_config(bert, intermediate_size=50)
    assert "encoder.layer.0.intermediate.dense.bias is [48] in the files and [50] by config.json" in refusal(bert)


# A7: prefixes of wrapped models


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod.", "_orig_mod.module."])
def test_a7_prefixes_of_wrappers_are_taken_off_and_noted(bert, prefix):
    own = load_file(bert / WEIGHTS)["encoder.layer.1.attention.self.query.weight"]
    change_weights(bert, lambda tensors: {prefix + name: tensor for name, tensor in tensors.items()})
    loaded = load_model(str(bert))
    assert torch.equal(loaded.model.encoder.layer[1].attention.self.query.weight, own)
    (note,) = loaded.info.notes
    assert note.startswith(f"The names of its weights were read without what wraps them ({prefix}")


def test_a7_prefixes_within_a_name(qwen2):
    change_weights(qwen2, lambda tensors: {f"model._orig_mod.{name}": tensor for name, tensor in tensors.items()})
    note, *_ = load_model(str(qwen2)).info.notes
    assert "without what wraps them (model._orig_mod." in note


def test_a7_names_that_no_wrapper_gives_are_said(bert):
    change_weights(bert, lambda tensors: {f"network.core.{name}": tensor for name, tensor in tensors.items()})
    message = refusal(bert)
    assert "which name theirs otherwise (network.core.embeddings" in message


# A8: what a Trainer writes


@pytest.fixture
def runs(tmp_path):
    """A Trainer's folder: a tokenizer, and two checkpoints without one."""
    folder = tmp_path / "runs" / "ner"
    for step in (500, 1000):
        save_model(folder / f"checkpoint-{step}", "bert")
        for file in (folder / f"checkpoint-{step}").glob("tokenizer*"):
            file.unlink()
        (folder / f"checkpoint-{step}" / "optimizer.pt").write_bytes(b"pickle")
    return folder


def test_a8_the_parent_of_checkpoints_offers_them(runs):
    assert "did you mean checkpoint-1000 (the newest) or checkpoint-500?" in refusal(runs)


def test_a8_a_checkpoint_takes_the_tokenizer_of_the_folder_above(runs):
    message = refusal(runs / "checkpoint-500")
    assert "has no tokenizer" in message
    assert "--tokenizer" in message
    make_tokenizer("wordpiece").save_pretrained(runs)
    info = load_model(str(runs / "checkpoint-500")).info
    assert info.id == "ner/checkpoint-500"
    assert info.notes == ("Its tokenizer is that of the folder above, ner.",)


def test_a8_the_tokenizer_of_another_model_can_be_named(runs, tmp_path):
    other = tmp_path / "other"
    make_tokenizer("wordpiece").save_pretrained(other)
    info = load_model(str(runs / "checkpoint-1000"), tokenizer=str(other)).info
    assert info.notes == ("Its tokenizer is that of other, as was asked for.",)
    assert "There is no tokenizer in" in refusal(runs / "checkpoint-1000", tokenizer=str(runs))


def test_a8_a_folder_of_optimizer_state_alone_has_no_weights(runs):
    (runs / "checkpoint-500" / WEIGHTS).unlink()
    assert "has no weights (model.safetensors)" in refusal(runs / "checkpoint-500")


# A9: sentence-transformers, and configurations without model_type


def as_sentence_transformer(model, folder, part="0_Transformer"):
    folder.mkdir()
    shutil.copytree(model, folder / part)
    modules = [
        {"idx": 0, "name": "0", "path": part, "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "config.json").write_text('{"__version__": "1.0.0"}')
    return folder


def test_a9_the_transformer_of_a_sentence_transformers_folder_is_found(bert, tmp_path):
    folder = as_sentence_transformer(bert, tmp_path / "sentences")
    loaded = load_model(str(folder))
    assert loaded.info.id == "sentences"
    assert loaded.info.architecture == "BertModel"
    (folder / "modules.json").write_text('[{"type": "a.Transformer", "path": "../model"}]')
    assert "names the folder '../model', which is not in it" in refusal(folder)
    (folder / "modules.json").write_text('[{"type": "a.Pooling", "path": "1"}]')
    assert "names no Transformer" in refusal(folder)
    (folder / "modules.json").write_text("{")
    assert "modules.json is no list of modules" in refusal(folder)


def test_a9_the_length_that_sentence_transformers_reads_is_known():
    assert find_model("minilm").used_tokens == 256


def test_a9_a_model_type_is_taken_from_the_class_or_asked_for(bert):
    change_config(bert, model_type=None)
    loaded = load_model(str(bert))
    assert loaded.info.architecture == "BertModel"
    assert loaded.info.notes == ("Its config.json names no model_type: bert is that of the class it names.",)
    change_config(bert, architectures=["Nonesuch"])
    assert 'add the line "model_type"' in refusal(bert)


# A12: heads of a size of their own


@pytest.mark.parametrize(
    ("config", "size"),
    [
        (transformers.LlamaConfig(**ARCHITECTURES["llama"][1], head_dim=20, vocab_size=300), 20),
        (transformers.Phi3Config(**ARCHITECTURES["llama"][1], head_dim=12, vocab_size=300), 12),
    ],
    ids=["llama", "phi3"],
)
def test_a12_heads_of_another_size_than_hidden_by_heads(tmp_path, config, size):
    torch.manual_seed(1)
    transformers.AutoModel.from_config(config).save_pretrained(tmp_path)
    make_tokenizer("bytes").save_pretrained(tmp_path)
    loaded = load_model(str(tmp_path))
    assert loaded.streams[0].head_dim == size
    assert check_capture(loaded, tokenise(loaded, [TEXT])) < 1e-5


# A13: learned sinks


def test_a13_attention_that_goes_to_no_token_is_said_with_its_share(tmp_path):
    loaded = load_model(str(save_model(tmp_path, "gpt_oss")))
    (note,) = loaded.info.notes
    assert note.startswith("A part of its attention goes to no token (learned sinks; up to ")
    assert note.endswith("add up to less than 1.")
    items = tokenise(loaded, [TEXT])
    assert check_capture(loaded, items) < 1e-5
    (captured,) = capture(loaded, items)
    assert captured.attention.sum(axis=-1).min() < 0.99


# A14: scores that float16 cannot hold


def test_a14_vectors_whose_scores_float16_would_change_are_stored_in_float32(tmp_path):
    model = save_model(tmp_path / "model", "gpt2")

    def louder(tensors):
        """Large and nearly equal for every key: what is left of the difference is lost by rounding."""
        for name in tensors:
            if name.endswith("attn.c_attn.bias"):
                tensors[name] = tensors[name] + 40
        return tensors

    change_weights(model, louder)
    request = request_for(model, write_corpus(tmp_path / "texts.txt"), dims=(2,))
    atlas = open_atlas(build(request, tmp_path / "atlas", Progress("loud", bar=False)))
    assert atlas.vectors(atlas.info.default_stream).precision == "float32"
    assert atlas.info.capture_error < 1e-3


# A16: quantised weights


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("encoder.layer.0.attention.self.query.qweight", torch.ones(4, 32, dtype=torch.int32)),
        ("encoder.layer.0.attention.self.query.scales", torch.ones(1, 32)),
        ("encoder.layer.0.mlp.experts.gate_up_proj_blocks", torch.ones(2, 4, dtype=torch.uint8)),
        ("encoder.layer.0.attention.self.query.weight_scale_inv", torch.ones(1)),
        ("encoder.layer.0.attention.self.query.weight.quant_state.bitsandbytes__nf4", torch.ones(2)),
        ("encoder.layer.0.attention.self.query.weight", torch.ones(32, 32, dtype=torch.int8)),
        ("encoder.layer.0.attention.self.query.weight", torch.ones(32, 32).to(torch.float8_e4m3fn)),
    ],
    ids=lambda value: value.rsplit(".", 1)[-1] if isinstance(value, str) else str(value.dtype)[6:],
)
def test_a16_packed_weights_without_a_word_in_the_config_are_refused_as_such(bert, name, tensor):
    change_weights(bert, lambda tensors: tensors | {name: tensor})
    assert f"has quantised weights ({name[:80]}), though its config.json does not say so" in refusal(bert)


# A17: the last position


@pytest.mark.parametrize(
    ("name", "longest"),
    [("roberta", 62), ("opt", 64), ("gpt2", 64), ("bert", 64), ("xlm-roberta", 62), ("camembert", 62)],
)
def test_a17_an_input_of_the_longest_length_is_captured(tmp_path, name, longest):
    if name in ARCHITECTURES:
        save_model(tmp_path, name)
    else:
        tokenizer = make_tokenizer("bytes")
        config = transformers.AutoConfig.for_model(
            name, **SMALL, max_position_embeddings=64, vocab_size=len(tokenizer), pad_token_id=1
        )
        transformers.AutoModel.from_config(config).save_pretrained(tmp_path)
        tokenizer.save_pretrained(tmp_path)
    loaded = load_model(str(tmp_path))
    assert loaded.max_tokens == longest
    (item,) = tokenise(loaded, ["the cat sat. " * 40])
    assert (len(item), item.truncated) == (longest, True)
    (captured,) = capture(loaded, [item])
    assert captured.attention.shape[-1] == longest


# What an atlas records


def test_a_local_folder_is_recorded_by_its_name(bert):
    info = load_model(str(bert)).info
    assert info.id == "model"
    assert str(bert.parent) not in info.model_dump_json()


def test_the_name_of_a_folder_is_found_from_within(bert, monkeypatch):
    monkeypatch.chdir(bert)
    assert find_model(".").name == "model"
    assert find_model(str(Path("..") / "model")).name == "model"


@pytest.fixture(scope="module")
def noted(tmp_path_factory):
    """An atlas of a model with a note."""
    home = tmp_path_factory.mktemp("noted")
    model = save_model(home / "model", "bert")
    change_config(model, architectures=["BertForEverything"])
    request = request_for(model, write_corpus(home / "texts.txt"), dims=(2,))
    return open_atlas(build(request, home / "atlases" / "noted", Progress("noted", bar=False)))


def test_notes_on_a_model_stand_in_the_atlas_on_both_pages_and_in_captions(noted):
    (note,) = noted.info.model.notes
    assert "BertForEverything" in note
    assert note in facts(noted, noted.info.default_stream, None, None)["caption"]
    foot = _map_foot(noted, noted.info.default_stream, AtlasPage.from_query({}, noted))
    assert note in json.dumps(foot, cls=PlotlyJSONEncoder)
    app = create_app(Settings(home=noted.path.parents[1], demo=False))
    with app.server.test_request_context():
        assert note in json.dumps(scaling_body(*ScalingPage.open({}, context().library)), cls=PlotlyJSONEncoder)


def test_an_atlas_holds_no_path_of_the_machine_that_built_it(noted):
    files = [file for file in noted.path.rglob("*") if file.is_file() and file.suffix in {".json", ".parquet"}]
    assert len(files) > 2
    assert [file.name for file in files if str(noted.path.parent).encode() in file.read_bytes()] == []
