"""Alignment changes distances and leaves attention as it was."""

import numpy as np
import pytest

from services.alignment import align, scale_by_norms


def clouds(queries=40, keys=50, dims=16, seed=0):
    """Queries and keys far apart and of different size, as models have them: float32 [n, dims]."""
    rng = np.random.default_rng(seed)
    return (
        (rng.normal(size=(queries, dims)) * 3 + rng.normal(size=dims) * 2).astype(np.float32),
        (rng.normal(size=(keys, dims)) * 0.4 - rng.normal(size=dims)).astype(np.float32),
    )


def softmax(queries, keys):
    scores = queries.astype(np.float64) @ keys.astype(np.float64).T / np.sqrt(queries.shape[1])
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("c", [None, 0.2, 1.0, 5.0])
@pytest.mark.parametrize("seed", range(4))
def test_attention_is_unchanged(c, seed):
    queries, keys = clouds(seed=seed)
    moved_queries, moved_keys, _ = align(queries, keys, c)
    assert np.abs(softmax(moved_queries, moved_keys) - softmax(queries, keys)).max() < 1e-5


@pytest.mark.parametrize("c", [None, 0.2, 5.0])
def test_centroids_coincide(c):
    queries, keys, _ = align(*clouds(), c)
    np.testing.assert_allclose(queries.mean(axis=0), keys.mean(axis=0), atol=1e-4)


def test_queries_and_keys_have_the_same_median_norm_after_scaling():
    queries, keys = clouds()
    c = scale_by_norms(queries, keys)
    assert np.median(np.linalg.norm(c * queries, axis=1)) == pytest.approx(
        np.median(np.linalg.norm(keys / c, axis=1)), rel=1e-5
    )


def test_the_alignment_says_what_was_done():
    queries, keys = clouds()
    moved_queries, moved_keys, alignment = align(queries, keys)
    np.testing.assert_allclose(moved_queries, alignment.c * queries, rtol=1e-5)
    np.testing.assert_allclose(moved_keys, keys / alignment.c + alignment.translation, rtol=1e-4, atol=1e-4)
    assert moved_queries.dtype == moved_keys.dtype == alignment.translation.dtype == np.float32


@pytest.mark.parametrize(
    ("queries", "keys"),
    [
        (np.zeros((5, 4)), np.ones((5, 4))),
        (np.ones((5, 4)), np.zeros((5, 4))),
        (np.zeros((5, 4)), np.zeros((5, 4))),
        (np.full((5, 4), np.inf), np.ones((5, 4))),
    ],
    ids=["no queries' norm", "no keys' norm", "no norm", "infinite"],
)
def test_without_a_norm_nothing_is_scaled(queries, keys):
    assert scale_by_norms(queries, keys) == 1.0


@pytest.mark.parametrize(
    ("queries", "keys"),
    [
        (np.full((1, 4), 2.0), np.full((1, 4), 3.0)),
        (np.full((6, 4), 2.0), np.full((6, 4), -3.0)),
        (np.zeros((3, 4)), np.zeros((3, 4))),
    ],
    ids=["one token", "all equal", "all zero"],
)
def test_degenerate_clouds_meet_in_one_point(queries, keys):
    moved_queries, moved_keys, alignment = align(queries, keys)
    assert np.isfinite([*moved_queries.ravel(), *moved_keys.ravel(), alignment.c]).all()
    np.testing.assert_allclose(moved_queries[0], moved_keys[0], atol=1e-6)
