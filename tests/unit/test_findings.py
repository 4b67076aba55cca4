"""Findings name the planted heads, with numbers that an independent computation gives, and stay silent else."""

import json

import numpy as np
import pytest
from scipy import stats

from services.atlas import AttentionBlocks, open_atlas
from services.atlas.schema import StreamInfo
from services.measures.averages import Special, aggregate
from services.measures.findings import (
    MIXED,
    POSITIONAL,
    Measures,
    agreement,
    choose,
    explained_by_place,
    findings,
    measure,
    sampled_pairs,
)
from services.streams import CAUSAL, FULL, Places, StreamMask, StreamTokens

LENGTHS = [9, 14, 11, 20]
RNG = np.random.default_rng(5)


def stream(heads: int, mask: StreamMask = FULL) -> StreamInfo:
    return StreamInfo(
        name="self",
        layers=1,
        heads=heads,
        key_heads=heads,
        head_dim=4,
        scaling=(0.5,),
        mask=mask,
        query_table="tokens",
        key_table="tokens",
    )


def planted(patterns: list) -> Measures:
    """Measures of one layer whose heads attend as `patterns` say: each gives the weights [n, n] of an input."""
    blocks = [np.stack([pattern(n) for pattern in patterns])[None] for n in LENGTHS]
    flat = np.concatenate([block.ravel() for block in blocks]).astype(np.float16)
    counts, special = np.array(LENGTHS), np.zeros(sum(LENGTHS), bool)
    places = Places(np.repeat(np.arange(len(counts)), counts), np.concatenate([np.arange(n) for n in counts]))
    where = AttentionBlocks(stream(len(patterns)), StreamTokens(FULL, places, places), len(counts), flat)
    everything = aggregate(where, Special(special, special))
    return Measures(offsets=everything.offsets, figures=everything.figures, even=float((1 / counts).mean()))


def even(n: int) -> np.ndarray:
    return np.full((n, n), 1 / n)


def at(offset: int, share: float):
    def pattern(n: int) -> np.ndarray:
        goal = np.clip(np.arange(n) + offset, 0, n - 1)
        weights = np.full((n, n), (1 - share) / n)
        weights[np.arange(n), goal] += share
        return weights

    return pattern


def to_first(n: int) -> np.ndarray:
    weights = np.full((n, n), 0.2 / n)
    weights[:, 0] += 0.8
    return weights


def noisy(n: int) -> np.ndarray:
    weights = RNG.random((n, n)) ** 2
    return weights / weights.sum(axis=1, keepdims=True)


def test_planted_heads_are_found_where_they_were_planted():
    measures = planted([noisy, at(-1, 0.7), at(1, 0.8), at(0, 0.6), to_first, even])
    found = {f.kind: f for f in choose(measures)}
    places = {kind: f.head for kind, f in found.items()}
    assert places == {"previous": 1, "next": 2, "self": 3, "sink": 4, "wide": 5}
    assert "first token" in found["sink"].text
    assert f"{100 * measures.figures['first'][0, 4]:.0f} %" in found["sink"].text


def test_heads_without_a_pattern_are_no_findings():
    assert choose(planted([noisy, noisy, noisy])) == []
    assert choose(Measures()) == []


def test_a_decoder_never_looks_ahead():
    measures = planted([at(1, 0.9)])
    causal = Measures(mask=CAUSAL, offsets=measures.offsets)
    assert choose(causal) == []


def test_the_sharpest_head_is_one_that_no_other_finding_shows():
    found = {f.kind: f.head for f in choose(planted([at(-1, 1.0), at(4, 1.0), noisy]))}
    assert found["previous"] == 0
    assert found["narrow"] == 1


def test_undefined_measures_are_passed_over():
    holes = np.array([[np.nan, 0.9, np.nan]])
    found = choose(Measures(position=holes, sides=np.full((1, 3), np.nan), shape_map="umap"))
    assert [(f.kind, f.head) for f in found] == [("positional", 1)]


def one_way(layout: np.ndarray, values: np.ndarray, side: int) -> float:
    """ε² from SciPy's analysis of variance, squares collected one point at a time."""
    squares: dict[tuple[int, int], list[float]] = {}
    low, high = layout.min(axis=0), layout.max(axis=0)
    for point, value in zip(layout, values, strict=True):
        cell = tuple(min(side - 1, int(c)) for c in (point - low) / (high - low) * side)
        squares.setdefault(cell, []).append(value)
    groups = list(squares.values())
    within_df, between_df = len(values) - len(groups), len(groups) - 1
    f = stats.f_oneway(*groups).statistic
    # F = (SSb / dfb) / (SSw / dfw); ε² = (SSb − dfb · MSw) / SSt
    return between_df * (f - 1) / (between_df * f + within_df)


def test_share_explained_by_place_is_epsilon_squared():
    layout = RNG.normal(size=(3000, 2))
    values = layout[:, 0] ** 2 + RNG.normal(size=3000)
    assert explained_by_place(layout, values) == pytest.approx(one_way(layout, values, 15), abs=1e-9)


def test_a_spiral_of_positions_is_seen_and_chance_is_not():
    t = RNG.random(4000)
    spiral = np.stack([t * np.cos(12 * t), t * np.sin(12 * t)], axis=1) + RNG.normal(size=(4000, 2)) * 0.01
    assert explained_by_place(spiral, t) > 0.95
    assert abs(explained_by_place(RNG.random((4000, 2)), t)) < 0.05


def test_clouds_apart_and_mixed_are_told():
    kind = np.repeat([0.0, 1.0], 1500)
    mixed = RNG.normal(size=(3000, 2))
    apart = mixed + kind[:, None] * 8
    found = choose(
        Measures(sides=np.array([[explained_by_place(mixed, kind), explained_by_place(apart, kind)]]), shape_map="umap")
    )
    assert {f.kind: f.head for f in found} == {"mixed": 0, "apart": 1}


@pytest.mark.parametrize(
    ("layout", "values"),
    [(np.zeros((50, 2)), np.arange(50.0)), (RNG.random((50, 2)), np.ones(50)), (RNG.random((1, 2)), np.ones(1))],
)
def test_what_does_not_vary_is_not_defined(layout, values):
    assert explained_by_place(layout, values) is None


def test_on_a_real_atlas_each_number_is_the_one_computed_plainly(small_atlas):
    atlas = open_atlas(small_atlas)
    one = atlas.info.streams[0]
    projection = atlas.info.projection("pca2d", "self")
    found = agreement(atlas, one, projection)
    tokens = atlas.tokens()
    layout = np.asarray(atlas.layout(projection), np.float64)
    query, _, _ = sampled_pairs(atlas.stream_tokens(one))
    for layer, head in ((0, 0), (3, 7)):
        values = []
        for row in np.unique(query):
            index = int(tokens.input[row])
            first, end = (int(n) for n in tokens.offsets[index : index + 2])
            weights = atlas.attention(one).block(index, layer, head)[row - first].astype(float)
            places = layout[layer, head]
            distance = np.linalg.norm(places[row] - places[len(tokens) + first : len(tokens) + end], axis=1)
            values.append(stats.spearmanr(distance, weights).statistic)
        assert found[layer, head] == pytest.approx(np.nanmean(values), abs=1e-9)


def test_on_a_real_atlas_findings_point_at_the_extreme_heads(small_atlas):
    atlas = open_atlas(small_atlas)
    one = atlas.info.streams[0]
    measures = measure(atlas, one)
    found = {f.kind: f for f in choose(measures)}
    previous = found["previous"]
    assert measures.offsets[..., 9].max() == measures.offsets[previous.layer, previous.head, 9]
    assert previous.view == {"colour": "position", "method": "pca", "dims": "2"}
    assert all(f.strength >= 1 for f in found.values())
    assert ("positional" in found) == (measures.position.max() >= POSITIONAL)
    assert ("mixed" in found) == (measures.sides.min() <= MIXED)


def test_findings_are_kept_and_a_broken_file_is_measured_again(small_atlas, tmp_path):
    atlas = open_atlas(small_atlas)
    one = atlas.info.streams[0]
    first = findings(atlas, one, tmp_path)
    (file,) = tmp_path.glob("findings-*.json")
    kept = json.loads(file.read_text())
    kept[0]["title"] = "kept"
    file.write_text(json.dumps(kept))
    assert findings(atlas, one, tmp_path)[0].title == "kept"
    for broken in ("{", "[]x", '[{"kind": 1}]', '"text"'):
        file.write_text(broken)
        assert findings(atlas, one, tmp_path) == first


def test_a_folder_that_cannot_be_written_costs_no_finding(small_atlas, tmp_path):
    atlas = open_atlas(small_atlas)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert findings(atlas, atlas.info.streams[0], blocked)
