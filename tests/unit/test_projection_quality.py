"""The quality measures themselves, and ours beside umap-learn and openTSNE on real heads."""

import numpy as np
import pytest
from projection_points import layer_of, make_layer

from benchmarks import map_quality as quality
from services.atlas import ProjectionRef
from services.projection import layout_layer, pca_layer


@pytest.fixture(scope="module")
def cloud():
    return np.random.default_rng(0).normal(size=(200, 5))


def test_a_faithful_layout_has_full_marks(cloud):
    assert quality.neighbor_quality(cloud, cloud * 3 + 1) == (1.0, 1.0)


def test_trustworthiness_is_sklearns(cloud):
    from sklearn.manifold import trustworthiness

    layout = cloud[:, :2]
    found, recall = quality.neighbor_quality(cloud, layout)
    assert found == pytest.approx(trustworthiness(cloud, layout, n_neighbors=15), abs=1e-6)
    assert 0.1 < recall < 0.9


def test_copies_may_stand_in_for_each_other(cloud):
    copies = np.repeat(cloud[:10], 20, axis=0)
    shuffled = copies + np.random.default_rng(0).normal(0, 1e-3, copies.shape)
    assert quality.neighbor_quality(copies, shuffled, k=15)[1] == 1.0


def test_a_layout_ordered_by_scores_keeps_the_best_keys():
    keys = np.linspace(-1, 1, 300)[:, None]
    queries = np.ones((20, 1))
    layout = np.concatenate([np.full((20, 1), 2.0), keys])
    assert quality.top_keys_share(layout, queries, keys) == 1.0
    assert quality.top_keys_share(-layout, queries, keys) == 1.0
    assert quality.query_spearman(layout, queries, keys) == pytest.approx(-1)
    assert quality.top_keys_distance(layout, queries, keys) < 0.6
    away = np.concatenate([np.full((20, 1), -2.0), keys])
    assert quality.top_keys_share(away, queries, keys) == 0.0
    assert quality.query_spearman(away, queries, keys) == pytest.approx(1)


def test_equal_scores_are_equally_good():
    keys = np.ones((300, 1))
    layout = np.random.default_rng(0).normal(size=(310, 2))
    assert quality.top_keys_share(layout, np.ones((10, 1)), keys) == 1.0


def test_spearman_within_inputs_ignores_other_inputs():
    points = make_layer(heads=1)
    queries, keys = points.queries[0], points.keys[0]
    layout = np.random.default_rng(0).normal(size=(120, 2))
    inputs = points.tokens.queries.input
    found = quality.input_spearman(layout, queries, keys, inputs, inputs)
    expected = []
    for chosen in range(6):
        own = inputs == chosen
        rows = np.concatenate([layout[:60][own], layout[60:][own]])
        expected.append(quality.query_spearman(rows, queries[own], keys[own]))
    assert found == pytest.approx(np.mean(expected))


@pytest.fixture(scope="module")
def minilm():
    """Two heads of MiniLM on a few sentences, far apart in the model."""
    from benchmarks.minilm_points import capture, sentences_of_sklearn

    captured = capture(sentences_of_sklearn(), 500)
    chosen = [5, 65]
    return layer_of(captured["queries"][chosen], captured["keys"][chosen])


def marks_of(layer, layouts, requests):
    """Trustworthiness, recall and order of each layout, averaged over the heads: [requests, 3]."""
    spaces = [np.concatenate([layer.aligned_queries[h], layer.aligned_keys[h]]) for h in range(layer.heads)]
    return np.array(
        [
            np.mean(
                [
                    [
                        *quality.neighbor_quality(spaces[h], layouts[request][h]),
                        -quality.query_spearman(layouts[request][h], layer.queries[h], layer.keys[h]),
                    ]
                    for h in range(layer.heads)
                ],
                axis=0,
            )
            for request in requests
        ]
    )


@pytest.mark.slow
def test_ours_is_as_good_as_umap_learn_and_opentsne_on_real_heads(minilm):
    start = {2: pca_layer(minilm, 2)}
    requests = [ProjectionRef("umap", 2), ProjectionRef("tsne", 2)]

    def marks(engine, seeds):
        runs = [layout_layer(minilm, requests, start=start, seed=seed, engine=engine) for seed in seeds]
        return np.mean([marks_of(minilm, layouts, requests) for layouts in runs], axis=0)

    # Recall moves by up to 0.012 from seed to seed, more than the margin: compare means.
    ours, theirs = marks("fast", range(4)), marks("reference", range(2))
    print(ours, theirs)
    for trust, recall, order in ours - theirs:
        assert trust > -0.01
        assert recall > -0.01
        # Neither method aims at this; it depends on how clusters happen to lie (docs/projection.md).
        assert order > -0.2
