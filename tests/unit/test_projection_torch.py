"""The batched PyTorch engine computes what the compiled one computes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from projection_points import make_layer

from benchmarks import map_quality as quality
from services.atlas import ProjectionRef
from services.projection import layout_layer, pca_layer, torch_coupled, torch_engine, torch_forces, torch_graph
from services.projection.coupled import coupled
from services.projection.coupled_reference import gradient
from services.projection.graph import affinity_graph, fuzzy_graph
from services.projection.layout import HeadLayouts
from services.projection.neighbors import exact_neighbors
from services.projection.parameters import ATTENTION_COUPLING, PREFERENCE_COUPLING
from services.projection.points import Head
from services.projection.tsne_kernel import repulsion
from services.projection.watch import Watch
from services.streams import CAUSAL, FULL, StreamMask, StreamTokens

WATCH = Watch(None, 1)


@pytest.fixture(autouse=True)
def one_thread():
    """PyTorch's threads wait for each other actively: on a busy machine tiny tensors take minutes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def points():
    return make_layer(heads=2, n_queries=150, n_keys=100)


@pytest.fixture(scope="module")
def clouds(points):
    return [Head(points, head, print).cloud for head in range(2)]


def dense(graph):
    n = len(graph.indptr) - 1
    matrix = np.zeros((n, n))
    matrix[np.repeat(np.arange(n), np.diff(graph.indptr)), graph.indices] = graph.weights
    return matrix


def dense_head(edges, head):
    matrix = torch.zeros(edges.heads * edges.n, edges.heads * edges.n)
    matrix[edges.rows, edges.columns] = edges.weights
    own = slice(head * edges.n, (head + 1) * edges.n)
    return matrix[own, own].numpy()


def test_neighbours_and_graphs_are_the_compiled_ones(clouds):
    indices, distances = torch_graph.exact_neighbors(torch.tensor(np.stack(clouds)), 60, WATCH)
    for head, cloud in enumerate(clouds):
        expected = exact_neighbors(cloud, 60, WATCH)
        np.testing.assert_array_equal(indices[head], expected.indices)
        np.testing.assert_allclose(distances[head], expected.distances, rtol=1e-4)
        fuzzy = torch_graph.fuzzy_edges(indices[..., :14], distances[..., :14])
        np.testing.assert_allclose(dense_head(fuzzy, head), dense(fuzzy_graph(expected.first(14))), atol=1e-3)
        affinities = torch_graph.affinity_edges(indices, distances, 20.0)
        np.testing.assert_allclose(dense_head(affinities, head), dense(affinity_graph(expected, 20.0)), atol=1e-6)


@pytest.mark.parametrize("mask", [FULL, CAUSAL, StreamMask(kind="local", window=3)], ids=lambda mask: mask.kind)
@pytest.mark.parametrize("coupling", [ATTENTION_COUPLING, PREFERENCE_COUPLING], ids=["attention", "preference"])
def test_the_coupled_objective_is_the_compiled_one(points, mask, coupling):
    points = replace(points, tokens=StreamTokens(mask, points.tokens.queries, points.tokens.keys))
    heads = [Head(points, head, print) for head in range(2)]
    start = {2: pca_layer(points, 2)}
    problem = torch_coupled.coupled_heads(torch_engine.TorchLayouts(points, heads, start, 0, "cpu", WATCH), coupling)
    y = np.random.default_rng(0).normal(size=(2, 250, 2)).astype(np.float32) * 3
    every = [torch.arange(150), torch.arange(100)]
    found = torch_coupled.gradient(problem, torch.tensor(y), every, 2.0, WATCH)
    for index, head in enumerate(heads):
        expected = coupled(HeadLayouts(head, start, 0, "fast", WATCH), coupling)
        np.testing.assert_allclose(dense_head(problem.edges, index), dense(expected.graph), atol=1e-6)
        slope = gradient(expected, y[index].astype(np.float64), 2.0)
        np.testing.assert_allclose(found[index], slope, atol=1e-3 * np.abs(slope).max())


@pytest.mark.parametrize("dims", [2, 3])
def test_repulsion_is_the_compiled_one(dims):
    y = np.random.default_rng(0).normal(size=(1, 50, dims)).astype(np.float32)
    force, pairs = torch_forces.repulsion(torch.tensor(y), torch.tensor(y), WATCH)
    positions = np.ascontiguousarray(y[0].T)
    expected = np.empty_like(positions)
    total = repulsion(positions, positions, expected)
    np.testing.assert_allclose(force[0].T, expected, atol=1e-3)
    assert float(pairs) == pytest.approx(total - 50, rel=1e-4)


@pytest.mark.parametrize("dims", [2, 3])
def test_layouts_are_as_good_as_the_compiled_ones(points, clouds, dims):
    start = {dims: pca_layer(points, dims)}
    requests = [ProjectionRef(method, dims) for method in ("umap", "tsne", "attention", "preference")]
    compiled = layout_layer(points, requests, start=start, seed=0)
    batched = layout_layer(points, requests, start=start, seed=0, engine="torch")
    for request in requests:
        for head, cloud in enumerate(clouds):
            trust, recall = quality.neighbor_quality(cloud, batched[request][head])
            expected_trust, expected_recall = quality.neighbor_quality(cloud, compiled[request][head])
            assert trust > expected_trust - 0.02
            assert recall > expected_recall - 0.05


@pytest.mark.skipif(not torch.cuda.is_available(), reason="Triton's kernels need a GPU")
@pytest.mark.parametrize("dims", [2, 3])
def test_the_kernels_of_a_gpu_are_plain_pytorch(dims, monkeypatch):
    assert torch_forces.kernels() is not None
    rng = np.random.default_rng(0)
    n, edges = 150, 5000
    y, sources = (torch.tensor(rng.normal(size=(2, k, dims)) * 3, dtype=torch.float32, device="cuda") for k in (n, 70))
    weight = torch.rand(2, 70, device="cuda")
    rows = torch.randint(2 * n, (edges,), device="cuda").sort().values
    graph = torch_graph.Edges(rows, rows.flip(0), torch.rand(edges, device="cuda"), 2, n)
    compiled = [*torch_forces.pairs_of(y, sources, weight, WATCH), torch_forces.attraction(graph, y)]
    monkeypatch.setattr(torch_forces, "kernels", lambda: None)
    plain = [*torch_forces.pairs_of(y, sources, weight, WATCH), torch_forces.attraction(graph, y)]
    for ours, expected in zip(compiled, plain, strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-3, rtol=1e-3)
