"""Capture gives what the model computes, on every architecture and in every batch, and leaves it alone."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, save_model

from services import streams
from services.capture import CAPTURE_TOLERANCE, capture, check_capture, load_model, run, tokenise
from services.capture.adapters import own_attentions
from services.errors import CaptureError, ModelError
from services.modalities.registry import modality_named

torch.set_num_threads(1)

TEXTS = [
    "the cat sat on the mat because it was tired.",
    "a",
    "cat 😀 שלום עולם \x00 cat, <script>",
    "",
    "the dog, the cat and the mat sat: the cat sat",
]
CAUSAL = {
    "gpt2", "gpt_neox", "opt", "llama", "mistral", "qwen2", "qwen3", "phi", "gemma2", "gpt_oss"
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded_models(tmp_path_factory):
    """name → a tiny loaded model, made once."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = load_model(str(save_model(tmp_path_factory.mktemp(name), name)))
        return made[name]

    return get


@pytest.fixture(scope="module")
def minilm():
    return load_model("minilm")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_capture_equals_the_models_own_attention(name, loaded_models):
    loaded = loaded_models(name)
    inputs = tokenise(loaded, TEXTS)
    stream = loaded.streams[0]
    for captured in capture(loaded, inputs):
        n = len(inputs[captured.index])
        assert captured.queries.shape == (2, 4, n, stream.head_dim)
        assert captured.keys.shape == (2, stream.key_heads, n, stream.head_dim)
        assert captured.value_norms.shape == (2, stream.key_heads, n)
        assert captured.attention.shape == (2, 4, n, n)
        assert {a.dtype for a in (captured.queries, captured.keys, captured.value_norms, captured.attention)} == {
            np.dtype(np.float32)
        }
        if n:
            arguments = modality_named(loaded.modality).arguments(loaded, [inputs[captured.index]])
            own = own_attentions(loaded.model, arguments)["self"]
            np.testing.assert_allclose(captured.attention, torch.cat(own), atol=1e-5)
            assert (captured.value_norms > 0).all()
    assert check_capture(loaded, inputs) < 1e-5
    masks = {"mistral": streams.StreamMask(kind="sliding", window=5)} | dict.fromkeys(
        CAUSAL - {"mistral"}, streams.CAUSAL
    )
    assert stream.mask == masks.get(name, streams.FULL)
    assert stream.additive == (name in {"gemma2", "gpt_oss"})


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in {"gemma2", "gpt_oss"}])
def test_softmax_of_captured_vectors_is_attention(name, loaded_models):
    """The definition itself, with a mask read off the attention: no term beside scaling × q·k is missing."""
    loaded = loaded_models(name)
    stream = loaded.streams[0]
    captured = next(capture(loaded, tokenise(loaded, TEXTS[:1])))
    for layer in range(stream.layers):
        keys = np.repeat(captured.keys[layer], stream.group, axis=0).astype(np.float64)
        scores = stream.scaling[layer] * captured.queries[layer].astype(np.float64) @ keys.transpose(0, 2, 1)
        weights = np.exp(scores - scores.max(-1, keepdims=True)) * (captured.attention[layer] > 0)
        np.testing.assert_allclose(weights / weights.sum(-1, keepdims=True), captured.attention[layer], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "scaling"),
    [
        ("bert", (8**-0.5, 8**-0.5)),
        ("gpt2", (8**-0.5, 8**-0.5 / 2)),  # scale_attn_by_inverse_layer_idx
        ("opt", (1.0, 1.0)),  # OPT scales its queries itself
        ("gemma2", (20**-0.5, 20**-0.5)),  # query_pre_attn_scalar
    ],
)
def test_scaling_is_recorded_for_each_layer(name, scaling, loaded_models):
    assert loaded_models(name).streams[0].scaling == pytest.approx(scaling)


def test_grouped_keys_stay_grouped(loaded_models):
    stream = loaded_models("llama").streams[0]
    assert (stream.heads, stream.key_heads, stream.group) == (4, 2, 2)


def test_albert_layers_that_share_one_module_are_kept_apart(loaded_models):
    loaded = loaded_models("albert")
    captured = next(capture(loaded, tokenise(loaded, TEXTS[:1])))
    assert not np.allclose(captured.queries[0], captured.queries[1])


@pytest.mark.parametrize("name", ["bert", "roberta", "gpt2", "mistral", "modernbert"])
@pytest.mark.parametrize("batch_tokens", [1, 40, 4096])
def test_batches_equal_one_by_one(name, batch_tokens, loaded_models):
    loaded = loaded_models(name)
    inputs = tokenise(loaded, TEXTS)
    together = list(capture(loaded, inputs, batch_tokens=batch_tokens))
    assert [captured.index for captured in together] == list(range(len(TEXTS)))
    for captured in together:
        (alone,) = capture(loaded, [inputs[captured.index]])
        for part in ("queries", "keys", "value_norms", "attention"):
            np.testing.assert_allclose(getattr(captured, part), getattr(alone, part), atol=2e-5)


def test_one_batch_may_hold_inputs_of_different_lengths(loaded_models, monkeypatch):
    monkeypatch.setattr(run, "SPREAD", 100.0)
    for name in ("bert", "gpt2", "llama", "opt"):
        loaded = loaded_models(name)
        assert check_capture(loaded, tokenise(loaded, TEXTS)) < 1e-5


def test_side_of_padding_of_the_tokenizer_does_not_matter(loaded_models):
    loaded = loaded_models("bert")
    before = list(capture(loaded, tokenise(loaded, TEXTS)))
    loaded.tokenizer.padding_side = "left"
    try:
        for one, other in zip(before, capture(loaded, tokenise(loaded, TEXTS)), strict=True):
            np.testing.assert_array_equal(one.attention, other.attention)
    finally:
        loaded.tokenizer.padding_side = "right"


def test_capture_leaves_out_what_is_done(loaded_models):
    loaded = loaded_models("bert")
    inputs = tokenise(loaded, TEXTS)
    assert [captured.index for captured in capture(loaded, inputs, done={0, 2, 3})] == [1, 4]
    assert list(capture(loaded, inputs, done=range(5))) == []
    assert list(capture(loaded, [])) == []


@pytest.mark.parametrize("batch_tokens", [40, 4096])
def test_what_is_captured_later_is_the_same_to_the_last_bit(batch_tokens, minilm):
    """The last digit of a vector depends on its batch: a build that goes on must make the same batches."""
    inputs = tokenise(minilm, [" ".join(["a cat sat on the mat"] * length) for length in (1, 2, 2, 3, 5, 2, 8, 1)])
    whole = list(capture(minilm, inputs, batch_tokens=batch_tokens))
    for done in ({0}, {0, 1, 2}, {0, 1, 2, 3, 4}, {1, 3, 4, 6}, {0, 1, 2, 3, 4, 5, 6}):
        for again in capture(minilm, inputs, batch_tokens=batch_tokens, done=done):
            for name in ("queries", "keys", "value_norms", "attention"):
                assert np.array_equal(getattr(again, name), getattr(whole[again.index], name)), (done, again.index)


def test_text_without_tokens_gives_empty_arrays_and_says_so(loaded_models):
    loaded = loaded_models("gpt2")
    (nothing,) = tokenise(loaded, [""])
    assert nothing.empty
    assert len(nothing) == 0
    (captured,) = capture(loaded, [nothing])
    assert captured.queries.shape == (2, 4, 0, 8)
    assert check_capture(loaded, [nothing]) == 0.0


@pytest.mark.parametrize("name", ["bert", "gpt2"])
@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_model_is_afterwards_as_before(name, implementation, tmp_path):
    loaded = load_model(str(save_model(tmp_path, name)))
    loaded.model.set_attn_implementation(implementation)
    loaded.model.train()
    inputs = tokenise(loaded, TEXTS)
    ids = torch.tensor([inputs[0].ids])

    def state():
        config = loaded.model.config
        hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in loaded.model.modules())
        return config._attn_implementation, loaded.model.training, hooks, torch.is_grad_enabled()

    def output():
        loaded.model.eval()
        with torch.no_grad():
            values = loaded.model(input_ids=ids).last_hidden_state
        loaded.model.train()
        return values

    before, values = state(), output()
    for _ in capture(loaded, inputs, batch_tokens=1):
        assert state() == before  # also while the caller works on a result
    check_capture(loaded, inputs[:1])
    assert state() == before
    assert torch.equal(output(), values)


def test_model_is_as_before_after_an_error(loaded_models, monkeypatch):
    loaded = loaded_models("bert")
    inputs = tokenise(loaded, TEXTS)

    def broken(*_args, **_kwargs):
        raise RuntimeError("a fault in the middle of the model")

    with monkeypatch.context() as patch:
        patch.setattr(loaded.model.encoder.layer[1], "forward", broken)
        with pytest.raises(RuntimeError, match="a fault in the middle"):
            list(capture(loaded, inputs))
    assert loaded.model.config._attn_implementation == "eager"
    assert torch.is_grad_enabled()
    assert check_capture(loaded, inputs) < 1e-5


def test_memory_that_runs_out_is_one_clear_line(loaded_models, monkeypatch):
    loaded = loaded_models("bert")
    inputs = tokenise(loaded, TEXTS)

    def full(*_args, **_kwargs):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 GB")

    with monkeypatch.context() as patch:
        patch.setattr(loaded.model.encoder.layer[1], "forward", full)
        with pytest.raises(ModelError, match=r"Memory ran out .* set a smaller limit of tokens"):
            list(capture(loaded, inputs))
    monkeypatch.setattr(run, "available_bytes", lambda: 1000)
    with pytest.raises(ModelError, match=r"needs \d+ kB with .* and 1 kB are free: set a smaller limit"):
        list(capture(loaded, inputs))


def test_ids_the_model_does_not_know_are_refused(loaded_models):
    foreign = tokenise(loaded_models("gpt2"), ["the cat ~ þ"])
    with pytest.raises(ModelError, match="tokens that the model does not know: they do not belong together"):
        list(capture(loaded_models("bert"), foreign))


def test_input_longer_than_the_model_takes_is_refused(loaded_models):
    loaded = loaded_models("gpt2")
    (long,) = tokenise(dataclasses.replace(loaded, max_tokens=100), ["cat " * 90])
    with pytest.raises(ModelError, match="takes 64 tokens at most, one input has"):
        list(capture(loaded, [long]))


def test_check_sees_what_is_wrong(loaded_models):
    """The check is worth something: factors that are not the model's give a large error."""
    loaded = loaded_models("bert")
    stream = loaded.streams[0]
    wrong = stream.model_copy(update={"scaling": (stream.scaling[0], 2 * stream.scaling[1])})
    loaded.streams = (wrong,)
    try:
        assert check_capture(loaded, tokenise(loaded, TEXTS)) > CAPTURE_TOLERANCE
    finally:
        loaded.streams = (stream,)


@pytest.mark.parametrize("name", ["bert", "mistral"])
def test_a_mask_that_hides_what_the_model_sees_is_refused(name, loaded_models):
    """No pair that counts as hidden may hold attention: a stream that was described wrongly is not captured."""
    loaded = loaded_models(name)
    narrow = streams.StreamMask(kind="sliding", window=3)
    wrong = dataclasses.replace(loaded, streams=(loaded.streams[0].model_copy(update={"mask": narrow}),))
    with pytest.raises(CaptureError, match=r"where the sliding window of 3 tokens should hide a key \(self L0\)"):
        list(capture(wrong, tokenise(loaded, TEXTS)))


def test_weights_of_a_banded_stream_are_those_that_its_mask_shows(loaded_models):
    loaded = loaded_models("mistral")
    banded = dataclasses.replace(loaded, streams=(loaded.streams[0].model_copy(update={"attention": "banded"}),))
    inputs = tokenise(loaded, TEXTS)
    assert check_capture(banded, inputs) < 1e-5
    for whole, part in zip(capture(loaded, inputs), capture(banded, inputs), strict=True):
        n = len(inputs[whole.index])
        visible = loaded.streams[0].mask.visible(n, n)
        assert part.attention.shape == (2, 4, visible.sum())
        assert np.array_equal(part.attention, whole.attention[:, :, visible])
        assert not whole.attention[:, :, ~visible].any()


def test_minilm_has_six_layers_of_twelve_heads(minilm):
    stream = minilm.streams[0]
    assert (stream.name, stream.layers, stream.heads, stream.key_heads, stream.head_dim) == (
        "self",
        6,
        12,
        12,
        32,
    )
    assert stream.mask == streams.FULL
    assert not stream.additive
    assert stream.scaling == pytest.approx((32**-0.5,) * 6)
    inputs = tokenise(minilm, ["The cat sat on the mat.", "Paris is in France; Lyon is too.", "😀 \x00 שלום"])
    captured = next(capture(minilm, inputs))
    assert captured.queries.shape == (6, 12, 9, 32)
    np.testing.assert_allclose(captured.attention.sum(-1), 1, atol=1e-5)
    assert check_capture(minilm, inputs) < 1e-5
