"""Why a pair: every list sums to the score, and each number is that of plain arithmetic on the stored vectors."""

import math

import numpy as np
import pytest

from services.atlas import open_atlas
from services.numerics.bilinear import own_basis
from services.payloads import why
from services.streams import CAUSAL

PLACE = (3, 7)
INDEX, QUERY, KEY = 2, 4, 6


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def stream(atlas):
    return atlas.stream("self")


@pytest.fixture(scope="module")
def row(atlas, stream):
    return why.corpus_row(atlas, stream, INDEX, *PLACE, QUERY)


def test_the_steps_are_those_of_a_loop_over_the_vectors(atlas, stream, row):
    tokens = atlas.tokens()
    first, count = int(tokens.offsets[INDEX]), int(tokens.counts[INDEX])
    query = atlas.array("self/queries")[(*PLACE, first + QUERY)].astype(float)
    keys = atlas.array("self/keys")[PLACE].astype(float)
    norms = atlas.array("self/value_norms")[PLACE].astype(float)
    scores = [sum(a * b for a, b in zip(query, keys[first + k], strict=True)) * stream.scaling[3] for k in range(count)]
    found = why.step(row, KEY)
    assert found.score == pytest.approx(scores[KEY])
    assert found.top == pytest.approx(max(scores))
    assert found.power == pytest.approx(math.exp(scores[KEY] - max(scores)))
    assert found.whole == pytest.approx(sum(math.exp(score - max(scores)) for score in scores))
    assert found.share == pytest.approx(found.power / found.whole)
    assert found.rank == 1 + sorted(scores, reverse=True).index(scores[KEY])
    assert (found.keys, found.added, found.total) == (count, None, found.score)
    weights = atlas.attention(stream).block(INDEX, *PLACE)[QUERY].astype(float)
    moved = weights * norms[first : first + count]
    assert found.moved == pytest.approx(moved[KEY])
    assert found.moved_share == pytest.approx(moved[KEY] / moved.sum())
    assert found.moved_rank == 1 + int((moved > moved[KEY]).sum())
    assert why.strongest_key(row) == int(weights.argmax())


@pytest.mark.parametrize("made", ["by_dimension", "by_frequency", "by_popularity", "by_direction"])
def test_what_a_score_is_made_of_sums_to_it(atlas, stream, row, made):
    take = getattr(why, made)
    parts = take(row, KEY) if made in ("by_dimension", "by_frequency") else take(atlas, stream, *PLACE, row, KEY)
    score = why.step(row, KEY).score
    assert sum(part.value for part in parts) == pytest.approx(score, rel=1e-6)
    told, rest = why.largest(parts, 2)
    assert sum(part.value for part in told) + (rest.value if rest else 0) == pytest.approx(score, rel=1e-6)
    sizes = [abs(part.value) for part in told]
    assert sizes == sorted(sizes, reverse=True)


def test_directions_are_the_singular_vectors_of_all_scores_of_the_corpus(atlas, stream, row):
    queries, keys = (atlas.array(f"self/{name}")[PLACE].astype(float) for name in ("queries", "keys"))
    left, sizes, right = np.linalg.svd(queries @ keys.T, full_matrices=False)
    first = int(atlas.tokens().offsets[INDEX])
    expected = left[first + QUERY] * sizes * right[:, first + KEY] * stream.scaling[3]
    parts = why.by_direction(atlas, stream, *PLACE, row, KEY)
    np.testing.assert_allclose([part.value for part in parts], expected[: len(parts)], atol=1e-6)
    named = [part for part in parts if part.asks]
    assert len(named) == why.ALIKE
    number = parts.index(named[0])
    loads = left[:, number] * np.sign(left[first + QUERY, number])
    assert named[0].asks[0] == str(atlas.tokens().text[int(loads.argmax())]).strip()


def test_a_basis_of_weights_is_that_of_their_product():
    rng = np.random.default_rng(3)
    w_query, w_key, x, y = (rng.normal(size=size) for size in ((5, 12), (5, 12), 12, 12))
    basis = own_basis(w_query @ w_query.T, w_key @ w_key.T)
    np.testing.assert_allclose(basis.sizes, np.linalg.svd(w_query.T @ w_key)[1][:5])
    parts = basis.parts(w_query @ x, w_key @ y)
    assert parts.sum() == pytest.approx(x @ w_query.T @ w_key @ y)
    left, sizes, right = np.linalg.svd(w_query.T @ w_key)
    np.testing.assert_allclose(parts, (x @ left[:, :5]) * sizes[:5] * (right[:5] @ y))


def test_dead_dimensions_are_no_directions():
    rng = np.random.default_rng(4)
    queries, keys = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
    queries[:, 3] = keys[:, 0] = 0
    basis = own_basis(queries.T @ queries, keys.T @ keys)
    assert len(basis.sizes) == np.linalg.matrix_rank(queries @ keys.T)
    assert basis.parts(queries[0], keys[1]).sum() == pytest.approx(queries[0] @ keys[1])
    assert len(own_basis(np.zeros((4, 4)), np.eye(4)).sizes) == 0


def test_where_a_pair_stands_in_the_corpus_is_counted(atlas, stream, row):
    keys = atlas.array("self/keys")[PLACE].astype(float)
    dots = keys @ row.query
    found = why.standing(atlas, stream, *PLACE, row, KEY)
    assert (found.rank, found.keys) == (1 + int((dots > row.keys[KEY] @ row.query + 1e-6).sum()), len(keys))
    blocks = atlas.attention(stream)
    weights = np.concatenate([block.ravel() for block in blocks.of_head(*PLACE)]).astype(float)
    assert (found.pairs, found.inputs) == (len(weights), len(atlas.inputs))
    assert found.weaker == pytest.approx((weights < row.weights[KEY]).mean())


def test_a_hidden_key_has_no_share(atlas, stream):
    causal = stream.model_copy(update={"mask": CAUSAL})
    found = why.step(why.corpus_row(atlas, causal, 0, 0, 0, 1), 3)
    assert not found.visible
    assert found.share == 0


@pytest.mark.parametrize(("index", "query", "key"), [(999, 0, 0), (0, 999, 0), (0, -1, 0), (0, 0, 999), (0, 0, -1)])
def test_a_token_that_is_not_there_is_an_index_error(atlas, stream, index, query, key):
    with pytest.raises(IndexError):
        why.step(why.corpus_row(atlas, stream, index, 0, 0, query), key)
