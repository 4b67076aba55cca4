"""Findings name the planted heads, with numbers that an independent computation gives, and stay silent else."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from services.atlas import AttentionBlocks, open_atlas
from services.atlas.measure_table import HeadValues, MeasureTable
from services.atlas.schema import StreamInfo
from services.measures import registry
from services.measures.attended import attended
from services.measures.attention_scores import Scored, scores
from services.measures.averages import Special, aggregate, offset_profile
from services.measures.explained import NO_PAIR, explained
from services.measures.findings import ORDER, Finding, choose, findings
from services.measures.layer import Layer
from services.measures.map_shape import explained_by_place, sampled_pairs
from services.measures.of_attention import ATTENTION
from services.measures.of_maps import MIXED, POSITIONAL
from services.measures.pair_marks import Side
from services.streams import CAUSAL, FULL, Places, StreamMask, StreamTokens

ROOT = Path(__file__).parents[2]
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


def planted(patterns: list, mask: StreamMask = FULL) -> MeasureTable:
    """What is measured of one layer whose heads attend as `patterns` say: each gives the weights [n, n] of an input."""
    blocks = [np.stack([pattern(n) for pattern in patterns])[None] for n in LENGTHS]
    flat = np.concatenate([block.ravel() for block in blocks]).astype(np.float16)
    counts, special = np.array(LENGTHS), np.zeros(sum(LENGTHS), bool)
    places = Places(np.repeat(np.arange(len(counts)), counts), np.concatenate([np.arange(n) for n in counts]))
    one = stream(len(patterns), mask)
    where = AttentionBlocks(one, StreamTokens(mask, places, places), len(counts), flat)
    averages = aggregate(where, Special(special, special))

    class Planted(Layer):
        """A layer of no atlas: what measures of attention ask for."""

        def __init__(self) -> None:
            self.stream, self.number, self.heads, self.space = one, 0, len(patterns), None

        def offsets(self):
            return averages.offsets[0]

        def score(self, name):
            plain = Side(np.arange(sum(LENGTHS)), special, {"punctuation": special})
            seen = [
                Scored(where.of_layer(i, 0), where.visible(i), *(plain[rows] for rows in where.rows(i)))
                for i in range(len(LENGTHS))
            ]
            if name in NO_PAIR:
                return explained(lambda: seen, self.heads)[name]
            return scores(seen, self.heads, same_positions=True, modality="text")[name]

        def attended(self, head):
            return attended(where.visible_of_head(0, head))

    return table_of({(m.name, None): m.compute(Planted()) for m in ATTENTION})


def table_of(known: dict) -> MeasureTable:
    """A table of one layer: (measure, space) → numbers of its heads, NaN or a reason where not defined."""
    return MeasureTable(
        {key: HeadValues(np.array([[_plain(value) for value in values]], float)) for key, values in known.items()}
    )


def _plain(value) -> float:
    return np.nan if isinstance(value, str) else getattr(value, "value", value)


def chosen(table: MeasureTable, *methods: str) -> list[Finding]:
    return choose(table, methods, {"first": ", [CLS]", "last": ""})


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
    table = planted([noisy, at(-1, 0.7), at(1, 0.8), at(0, 0.6), to_first, even])
    found = {f.kind: f for f in chosen(table)}
    places = {kind: f.head for kind, f in found.items()}
    assert places == {"previous": 1, "next": 2, "self": 3, "sink": 4, "wide": 5}
    assert list(found) == ["previous", "next", "self", "sink", "wide"]
    assert "the first token of each input, [CLS]:" in found["sink"].text
    assert f"{100 * table.of('first', 0, 4):.0f} %" in found["sink"].text
    assert found["sink"].strength == pytest.approx(table.of("first", 0, 4) / 0.5)


def test_heads_without_a_pattern_are_no_findings():
    assert chosen(planted([noisy, noisy, noisy])) == []
    assert chosen(MeasureTable({})) == []


def test_a_decoder_never_looks_ahead():
    assert [f.kind for f in chosen(planted([at(1, 0.9)]))] == ["next"]
    assert "next" not in [f.kind for f in chosen(planted([at(1, 0.9)], CAUSAL))]


def test_a_sink_takes_three_times_its_even_share_too():
    weak = {("first", None): [0.55], ("last", None): [0.1], ("even_share", None): [0.2]}
    assert chosen(table_of(weak)) == []
    (found,) = chosen(table_of(weak | {("even_share", None): [0.1]}))
    assert found.kind == "sink"
    strong = weak | {("last", None): [0.9], ("even_share", None): [0.1]}
    (found,) = chosen(table_of(strong))
    assert "the last token of each input:" in found.text


def test_the_sharpest_head_is_one_that_no_other_finding_shows():
    found = {f.kind: f.head for f in chosen(planted([at(-1, 1.0), at(4, 1.0), noisy]))}
    assert found["previous"] == 0
    assert found["narrow"] == 1


def test_undefined_measures_are_passed_over():
    holes = {("position_by_place", "umap2d"): [np.nan, 0.9, np.nan], ("side_by_place", "umap2d"): [np.nan] * 3}
    found = chosen(table_of(holes), "pca", "umap")
    assert [(f.kind, f.head) for f in found] == [("positional", 1)]
    assert found[0].view == {"colour": "position", "method": "umap", "dims": "2"}
    assert chosen(table_of(holes), "pca") == []  # there is no such map


def test_a_spiral_of_positions_is_seen_and_chance_is_not():
    t = RNG.random(4000)
    spiral = np.stack([t * np.cos(12 * t), t * np.sin(12 * t)], axis=1) + RNG.normal(size=(4000, 2)) * 0.01
    assert explained_by_place(spiral, t) > 0.95
    assert abs(explained_by_place(RNG.random((4000, 2)), t)) < 0.05


def test_clouds_apart_and_mixed_are_told():
    kind = np.repeat([0.0, 1.0], 1500)
    mixed = RNG.normal(size=(3000, 2))
    apart = mixed + kind[:, None] * 8
    sides = [explained_by_place(mixed, kind), explained_by_place(apart, kind)]
    found = {f.kind: f for f in chosen(table_of({("side_by_place", "umap2d"): sides}), "umap")}
    assert {kind: f.head for kind, f in found.items()} == {"mixed": 0, "apart": 1}
    assert " 0 % " in found["mixed"].text  # chance may be a little below nothing


def test_places_in_space_tell_too():
    points = RNG.random((4000, 3))
    assert explained_by_place(points, points[:, 2]) > 0.9
    assert abs(explained_by_place(points, RNG.random(4000))) < 0.05


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
    found = atlas.measures(one).get("attention_order", "pca2d").values
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
    found = {f.kind: f for f in findings(atlas, one)}
    previous = found["previous"]
    offsets = offset_profile(atlas, one)
    assert offsets[..., 9].max() == offsets[previous.layer, previous.head, 9]
    assert previous.view == {"colour": "position", "method": "pca", "dims": "2"}
    assert all(f.strength >= 1 for f in found.values())
    table = atlas.measures(one)
    assert ("positional" in found) == (table.get("position_by_place", "pca2d").values.max() >= POSITIONAL)
    assert ("mixed" in found) == (table.get("side_by_place", "pca2d").values.min() <= MIXED)


def test_every_kind_of_finding_is_explained_in_the_documents():
    text = (ROOT / "docs/findings.md").read_text(encoding="utf-8")
    for measure in registry.measures():
        for rule in measure.stands_out:
            assert f"`{rule.kind}`" in text, rule.kind
            assert f"{rule.bound:g}".replace("-", "−") in text, rule.kind
    assert set(ORDER) == {rule.kind for measure in registry.measures() for rule in measure.stands_out}
