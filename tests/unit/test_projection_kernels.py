"""One step of each compiled kernel against a plain numpy transcription of its formula."""

import numpy as np
import pytest
from projection_points import make_layer

from services.projection.graph import affinity_graph, conditional_probabilities, fuzzy_graph, memberships
from services.projection.neighbors import exact_neighbors
from services.projection.points import Head
from services.projection.tsne_kernel import attraction, descend, kl_divergence, repulsion, tsne_descent
from services.projection.umap_kernel import (
    NEGATIVE_SAMPLES,
    A,
    B,
    fast_power,
    umap_epoch,
    umap_sgd,
    xorshift,
)
from services.projection.watch import Watch

WATCH = Watch(None, 1)


@pytest.fixture(scope="module")
def cloud():
    return Head(make_layer(heads=1), 0, print).cloud


@pytest.fixture(scope="module")
def neighbors(cloud):
    return exact_neighbors(cloud, 60, WATCH)


def dense(graph):
    n = len(graph.indptr) - 1
    matrix = np.zeros((n, n))
    matrix[np.repeat(np.arange(n), np.diff(graph.indptr)), graph.indices] = graph.weights
    return matrix


def test_memberships_sum_to_log2_of_the_neighbours(neighbors):
    strength = memberships(neighbors.first(14).distances)
    np.testing.assert_allclose(strength.sum(axis=1), np.log2(15), atol=1e-3)
    np.testing.assert_allclose(strength[:, 0], 1)


@pytest.mark.slow
def test_fuzzy_graph_is_umap_learns(cloud, neighbors):
    from umap.umap_ import fuzzy_simplicial_set

    own = neighbors.with_self(15)
    expected, _, _ = fuzzy_simplicial_set(
        cloud, 15, np.random.RandomState(0), "euclidean", knn_indices=own.indices, knn_dists=own.distances
    )
    np.testing.assert_allclose(dense(fuzzy_graph(neighbors.first(14))), expected.toarray(), atol=2e-3)


@pytest.mark.parametrize("perplexity", [5.0, 20.0])
def test_conditional_probabilities_have_the_perplexity(neighbors, perplexity):
    p = conditional_probabilities(neighbors.distances, perplexity).astype(np.float64)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.exp(-(p * np.log(p + 1e-30)).sum(axis=1)), perplexity, rtol=1e-3)


def test_joint_probabilities_are_symmetric_and_sum_to_one(neighbors):
    p = dense(affinity_graph(neighbors, 20.0))
    np.testing.assert_allclose(p, p.T)
    assert p.sum() == pytest.approx(1, abs=1e-5)


def test_the_fast_power_is_a_power():
    base = np.geomspace(1e-12, 1e6, 2000).astype(np.float32)
    for exponent in (float(B), float(B) - 1):
        found = np.array([fast_power(x, np.float32(exponent)) for x in base])
        np.testing.assert_allclose(found, base.astype(np.float64) ** exponent, rtol=1e-4)


@pytest.mark.parametrize("dims", [2, 3])
def test_one_umap_epoch_is_the_formula(neighbors, dims):
    graph = fuzzy_graph(neighbors.first(14))
    n = len(graph.indptr) - 1
    rng = np.random.default_rng(0)
    start = np.zeros((n, 3), np.float32)
    start[:, :dims] = rng.normal(size=(n, dims)) * 3
    period = (graph.weights.max() / graph.weights).astype(np.float32)
    due = np.where(rng.random(len(period)) < 0.5, 0, period).astype(np.float32)
    rate, state = 0.7, np.uint64(12345)

    y, random = start.astype(np.float64), state
    a, b = float(A), float(B)
    for i in range(n):
        drawn = 0
        for e in range(graph.indptr[i], graph.indptr[i + 1]):
            if due[e] > 0:
                continue
            drawn += 1
            j = graph.indices[e]
            gap = y[i] - y[j]
            d2 = gap @ gap
            if d2 > 0:
                step = np.clip(-2 * a * b * d2 ** (b - 1) / (1 + a * d2**b) * gap, -4, 4) * rate
                y[i] += step
                y[j] -= step
        others = []
        for _ in range(drawn * NEGATIVE_SAMPLES):
            random = xorshift(random)
            others.append(int(int(random) * n >> 32))
        gaps = y[i] - y[others]
        d2 = np.maximum((gaps**2).sum(axis=1, keepdims=True), 1e-12)
        pushes = np.clip(2 * b / ((0.001 + d2) * (1 + a * d2**b)) * gaps, -4, 4)
        y[i] += pushes.sum(axis=0) * rate

    found = start.copy()
    last = umap_epoch(found, graph.indptr, graph.indices, period, due.copy(), 0, np.float32(rate), state)
    assert last == random
    np.testing.assert_allclose(found, y, atol=0.02)
    if dims == 2:
        assert not found[:, 2].any()


@pytest.mark.parametrize("dims", [2, 3])
def test_one_tsne_step_is_the_gradient_of_the_divergence(neighbors, dims):
    graph = affinity_graph(neighbors, 20.0)
    n = len(graph.indptr) - 1
    y = np.random.default_rng(0).normal(size=(n, dims))
    p = dense(graph)

    gap = y[:, None] - y[None]
    w = 1 / (1 + (gap**2).sum(axis=-1))
    np.fill_diagonal(w, 0)
    q = w / w.sum()
    gradient = 4 * (((p - q) * w)[..., None] * gap).sum(axis=1)  # van der Maaten & Hinton 2008, eq. 5

    positions = np.ascontiguousarray(y.T, np.float32)
    attractive, repulsive = np.empty_like(positions), np.empty_like(positions)
    pairs = repulsion(positions, positions, repulsive) - n
    attraction(positions, graph.indptr, graph.indices, graph.weights, attractive)
    velocity, gains = np.zeros_like(positions), np.ones_like(positions)
    one = np.float32(1)
    descend(positions, velocity, gains, attractive, repulsive, one, np.float32(1 / pairs), one, np.float32(0.8))
    gain = np.where(gradient > 0, 1.2, 0.8)
    np.testing.assert_allclose(positions.T, y - gain * gradient, atol=1e-5)
    expected = (p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum()
    assert kl_divergence(graph, y) == pytest.approx(expected, rel=1e-4)


def test_sampled_repulsion_ends_as_low_as_the_exact_one():
    """Over five starts: one alone lies 0.09 or 0.11 above the exact one, by the processor it runs on."""
    cloud = Head(make_layer(heads=1, n_queries=400, n_keys=400), 0, print).cloud
    graph = affinity_graph(exact_neighbors(cloud, 60, WATCH), 20.0)
    above = []
    for seed in range(5):
        start = np.random.default_rng(seed).normal(size=(800, 2)) * 5
        exact = kl_divergence(graph, tsne_descent(graph, start, seed, WATCH, 300))
        sampled = kl_divergence(graph, tsne_descent(graph, start, seed, WATCH, 300, sources=400))
        assert max(exact, sampled) < kl_divergence(graph, start) / 2
        above.append(sampled - exact)
    assert np.median(above) < 0.125


def test_umap_draws_equal_points_apart(neighbors):
    graph = fuzzy_graph(neighbors.first(14))
    layout = umap_sgd(graph, np.random.default_rng(0).normal(0, 1e-4, (120, 2)), 0, WATCH, 200)
    assert layout.std() > 1
