"""One head aligned live equals the build's own alignment and PCA, and its numbers equal plain computations."""

import warnings

import numpy as np
import pytest
from scipy import stats

from services.alignment import align, unit_length
from services.alignment.comparison import pair_density
from services.alignment.live import SPACES, LiveAlignment, LiveHead
from services.alignment.pairs import PairChoice, head_pairs
from services.numerics.linear import lift
from services.projection import LayerPoints, pca_layer
from tests.unit.head_data import make_head, masked, naive_pairs

ALIGNMENTS = [
    LiveAlignment(c, translate, space)
    for c in (0.2, 0.93, 5.0)
    for translate in (True, False)
    for space in ("euclidean", "cosine")
] + [LiveAlignment(c, False, "lift") for c in (0.4, 1.0)]


def plain_vectors(head, alignment):
    """The aligned vectors by the functions that a build uses, or straight from the definition."""
    queries, keys = head["queries"], head["keys"]
    if alignment.space == "lift":
        queries, keys = lift(queries, keys)
        return queries * np.float32(alignment.c), keys / np.float32(alignment.c)
    if alignment.translate:
        return align(queries, keys, alignment.c, alignment.space)[:2]
    sides = queries * np.float32(alignment.c), keys / np.float32(alignment.c)
    return tuple(unit_length(side) for side in sides) if alignment.space == "cosine" else sides


def gaps(layout):
    """All distances of a layout: equal for layouts that differ by a rotation, a mirror or a shift."""
    layout = layout.astype(np.float64)
    return np.linalg.norm(layout[:, None] - layout, axis=-1)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("alignment", ALIGNMENTS, ids=lambda alignment: alignment.name)
def test_live_pca_equals_the_builds_pca_of_the_same_vectors(alignment, dims):
    head = make_head(seed=5, inputs=12)
    queries, keys = plain_vectors(head, alignment)
    points = LayerPoints(queries[None], keys[None], queries[None], keys[None], head["tokens"])
    wanted = pca_layer(points, dims)[0]
    found = LiveHead(**head).pca(alignment, dims)
    assert found.dtype == np.float32
    assert np.allclose(gaps(found), gaps(wanted), rtol=1e-3, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("alignment", ALIGNMENTS, ids=lambda alignment: alignment.name)
def test_agreement_equals_scipy_on_the_distances_of_the_aligned_vectors(alignment):
    head = make_head(seed=6, inputs=20)
    rows, columns = naive_pairs(head)
    queries, keys = (side.astype(np.float64) for side in plain_vectors(head, alignment))
    centred = head["keys"].astype(np.float64) - head["keys"].astype(np.float64).mean(axis=0)
    dots = (head["queries"][rows].astype(np.float64) * centred[columns]).sum(axis=1)
    distances = np.linalg.norm(queries[rows] - keys[columns], axis=1)
    if alignment.space == "cosine":
        distances = 1 - (queries[rows] * keys[columns]).sum(axis=1)
    found = LiveHead(**head).agreement(alignment)
    assert found.reason is None
    assert found.pearson == pytest.approx(stats.pearsonr(dots, distances)[0], abs=1e-5)
    assert found.spearman == pytest.approx(stats.spearmanr(dots, distances)[0], abs=2e-4)
    each = [
        stats.spearmanr(dots[rows == q], distances[rows == q])[0] for q in np.unique(rows) if (rows == q).sum() >= 3
    ]
    assert found.query_spearman == pytest.approx(np.mean(each), abs=2e-3)


@pytest.mark.parametrize("c", [0.3, 1.0, 4.0])
def test_the_lift_ranks_the_keys_of_every_query_as_attention_does(c):
    head = make_head(seed=7, inputs=15)
    assert LiveHead(**head).agreement(LiveAlignment(c, False, "lift")).query_spearman == pytest.approx(-1, abs=1e-6)


def test_agreement_on_screen_is_that_of_the_layout():
    head = make_head(seed=8, inputs=15)
    live = LiveHead(**head)
    alignment = LiveAlignment(1.0, True, "euclidean")
    whole = live.pca(alignment, 6)  # head_dim components keep every distance
    on_screen, aligned = live.agreement_of(whole), live.agreement(alignment)
    assert on_screen.pearson == pytest.approx(aligned.pearson, abs=1e-5)
    assert on_screen.spearman == pytest.approx(aligned.spearman, abs=1e-4)


def test_a_layout_is_turned_onto_another_without_changing_its_distances():
    live = LiveHead(**make_head(seed=9))
    plain = live.pca(LiveAlignment(0.8), 2)
    angle = 1.1
    onto = plain @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * 3 + 7
    turned = live.pca(LiveAlignment(0.8), 2, onto)
    assert np.allclose(gaps(turned), gaps(plain), atol=1e-3)
    assert np.corrcoef(turned[:, 0], onto[:, 0])[0, 1] > 0.9999


def test_names_of_ways_go_there_and_back_and_nothing_else_is_read():
    for alignment in ALIGNMENTS:
        assert LiveAlignment.parse(alignment.name) == alignment
    for text in ("", "1", "0-translated-euclidean", "99-translated-cosine", "1e3-asis-lift", "nan-asis-lift", "1-x-y",
                 "1-translated-euclidean\n", "-1-asis-cosine", "١-asis-cosine"):  # fmt: skip
        with pytest.raises(KeyError):
            LiveAlignment.parse(text)


@pytest.mark.parametrize("kind", ["equal", "zero keys", "one token", "nan", "no keys"])
def test_heads_on_which_nothing_is_defined_say_so_without_a_warning(kind):
    head = make_head(seed=1, inputs=1 if kind == "one token" else 6)
    if kind == "equal":
        head["queries"][:], head["keys"][:] = 3.0, 3.0
    if kind == "zero keys":
        head["keys"][:] = 0.0
    if kind == "nan":
        head["queries"][:] = np.nan
    if kind == "no keys":
        head |= {"keys": head["keys"][:0], "tokens": head["tokens"].some(keys=slice(0))}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        live = LiveHead(**head)
        for space in SPACES:
            alignment = LiveAlignment(0.7, space != "lift", space)
            layout = live.pca(alignment, 2)
            assert np.isfinite(layout).all()
            for found in (live.agreement(alignment), live.agreement_of(layout)):
                assert None in (found.pearson, found.query_spearman)
                assert found.reason


def test_vectors_that_are_not_finite_leave_the_others_where_they_were():
    head = make_head(seed=2, inputs=10)
    broken = head | {"queries": head["queries"].copy(), "keys": head["keys"].copy()}
    broken["queries"][3], broken["keys"][5, 2] = np.inf, np.nan
    live = LiveHead(**broken)
    assert live.not_finite == 2
    layout = live.pca(LiveAlignment(), 2)
    assert np.isfinite(layout).all()
    assert live.agreement(LiveAlignment()).pearson is not None


@pytest.mark.parametrize("mask", ["full", "local and global"])
@pytest.mark.parametrize("pairs", ["input", "all"])
@pytest.mark.parametrize(
    "alignment",
    [LiveAlignment(1.0, False), LiveAlignment(0.7), LiveAlignment(2.5, True, "cosine")],
    ids=lambda alignment: alignment.name,
)
def test_density_equals_the_studys_own_pairs(alignment, pairs, mask):
    head = masked(make_head(seed=4, inputs=20), mask)
    choice = PairChoice(pairs=pairs, distance=alignment.space, translate=alignment.translate)
    study = head_pairs(**head, choice=choice)
    found = pair_density(**head, alignment=alignment, pairs=pairs, bins=12)
    assert found.pairs == study.pairs == found.counts.sum()
    measured = study.measure(alignment.c)
    assert found.pearson == pytest.approx(measured.pearson, abs=1e-6)
    assert found.spearman == pytest.approx(measured.spearman, abs=1e-5)
    distances = study.distances(alignment.c)
    assert found.distance_edges[[0, -1]] == pytest.approx([distances.min(), distances.max()], abs=1e-6)


def test_density_leaves_masked_pairs_out():
    head = make_head(seed=4, inputs=20)
    causal = masked(head, "causal")
    found = pair_density(**causal, alignment=LiveAlignment())
    assert found.pairs == head_pairs(**causal).pairs < pair_density(**head, alignment=LiveAlignment()).pairs


def test_density_of_a_head_without_pairs_has_a_reason():
    head = make_head(seed=4, inputs=1)
    found = pair_density(**head, alignment=LiveAlignment())
    assert found.pearson is None
    assert "at least 3" in found.reason
    flat = head | {"queries": head["queries"] * 0, "keys": head["keys"] * 0}
    assert pair_density(**flat, alignment=LiveAlignment()).pearson is None
