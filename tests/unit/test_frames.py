"""The frame of a head: it holds the many, and the far few stand at its edge."""

import numpy as np
import pytest

from services.atlas import layouts


def cloud(points: int, far: int, at: float, dims: int = 2, seed: int = 0) -> np.ndarray:
    """[1, points, dims]: a Gaussian cloud; its first `far` points lie `at` deviations off on the first axis."""
    layout = np.random.default_rng(seed).normal(size=(1, points, dims)).astype(np.float32)
    layout[0, :far, 0] += at
    return layout


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("far", [1, 12, 120])
def test_a_few_far_points_do_not_squeeze_the_others(dims, far):
    layout = cloud(4000, far, 60, dims)
    frame, rest = layouts.frames(layout), layouts.frames(layout[:, far:], whole=True)
    np.testing.assert_allclose(frame.half, rest.half)
    np.testing.assert_allclose(frame.centre, rest.centre)
    out = layouts.outside(layouts.units(layout, frame))[0]
    assert np.flatnonzero(out).tolist() == list(range(far))


def test_points_outside_stand_at_the_edge_on_their_way_from_the_middle():
    layout = cloud(4000, 3, 60)
    layout[0, 1, 0] *= -1
    layout[0, 2] = (30, 90)
    frame = layouts.frames(layout)
    places = layouts.units(layout, frame)[0]
    real = ((layout - frame.centre) / frame.half)[0]
    np.testing.assert_allclose(np.abs(places[:3]).max(axis=1), 1)
    np.testing.assert_allclose(places[:3] / np.linalg.norm(places[:3], axis=1, keepdims=True),
                               real[:3] / np.linalg.norm(real[:3], axis=1, keepdims=True), rtol=1e-5)  # fmt: skip
    np.testing.assert_allclose(places[3:], real[3:])


def test_outliers_cost_the_others_no_precision():
    layout = cloud(4000, 40, 5000)
    frame = layouts.frames(layout)
    back = (layouts.quantise(layout, frame) / 32767.5 - 1) * frame.half + frame.centre
    step = 2 * frame.half.item() / 65535
    assert np.abs(back - layout)[:, 40:].max() <= 0.51 * step
    assert step < 3e-4


def test_the_whole_frame_holds_every_point():
    layout = cloud(4000, 40, 60)
    frame = layouts.frames(layout, whole=True)
    assert not layouts.outside(layouts.units(layout, frame)).any()
    assert frame.half > 5 * layouts.frames(layout).half


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("kind", ["uniform", "gaussian", "two clouds", "ring"])
def test_clouds_without_outliers_keep_every_point(kind, dims):
    rng = np.random.default_rng(3)
    layout = {
        "uniform": rng.uniform(-1, 1, (1, 5000, dims)),
        "gaussian": rng.normal(size=(1, 5000, dims)),
        "two clouds": rng.normal(size=(1, 5000, dims)) + np.where(np.arange(5000) % 2, 6, -6)[:, None],
        "ring": np.stack([np.cos(a := rng.uniform(0, 7, 5000)), np.sin(a), *[a * 0] * (dims - 2)], axis=-1)[None],
    }[kind]
    assert not layouts.outside(layouts.units(layout, layouts.frames(layout))).any()


@pytest.mark.parametrize("points", [1, 2, 3, 7])
def test_a_handful_of_points_is_held_whole(points):
    layout = np.random.default_rng(1).normal(size=(2, points, 2))
    for frame in (layouts.frames(layout), layouts.frames(layout, whole=True)):
        assert np.isfinite(frame.half).all()
        assert not layouts.outside(layouts.units(layout, frame)).any()


def test_points_in_one_place_beside_a_far_one_are_held_whole():
    layout = np.zeros((1, 100, 2))
    layout[0, 0] = 5
    assert not layouts.outside(layouts.units(layout, layouts.frames(layout))).any()
