"""The popularity of a key, with what a query prefers, is its score."""

import numpy as np
import pytest

from services.atlas import open_atlas
from services.attributes import popularity
from services.attributes.attribute import SIDE_STEPS
from services.attributes.popularity import POPULARITY
from services.attributes.registry import point_values


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


@pytest.fixture(scope="module")
def stream(atlas):
    return atlas.stream("self")


def vectors(atlas, layer, head):
    return [np.asarray(atlas.array(f"self/{name}"), float)[layer, head] for name in ("queries", "keys")]


def test_preference_and_popularity_are_the_score_but_for_a_constant_of_the_query(atlas, stream):
    queries, keys = vectors(atlas, 3, 4)
    preference = (queries - queries.mean(axis=0)) @ (keys - keys.mean(axis=0)).T * stream.scaling[3]
    rest = queries @ keys.T * stream.scaling[3] - preference - popularity.key_popularity(atlas, stream, 3, 4)
    np.testing.assert_allclose(rest, np.broadcast_to(rest[:, :1], rest.shape), atol=1e-9)


def test_queries_are_all_of_one_size_and_the_order_of_keys_is_that_of_popularity(atlas, stream):
    found = popularity.key_popularity(atlas, stream, 3, 4)
    steps = point_values(atlas, stream, POPULARITY, (3, 4)).astype(int)
    n_queries = atlas.points(stream)[0]
    assert len(set(steps[:n_queries])) == 1
    keys = steps[n_queries:] - SIDE_STEPS
    assert (np.diff(keys[np.argsort(found)]) >= 0).all()
    assert (keys.min(), keys.max()) == (0, SIDE_STEPS - 1)
    scale = POPULARITY.scale(atlas, stream, (3, 4))
    assert (scale.low, scale.high) == pytest.approx(tuple(np.quantile(found, (0.01, 0.99))), rel=1e-5)


def test_a_key_that_is_not_finite_is_an_average_one(atlas, stream, monkeypatch):
    queries, keys = vectors(atlas, 0, 0)
    keys[1] = np.nan

    class Broken:
        def queries(self, layer, head):
            return queries

        def keys(self, layer, head):
            return keys

    class Lame:
        vectors = staticmethod(lambda of: Broken())
        points = staticmethod(lambda of: (len(queries), len(keys)))

    assert POPULARITY.column_values(Lame(), stream, (0, 0))[len(queries) + 1] == 0
    assert np.isfinite(POPULARITY.values(Lame(), stream, (0, 0))).all()
