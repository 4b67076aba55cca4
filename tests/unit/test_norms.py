"""Norms are those of the stored vectors, on the scale that was asked for."""

from types import SimpleNamespace

import numpy as np
import pytest

from services.atlas import VectorStore, open_atlas
from services.attributes import norms
from services.attributes.attribute import SIDE_STEPS
from services.attributes.norms import COMMON_NORM, NORM
from services.attributes.registry import PLAIN, point_values


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def stream(atlas):
    return atlas.stream("self")


def own(atlas, layer, head):
    """Norms in double precision, queries then keys."""
    parts = (np.asarray(atlas.array(f"self/{name}"), float)[layer, head] for name in ("queries", "keys"))
    return np.concatenate([np.sqrt((part**2).sum(axis=1)) for part in parts])


def test_norms_are_the_lengths_of_the_vectors(atlas, stream):
    for layer, head in ((0, 0), (5, 11), (2, 7)):
        np.testing.assert_allclose(norms.head_norms(atlas, stream, layer, head), own(atlas, layer, head), rtol=1e-5)


@pytest.mark.parametrize("attribute", [NORM, COMMON_NORM], ids=lambda one: one.name)
def test_a_step_stands_for_its_norm_within_half_a_step(atlas, stream, attribute):
    everything = np.concatenate([own(atlas, layer, head) for layer in range(6) for head in range(12)])
    for layer, head in ((0, 0), (3, 4)):
        wanted = own(atlas, layer, head)
        low, high = (everything.min(), everything.max()) if attribute is COMMON_NORM else (wanted.min(), wanted.max())
        values = point_values(atlas, stream, attribute, (layer, head)).astype(int)
        steps = values - np.where(np.arange(len(values)) < len(values) // 2, 0, SIDE_STEPS)
        assert steps.min() >= 0
        assert steps.max() < SIDE_STEPS
        assert np.abs(low + steps / (SIDE_STEPS - 1) * (high - low) - wanted).max() <= (high - low) / 253
        scale = attribute.scale(atlas, stream, (layer, head))
        assert (scale.low, scale.high) == pytest.approx((low, high), rel=1e-5)


def test_a_head_attribute_has_no_value_for_all_heads_and_the_other_way_round(atlas, stream):
    with pytest.raises(KeyError):
        point_values(atlas, stream, NORM)
    with pytest.raises(KeyError):
        point_values(atlas, stream, PLAIN, (0, 0))


def test_vectors_of_one_length_are_the_lowest_step(atlas, stream, monkeypatch):
    monkeypatch.setattr(norms, "head_norms", lambda *_: np.full(8, 3.0, np.float32))
    assert NORM.values(atlas, stream, (0, 0)).tolist() == [0] * 8


def test_heads_that_share_keys_have_the_norms_of_those_keys():
    rng = np.random.default_rng(0)
    arrays = {"self/queries": rng.normal(size=(1, 4, 5, 3)), "self/keys": rng.normal(size=(1, 2, 5, 3))}
    atlas = SimpleNamespace(vectors=lambda of: VectorStore(of, lambda name: arrays[name].astype(np.float16)))
    stream = SimpleNamespace(name="self", layers=1, heads=4, group=2)
    found = norms.head_norms(atlas, stream, 0, 3)[5:]
    np.testing.assert_allclose(found, np.linalg.norm(arrays["self/keys"][0, 1], axis=1), rtol=1e-2)
