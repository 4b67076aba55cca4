"""The check by hooks: it agrees where the capture is right, finds planted faults, and says what it cannot see."""

import pytest
import torch
from tiny_models import save_model

from services.capture import by_hooks, load_model, recorder, run
from services.capture.by_hooks import KNOWN, TOLERANCE, check_by_hooks
from services.commands.line import run as command
from services.modalities.registry import modality_named
from services.streams.registry import SELF
from tests.unit.architectures import ROWS, save

torch.set_num_threads(1)
# One of each way: vectors apart and together, rotated by halves, by neighbours, in part; biases, sinks, shared layers.
SOME = (
    "albert",
    "gpt2",
    "gpt_neox",
    "modernbert",
    "gemma2",
    "gpt_oss",
    "cohere",
    "glm4",
    "bloom",
    "mpnet",
    "t5",
    "bart", "qwen3_next",
)  # fmt: skip


def checked(folder, name):
    loaded = load_model(str(save(folder, name)))
    return loaded, check_by_hooks(loaded, [modality_named(loaded.modality).trial(loaded)])


def kind_of(name):
    import transformers

    return getattr(transformers, ROWS[name].config).model_type


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in SOME else pytest.mark.slow) for name in ROWS if kind_of(name) in KNOWN],
)
def test_attention_made_of_projections_is_the_models_own_and_ours(name, tmp_path):
    loaded, streams = checked(tmp_path, name)
    assert [one.stream for one in streams] == [stream.name for stream in loaded.streams]
    for one, stream in zip(streams, loaded.streams, strict=True):
        assert not one.unchecked
        assert len(one.layers) == stream.layers
        assert all(layer.largest < 1e-5 for layer in one.layers)


def test_every_known_architecture_is_in_the_table():
    assert {kind_of(name) for name in ROWS} >= KNOWN


@pytest.mark.parametrize("name", ["deberta", "deepseek_v3", "longformer"])
def test_what_hooks_cannot_see_is_said(name, tmp_path):
    _, streams = checked(tmp_path, name)
    assert all(one.unchecked and not one.layers for one in streams)


def test_an_architecture_that_does_more_than_is_known_is_not_called_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(by_hooks, "KNOWN", KNOWN - {"gpt_oss"})
    monkeypatch.setattr(by_hooks, "_rotated", lambda vectors, *_: vectors)
    _, (stream,) = checked(tmp_path, "gpt_oss")
    assert "queries and keys go through more between projections and product" in stream.unchecked


@pytest.fixture
def llama(tmp_path):
    return save_model(tmp_path, "llama")


def swapped_heads(call):
    call.queries = call.queries.flip(1)


def swapped_keys(call):
    call.keys = call.keys.flip(1)


def shifted(call):
    call.queries = call.queries * 1.01


def other_weights(call):
    call.attention = call.attention.roll(1, 1)


@pytest.mark.parametrize("fault", [swapped_heads, swapped_keys, shifted, other_weights])
def test_a_planted_wrong_capture_is_found(fault, llama, monkeypatch, capsys):
    """The recorder's own check would compare the same fault with itself."""
    add = recorder.Recording.add

    def planted(record, stream, call):
        if len(record.calls(SELF)) == 1:  # layer 1
            fault(call)
        add(record, stream, call)

    loaded = load_model(str(llama))
    monkeypatch.setattr(recorder.Recording, "add", planted)
    (stream,) = check_by_hooks(loaded, [modality_named(loaded.modality).trial(loaded)])
    assert stream.failed == [1]
    assert stream.layers[1].model < TOLERANCE < stream.layers[1].largest


def test_layers_in_another_order_are_found(llama, monkeypatch):
    loaded = load_model(str(llama))
    calls = recorder.Recording.calls
    monkeypatch.setattr(run, "recording", lambda model, *, content: recorder.recording(model))
    monkeypatch.setattr(recorder.Recording, "calls", lambda record, stream: calls(record, stream)[::-1])
    (stream,) = check_by_hooks(loaded, [modality_named(loaded.modality).trial(loaded)])
    assert stream.failed == [0, 1]


def test_the_command_says_the_difference_of_each_layer(llama, capsys, monkeypatch):
    assert command(["verify", "--model", str(llama)], None) == 0
    said = capsys.readouterr().out
    assert "self        L0" in said
    assert "self        L1" in said
    assert "All is equal" in said
    monkeypatch.setattr(by_hooks, "_rotated", lambda vectors, *_: vectors)
    assert command(["verify", "--model", str(llama)], None) == 1
    assert capsys.readouterr().out.count("DIFFERS") == 2


def test_the_command_takes_atlases_or_a_model(capsys):
    assert command(["verify", "somewhere", "--model", "minilm"], None) == 2
    assert capsys.readouterr().err == "Name atlases, or a model with --model: one of them at a time.\n"
