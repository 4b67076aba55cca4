"""Layouts of single heads: made once by one warm process for all who want them, told to stop, honest when it fails."""

import numpy as np

from services.alignment.head_maps import ConstantMaps, HeadMap
from services.alignment.live import LiveAlignment, live_head
from services.alignment.variants import scale_variant
from services.atlas import ProjectionRef, arrays, open_atlas
from services.jobs.layouts import LAYOUT, drop, layout_of, want
from services.jobs.local import LocalJobs
from services.jobs.spec import JobSpec
from tests.job_processes import processes
from tests.patience import until


def wish(atlas, folder, c=0.8, method="umap"):
    stream = atlas.info.streams[0]
    return layout_of(HeadMap(atlas, stream, 1, 2, ProjectionRef(method, 2), LiveAlignment(c, True, "cosine")), folder)


def wishes(atlas, folder, heads=(2,)):
    """Heads of a layer at each constant of the study."""
    stream = atlas.info.streams[0]
    maps = [one for head in heads for one in ConstantMaps("umap", 1, head, 0.9).heads(atlas, stream)]
    return [layout_of(one, folder) for one in maps]


def wait(jobs, layout, visitor="a"):
    return until(lambda: (status := want(jobs, [layout], visitor)[0]).state in ("ready", "failed") and status)


def job_of(jobs, layout):
    return jobs.status(JobSpec.of(LAYOUT.name, layout).id)


def test_a_head_is_laid_out_once_for_all_and_a_dropped_one_makes_no_file(jobs, settings, small_atlas, tmp_path):
    atlas, others = open_atlas(small_atlas), LocalJobs(settings)  # two workers of a server
    first, second = wish(atlas, tmp_path), wish(atlas, tmp_path, 1.7)
    assert want(jobs, [first], "a")[0].state == "waiting"
    want(others, [second], "b")
    want(others, [first], "b")  # another wish: the earlier one is dropped
    assert wait(others, first, "b").state == "ready"
    layout = arrays.read(tmp_path / first.out)
    assert layout.shape == (sum(atlas.points(atlas.info.streams[0])), 2)
    assert np.isfinite(layout).all()
    assert np.ptp(layout) > 0
    assert wait(jobs, first, "c").state == "ready"
    until(lambda: not jobs.list())
    assert [file.name for file in tmp_path.glob("head-*")] == [first.out.rsplit("/", 1)[1]]
    assert len(processes(settings, "layout")) == 1
    others.close()


def test_progress_is_the_same_for_all_and_the_last_to_leave_ends_it(jobs, settings, small_atlas, tmp_path):
    atlas, others = open_atlas(small_atlas), LocalJobs(settings)
    layouts = wishes(atlas, tmp_path, range(12))  # so many that they are not all made before nobody wants them
    assert len(layouts) == 96
    want(jobs, layouts, "a")
    want(others, layouts, "b")
    until(lambda: want(jobs, layouts, "a")[0].state == "ready")
    assert want(others, layouts, "b")[0].state == "ready"
    drop(jobs, "a")
    of_b = {job.id for job in jobs.list("b")}  # asked for first: jobs end meanwhile
    assert {job.id for job in jobs.list()} <= of_b
    assert jobs.list("a") == []
    drop(others, "b")
    until(lambda: not jobs.list())
    assert not all((tmp_path / layout.out).exists() for layout in layouts)
    others.close()


def test_one_that_cannot_be_made_says_why_and_may_be_asked_for_again(jobs, small_atlas, tmp_path):
    bad = wish(open_atlas(small_atlas), tmp_path).model_copy(
        update={"stream": "cross", "out": str(tmp_path / "head-bad.npy")}
    )
    status = wait(jobs, bad)
    assert status.state == "failed"
    assert "cross" in status.message
    assert want(jobs, [bad], "a")[0].state == "waiting"


def test_a_killed_process_is_replaced_once_and_then_said(jobs, settings, small_atlas, tmp_path, monkeypatch):
    monkeypatch.setattr("services.jobs.local.SILENT", 0.1)
    layout = wish(open_atlas(small_atlas), tmp_path, method="tsne")

    def running(attempt):
        job = want(jobs, [layout], "a") and job_of(jobs, layout)
        return job is not None and job.state == "running" and job.attempt == attempt

    for attempt in (1, 2):
        until(lambda attempt=attempt: running(attempt))
        for process in processes(settings, "layout"):
            process.kill()
            process.wait()
    status = until(lambda: (now := want(jobs, [layout], "a")[0]).state != "running" and now)
    assert (status.state, status.message) == ("failed", "The layout process ended unexpectedly.")
    assert wait(jobs, layout).state == "ready"  # asked for again, and nobody kills it


def test_too_many_are_refused_in_one_sentence(jobs, small_atlas, tmp_path, monkeypatch):
    monkeypatch.setattr("services.jobs.registry.KINDS", (few := _few(),))
    atlas = open_atlas(small_atlas)
    statuses = want(jobs, wishes(atlas, tmp_path), "a")
    assert [status.state for status in statuses] == ["waiting"] * few.most_waiting + ["busy"] * 6
    assert statuses[-1].message == "2 jobs of this kind are under way already; try again in a moment."


def _few():
    from dataclasses import replace

    return replace(LAYOUT, most_waiting=2)


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
