"""The scale c: every metric against a plain float64 computation, and heads on which nothing can be measured."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import stats

from services.alignment import align
from services.alignment.pairs import PairChoice, head_pairs
from services.alignment.scale_metrics import (
    CONSTANTS,
    CURVE,
    choose_scales,
    nearest_constant,
    norm_ratio,
    scaled_by_counts,
    study_head,
)
from services.numerics.correlation import correlation_within, ranks, ranks_within
from services.streams import FULL, Places, StreamTokens
from tests.unit.head_data import (
    MASKS,
    make_head,
    masked,
    naive_distances,
    naive_pairs,
    naive_weighted,
    real_head,
    shortened,
)

CHOICES = [
    PairChoice(),
    PairChoice(pairs="all"),
    PairChoice(distance="cosine"),
    PairChoice(translate=False),
    PairChoice(distance="cosine", translate=False, pairs="all"),
]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_metrics_equal_a_naive_float64_loop(choice, mask):
    head = make_head(seed=3, inputs=30, longest=16) if choice.pairs == "input" else make_head(seed=3, inputs=8)
    _compare_with_naive(masked(head, mask), choice, CONSTANTS if choice.pairs == "input" else (0.2, 1.0, 2.5))


def test_metrics_of_a_real_head_equal_a_naive_float64_loop():
    head, _, _ = real_head()
    _compare_with_naive(head, PairChoice(), CONSTANTS)


def _compare_with_naive(head, choice, constants):
    rows, columns = naive_pairs(head, pairs=choice.pairs)
    options = {"distance": choice.distance, "translate": choice.translate}
    pairs = head_pairs(**head, choice=choice)
    assert pairs.pairs == len(rows)
    _, unscaled = naive_distances(head, 1.0, rows, columns, **options)
    fixed = np.percentile(unscaled, 0.5)
    for c in constants:
        dots, distances = naive_distances(head, c, rows, columns, **options)
        found = pairs.measure(c)
        assert found.pearson == pytest.approx(stats.pearsonr(dots, distances).statistic, abs=1e-6)
        assert found.spearman == pytest.approx(stats.spearmanr(dots, distances).statistic, abs=1e-6)
        assert found.threshold == pytest.approx(np.percentile(distances, 0.5), rel=1e-9)
        for value, threshold in ((found.weighted, found.threshold), (found.weighted_unscaled, fixed)):
            if (distances < threshold).sum() >= 3:
                assert value == pytest.approx(naive_weighted(dots, distances, threshold)[0], abs=1e-6)
            else:
                assert value is None
        # at c = 1 a pair may lie on the threshold to the last bit
        assert abs(found.near - (distances < fixed).sum()) <= (1 if c == 1 else 0)
        np.testing.assert_allclose(np.sort(pairs.distances(c)), np.sort(distances), atol=1e-6)


def test_sampled_bound_of_the_threshold_is_exact_on_many_pairs():
    """Beyond 20,000 pairs a sample bounds the candidates; the result must not show it."""
    head = make_head(seed=1, inputs=60, longest=20)
    pairs = head_pairs(**head, choice=PairChoice(pairs="all"))
    assert pairs.pairs > 100_000
    for c in (0.2, 1.0, 5.0):
        distances = pairs.distances(c)
        found = pairs.measure(c, spearman=False)
        assert found.threshold == pytest.approx(np.percentile(distances, 0.5), rel=1e-12)
        assert found.weighted == pytest.approx(naive_weighted(pairs.dots(), distances, found.threshold)[0], abs=1e-9)


def test_a_bound_that_is_too_small_is_noticed():
    head = make_head(seed=1, inputs=60, longest=20)
    pairs = head_pairs(**head, choice=PairChoice(pairs="all"))
    pairs._upper_bound = lambda geometry: 0.0
    assert pairs.measure(1.0).threshold == pytest.approx(np.percentile(pairs.distances(1.0), 0.5), rel=1e-12)


@pytest.mark.parametrize("mask", ["full", "local and global"])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_per_query_measures_are_means_over_queries(distance, mask):
    head = masked(make_head(seed=5, inputs=20), mask)
    pairs = head_pairs(**head, choice=PairChoice(per_query=True, distance=distance))
    rows, columns = naive_pairs(head)
    dots, distances = naive_distances(head, 0.8, rows, columns, distance=distance)
    found = pairs.measure(0.8)
    pearsons, spearmans = [], []
    for row in np.unique(rows):
        mine = np.array(rows) == row
        if mine.sum() >= 3:
            pearsons.append(stats.pearsonr(dots[mine], distances[mine]).statistic)
            spearmans.append(stats.spearmanr(dots[mine], distances[mine]).statistic)
    assert found.pearson == pytest.approx(np.mean(pearsons), abs=1e-6)
    assert found.spearman == pytest.approx(np.mean(spearmans), abs=1e-6)


def test_a_large_c_orders_each_querys_keys_as_attention_does():
    """‖cq − k/c‖² = c²‖q‖² + ‖k‖²/c² − 2q·k: what disturbs the order, the keys' norms, fades with c."""
    pairs = head_pairs(**make_head(seed=2), choice=PairChoice(per_query=True, translate=False))
    assert pairs.measure(1.0).spearman > pairs.measure(5.0).spearman > pairs.measure(100.0).spearman
    assert pairs.measure(100.0).spearman < -0.999


def test_cosine_without_translation_does_not_depend_on_c():
    pairs = head_pairs(**make_head(), choice=PairChoice(distance="cosine", translate=False))
    assert pairs.measure(0.2).spearman == pytest.approx(pairs.measure(5.0).spearman, abs=1e-12)


@pytest.mark.parametrize("mask", ["causal", "local and global"])
def test_tokens_in_any_order_give_the_same(mask):
    head = masked(make_head(seed=4), mask)
    mixed = np.random.default_rng(0).permutation(len(head["keys"]))
    shuffled = head | {"keys": head["keys"][mixed], "tokens": head["tokens"].some(keys=mixed)}
    for choice in (PairChoice(), PairChoice(pairs="all")):
        one = head_pairs(**head, choice=choice).measure(1.25)
        two = head_pairs(**shuffled, choice=choice).measure(1.25)
        assert (one.pearson, one.spearman, one.threshold) == pytest.approx((two.pearson, two.spearman, two.threshold))


def test_a_mask_leaves_out_later_keys():
    rows, columns = naive_pairs(make_head(seed=6))
    head = masked(make_head(seed=6), "causal")
    changed = head | {"keys": head["keys"].copy()}
    kept = naive_pairs(head)
    assert head_pairs(**head).pairs == len(kept[0]) < len(rows)
    # the last key of an input is seen by the last query only
    last = int(np.flatnonzero(head["tokens"].keys.input == 3).max())
    changed["keys"][last] += 5
    choice = PairChoice(translate=False, per_query=True)
    dots = [head_pairs(**one, choice=choice).measure(1.0).pearson for one in (head, changed)]
    assert dots[0] != dots[1]
    assert columns.count(last) > kept[1].count(last) == 1


def test_a_sample_of_all_pairs_is_seeded():
    head = make_head(seed=7, inputs=30)
    small = PairChoice(pairs="all", sample=50)
    one, two = (head_pairs(**head, choice=small) for _ in range(2))
    assert one.pairs == 2500
    assert one.measure(0.8) == two.measure(0.8)
    other = head_pairs(**head, choice=PairChoice(pairs="all", sample=50, seed=1))
    assert other.measure(0.8) != one.measure(0.8)


def test_alignment_leaves_attention_as_it_was():
    head, attention, scaling = real_head()
    for c in (None, 0.2, 5.0):
        queries, keys, alignment = align(head["queries"], head["keys"], c)
        np.testing.assert_allclose(queries.mean(axis=0), keys.mean(axis=0), atol=1e-5)
        if c is None:
            assert alignment.c == pytest.approx(norm_ratio(head["queries"], head["keys"]), rel=1e-3)
        for index, weights in enumerate(attention[:4]):
            own = head["tokens"].queries.input == index
            raw = head["queries"][own].astype(np.float64) @ head["keys"][own].astype(np.float64).T
            moved = queries[own].astype(np.float64) @ keys[own].astype(np.float64).T
            before, after = (_softmax(scores * scaling) for scores in (raw, moved))
            np.testing.assert_allclose(after, before, atol=1e-5)
            np.testing.assert_allclose(before, weights, atol=5e-3)  # float16 vectors


def _softmax(scores):
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def test_optimum_is_no_worse_than_any_point_of_a_scan():
    head = make_head(seed=8, inputs=60, longest=16)
    pairs = head_pairs(**head)
    study = study_head(pairs, norm_ratio(head["queries"], head["keys"]))
    assert [m.c for m in study.grid] == list(CONSTANTS)
    scan = [pairs.measure(c, spearman=False) for c in np.geomspace(0.2, 5, 60)]
    at_best = pairs.measure(study.optimum["pearson"])
    assert at_best.pearson <= min(m.pearson for m in (*scan, *study.grid)) + 1e-5
    for name in ("weighted", "weighted_unscaled"):
        best = getattr(pairs.measure(study.optimum[name]), name)
        assert best <= min(getattr(m, name) for m in study.curve if getattr(m, name) is not None)


def test_norm_ratio_makes_median_norms_equal():
    head = make_head(key_scale=4.0)
    c = norm_ratio(head["queries"], head["keys"])
    assert c > 1
    medians = [np.median(np.linalg.norm(side, axis=1)) for side in (head["queries"] * c, head["keys"] / c)]
    assert medians[0] == pytest.approx(medians[1], rel=1e-5)
    assert norm_ratio(head["queries"], np.zeros((3, 6))) is None
    assert norm_ratio(np.empty((0, 6)), head["keys"]) is None


def test_scaling_by_counts():
    correlations = [[-0.5, -0.8, None], [-0.4, -0.2, -0.9]]
    counts = [[30, 10, 0], [10, 30, 5]]
    assert scaled_by_counts(correlations, counts) == [
        [pytest.approx(-0.375), pytest.approx(-0.2), None],
        [pytest.approx(-0.1), pytest.approx(-0.15), pytest.approx(-0.9)],
    ]
    assert scaled_by_counts(correlations, counts, "total")[0][:2] == pytest.approx([-0.5 / 40, -0.8 / 40])
    assert scaled_by_counts(correlations, counts, "own")[1][:2] == pytest.approx([-0.04, -0.2 / 30])
    with pytest.raises(ValueError, match="rule must be one of"):
        scaled_by_counts(correlations, counts, "other")


def test_choice_of_c_for_all_heads():
    heads = [make_head(seed=seed, inputs=60, longest=16, key_scale=1 + seed) for seed in range(3)]
    pairs = [head_pairs(**head) for head in heads]
    studies = [study_head(p, norm_ratio(h["queries"], h["keys"])) for p, h in zip(pairs, heads, strict=True)]
    choices = choose_scales(studies, pairs_of=pairs.__getitem__)
    for study, choice in zip(studies, choices, strict=True):
        assert not choice.reasons
        assert choice.grid["pearson"] == CONSTANTS[int(np.argmin([m.pearson for m in study.grid]))]
        assert choice.grid["norms"] == nearest_constant(study.norms)
        assert choice.best["norms"] == study.norms
        assert all(c in CONSTANTS for c in choice.grid.values())
        assert all(CURVE[0] <= c <= CURVE[-1] * 1.0001 for c in choice.best.values())
    near = [sum(study.grid[i].near for study in studies) for i in range(7)]
    first = studies[0].grid[3]
    assert choices[0].scaled[3] == pytest.approx(first.weighted_unscaled * first.near / near[3])


def broken_heads():
    head = make_head(seed=9)
    zero = np.zeros_like(head["queries"])
    constant = np.ones_like(head["queries"]) * np.float32(0.1)
    one, none = shortened(head, slice(1)), shortened(head, slice(0))
    alone = Places(np.arange(len(zero)), np.zeros(len(zero), int))
    all_nan = head | {"queries": np.full_like(zero, np.nan)}
    return {
        "zero queries": head | {"queries": zero},
        "zero keys": head | {"keys": zero},
        "all zero": head | {"queries": zero, "keys": zero},
        "constant queries": head | {"queries": constant},
        "constant": head | {"queries": constant, "keys": constant},
        "one token": one,
        "no token": none,
        "inputs of one token": head | {"tokens": StreamTokens(FULL, alone, alone)},
        "only NaN": all_nan,
    }


@pytest.mark.parametrize("choice", [*CHOICES, PairChoice(per_query=True)], ids=str)
@pytest.mark.parametrize("name", list(broken_heads()))
def test_broken_heads_give_no_warning_and_no_nan(name, choice):
    head = broken_heads()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pairs = head_pairs(**head, choice=choice)
        ratio = norm_ratio(head["queries"], head["keys"])
        study = study_head(pairs, ratio)
        (found,) = choose_scales([study], pairs_of=lambda _: pairs)
        counts, *edges = pairs.density(1.0)
    assert counts.sum() == pairs.pairs
    assert all(np.isfinite(edge).all() for edge in edges)
    for measures in (*study.grid, *study.curve):
        for value in (measures.pearson, measures.spearman, measures.weighted, measures.weighted_unscaled):
            assert value is None or np.isfinite(value)
    for metric, c in found.grid.items():
        assert (c is None) == (metric in found.reasons)
        assert c is None or np.isfinite(c)
    if "constant" not in name and name != "zero keys":
        assert ratio is None or found.grid["norms"] is not None


@pytest.mark.parametrize(
    ("name", "reason"), [("all zero", "dot products"), ("one token", "1 query"), ("no token", "0 q")]
)
def test_reasons(name, reason):
    pairs = head_pairs(**broken_heads()[name])
    assert reason in pairs.undefined
    assert pairs.measure(1.0).pearson is None


def test_vectors_that_are_not_finite_are_left_out():
    head = make_head(seed=10)
    bad = head | {"queries": head["queries"].copy(), "keys": head["keys"].copy()}
    bad["queries"][3, 2] = np.inf
    bad["keys"][5] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = head_pairs(**bad).measure(0.8)
    kept_q, kept_k = np.arange(len(head["queries"])) != 3, np.arange(len(head["keys"])) != 5
    clean = {"queries": head["queries"][kept_q], "keys": head["keys"][kept_k]}
    clean["tokens"] = head["tokens"].some(kept_q, kept_k)
    assert found == head_pairs(**clean).measure(0.8)


@pytest.mark.parametrize("c", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_c(c):
    with pytest.raises(ValueError, match="positive"):
        head_pairs(**make_head()).measure(c)


def test_density_counts_every_pair():
    pairs = head_pairs(**make_head())
    counts, distance_edges, dot_edges = pairs.density(1.0, bins=20)
    assert counts.shape == (20, 20)
    assert counts.sum() == pairs.pairs
    assert len(distance_edges) == len(dot_edges) == 21


def test_ranks_equal_scipy():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 30, 200).astype(float)
    groups = np.sort(rng.integers(0, 15, 200))
    np.testing.assert_array_equal(ranks(values) + 1, stats.rankdata(values))
    found = ranks_within(values, groups)
    for group in np.unique(groups):
        mine = groups == group
        expected = stats.rankdata(values[mine])
        np.testing.assert_allclose(found[mine] - found[mine].min(), expected - expected.min())


def test_correlation_within_skips_constant_groups():
    x = np.array([1.0, 2, 3, 5, 5, 5, 1, 2])
    y = np.array([2.0, 4, 7, 1, 2, 3, 1, 2])
    found = correlation_within(x, y, np.array([0, 0, 0, 1, 1, 1, 4, 4]))
    assert found == pytest.approx([stats.pearsonr(x[:3], y[:3]).statistic])


def test_import_is_light():
    code = "import sys; from services.alignment import pairs, scale_metrics;"
    code += "from services.measures import attended, fidelity, notes;"
    code += "print([m for m in ('numba', 'scipy', 'torch', 'sklearn') if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
