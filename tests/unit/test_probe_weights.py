"""Heads by their weights: cosines of W_Qᵀ W_K as plain matrices, taken from the model's modules by name."""

import numpy as np
import pytest
import torch

from services.capture import load_model
from services.errors import ProbeError
from services.measures.head_map import classical
from services.probe import weights
from services.probe.asked import Asked
from services.probe.seen import prepare
from tests.unit.architectures import ROWS, save
from tests.unit.tiny_models import save_model

TEXT = "the cat sat on the mat, the cat"


def opened(name, folder):
    loaded = load_model(str((save if name in ROWS else save_model)(folder, name)))
    return loaded, loaded.streams[0], prepare(loaded, Asked(TEXT), 64, lambda: None).inputs[0]


def named(name, model, layer):
    """[heads · d, width] of queries and of keys."""
    if name == "bert":
        own = model.encoder.layer[layer].attention.self
        return own.query.weight, own.key.weight
    if name == "gpt2":
        fused = model.h[layer].attn.c_attn.weight.T
        return fused[: len(fused) // 3], fused[len(fused) // 3 : 2 * len(fused) // 3]
    own = model.layers[layer].self_attn
    return own.q_proj.weight, own.k_proj.weight


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama"])
def test_cosines_are_those_of_the_plain_matrices(tmp_path, name):
    loaded, stream, item = opened(name, tmp_path)
    found = weights.between(*weights.projections(loaded, stream, item), stream.group)
    matrices = []
    for layer in range(stream.layers):
        ask, answer = (one.detach().double() for one in named(name, loaded.model, layer))
        for head in range(stream.heads):
            mine, shared = (
                slice(at * stream.head_dim, (at + 1) * stream.head_dim) for at in (head, head // stream.group)
            )
            matrices.append((ask[mine].T @ answer[shared]).flatten().numpy())
    flat = np.array(matrices)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    np.testing.assert_allclose(found, flat @ flat.T, atol=1e-5)
    squared = ((flat[:, None] - flat[None, :]) ** 2).sum(axis=2)
    np.testing.assert_allclose(2 * (1 - found), squared, atol=1e-5)  # so that places are Euclidean
    places, shown = classical(2 * (1 - found), np.arange(len(found)))
    assert places.shape == (stream.layers * stream.heads, 2)
    assert 0 < shown <= 1


def test_a_copied_head_lies_on_the_first_and_a_negated_one_far_away():
    random = torch.Generator().manual_seed(0)
    asks, answers = (torch.randn(4, 3, 16, generator=random) for _ in range(2))
    asks[1], answers[1] = 2 * asks[0], answers[0]
    asks[2], answers[2] = -asks[0], answers[0]
    found = weights.between(asks, answers, 1)
    assert found[0, 1] == pytest.approx(1)
    assert found[0, 2] == pytest.approx(-1)
    assert abs(found[0, 3]) < 0.6
    asks[3] = 0
    assert weights.between(asks, answers, 1)[3].tolist() == [0, 0, 0, 1]


def test_weights_that_cannot_be_had_or_are_too_many_are_refused_in_a_line(tmp_path, monkeypatch):
    loaded, stream, item = opened("bert", tmp_path / "bert")
    monkeypatch.setattr(weights, "WORK", 10)
    with pytest.raises(ProbeError, match="too many to compare while you wait"):
        weights.projections(loaded, stream, item)
    monkeypatch.undo()
    loaded, stream, item = opened("bloom", tmp_path / "bloom")
    with pytest.raises(ProbeError, match="projections of layer 0 cannot be seen apart"):
        weights.projections(loaded, stream, item)
