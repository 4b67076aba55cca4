"""Equal vectors of one kind are one place, on every map."""

from dataclasses import replace

import numpy as np
import pytest
from projection_points import make_layer

from services.atlas import ProjectionRef
from services.numerics.distinct import Distinct
from services.projection import layout_layer, method_names, pca_layer


def test_each_vector_is_one_of_the_distinct_ones():
    vectors = np.array([[1, 2], [3, 4], [1, 2], [5, 6], [3, 4], [1, 2]], np.float32)
    found = Distinct.of(vectors)
    assert found.rows.tolist() == [0, 1, 3]
    assert found.counts.tolist() == [3, 2, 1]
    np.testing.assert_array_equal(vectors[found.rows][found.place], vectors)


@pytest.mark.parametrize("dims", [2, 3])
def test_copies_lie_on_one_spot_of_every_map(dims):
    points = make_layer(heads=2, n_queries=120, n_keys=100)
    first = (("queries", [3, 50, 90]), ("keys", [0, 7, 99]))
    copied = {name: getattr(points, name).copy() for side, _ in first for name in (side, f"aligned_{side}")}
    for side, rows in first:
        for name in (side, f"aligned_{side}"):
            copied[name][0, rows] = copied[name][0, rows[0]]
    points = replace(points, **copied)
    refs = [ProjectionRef(name, dims) for name in method_names()]
    layouts = layout_layer(points, refs, start={dims: pca_layer(points, dims)}, seed=0)
    for ref, layout in layouts.items():
        assert len(np.unique(layout[0, [3, 50, 90]], axis=0)) == 1, ref
        assert len(np.unique(layout[0, [120, 127, 219]], axis=0)) == 1, ref
        assert len(np.unique(layout[0], axis=0)) == 216, ref
        assert len(np.unique(layout[1], axis=0)) == 220, ref
