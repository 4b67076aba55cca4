"""PCA, axes consistent between heads, and the inner-product lift."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from projection_points import layer_of, make_layer

from services.atlas import ProjectionRef
from services.numerics.linear import lift
from services.projection import ENGINES, align_axes, layout_layer, methods, pca_layer
from services.projection.neighbors import exact_neighbors
from services.projection.watch import Watch


@pytest.mark.parametrize("dims", [2, 3])
def test_pca_keeps_the_variance_that_sklearn_keeps(dims):
    from sklearn.decomposition import PCA

    points = make_layer()
    layouts = pca_layer(points, dims)
    assert layouts.dtype == np.float32
    for head in range(points.heads):
        cloud = np.concatenate([points.aligned_queries[head], points.aligned_keys[head]])
        expected = PCA(dims).fit_transform(cloud)
        np.testing.assert_allclose(np.abs(layouts[head]), np.abs(expected), atol=1e-4)


def test_pca_of_fewer_dimensions_than_axes_leaves_zeros():
    layouts = pca_layer(make_layer(head_dim=1), 3)
    assert np.ptp(layouts[..., 0]) > 0
    assert not layouts[..., 1:].any()


def test_pca_puts_vectors_that_are_not_finite_at_the_centre_and_says_so():
    points = make_layer()
    points.aligned_queries[0, 3, 0] = np.nan
    points.aligned_keys[1, 4, 0] = np.inf
    notes = []
    layouts = pca_layer(points, 2, notes=notes)
    assert np.isfinite(layouts).all()
    np.testing.assert_allclose(layouts[0, 3], 0, atol=1e-6)
    assert len(notes) == 2


def test_pca_of_equal_vectors_is_one_point_despite_rounding():
    queries = np.full((1, 20, 8), 0.1, np.float32)
    keys = np.full((1, 20, 8), 7.3, np.float32)
    assert not pca_layer(layer_of(queries, keys), 2).any()


@pytest.mark.parametrize("dims", [2, 3])
def test_aligned_axes_undo_any_rotation_and_keep_distances(dims):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(50, dims)) * [3, 2, 1][:dims]
    layouts = np.empty((2, 3, 50, dims), np.float32)
    for layer in range(2):
        for head in range(3):
            turn, _ = np.linalg.qr(rng.normal(size=(dims, dims)))
            layouts[layer, head] = base @ turn * (1 + layer)
    layouts[0, 1] = 0  # a head without extent
    before = np.linalg.norm(layouts[1, 2, :, None] - layouts[1, 2, None], axis=-1)
    align_axes(layouts)
    np.testing.assert_allclose(layouts[1, 0], layouts[1, 2], atol=1e-4)
    np.testing.assert_allclose(layouts[1, 0], 2 * layouts[0, 0], atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(layouts[1, 2, :, None] - layouts[1, 2, None], axis=-1), before, atol=1e-4)


def test_distance_after_the_lift_orders_keys_as_attention_does():
    points = make_layer()
    queries, keys = lift(points.queries[0], points.keys[0])
    squares = ((queries[:, None] - keys[None]) ** 2).sum(-1)
    scores = points.queries[0] @ points.keys[0].T
    difference = squares + 2 * scores
    np.testing.assert_allclose(difference, np.broadcast_to(difference[:, :1], difference.shape), atol=1e-3)


def test_neighbours_are_the_brute_force_ones():
    cloud = np.random.default_rng(1).normal(size=(700, 16)).astype(np.float32)
    cloud -= cloud.mean(0)
    found = exact_neighbors(cloud, 20, Watch(None, 1))
    squares = ((cloud[:, None].astype(np.float64) - cloud[None]) ** 2).sum(-1)
    np.fill_diagonal(squares, np.inf)
    expected = np.argsort(squares, axis=1, kind="stable")[:, :20]
    np.testing.assert_array_equal(found.indices, expected)
    np.testing.assert_allclose(found.distances, np.sqrt(np.take_along_axis(squares, expected, 1)), rtol=1e-5)


def test_neighbours_of_few_and_equal_points():
    cloud = np.zeros((6, 3), np.float32)
    found = exact_neighbors(cloud, 20, Watch(None, 1))
    assert found.indices.shape == (6, 5)
    assert all(set(row) == set(range(6)) - {i} for i, row in enumerate(found.indices.tolist()))
    assert not found.distances.any()


def test_a_method_that_does_not_exist_is_refused():
    points = make_layer()
    with pytest.raises(ValueError, match="method must be one of"):
        layout_layer(points, [ProjectionRef("mds", 2)], start={2: pca_layer(points, 2)}, seed=0)


def test_parameters_are_plain_values_that_fit_the_schema():
    from services.atlas.schema import ProjectionInfo

    for method in methods():
        for engine in ENGINES:
            found = method.parameters(2, engine, 40)
            info = ProjectionInfo(method=method.name, dims=2, stream="self", seed=0, parameters=found, sha256="")
            assert info.parameters == found


def test_importing_the_package_is_light():
    heavy = "{'torch', 'umap', 'sklearn', 'numba', 'openTSNE', 'scipy'}"
    code = f"import sys, services.projection; print(*({heavy} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == []


def test_points_can_be_changed_without_copying_the_rest():
    points = make_layer()
    assert replace(points, tokens=points.tokens.some(slice(5))).tokens.queries.input.shape == (5,)
