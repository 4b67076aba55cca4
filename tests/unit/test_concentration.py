"""Concentration tells few clusters from scattered hits, whatever the frame and scale of a map."""

import numpy as np
import pytest

from services.search import concentration as c


def masks(tokens, rows):
    mask = np.zeros(tokens, bool)
    mask[rows] = True
    return mask, mask


def cloud(tokens=800, heads=1, dims=2, seed=0):
    return np.random.default_rng(seed).normal(size=(heads, 2 * tokens, dims)).astype(np.float32)


def plain(layout, queries, keys):
    """The definition once more, hit by hit, for hits that need no sampling."""
    rng = np.random.default_rng(c.SEED)
    result, first = np.zeros(len(layout)), 0
    sides = 0
    for mask in (queries, keys):
        rows = list(np.flatnonzero(mask))
        if len(rows) >= c.FEWEST:
            sides += 1
            sets = c.draw_sets(len(rows), len(mask), rng)
            for head, points in enumerate(layout.astype(float)):
                expected = sum(quarter_radius(points[first + s]) for s in sets) / len(sets)
                result[head] += np.log(expected / quarter_radius(points[[first + row for row in rows]]))
        first += len(mask)
    return np.exp(result / sides)


def quarter_radius(points):
    found = []
    for i, point in enumerate(points):
        others = sorted(np.linalg.norm(point - other) for j, other in enumerate(points) if j != i)
        found.append(others[max(1, round(len(others) / 4)) - 1])
    return float(np.median(found))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("hits", [4, 5, 37])
def test_it_is_the_ratio_of_expected_and_found_radius(dims, hits):
    layout = cloud(heads=3, dims=dims)
    rows = np.random.default_rng(hits).choice(800, hits, replace=False)
    queries, keys = masks(800, rows)
    np.testing.assert_allclose(c.concentrations(layout, queries, keys), plain(layout, queries, keys), rtol=1e-4)


def test_few_clusters_are_concentrated_and_scattered_hits_are_not():
    layout = cloud(heads=4)
    rows = np.arange(60)
    rng = np.random.default_rng(3)
    for side in (0, 800):
        centres = rng.normal(size=(3, 2))
        layout[0, side + rows] = rng.normal(size=2) + 0.02 * rng.normal(size=(60, 2))  # one cluster
        layout[1, side + rows] = centres[rows % 3] + 0.05 * rng.normal(size=(60, 2))  # three clusters
        pairs = rng.normal(size=(30, 2))
        layout[2, side + rows] = pairs[rows // 2] + 0.001 * rng.normal(size=(60, 2))  # thirty scattered pairs
    one, three, pairs, random = c.concentrations(layout, *masks(800, rows))
    assert one > 10
    assert three > 4
    assert 0.6 < pairs < 1.7
    assert 0.7 < random < 1.4


def test_random_hits_have_a_ratio_of_one():
    layout = cloud(heads=40)
    rows = np.random.default_rng(9).choice(800, 200, replace=False)
    found = c.concentrations(layout, *masks(800, rows))
    assert abs(np.log(found).mean()) < 0.06
    assert 0.7 < found.min() < found.max() < 1.4


def test_moving_turning_and_scaling_a_map_change_nothing():
    layout = cloud(heads=2)
    hits = masks(800, np.arange(30))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    moved = (layout.astype(float) @ turn * 1000 + 50).astype(np.float32)
    np.testing.assert_allclose(c.concentrations(moved, *hits), c.concentrations(layout, *hits), rtol=1e-2)


def test_queries_and_keys_are_compared_among_themselves():
    layout = cloud()
    layout[:, 800:] = layout[:, :800] + 1e-4  # each key lies on its own query
    rows = np.random.default_rng(5).choice(800, 50, replace=False)
    assert 0.7 < c.concentrations(layout, *masks(800, rows))[0] < 1.4


def test_too_few_hits_have_no_figure():
    layout = cloud(heads=2)
    assert np.isnan(c.concentrations(layout, *masks(800, [1, 2, 3]))).all()
    assert np.isnan(c.concentrations(layout, *masks(800, []))).all()
    one_side = c.concentrations(layout, masks(800, np.arange(9))[0], np.zeros(800, bool))
    assert np.isfinite(one_side).all()


def test_everything_or_everything_on_one_place_is_a_number():
    layout = cloud(tokens=300)
    assert 0.8 < c.concentrations(layout, *masks(300, np.arange(300)))[0] < 1.25
    flat = np.zeros_like(layout)
    assert c.concentrations(flat, *masks(300, np.arange(10)))[0] == 1
    layout[:, :10] = layout[:, 300:310] = 0
    assert c.concentrations(layout, *masks(300, np.arange(10)))[0] == pytest.approx(99)


def test_a_large_atlas_takes_no_more_distances_than_a_small_one(monkeypatch):
    """0.14 s for 144 heads of 10,000 points: however many tokens and hits, the distances of a head are bounded."""
    distances = []
    plain = c.radii
    monkeypatch.setattr(c, "radii", lambda points: distances.append(points.shape[1] ** 2) or plain(points))
    hits = masks(5000, np.arange(4000))
    assert np.isfinite(c.concentrations(np.random.default_rng(0).random((2, 10_000, 2), dtype=np.float32), *hits)).all()
    assert sum(distances) < 150_000
