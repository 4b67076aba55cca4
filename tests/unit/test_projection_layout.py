"""Whole layers laid out: sound results whatever comes in, deterministic, cancellable."""

from dataclasses import replace

import numpy as np
import pytest
from projection_points import layer_of, make_layer

from services.atlas import ProjectionRef
from services.errors import Cancelled
from services.projection import layout_layer, pca_layer

ENGINES = ["fast", "torch"]


@pytest.fixture(autouse=True)
def one_thread():
    """PyTorch's threads wait for each other actively: on a busy machine tiny tensors take minutes."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def lay_out(points, methods=("umap", "tsne", "attention", "preference"), dims=(2,), **kwargs):
    start = {d: pca_layer(points, d) for d in (2, 3)}
    requests = [ProjectionRef(method, d) for method in methods for d in dims]
    return layout_layer(points, requests, start=start, seed=kwargs.pop("seed", 0), **kwargs)


def assert_sound(points, layouts):
    for request, layout in layouts.items():
        assert layout.dtype == np.float32
        assert layout.shape == (points.heads, points.n_points, request.dims)
        assert np.isfinite(layout).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_every_method_separates_clusters(engine):
    points = make_layer()
    cluster = np.concatenate([np.arange(60) % 6] * 2)
    layouts = lay_out(points, methods=("umap", "tsne"), dims=(2, 3), engine=engine)
    assert_sound(points, layouts)
    for layout in layouts.values():
        gaps = np.linalg.norm(layout[0, :, None] - layout[0, None], axis=-1)
        np.fill_diagonal(gaps, np.inf)
        assert (cluster[gaps.argmin(axis=1)] == cluster).mean() > 0.9


@pytest.mark.parametrize("engine", ENGINES)
def test_equal_seeds_give_equal_bits(engine):
    points = make_layer()
    once, again = (lay_out(points, engine=engine, seed=3) for _ in range(2))
    for request, layout in once.items():
        np.testing.assert_array_equal(layout, again[request])


def test_a_layout_depends_on_its_head_and_seed_alone():
    """Not on the other heads, the other requests or the number of threads."""
    points = make_layer(heads=3)
    together = lay_out(points, dims=(2, 3), jobs=3)
    start = {d: pca_layer(points, d)[1:2] for d in (2, 3)}
    arrays = ("queries", "keys", "aligned_queries", "aligned_keys")
    second = replace(points, **{name: getattr(points, name)[1:2] for name in arrays})
    for request, layouts in together.items():
        alone = layout_layer(second, [request], start=start, seed=0)[request]
        np.testing.assert_array_equal(alone[0], layouts[1])


@pytest.mark.slow
def test_the_reference_engine_lays_out_clusters_duplicates_and_few_points():
    """umap-learn compiles for a while, hence one test of many things."""
    points = make_layer(heads=2)
    points.aligned_queries[1, :30] = points.aligned_queries[1, 0]
    layouts = lay_out(points, engine="reference")
    assert_sound(points, layouts)
    cluster = np.concatenate([np.arange(60) % 6] * 2)
    for method in ("umap", "tsne"):
        layout = layouts[ProjectionRef(method, 2)][0]
        gaps = np.linalg.norm(layout[:, None] - layout[None], axis=-1)
        np.fill_diagonal(gaps, np.inf)
        assert (cluster[gaps.argmin(axis=1)] == cluster).mean() > 0.9
    few = make_layer(heads=1, n_queries=4, n_keys=4)
    assert_sound(few, lay_out(few, engine="reference"))


def bad_layers():
    normal = make_layer(heads=1)
    yield "one token", make_layer(heads=1, n_queries=1, n_keys=1)
    yield "two tokens", make_layer(heads=1, n_queries=2, n_keys=2)
    yield "few points", make_layer(heads=1, n_queries=4, n_keys=4)
    yield "no keys", make_layer(heads=1, n_keys=1)
    yield "one dimension", make_layer(heads=1, head_dim=1)
    yield "all vectors equal", layer_of(np.ones((1, 30, 4), np.float32), np.ones((1, 30, 4), np.float32))
    yield (
        "equal queries",
        replace(normal, queries=normal.queries * 0 + 1, aligned_queries=normal.aligned_queries * 0 + 1),
    )
    yield "equal keys", replace(normal, keys=normal.keys * 0 + 1, aligned_keys=normal.aligned_keys * 0 + 1)
    taken = normal.keys.copy()
    taken[0, 0] = 1e3 * normal.queries[0].mean(axis=0)
    yield "one key takes everything", layer_of(normal.queries + 1, taken)
    yield "duplicates", replace(normal, queries=normal.queries[:, [0] * 60], keys=normal.keys[:, [1] * 60])
    twice = np.repeat(normal.queries[:, :3], 20, axis=1)
    yield "three different points", layer_of(twice, twice)
    yield "huge", layer_of(normal.queries * np.float32(1e18), normal.keys * np.float32(1e18))
    yield "tiny", layer_of(normal.queries * np.float32(1e-22), normal.keys * np.float32(1e-22))
    broken = layer_of(normal.queries.copy(), normal.keys.copy())
    for vectors in (broken.queries, broken.aligned_queries):
        vectors[0, :5] = np.nan
    for vectors in (broken.keys, broken.aligned_keys):
        vectors[0, 5] = np.inf
    yield "not finite", broken
    lost = np.full_like(normal.queries, np.nan)
    yield "nothing finite", replace(normal, queries=lost, keys=lost, aligned_queries=lost, aligned_keys=lost)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("points", [pytest.param(p, id=name) for name, p in bad_layers()])
@pytest.mark.filterwarnings("ignore")
def test_bad_input_gives_a_defined_layout(points, engine):
    notes = []
    assert_sound(points, lay_out(points, engine=engine, dims=(2, 3), notes=notes))


def test_bad_heads_are_noted():
    points = make_layer(heads=2)
    points.aligned_queries[1, :5] = np.nan
    notes = []
    lay_out(points, methods=("umap",), notes=notes)
    assert notes == ["head 1: 5 vectors are not finite and were put at the centre"]


@pytest.mark.parametrize("engine", ENGINES)
def test_cancel_stops_in_the_middle_of_a_head(engine):
    told = []
    with pytest.raises(Cancelled):
        lay_out(
            make_layer(heads=1, n_queries=1500, n_keys=1500),
            methods=("tsne",),
            engine=engine,
            progress=lambda done, total: bool(told.append(done)) or len(told) > 2,
        )
    assert len(told) > 2
    assert max(told) == 0  # no head was at its end


def test_progress_counts_heads():
    seen = []
    points = make_layer(heads=3)
    lay_out(points, methods=("pca",), progress=lambda done, total: bool(seen.append((done, total))))
    assert seen[-1] == (3, 3)
