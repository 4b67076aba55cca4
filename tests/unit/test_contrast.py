"""Contrastive covariance: equals a loop over pairs, finds a planted part and only it, and tells when there is none."""

import json

import numpy as np
import pytest

from components.panels.parts import parts_card, parts_told
from services.atlas import open_atlas
from services.errors import NotStoredError
from services.measures import contrast as measure
from services.measures.contrast import contrast
from services.measures.kinds import Kinds, kinds_of

LAYER, HEAD = 1, 3


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture
def stream(atlas):
    contrast.cache_clear()
    yield atlas.info.default_stream
    contrast.cache_clear()


def pairs_of(atlas, stream, kinds):
    """Every pair that counts, one by one: (input, query row, key row, query's kind, distance, of one kind)."""
    tokens, blocks = atlas.tokens(stream.query_table), atlas.attention(stream)
    for index in range(blocks.inputs):
        rows = range(*blocks.rows(index)[0].indices(len(tokens)))
        visible = blocks.visible(index)
        for q in rows:
            for k in rows:
                first = tokens.position[k] == 0
                if q == k or first or tokens.special[q] or tokens.special[k] or not visible[q - rows[0], k - rows[0]]:
                    continue
                of, to = kinds.queries[q], kinds.keys[k]
                if min(of, to) >= 0:
                    yield index, q, k, of, int(tokens.position[k] - tokens.position[q]), of == to


def plainly(atlas, stream, kinds, layer=LAYER, head=HEAD):
    """The contrast by loops: pairs of two kinds weigh as many as there are of one, stratum by stratum."""
    queries, keys = (side.astype(float) for side in atlas.vectors(stream).head(layer, head))
    strata = {}
    for _, q, k, of, distance, same in pairs_of(atlas, stream, kinds):
        strata.setdefault((of, distance), ([], []))[0 if same else 1].append(np.outer(queries[q], keys[k]))
    both = [(same, other) for same, other in strata.values() if same and other]
    count = sum(len(same) for same, _ in both)
    total = sum(np.sum(same, axis=0) - len(same) * np.mean(other, axis=0) for same, other in both)
    return total / count, count


def test_the_contrast_equals_a_loop_over_pairs_and_its_parts_sum_to_the_difference(atlas, stream):
    expected, count = plainly(atlas, stream, kinds_of(atlas, stream, "kind"))
    found = contrast(atlas, stream, LAYER, HEAD, "kind")
    assert found.pairs == count
    np.testing.assert_allclose(found.strengths, np.linalg.svd(expected, compute_uv=False), rtol=1e-3, atol=1e-4)
    assert found.gap == pytest.approx(np.trace(expected) * stream.scaling[LAYER], rel=1e-3)
    u, s, v = np.linalg.svd(expected)
    assert np.trace(expected) == pytest.approx(sum(s[i] * u[:, i] @ v[i] for i in range(len(s))))
    for part, i in zip(found.parts, range(len(s)), strict=False):
        assert part.gap == pytest.approx(s[i] * (u[:, i] @ v[i]) * stream.scaling[LAYER], rel=1e-2, abs=1e-4)


def planted(atlas, stream, monkeypatch, ranks=2, strength=4.0):
    """Kinds at random, and vectors that hold them in `ranks` directions of noise; the directions."""
    random = np.random.default_rng(3)
    tokens = atlas.tokens(stream.query_table)
    kinds = random.integers(0, 3, len(tokens))
    names = ("one", "two", "three")
    known = Kinds(names, kinds, kinds)
    monkeypatch.setattr(measure, "kinds_of", lambda *_: known)
    basis = np.linalg.qr(random.normal(size=(stream.head_dim, stream.head_dim)))[0]
    codes = np.array([[1, 0], [-0.5, 0.87], [-0.5, -0.87]])[:, :ranks]  # three kinds as far apart as can be
    vectors = [random.normal(size=(len(tokens), stream.head_dim)) for _ in range(2)]
    vectors = [one + strength * codes[kinds] @ basis[:, :ranks].T for one in vectors]
    store = type(atlas.vectors(stream))
    monkeypatch.setattr(store, "head", lambda *_: tuple(one.astype(np.float32) for one in vectors))
    return basis[:, :ranks]


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_planted_part_is_found_with_its_rank_and_its_directions(atlas, stream, monkeypatch, ranks):
    planted(atlas, stream, monkeypatch, ranks)
    found = contrast(atlas, stream, 0, 0, "kind")
    assert found.beyond == ranks
    assert sum(part.gap for part in found.parts) == pytest.approx(found.gap, rel=0.25)
    assert found.gap > 0
    assert found.held_out == pytest.approx(found.own_half, rel=0.3)
    if ranks == 1:
        (part,) = found.parts
        spread = np.abs(part.queries - part.queries.mean())
        assert (
            spread.argmax() == np.abs(part.keys - part.keys.mean()).argmax() == 0
        )  # the first is apart from the others


def test_kinds_that_vectors_know_nothing_of_have_no_part(atlas, stream, monkeypatch):
    planted(atlas, stream, monkeypatch, strength=0.0)
    found = contrast(atlas, stream, 0, 0, "kind")
    assert (found.beyond, found.parts, found.held_out) == (0, (), None)
    assert "stands out of chance" in json.dumps(parts_told(found, str), default=lambda part: part.to_plotly_json())


def test_too_few_pairs_are_said_and_not_shown(atlas, stream, monkeypatch):
    monkeypatch.setattr(measure, "LEAST_PAIRS", 10**9)
    with pytest.raises(NotStoredError, match="pairs of one kind have others at the same distance"):
        contrast(atlas, stream, LAYER, HEAD, "kind")
    with pytest.raises(KeyError):
        contrast(atlas, stream, LAYER, HEAD, "no such kinds")


def test_the_panel_tells_strength_share_ends_and_leads_to_the_tokens(atlas, stream, monkeypatch):
    planted(atlas, stream, monkeypatch)
    found = contrast(atlas, stream, 0, 0, "kind")
    words = json.dumps(parts_told(found, lambda points: f"/there/{len(points)}"), default=lambda p: p.to_plotly_json())
    assert "2 directions tell these kinds apart" in words
    assert "in the other half" in words
    assert f"/there/{2 * measure.MARKED}" in words
    assert "↔" in words or "\\u2194" in words
    monkeypatch.setattr(measure, "MOST_PAIRS", 0)
    assert "too many pairs" in str(parts_card(atlas, stream))
