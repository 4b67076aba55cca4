"""The attention map keeps what a query attends to near it; new points find their place."""

from dataclasses import replace

import numpy as np
import pytest
from projection_points import layer_of, make_layer

from benchmarks import map_quality as quality
from services.atlas import ProjectionRef
from services.projection import layout_layer, pca_layer, place
from services.projection.attention import attended, attention_graph, attention_start, softmax_at_perplexity
from services.projection.watch import Watch
from services.streams import CAUSAL, FULL, StreamMask, StreamTokens
from tests.unit.head_data import seen

WATCH = Watch(None, 1)
MASKS = [FULL, CAUSAL, StreamMask(kind="sliding", window=2), StreamMask(kind="local", window=2)]


@pytest.fixture(scope="module")
def points():
    """Keys of very different norms: distance in the aligned space is not attention."""
    rng = np.random.default_rng(0)
    queries = rng.normal(size=(1, 300, 16)).astype(np.float32) + 0.5
    keys = (rng.normal(size=(1, 300, 16)) * rng.uniform(0.3, 3, (1, 300, 1))).astype(np.float32)
    return layer_of(queries, keys)


@pytest.fixture(scope="module")
def layouts(points):
    start = {d: pca_layer(points, d) for d in (2, 3)}
    requests = [ProjectionRef(method, d) for method in ("pca", "umap", "tsne", "attention") for d in (2, 3)]
    return layout_layer(points, requests, start=start, seed=0)


@pytest.mark.parametrize("dims", [2, 3])
def test_attended_keys_are_nearer_than_in_any_other_projection(points, layouts, dims):
    def kept(method):
        layout = layouts[ProjectionRef(method, dims)][0]
        return quality.top_keys_share(layout, points.queries[0], points.keys[0], near=40)

    def order(method):
        return quality.query_spearman(layouts[ProjectionRef(method, dims)][0], points.queries[0], points.keys[0])

    others = ("pca", "umap", "tsne")
    assert kept("attention") > 1.5 * max(kept(method) for method in others)
    assert order("attention") < min(order(method) for method in others)


def test_weights_are_the_softmax_of_the_scores_at_the_perplexity():
    rng = np.random.default_rng(0)
    scores = -np.sort(rng.exponential(size=(5, 60)), axis=1)
    weights = softmax_at_perplexity(scores).astype(np.float64)
    np.testing.assert_allclose(np.exp(-(weights * np.log(weights)).sum(axis=1)), 20, rtol=1e-2)
    beta = np.log(weights[:, :1] / weights) / (scores[:, :1] - scores + 1e-30)
    np.testing.assert_allclose(beta[:, 1:], np.broadcast_to(beta[:, 1:2], (5, 59)), rtol=1e-3)


def test_each_query_is_related_to_its_best_keys(points):
    queries, keys = points.queries[0], points.keys[0]
    weights = attended(queries, keys, WATCH, points.tokens).toarray()
    scores = queries @ keys.T
    np.testing.assert_array_equal(weights.argmax(axis=1), scores.argmax(axis=1))
    assert ((weights > 0).sum(axis=1) <= 60).all()


@pytest.mark.parametrize("mask", MASKS[1:], ids=lambda mask: mask.kind)
def test_no_query_is_related_to_a_key_that_its_mask_hides(points, mask):
    tokens = StreamTokens(mask, points.tokens.queries, points.tokens.keys)
    graph = attention_graph(points.queries[0], points.keys[0], WATCH, tokens)
    rows = np.repeat(np.arange(600), np.diff(graph.indptr))
    across = (rows < 300) & (graph.indices >= 300)
    keys, queries = tokens.keys.position[graph.indices[across] - 300], tokens.queries.position[rows[across]]
    assert across.any()
    assert all(seen(mask, query, key) for query, key in zip(queries, keys, strict=True))


def test_the_start_orders_keys_by_their_scores(points):
    queries, keys = points.queries[0], points.keys[0]
    assert quality.query_spearman(attention_start(queries, keys, 2), queries, keys) < -0.4


@pytest.mark.parametrize("mask", MASKS[1:], ids=lambda mask: mask.kind)
def test_a_layer_under_a_mask_is_laid_out(points, mask):
    hidden = replace(points, tokens=StreamTokens(mask, points.tokens.queries, points.tokens.keys))
    start = {2: pca_layer(points, 2)}
    layout = layout_layer(hidden, [ProjectionRef("attention", 2)], start=start, seed=0)[ProjectionRef("attention", 2)]
    assert np.isfinite(layout).all()


def test_points_already_there_are_placed_where_they_are(points, layouts):
    placed = place(points, points, layouts)
    for request, layout in layouts.items():
        assert placed[request].shape == layout.shape
        assert placed[request].dtype == np.float32
        away = np.linalg.norm(placed[request] - layout, axis=2).mean()
        if request.method == "pca":
            np.testing.assert_allclose(placed[request], layout, atol=1e-4)
        else:
            assert away < 0.75 * np.linalg.norm(layout, axis=2).mean()


def test_placed_queries_are_near_the_keys_they_attend_to(points, layouts):
    request = ProjectionRef("attention", 2)
    new = layer_of(points.queries[:, :20] + np.float32(0.1), points.keys[:, :20])
    placed = place(points, new, {request: layouts[request]})[request][0, :20]
    both = np.concatenate([placed, layouts[request][0, 300:]])
    assert quality.top_keys_share(both, new.queries[0], points.keys[0], near=40) > 0.3


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: mask.kind)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_placing_broken_vectors_and_few_points_stays_finite(mask):
    points = make_layer(heads=1, n_queries=4, n_keys=3, mask=mask)
    start = {2: pca_layer(points, 2)}
    requests = [ProjectionRef(method, 2) for method in ("pca", "umap", "tsne", "attention")]
    layouts = layout_layer(points, requests, start=start, seed=0)
    new = make_layer(heads=1, n_queries=2, n_keys=2, seed=1, mask=mask)
    new.queries[0, 0] = new.aligned_queries[0, 0] = np.nan
    for placed in place(points, new, layouts).values():
        assert placed.shape == (1, 4, 2)
        assert np.isfinite(placed).all()
