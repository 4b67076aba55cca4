"""How alike heads attend, their map and their families, against independent computations and planted heads."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon, pdist, squareform

from services.alignment import sharing
from services.atlas import open_atlas
from services.errors import NotStoredError
from services.measures import family_names, head_map, likeness


def rows_of(random: np.random.Generator, heads: int, rows: int, keys: int) -> np.ndarray:
    """Random rows of attention [heads, rows, keys] without a zero."""
    weights = random.dirichlet(np.full(keys, 0.3), size=(heads, rows)) + 1e-6
    return (weights / weights.sum(axis=2, keepdims=True)).astype(np.float32)


def test_divergences_are_the_mean_of_scipys():
    weights = rows_of(np.random.default_rng(0), 5, 7, 9)
    found = likeness.divergences(weights[:2].reshape(2, -1), weights.reshape(5, -1), rows=7)
    expected = [[np.mean(jensenshannon(a, b, base=2, axis=1) ** 2) for b in weights] for a in weights[:2]]
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert found[0, 0] < 1e-6


def test_like_compares_the_models_own_rows(small_atlas):
    atlas = open_atlas(small_atlas)
    stream = atlas.info.default_stream
    found = likeness.like(atlas, stream, 2, 5)
    rows = likeness.sample_rows(atlas.attention(stream), likeness.CELLS[1])
    assert found.rows == rows.count
    smoothed = []
    for layer, head in ((2, 5), (4, 1)):
        mine = []
        for index, queries in rows.of_inputs:
            block = atlas.attention(stream).block(index, layer, head)[queries].astype(np.float64)
            block /= block.sum(axis=1, keepdims=True)
            mine += list((1 - likeness.SMOOTHING) * block + likeness.SMOOTHING / block.shape[1])
        smoothed.append(mine)
    expected = np.mean([jensenshannon(a, b, base=2) ** 2 for a, b in zip(*smoothed, strict=True)])
    assert found.divergence[4 * 12 + 1] == pytest.approx(expected, abs=1e-5)
    assert found.divergence.argmin() == 2 * 12 + 5


def test_the_map_keeps_distances_that_two_dimensions_can_hold():
    points = np.random.default_rng(1).normal(size=(40, 2)) * [3, 1]
    squared = squareform(pdist(points, "sqeuclidean"))
    every = np.arange(40)
    places, shown = head_map.classical(squared, every)
    np.testing.assert_allclose(squareform(pdist(places, "sqeuclidean")), squared, atol=1e-9)
    assert shown == pytest.approx(1)
    some = every[::5]
    by_landmarks, _ = head_map.classical(squared[some], some)
    np.testing.assert_allclose(squareform(pdist(by_landmarks, "sqeuclidean")), squared, atol=1e-8)


@pytest.mark.parametrize("heads", [2, 3, 5])
def test_few_heads_and_equal_heads_have_a_map(heads):
    for squared in (np.zeros((heads, heads)), squareform(np.full(heads * (heads - 1) // 2, 0.5))):
        places, shown = head_map.classical(squared, np.arange(heads))
        assert places.shape == (heads, 2)
        assert np.isfinite(places).all()
        assert 0 <= shown <= 1
        cuts, widths = head_map.families(squared, np.arange(heads))
        assert len(cuts) == len(widths)
        assert cuts.shape[1:] == (heads,)


def test_heads_that_attend_the_same_but_for_rounding_lie_in_one_place_and_in_no_family():
    even = np.full((30, 24 * 20), 1 / 20, np.float32)
    noise = even * (1 + np.random.default_rng(5).normal(size=even.shape).astype(np.float32) * 1e-6)
    made = head_map.of_distances(likeness.between_all(noise, np.arange(30), 24), np.arange(30), 24, 4)
    assert not made.places.any()
    assert made.cuts.shape == (0, 30)
    other = even.copy()
    other[7] = np.tile(np.eye(20, dtype=np.float32)[0], 24) * 0.999 + 0.001 / 20
    apart = head_map.of_distances(likeness.between_all(other, np.arange(30), 24), np.arange(30), 24, 4)
    assert np.flatnonzero(apart.cuts[0] == 1).tolist() == [7]


def test_a_planted_family_is_found_and_named_by_what_it_shares():
    random = np.random.default_rng(2)
    heads, rows, keys = 40, 12, 10
    weights = random.dirichlet(np.full(keys, 5.0), size=(heads, rows))
    member = np.isin(np.arange(heads), [3, 9, 14, 20, 33, 38])
    weights[member] *= 0.05
    weights[member, :, 4] += 0.95
    flat = weights.reshape(heads, -1).astype(np.float32)
    squared = likeness.between_all(flat, np.arange(heads), rows)
    cuts, widths = head_map.families(squared, np.arange(heads))
    assert widths[0] > 0.5
    assert set(np.nonzero(cuts[0] == 1)[0]) == set(np.nonzero(member)[0])
    by_landmarks, _ = head_map.families(squared[::2], np.arange(0, heads, 2))
    assert set(np.nonzero(by_landmarks[0] == 1)[0]) == set(np.nonzero(member)[0])

    values = {"previous": weights[:, :, 4].mean(axis=1), "entropy": random.normal(size=heads)}
    known = {name: SimpleNamespace(label=name, form=SimpleNamespace(text=str)) for name in values}
    shared = family_names.shared(values, member)
    assert family_names.name(shared, known) == "previous high"
    assert shared[0].ahead == 1.0
    assert family_names.shared({"entropy": values["entropy"]}, member) == []


def test_names_come_by_chance_as_seldom_as_is_said():
    random = np.random.default_rng(3)
    named = 0
    for _ in range(200):
        values = {str(i): random.normal(size=72) for i in range(20)}
        named += bool(family_names.shared(values, random.permutation(72) < 6))
    assert named <= 8  # one in a hundred is allowed


def test_scores_of_ranks_are_those_of_mann_and_whitney():
    from scipy.stats import mannwhitneyu

    random = np.random.default_rng(4)
    values = np.round(random.normal(size=60), 1)  # with ties
    member = np.arange(60) < 15
    values[member] += 3
    (found,) = family_names.shared({"x": values}, member)
    assert found.ahead == pytest.approx(mannwhitneyu(values[member], values[~member]).statistic / (15 * 45))


def test_ten_thousand_heads_stay_within_the_bounds():
    for heads in (1, 2, 72, 270, 1000, 5120, 10_000, 40_000):
        landmarks, cells = likeness.plan(heads)
        assert len(landmarks) <= heads
        assert landmarks[-1] == heads - 1
        assert likeness.CELLS[0] <= cells <= likeness.CELLS[1]
        pairs = heads**2 / 2 if len(landmarks) == heads else heads * len(landmarks)
        assert pairs * cells <= 1.05 * likeness.WORK or len(landmarks) == likeness.LANDMARKS[0]


def test_a_map_is_kept_under_what_it_is_made_from(small_atlas, tmp_path):
    atlas = open_atlas(small_atlas)
    stream = atlas.info.default_stream
    told = []
    made = head_map.make(atlas, stream, lambda done, of: told.append((done, of)))
    assert told[-1] == (72, 72)
    path = head_map.file_of(atlas, stream, tmp_path)
    with pytest.raises(KeyError):
        head_map.read(path)
    head_map.write(path, made)
    again = head_map.read(path)
    np.testing.assert_array_equal(again.places, made.places)
    np.testing.assert_array_equal(again.cuts, made.cuts)
    assert again.rows == made.rows
    assert 0 < again.shown < 1
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(KeyError):
        head_map.read(path)
    assert not path.exists()


def test_another_atlas_is_compared_over_the_inputs_that_both_cut_alike(small_atlas, tmp_path, monkeypatch):
    other = open_atlas(shutil.copytree(small_atlas, tmp_path / "other"))
    atlas = open_atlas(small_atlas)
    stream = atlas.info.default_stream
    found = likeness.like(atlas, stream, 1, 3, (other, stream))
    np.testing.assert_allclose(found.divergence, likeness.like(atlas, stream, 1, 3).divergence, atol=1e-6)
    sharing.sharing.cache_clear()
    monkeypatch.setattr(sharing, "_texts", lambda table, rows: (str(id(table)),))
    with pytest.raises(NotStoredError, match="share 12 inputs, but none that both models cut"):
        likeness.like(atlas, stream, 1, 3, (other, stream))
