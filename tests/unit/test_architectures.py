"""Each architecture of the table: what is captured is the model's own attention, and a refusal has its reason."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import save_file
from tiny_models import ARCHITECTURES, make_tokenizer

from services.capture import capture, check_capture, global_tokens, load_model, position_bias, tokenise
from services.capture.adapters import own_attentions
from services.capture.interface import InterfaceAdapter
from services.capture.run import visible_pairs
from services.errors import ModelError
from services.modalities.registry import modality_named
from services.modalities.text.tokens import TextPair
from tests.unit.architectures import REFUSED, ROWS, save
from tools import architectures as document

torch.set_num_threads(1)

TEXTS = ["the cat sat on the mat because it was tired.", "a", "the dog, the cat and the mat sat: the cat sat"]
ELSEWHERE = set(ARCHITECTURES)  # tests/unit/test_capture.py takes these apart


@pytest.mark.parametrize("name", [name for name in ROWS if name not in ELSEWHERE])
def test_capture_equals_the_models_own_attention(name, tmp_path):
    row, loaded = ROWS[name], load_model(str(save(tmp_path, name)))
    inputs = tokenise(loaded, TEXTS)
    flags = [global_tokens(loaded.model, item) for item in inputs]
    inputs = [
        item if mine is None else replace(item, is_global=tuple(mine)) for item, mine in zip(inputs, flags, strict=True)
    ]
    if "cross" in row.streams:
        inputs = [TextPair(*pair) for pair in zip(inputs, tokenise(loaded, TEXTS[::-1]), strict=True)]
    seen = set()
    for captured in capture(loaded, inputs):  # several in a batch, padded
        seen.add(captured.stream)
        arguments = modality_named(loaded.modality).arguments(loaded, [inputs[captured.index]])
        stream = next(stream for stream in loaded.streams if stream.name == captured.stream)
        own = own_attentions(loaded.model, arguments)[stream.kind]
        if len(loaded.streams) > 1 and stream.layer_numbers:  # all layers attend, some with larger heads
            own = [own[number] for number in stream.layer_numbers]
        own = torch.cat(list(own)).numpy()
        if stream.attention == "banded":  # the model has no weight where the mask has no pair
            visible = visible_pairs(stream, inputs[captured.index])
            assert not own[:, :, ~visible].any()
            own = own[:, :, visible]
        np.testing.assert_allclose(captured.attention, own, atol=1e-5)
        # The usual small weights make attention nearly uniform, which would hide errors.
        assert captured.attention.shape[-1] < 2 or captured.attention.std() > 0.01
    assert check_capture(loaded, inputs) < 1e-5
    assert seen == set(row.streams)
    assert tuple(stream.name for stream in loaded.streams) == row.streams
    assert loaded.streams[0].mask.kind == row.mask
    assert any(stream.additive for stream in loaded.streams) == bool(row.adds)
    if len(loaded.streams) == 1:
        assert loaded.streams[0].layer_numbers == row.layers


@pytest.mark.parametrize("name", [name for name in ROWS if ROWS[name].layers])
def test_a10_layers_that_attend_have_the_numbers_that_the_configuration_gives_them(name, tmp_path):
    loaded = load_model(str(save(tmp_path, name)))
    types = loaded.model.config.layer_types
    assert (
        tuple(i for i, kind in enumerate(types) if "attention" in kind and kind != "linear_attention")
        == ROWS[name].layers
    )
    (stream,) = loaded.streams
    assert stream.model_layers == len(types)


def test_a11_heads_of_another_size_are_a_stream_of_their_own(tmp_path):
    streams = load_model(str(save(tmp_path, "gemma4_text"))).streams
    assert [(one.name, one.layer_numbers, one.head_dim, one.mask.words) for one in streams] == [
        ("self_4x8", (0, 2), 8, "the sliding window of 5 tokens"),
        ("self_4x16", (1, 3), 16, "the causal mask"),
    ]
    assert [one.gaps for one in streams] == [[(1, 1, 1), (2, 3, 3)], [(0, 0, 0), (1, 2, 2)]]


def test_a10_layers_whose_numbers_cannot_be_told_are_refused(tmp_path):
    """One module that stands in several layers has one path."""
    folder = save(tmp_path, "lfm2")
    loaded = load_model(str(folder))
    layers = loaded.model.layers
    layers[2].self_attn = layers[1].self_attn
    item = modality_named("text").trial(loaded)
    arguments = modality_named("text").arguments(loaded, [item])
    with pytest.raises(ModelError, match="which these are cannot be told for sure"):
        InterfaceAdapter().describe(loaded.model, arguments, item, "tiny")


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_captured_wrongly_is_refused(name, tmp_path):
    _, config, reason = REFUSED[name]
    getattr(transformers, config)().save_pretrained(tmp_path)
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors", {"format": "pt"})
    make_tokenizer("bytes").save_pretrained(tmp_path)
    with pytest.raises(ModelError) as error:
        load_model(str(tmp_path))
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_the_model_is_afterwards_as_before(tmp_path):
    """Hooks and methods of models with code of their own are gone, also after a fault."""
    loaded = load_model(str(save(tmp_path, "mpnet")))
    inputs = tokenise(loaded, TEXTS)

    def state():
        return [(len(m._forward_hooks), len(m._forward_pre_hooks), sorted(vars(m))) for m in loaded.model.modules()]

    before = state()
    list(capture(loaded, inputs))
    assert state() == before
    loaded.model.encoder.layer[1].forward = None
    with pytest.raises(TypeError):
        list(capture(loaded, inputs))
    del loaded.model.encoder.layer[1].forward
    assert state() == before
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("name", "slope"), [("bloom", 2**-2.0), ("mpt", 2**-2.0), ("falcon, ALiBi", 2**-2.0 * 8**-0.5)]
)
def test_alibi_is_a_penalty_by_distance(name, slope, tmp_path):
    """Press et al. 2022: for 4 heads slopes of 2^-2, 2^-4 …, times the distance; Falcon scales it as it does q·k."""
    loaded = load_model(str(save(tmp_path, name)))
    (item,) = tokenise(loaded, ["the cat"])
    bias = position_bias(loaded, loaded.streams[0], item)
    n = len(item)
    expected = -slope * np.arange(n - 1, -1, -1) / 4 ** np.arange(4)[:, None]
    np.testing.assert_allclose(bias[1, :, :n], expected, rtol=1e-4, atol=1e-6)
    assert not bias[1, :, n:].any()


@pytest.mark.parametrize("name", ["deberta", "xlnet", "gemma2"])
def test_what_depends_on_tokens_too_is_no_position_bias(name, tmp_path):
    loaded = load_model(str(save(tmp_path, name)))
    (item,) = tokenise(loaded, TEXTS[:1])
    assert position_bias(loaded, loaded.streams[0], item) is None


def test_windows_that_leave_tokens_out_are_refused(tmp_path):
    transformers.LongformerConfig(attention_window=4, attention_dilation=[1, 2]).save_pretrained(tmp_path)
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors", {"format": "pt"})
    make_tokenizer("bytes").save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="its windows leave tokens out"):
        load_model(str(tmp_path))


def test_heads_that_are_mixed_are_refused(tmp_path):
    transformers.DebertaConfig(talking_head=True).save_pretrained(tmp_path)
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors", {"format": "pt"})
    make_tokenizer("bytes").save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="mixes the scores of its heads"):
        load_model(str(tmp_path))


TOWER = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}


@pytest.mark.parametrize(
    ("name", "config", "mask", "notes"),
    [("CLIPModel", "CLIPConfig", "causal", 0), ("SiglipModel", "SiglipConfig", "full", 1),
     ("MetaClip2Model", "MetaClip2Config", "causal", 0)],
)  # fmt: skip
def test_the_text_network_of_a_model_of_both_is_captured_where_texts_are_meant(name, config, mask, notes, tmp_path):
    tokenizer = make_tokenizer("bytes")
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    text = {**TOWER, **ends, "max_position_embeddings": 64, "vocab_size": len(tokenizer)}
    vision = {**TOWER, "image_size": 32, "patch_size": 16}
    torch.manual_seed(3)
    whole = getattr(transformers, name)(getattr(transformers, config)(text_config=text, vision_config=vision)).eval()
    whole.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = load_model(str(tmp_path), reads="text")
    assert (loaded.modality, loaded.streams[0].mask.kind, len(loaded.info.notes)) == ("text", mask, notes)
    inputs = tokenise(loaded, TEXTS)
    whole.set_attn_implementation("eager")
    for captured in capture(loaded, inputs):
        arguments = modality_named("text").arguments(loaded, [inputs[captured.index]])
        own = whole.text_model(**arguments, output_attentions=True).attentions
        np.testing.assert_allclose(captured.attention, torch.cat(list(own)).detach().numpy(), atol=1e-5)


def test_the_document_is_what_the_table_says():
    text = document.DOCUMENT.read_text(encoding="utf-8")
    assert document.document(text) == text, "python -m tools.architectures --write"
