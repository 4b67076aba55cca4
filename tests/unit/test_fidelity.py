"""Fidelity of maps against plain computations, scikit-learn and SciPy, and on heads where nothing is defined."""

import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from benchmarks.map_quality import neighbor_quality, top_keys_share
from services.alignment import align
from services.measures import fidelity as module
from services.measures import fidelity_kernels
from services.measures.attended import attended
from services.measures.fidelity import (
    FEW_KEYS,
    ONE_SPOT,
    SPACE_MEASURES,
    aligned_fidelity,
    head_sample,
    layout_fidelity,
    near_counts,
    space_fidelity,
    squares,
)
from services.numerics.agreement import NOT_FINITE
from services.numerics.linear import lift
from services.streams import CAUSAL, FULL, Places, StreamMask, StreamTokens
from tests.unit.head_data import MASKS, make_head, masked, naive_pairs, real_head, seen, shortened
from tests.unit.test_scaling import broken_heads

EVERY = 100_000  # a sample of all


def sample_of(head, **options):
    queries, keys, _ = align(head["queries"], head["keys"])
    return head_sample(head["queries"], head["keys"], queries, keys, head["tokens"], **options)


def both_fidelities(sample, layout):
    """Of a map and of the aligned space beneath it."""
    return layout_fidelity(sample, layout), aligned_fidelity(sample)


def layout_of(head, seed=0, dims=2):
    """A poor map: two coordinates of the aligned vectors and noise."""
    queries, keys, _ = align(head["queries"], head["keys"])
    cloud = np.concatenate([queries, keys])[:, :dims]
    return (cloud + np.random.default_rng(seed).normal(size=cloud.shape) * 0.2).astype(np.float32)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("make", [lambda: make_head(seed=1, inputs=20), lambda: real_head()[0]], ids=["random", "real"])
def test_reading_equals_a_naive_computation(make, mask):
    head = masked(make(), mask)
    layout = layout_of(head)
    found = layout_fidelity(sample_of(head, sample=EVERY), layout).values
    n = len(head["queries"])
    scores = head["queries"].astype(np.float64) @ head["keys"].astype(np.float64).T
    shown = cdist(layout[:n], layout[n:])
    rows, columns = (np.array(side) for side in naive_pairs(head))
    x, y = scores[rows, columns], shown[rows, columns]
    assert found["spearman"] == pytest.approx(stats.spearmanr(_less_key_mean(head)[rows, columns], y)[0], abs=1e-6)
    assert found["pearson"] == pytest.approx(stats.pearsonr(_less_key_mean(head)[rows, columns], y)[0], abs=1e-6)
    each = [stats.spearmanr(x[rows == row], y[rows == row]).statistic for row in range(n) if (rows == row).sum() >= 3]
    assert found["query_spearman"] == pytest.approx(np.mean(each), abs=1e-6)
    near = near_counts(len(head["keys"]))
    shares = []
    for row in range(n):
        mine = columns[rows == row]
        if len(mine) >= 2:
            top = mine[np.argsort(-scores[row, mine], kind="stable")[:5]]
            close = np.argsort(shown[row])[: near["attended_near"]]
            shares.append(np.isin(top, close).mean())
    assert found["attended_near"] == pytest.approx(np.mean(shares), abs=1e-9)
    best = np.argsort(-scores, axis=1)[:, : min(10, near["best_near"])]
    close = np.argsort(shown, axis=1)[:, : near["best_near"]]
    assert found["best_near"] == pytest.approx(
        np.mean([np.isin(b, c).mean() for b, c in zip(best, close, strict=True)]), abs=1e-9
    )


def _less_key_mean(head):
    """Pooled correlations are of the scores less each query's constant q·k̄, as the softmax sees them."""
    queries, keys = head["queries"].astype(np.float64), head["keys"].astype(np.float64)
    return queries @ (keys - keys.mean(axis=0)).T


def test_neighbors_equal_scikit_learn():
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import NearestNeighbors

    head = make_head(seed=2, inputs=20)
    layout = layout_of(head)
    found = layout_fidelity(sample_of(head, sample=EVERY), layout).values
    cloud = np.concatenate(align(head["queries"], head["keys"])[:2])
    assert found["trustworthiness"] == pytest.approx(trustworthiness(cloud, layout, n_neighbors=15), abs=1e-5)
    true, shown = (
        NearestNeighbors(n_neighbors=15).fit(points).kneighbors(return_distance=False) for points in (cloud, layout)
    )
    kept = np.mean([len(np.intersect1d(a, b)) / 15 for a, b in zip(true, shown, strict=True)])
    assert found["recall"] == pytest.approx(kept, abs=1e-9)
    n = len(head["queries"])
    other = np.where(np.arange(2 * n)[:, None] < n, shown >= n, shown < n).mean(axis=1)
    assert found["mixing"] == pytest.approx(other.mean() * (2 * n - 1) / n, abs=1e-9)


def test_agrees_with_the_projections_own_quality():
    head = make_head(seed=3, inputs=90)
    layout = layout_of(head)
    found = layout_fidelity(sample_of(head, sample=EVERY), layout).values
    cloud = np.concatenate(align(head["queries"], head["keys"])[:2])
    trust, recall = neighbor_quality(cloud - cloud.mean(axis=0), layout, sample=EVERY)
    assert (found["trustworthiness"], found["recall"]) == pytest.approx((trust, recall), abs=1e-6)
    assert near_counts(len(head["keys"]))["best_near"] == 100
    expected = top_keys_share(layout, head["queries"], head["keys"], sample=EVERY)
    assert found["best_near"] == pytest.approx(expected, abs=1e-6)


def test_a_perfect_map_and_a_shuffled_one():
    head = make_head(seed=4, inputs=60, head_dim=2)
    cloud = np.concatenate(align(head["queries"], head["keys"])[:2])
    sample = sample_of(head)
    perfect = layout_fidelity(sample, cloud * 3 + 1).values
    assert perfect["trustworthiness"] == pytest.approx(1.0, abs=1e-6)
    assert perfect["recall"] > 0.999
    shuffled = layout_fidelity(sample, np.random.default_rng(0).permutation(cloud)).values
    assert shuffled["trustworthiness"] == pytest.approx(0.5, abs=0.05)
    assert abs(shuffled["query_spearman"]) < 0.1
    assert shuffled["mixing"] == pytest.approx(1.0, abs=0.1)


def test_the_lift_reads_exactly():
    """In the lifted space distance orders each query's keys as attention does: −1 and 1 by construction."""
    head = make_head(seed=5, inputs=60)
    found = space_fidelity(sample_of(head), np.concatenate(lift(head["queries"], head["keys"]))).values
    assert found["query_spearman"] == pytest.approx(-1.0, abs=1e-6)
    assert found["best_near"] == pytest.approx(1.0)


def test_the_models_own_attention_is_used():
    head, blocks, _ = real_head()
    top = attended((block, np.ones(block.shape[-2:], bool)) for block in blocks).top
    layout = layout_of(head)
    own = layout_fidelity(sample_of(head, attended=top), layout).values["attended_near"]
    by_scores = layout_fidelity(sample_of(head), layout).values["attended_near"]
    assert own == pytest.approx(by_scores, abs=0.01)  # float16 vectors may swap the fifth key with the sixth
    other = layout_fidelity(sample_of(head, attended=np.roll(top, 40, axis=0)), layout).values["attended_near"]
    assert other != own


def test_copies_share_what_is_left():
    distances = np.array([[0.0, 1.0, 1.0, 1.0, 2.0], [4.0, 3.0, 2.0, 1.0, 0.0]])
    expected = [[1, 1 / 3, 1 / 3, 1 / 3, 0], [0, 0, 0, 1, 1]]
    none = np.full((2, 1), -1, np.int64)
    for key in range(5):
        credits, other = np.zeros((2, 3)), (np.zeros(3, np.int64), np.empty(0, np.int64), np.empty(0))
        one = np.array([0, 1, 2]), np.array([key, key]), np.ones(2)
        fidelity_kernels.near_keys(distances, np.empty((2, 0)), np.empty((0, 0)), 2, 2, none, *one, *one, credits)
        np.testing.assert_allclose(credits[:, 1:], np.array(expected)[:, [key, key]])
        top = none + 1 + key
        fidelity_kernels.near_keys(distances, np.empty((2, 0)), np.empty((0, 0)), 2, 2, top, *one, *other, credits)
        np.testing.assert_allclose(credits[:, 0], np.array(expected)[:, key])


@pytest.mark.parametrize("dims", [2, 3, 7])
def test_squares(dims):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(9, dims)) + 50, rng.normal(size=(11, dims)) + 50
    np.testing.assert_allclose(squares(a, b), cdist(a, b) ** 2, atol=1e-9)


def test_chunks_do_not_matter(monkeypatch):
    head = make_head(seed=6, inputs=30)
    layout = layout_of(head)
    whole = both_fidelities(sample_of(head), layout)
    monkeypatch.setattr("services.measures.fidelity.CHUNK", 1000)
    found = both_fidelities(sample_of(head), layout)
    assert [one.values for one in found] == [pytest.approx(one.values, abs=1e-9) for one in whole]


def test_sampling_is_seeded():
    head = make_head(seed=7, inputs=40)
    layout = layout_of(head)
    one, two = (layout_fidelity(sample_of(head, sample=30), layout).values for _ in range(2))
    assert one == two
    assert one != layout_fidelity(sample_of(head, sample=30, seed=1), layout).values


@pytest.mark.parametrize("name", list(broken_heads()))
def test_broken_heads_give_no_warning_and_no_nan(name):
    head = broken_heads()[name]
    n = len(head["queries"]) + len(head["keys"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample = _sample_without_mean_warning(head)
        for layout in (np.zeros((n, 2)), np.random.default_rng(0).normal(size=(n, 2)), np.full((n, 3), np.nan)):
            for found in both_fidelities(sample, layout):
                _check_complete(found)


def _sample_without_mean_warning(head):
    return head_sample(head["queries"], head["keys"], head["queries"], head["keys"], head["tokens"])


def _check_complete(found):
    for name, value in found.values.items():
        assert value is None or np.isfinite(value), name
        assert (value is None) == (name in found.reasons), name
        assert value is None or found.reasons.get(name, "") == ""
    assert all(found.reasons.values())
    assert {"pearson", "best_near", "mixing"} <= set(found.values)


def test_reasons_of_maps():
    head = make_head()
    n = 2 * len(head["queries"])
    sample = sample_of(head)
    assert layout_fidelity(sample, np.ones((n, 2))).reasons["spearman"] == ONE_SPOT
    bad = layout_of(head)
    bad[3, 0] = np.nan
    assert layout_fidelity(sample, bad).reasons["recall"] == NOT_FINITE
    tiny = shortened(head, slice(1, 4))
    found = layout_fidelity(sample_of(tiny), layout_of(tiny))
    assert found.reasons["best_near"] == FEW_KEYS.format(4)


def test_vectors_that_are_not_finite_are_left_out():
    head = make_head(seed=8, inputs=20)
    layout = layout_of(head)
    keep = np.ones(len(head["queries"]), bool)
    keep[[2, 30]] = False
    clean = shortened(head, keep)
    expected = layout_fidelity(_sample_without_mean_warning(clean), layout[np.concatenate([keep, keep])]).values
    bad = head | {"queries": head["queries"].copy(), "keys": head["keys"].copy()}
    bad["queries"][~keep], bad["keys"][~keep] = np.nan, np.inf
    layout[: len(keep)][~keep] = np.nan  # whatever the map did with them
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = layout_fidelity(_sample_without_mean_warning(bad), layout).values
    assert found == pytest.approx(expected, abs=1e-9)


def test_aligned_space_has_the_reading_measures_only():
    found = aligned_fidelity(sample_of(make_head(seed=9)))
    assert set(found.values) == set(SPACE_MEASURES)
    assert found.values["query_spearman"] < -0.3


@pytest.mark.parametrize("mask", [FULL, CAUSAL, StreamMask(kind="local", window=1)], ids=lambda mask: mask.kind)
def test_attended_reads_the_blocks(mask):
    rng = np.random.default_rng(0)
    blocks = []
    for length in (1, 4, 9):
        weights = rng.random((length, length)) + 0.01
        weights[:, 0] += length
        weights = weights * mask.visible(length, length)
        blocks.append((weights / weights.sum(axis=1, keepdims=True)).astype(np.float16))
    found = attended((block, mask.visible(*block.shape)) for block in blocks)
    assert found.top.shape == (14, 5)
    for query in range(4):
        order = [k for k in np.argsort(-blocks[1][query], kind="stable") if seen(mask, query, k)]
        assert [k for k in found.top[1 + query] if k >= 0] == [1 + k for k in order]
    counted = [block[mask.visible(*block.shape).sum(axis=1) >= 3] for block in blocks[1:]]
    assert found.first_share == pytest.approx(np.mean([b[:, 0].astype(float).mean() for b in counted]), abs=1e-3)
    if mask.kind == "local":  # most queries cannot see the first token
        return
    assert 0 < found.last_share < found.even_share < found.first_share


def test_attended_of_nothing():
    found = attended((block, block > 0) for block in (np.ones((1, 1)), np.empty((0, 0))))
    assert found.first_share is None
    assert found.top.tolist() == [[0, -1, -1, -1, -1]]


def test_the_work_grows_with_the_points_and_not_with_their_square(monkeypatch):
    """72 heads of 6,900 points take 30 s on one core, as only a sample of points is measured against all others."""
    rng = np.random.default_rng(0)
    n = 3450
    places = Places(np.arange(n) // 20, np.arange(n) % 20)
    head = {
        "queries": rng.normal(size=(n, 32)).astype(np.float32),
        "keys": rng.normal(size=(n, 32)).astype(np.float32),
        "tokens": StreamTokens(FULL, places, places),
    }
    distances = []
    plain = module.squares
    monkeypatch.setattr(
        module, "squares", lambda rows, points: distances.append(len(rows) * len(points)) or plain(rows, points)
    )
    found = layout_fidelity(sample_of(head), layout_of(head))
    assert not found.reasons
    assert 0 < sum(distances) <= 3 * module.SAMPLE * 2 * n
    assert max(distances) <= module.CHUNK
