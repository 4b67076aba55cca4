"""The layout process: started when needed, shared, told to stop, and honest when it fails."""

import time

import numpy as np
import pytest

from services.alignment.head_maps import HeadMap
from services.alignment.live import LiveAlignment, live_head
from services.alignment.variants import scale_variant
from services.atlas import ProjectionRef, arrays, open_atlas
from services.jobs.refining import Refiner, Task, task_of


@pytest.fixture
def refiner():
    one = Refiner()
    yield one
    one.close()


def umap_task(atlas, folder, c=0.8, method="umap"):
    stream = atlas.info.streams[0]
    alignment = LiveAlignment(c, True, "cosine")
    return task_of(HeadMap(atlas, stream, 1, 2, ProjectionRef(method, 2), alignment), folder)


def wait(refiner, task, visitor="a", seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = refiner.want([task], visitor)[0]
        if status.state in ("ready", "failed"):
            return status
        time.sleep(0.1)
    raise AssertionError("the layout did not come")


def test_a_head_is_laid_out_once_for_all_and_a_dropped_task_makes_no_file(refiner, small_atlas, tmp_path):
    atlas = open_atlas(small_atlas)
    first, second = umap_task(atlas, tmp_path), umap_task(atlas, tmp_path, 1.7)
    assert refiner.want([first], "a")[0].state == "waiting"
    refiner.want([second], "b")
    refiner.want([first], "b")  # another wish: the earlier one is dropped
    assert wait(refiner, first, "b").state == "ready"
    layout = arrays.read(tmp_path / first.id)
    assert layout.shape == (sum(atlas.points(atlas.info.streams[0])), 2)
    assert np.isfinite(layout).all()
    assert np.ptp(layout) > 0
    time.sleep(0.5)
    assert not (tmp_path / second.id).exists()
    assert wait(refiner, first, "c").state == "ready"


def test_a_task_that_cannot_be_done_says_why_and_may_be_asked_again(refiner, small_atlas, tmp_path):
    atlas = open_atlas(small_atlas)
    good = umap_task(atlas, tmp_path)
    bad = Task(**{**good.__dict__, "stream": "cross", "out": str(tmp_path / "head-bad.npy")})
    status = wait(refiner, bad)
    assert status.state == "failed"
    assert "cross" in status.message
    assert refiner.want([bad], "a")[0].state == "waiting"


def test_maps_by_another_metric_are_pca_of_its_c(small_atlas, tmp_path):
    atlas = open_atlas(small_atlas)
    stream = atlas.info.streams[0]
    scaled = scale_variant(atlas, stream, "norms", tmp_path)
    assert scaled is not None
    assert scale_variant(atlas, stream, "none", tmp_path) is None
    projection = scaled.info.projection("pca_norms2d", stream.name)
    layout = scaled.layout(projection)[4, 5]
    alignment = LiveAlignment(float(scaled.c[4, 5]), True, atlas.info.alignment.distance)
    wanted = live_head(atlas, stream, 4, 5).pca(alignment, 2)
    spread = [np.linalg.norm(one - one[0], axis=1) for one in (layout, wanted)]
    assert np.allclose(*spread, rtol=1e-3, atol=1e-4 * spread[1].max())
    assert scaled.tokens("tokens") is atlas.tokens("tokens")
