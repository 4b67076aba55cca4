"""The coupled maps keep what a query attends to, or prefers, near it; new points find their place."""

from dataclasses import replace

import numpy as np
import pytest
from projection_points import layer_of, make_layer

from benchmarks import map_quality as quality
from services.atlas import ProjectionRef
from services.projection import layout_layer, pca_layer, place
from services.projection.affinities import attended, softmax_at_perplexity
from services.projection.coupled import HIDDEN, broad_softmax, coupled
from services.projection.coupled_kernel import Forces
from services.projection.coupled_reference import gradient
from services.projection.layout import HeadLayouts
from services.projection.parameters import ATTENTION_COUPLING, PREFERENCE_COUPLING
from services.projection.points import Head
from services.projection.watch import Watch
from services.streams import CAUSAL, FULL, StreamMask, StreamTokens
from tests.unit.head_data import seen

WATCH = Watch(None, 1)
METHODS = ("pca", "umap", "tsne", "attention", "preference")
COUPLINGS = [ATTENTION_COUPLING, PREFERENCE_COUPLING]
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
    requests = [ProjectionRef(method, d) for method in METHODS for d in (2, 3)]
    return layout_layer(points, requests, start=start, seed=0)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("method", ["attention", "preference"])
def test_attended_keys_are_nearer_than_in_projections_of_vectors(points, layouts, dims, method):
    queries = points.queries[0] - (points.queries[0].mean(axis=0) if method == "preference" else 0)

    def kept(method):
        return quality.top_keys_share(layouts[ProjectionRef(method, dims)][0], queries, points.keys[0], near=40)

    def order(method):
        return quality.query_spearman(layouts[ProjectionRef(method, dims)][0], queries, points.keys[0])

    others = ("pca", "umap", "tsne")
    assert kept(method) > 1.5 * max(kept(other) for other in others)
    if method == "attention":
        assert order(method) < min(order(other) for other in others)


def problem_of(points, coupling, mask=FULL):
    points = replace(points, tokens=StreamTokens(mask, points.tokens.queries, points.tokens.keys))
    return coupled(HeadLayouts(Head(points, 0, print), {2: pca_layer(points, 2)}, 0, "fast", WATCH), coupling)


def objective(problem, y):
    """The coupled objective as its definition reads, pair by pair: without the term of order."""
    n, n_queries = len(y), problem.n_queries
    graph, kinds = problem.graph, np.arange(n) >= n_queries
    w = 1 / (1 + ((y[:, None] - y) ** 2).sum(axis=2))
    np.fill_diagonal(w, 0)
    p = np.zeros((n, n))
    p[np.repeat(np.arange(n), np.diff(graph.indptr)), graph.indices] = graph.weights
    cross_entropy, across = -(p * np.log(np.where(w > 0, w, 1))).sum(), kinds[:, None] != kinds
    to_keys, to_queries, same_kind = problem.weights
    normalisers = np.log((w * across).sum(axis=1))
    own = [np.log(w[np.ix_(side, side)].sum()) for side in (~kinds, kinds)]
    coupled_part = to_keys * normalisers[~kinds].mean() + to_queries * normalisers[kinds].mean() + same_kind * sum(own)
    return cross_entropy + (1 - problem.joint) * coupled_part + problem.joint * np.log(w.sum())


def ordering(problem, y, squared, wanted, queries, keys):
    w = squared / (squared + ((y[queries][:, None] - y[keys]) ** 2).sum(axis=2)) * (wanted != HIDDEN)
    share = np.where(wanted > 0, w / w.sum(axis=1, keepdims=True), 1)
    return -(np.where(wanted > 0, wanted, 0) * np.log(share)).sum(axis=1).mean()


def slope(value, y, rows):
    step, found = 1e-5, []
    for row in rows:
        for axis in range(y.shape[1]):
            moved = [y.copy(), y.copy()]
            moved[0][row, axis] += step
            moved[1][row, axis] -= step
            found.append((value(moved[0]) - value(moved[1])) / (2 * step))
    return np.array(found).reshape(len(rows), -1)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("coupling", COUPLINGS, ids=["attention", "preference"])
def test_the_reference_goes_down_the_objective(points, coupling, dims):
    problem = problem_of(points, coupling)
    y, rows = np.random.default_rng(1).normal(size=(600, dims)) * 3, [0, 7, 301, 555]
    np.testing.assert_allclose(
        gradient(problem, y, 0.0)[rows], slope(lambda at: objective(problem, at), y, rows), atol=1e-7
    )


def test_the_term_of_order_is_the_divergence_from_the_softmax(points):
    problem = problem_of(points, ATTENTION_COUPLING, CAUSAL)
    y, squared = np.random.default_rng(1).normal(size=(600, 2)) * 3, None
    squared, order = y.var(axis=0).sum(), problem.order
    found = gradient(problem, y, 1.0) - gradient(problem, y, 0.0)
    of_queries = slope(
        lambda at: ordering(problem, at, squared, order.over_some, np.arange(300), 300 + order.keys), y, [0, 7, 150]
    )
    np.testing.assert_allclose(found[[0, 7, 150]], 0.3 * of_queries, atol=1e-7)
    of_keys = slope(
        lambda at: ordering(problem, at, squared, order.over_keys, order.queries, np.arange(300, 600)), y, [301, 555]
    )
    np.testing.assert_allclose(found[[301, 555]], of_keys, atol=1e-7)


@pytest.mark.parametrize("mask", [FULL, CAUSAL], ids=lambda mask: mask.kind)
@pytest.mark.parametrize("dims", [2, 3])
def test_the_compiled_gradient_is_that_of_the_reference(points, dims, mask):
    problem = problem_of(points, PREFERENCE_COUPLING, mask)
    y = np.random.default_rng(1).normal(size=(600, dims)) * 3
    places = np.ascontiguousarray(y.T, np.float32)
    found = Forces(problem, dims, 600).gradient(places, (np.arange(300), np.arange(300)), 2.0)
    expected = gradient(problem, y, 2.0)
    np.testing.assert_allclose(found.T, expected, atol=1e-4 * np.abs(expected).max())


def test_order_is_the_softmax_of_scores_in_their_deviations():
    scores = np.array([[1.0, 2.0, 4.0], [5.0, 5.0, 5.0], [1.0, 9.0, 9.0], [0.0, 0.0, 0.0]])
    hidden = np.array([[False] * 3, [False] * 3, [False, True, True], [True] * 3])
    expected = np.exp((scores[0] - scores[0].mean()) / scores[0].std())
    found = broad_softmax(scores, hidden)
    np.testing.assert_allclose(found[0], expected / expected.sum(), rtol=1e-6)
    np.testing.assert_allclose(found[1], 1 / 3, rtol=1e-6)
    np.testing.assert_array_equal(found[2:], [[1, HIDDEN, HIDDEN], [HIDDEN] * 3])


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
    graph = problem_of(points, ATTENTION_COUPLING, mask).graph
    rows = np.repeat(np.arange(600), np.diff(graph.indptr))
    across = (rows < 300) & (graph.indices >= 300)
    keys, queries = tokens.keys.position[graph.indices[across] - 300], tokens.queries.position[rows[across]]
    assert across.any()
    assert all(seen(mask, query, key) for query, key in zip(queries, keys, strict=True))


@pytest.mark.parametrize("mask", MASKS[1:], ids=lambda mask: mask.kind)
def test_a_layer_under_a_mask_is_laid_out(points, mask):
    hidden = replace(points, tokens=StreamTokens(mask, points.tokens.queries, points.tokens.keys))
    start = {2: pca_layer(points, 2)}
    for layout in layout_layer(hidden, [ProjectionRef(m, 2) for m in METHODS[3:]], start=start, seed=0).values():
        assert np.isfinite(layout).all()
        assert layout.std() > 0


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


@pytest.mark.parametrize("method", METHODS[3:])
def test_placed_queries_are_near_the_keys_they_attend_to(points, layouts, method):
    request = ProjectionRef(method, 2)
    new = layer_of(points.queries[:, :20] + np.float32(0.1), points.keys[:, :20])
    placed = place(points, new, {request: layouts[request]})[request][0, :20]
    both = np.concatenate([placed, layouts[request][0, 300:]])
    scored = new.queries[0] - (points.queries[0].mean(axis=0) if method == "preference" else 0)
    assert quality.top_keys_share(both, scored, points.keys[0], near=40) > 0.3


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: mask.kind)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_placing_broken_vectors_and_few_points_stays_finite(mask):
    points = make_layer(heads=1, n_queries=4, n_keys=3, mask=mask)
    start = {2: pca_layer(points, 2)}
    requests = [ProjectionRef(method, 2) for method in METHODS]
    layouts = layout_layer(points, requests, start=start, seed=0)
    new = make_layer(heads=1, n_queries=2, n_keys=2, seed=1, mask=mask)
    new.queries[0, 0] = new.aligned_queries[0, 0] = np.nan
    for placed in place(points, new, layouts).values():
        assert placed.shape == (1, 4, 2)
        assert np.isfinite(placed).all()
