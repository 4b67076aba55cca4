"""Sinks left out of the fit: which tokens count, and that alignment and PCA are fitted to those alone."""

import numpy as np
import pytest
from projection_points import layer_of, make_layer

from services.alignment import align
from services.alignment.comparison import pair_density
from services.alignment.fitting import fitted_points, fitted_tokens
from services.alignment.live import LiveAlignment, LiveHead
from services.alignment.pairs import head_pairs
from services.projection import LayerPoints, align_axes, pca_layer
from services.projection.methods.pca import PCA
from services.streams import FULL, Places, StreamTokens
from tests.unit.head_data import make_head


def sunk(seed=3, far=40.0):
    """A head whose first key of each input lies far away, in one place but for noise."""
    head = make_head(seed=seed, inputs=14)
    first = head["tokens"].keys.position == 0
    head["keys"] = np.where(first[:, None], head["keys"] + np.float32(far), head["keys"])
    return head, first


def tokens_with_special(head, special):
    places = head["tokens"].queries
    places = Places(places.input, places.position, None, special)
    return StreamTokens(FULL, places, places)


def test_the_tokens_left_out_are_those_that_were_named():
    head, first = sunk()
    special = np.arange(len(first)) % 3 == 0
    tokens = tokens_with_special(head, special)
    sides = {w: fitted_tokens(head["queries"], head["keys"], tokens, w) for w in ("first", "special", "outliers")}
    for side in (0, 1):
        np.testing.assert_array_equal(sides["first"][side], ~first)
        np.testing.assert_array_equal(sides["special"][side], ~special)
    np.testing.assert_array_equal(sides["outliers"][1], ~first)  # keys far away; the queries have no such ones
    assert sides["outliers"][0].mean() > 0.9
    assert fitted_tokens(head["queries"], head["keys"], tokens, "nothing") is None


@pytest.mark.parametrize(
    ("queries", "position"),
    [
        (np.eye(4, dtype=np.float32), np.zeros(4, np.int32)),  # inputs of one token each
        (np.ones((6, 3), np.float32) * [[2], [1], [1], [1], [1], [1]], np.arange(6)),  # all others are equal
    ],
)
def test_where_too_little_would_be_left_every_token_counts(queries, position):
    places = Places(np.zeros(len(queries), np.int32), position)
    kept = fitted_tokens(queries, queries, StreamTokens(FULL, places, places), "first")
    assert kept[0].all()
    assert kept[1].all()


def test_norms_that_are_all_equal_have_no_outliers_and_one_that_is_not_finite_never_counts():
    places = Places(np.zeros(20, np.int32), np.arange(20))
    unit = np.tile(np.eye(4, dtype=np.float32), (5, 1))
    assert fitted_tokens(unit, unit, StreamTokens(FULL, places, places), "outliers")[0].all()
    unit[3] = np.nan
    assert (~fitted_tokens(unit, unit, StreamTokens(FULL, places, places), "outliers")[0]).nonzero()[0].tolist() == [3]


def test_a_fitted_alignment_brings_the_centroids_of_what_counts_together_and_changes_no_attention():
    head, first = sunk()
    fitted = fitted_tokens(head["queries"], head["keys"], head["tokens"], "first")
    queries, keys, _ = align(head["queries"], head["keys"], 0.7, fitted=fitted)
    np.testing.assert_allclose(queries[~first].mean(axis=0), keys[~first].mean(axis=0), atol=1e-5)
    before, after = (
        np.exp(s - s.max(axis=1, keepdims=True))
        for s in (head["queries"].astype(np.float64) @ head["keys"].T.astype(np.float64), queries @ keys.T)
    )
    np.testing.assert_allclose(
        before / before.sum(axis=1, keepdims=True), after / after.sum(axis=1, keepdims=True), atol=1e-3
    )


def test_fitted_pca_is_that_of_the_points_that_count_and_shows_all():
    from sklearn import decomposition

    points = make_layer(seed=4)
    points.aligned_keys[:, ::10] += 30  # the first of each input
    fitted = fitted_points(points, "first")
    layouts = pca_layer(points, 2, fitted=fitted)
    for head in range(points.heads):
        cloud = np.concatenate([points.aligned_queries[head], points.aligned_keys[head]]).astype(np.float64)
        reference = decomposition.PCA(2).fit(cloud[fitted[head]])
        np.testing.assert_allclose(np.abs(layouts[head]), np.abs(reference.transform(cloud)), atol=1e-3)


def test_axes_are_turned_by_what_counts_alone():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(80, 2)) * [3, 1]
    turn, _ = np.linalg.qr(rng.normal(size=(2, 2)))
    layouts = np.stack([base, base @ turn]).astype(np.float32)[None].copy()
    layouts[0, 0, 0], layouts[0, 1, 0] = [500, 0], [0, 500]  # sinks that point elsewhere in each head
    fitted = np.ones((1, 2, 80), bool)
    fitted[..., 0] = False
    align_axes(layouts, fitted)
    np.testing.assert_allclose(layouts[0, 0, 1:], layouts[0, 1, 1:], atol=1e-3)
    assert np.abs(layouts[0, :, 0]).max() > 400


@pytest.mark.parametrize("space", ["euclidean", "cosine"])
@pytest.mark.parametrize("without", ["first", "outliers"])
def test_live_alignment_equals_the_builds_when_both_are_fitted_alike(space, without):
    head, _ = sunk()
    fitted = fitted_tokens(head["queries"], head["keys"], head["tokens"], without)
    queries, keys, _ = align(head["queries"], head["keys"], 0.8, space, fitted)
    points = LayerPoints(queries[None], keys[None], queries[None], keys[None], head["tokens"])
    wanted = pca_layer(points, 2, fitted=np.concatenate(fitted)[None])[0].astype(np.float64)
    found = LiveHead(**head, fitted=fitted).pca(LiveAlignment(0.8, True, space), 2).astype(np.float64)
    one, other = (np.linalg.norm(layout[:, None] - layout, axis=-1) for layout in (found, wanted))
    np.testing.assert_allclose(one, other, atol=1e-3 * wanted.max())


def test_the_study_measures_the_distances_of_the_fitted_alignment():
    head, _ = sunk()
    fitted = fitted_tokens(head["queries"], head["keys"], head["tokens"], "first")
    queries, keys, _ = align(head["queries"], head["keys"], 0.8, "euclidean", fitted)
    pairs = head_pairs(**head, fitted=fitted)
    runs = head["tokens"].runs_within_inputs().pairs()
    by_hand = np.linalg.norm(queries[runs[0]].astype(np.float64) - keys[runs[1]], axis=1)
    np.testing.assert_allclose(np.sort(pairs.distances(0.8)), np.sort(by_hand), rtol=1e-3, atol=1e-3)
    density = pair_density(**head, alignment=LiveAlignment(0.8), fitted=fitted)
    assert density.pearson == pytest.approx(pairs.measure(0.8).pearson, abs=1e-4)


def test_new_points_land_exactly_on_a_fitted_pca():
    points = make_layer(seed=6)
    points.aligned_keys[:, ::10] += 30
    layouts = pca_layer(points, 2, fitted=fitted_points(points, "first"))
    placed = PCA.place(points, points, layouts[1], 1)
    np.testing.assert_allclose(placed, layouts[1], atol=1e-3)


def test_points_of_one_place_are_still_one_point():
    queries, keys = np.full((1, 20, 8), 0.1, np.float32), np.full((1, 20, 8), 7.3, np.float32)
    points = layer_of(queries, keys)
    assert not pca_layer(points, 2, fitted=fitted_points(points, "first")).any()
