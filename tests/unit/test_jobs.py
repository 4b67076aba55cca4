"""The dashboard learns from progress files what runs, what ended and what died."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from services.jobs import builds as module
from services.jobs.builds import DEMO_SLUG, demo_needed, jobs
from services.pipeline.progress import Progress
from services.settings import Settings


@pytest.fixture
def settings(tmp_path):
    settings = Settings(home=tmp_path)
    settings.make_folders()
    return settings


def write(settings, slug="one", **content):
    file = settings.progress / f"{slug}.json"
    state = {"slug": slug, "pid": os.getpid(), "state": "running", "updated": time.time()}
    file.write_text(json.dumps(state | content))


def test_a_running_build_tells_how_far_it_is(settings):
    progress = Progress("one", settings.progress / "one.json", bar=False)
    progress.stage("capture", "Capturing attention", 10)
    time.sleep(0.35)  # written at most three times a second
    progress.update(4)
    (job,) = jobs(settings)
    assert (job.slug, job.state, job.label, job.done, job.total, job.fraction) == (
        "one", "running", "Capturing attention", 4, 10, 0.4,
    )  # fmt: skip
    progress.finish("finished")
    assert [job.state for job in jobs(settings)] == ["finished"]


def test_a_failed_build_tells_why(settings):
    progress = Progress("one", settings.progress / "one.json", bar=False)
    progress.finish("failed", "No space left.")
    (job,) = jobs(settings)
    assert (job.state, job.message) == ("failed", "No space left.")


def test_a_build_whose_process_is_gone_has_stopped(settings):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    write(settings, pid=process.pid)
    (job,) = jobs(settings)
    assert job.state == "stopped"
    assert "goes on where it stopped" in job.message


def test_a_child_that_died_unattended_has_stopped(settings):
    process = subprocess.Popen([sys.executable, "-c", ""])
    time.sleep(0.3)
    write(settings, pid=process.pid)
    deadline = time.time() + 20
    while jobs(settings)[0].state == "running" and time.time() < deadline:
        time.sleep(0.05)
    assert jobs(settings)[0].state == "stopped"


def test_a_process_that_is_silent_for_long_is_someone_elses(settings):
    """After a restart of the machine or the container another process may have the number."""
    write(settings, updated=time.time() - 300)
    assert jobs(settings)[0].state == "stopped"


def test_a_slow_stage_keeps_saying_that_it_lives(settings, monkeypatch):
    monkeypatch.setattr("services.pipeline.progress.HEARTBEAT", 0.05)
    progress = Progress("one", settings.progress / "one.json", bar=False)
    progress.stage("model", "Loading the model", 1)
    first = jobs(settings)[0].updated
    time.sleep(0.4)
    assert jobs(settings)[0].updated > first
    progress.finish("finished")
    last = jobs(settings)[0].updated
    time.sleep(0.2)
    assert jobs(settings)[0].updated == last


def test_what_ended_long_ago_is_not_shown(settings):
    write(settings, "old", state="finished", updated=time.time() - 3600)
    write(settings, "new", state="finished")
    write(settings, "newest", state="failed", updated=time.time() + 1)
    assert [job.slug for job in jobs(settings)] == ["newest", "new"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", "null", "[" * 100_000, '{"slug": "x"}', '{"slug": "x", "state": "running", "pid": "me"}',
     '{"slug": "x", "state": "running", "pid": Infinity}', '{"slug": "x", "state": "running", "pid": [1]}', "\udcff"],
)  # fmt: skip
def test_a_garbage_file_is_passed_over(settings, content):
    (settings.progress / "bad.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    write(settings, "good")
    assert [job.slug for job in jobs(settings)] == ["good"]


@pytest.mark.parametrize("pid", [0, -1, 2**40, 10**30])
def test_an_impossible_process_is_dead(settings, pid):
    write(settings, pid=pid)
    assert jobs(settings)[0].state == "stopped"


def test_no_folder_is_no_jobs(tmp_path):
    assert jobs(Settings(home=tmp_path / "nowhere")) == []


def test_a_build_started_from_here_tells_its_mistake(settings):
    process = module.start_build(settings, ["--projections", "isomap"])
    assert process.wait(60) == 2
    assert "isomap" in (settings.progress / "build.log").read_text()


def test_a_demo_of_a_version_that_is_no_longer_read_is_built_again(settings, small_atlas, monkeypatch):
    demo = shutil.copytree(small_atlas, settings.atlases / DEMO_SLUG)
    settings = settings.model_copy(update={"demo_projections": "pca"})
    assert not demo_needed(settings)
    started = []
    monkeypatch.setattr(module, "start_build", lambda _, arguments: started.append(arguments) or Started())
    module.start_demo(settings)
    content = json.loads((demo / "atlas.json").read_text())
    (demo / "atlas.json").write_text(json.dumps(content | {"schema_version": 1}))
    assert demo_needed(settings)
    module.start_demo(settings)
    (demo / "atlas.json").write_text("{")  # damaged: who knows by what; a user has to say that it may go
    module.start_demo(settings)
    assert ["--overwrite" in arguments for arguments in started] == [False, True, False]


class Started:
    pid = 1


def test_the_demo_is_built_when_there_is_nothing_and_finished_when_maps_are_missing(settings, small_atlas):
    assert demo_needed(settings)
    assert not demo_needed(settings.model_copy(update={"demo": False}))
    (settings.atlases / f"{DEMO_SLUG}.partial").mkdir()
    assert demo_needed(settings)
    (settings.atlases / DEMO_SLUG).symlink_to(small_atlas)
    assert demo_needed(settings)  # UMAP and t-SNE are not there yet
    assert not demo_needed(settings.model_copy(update={"demo_projections": "pca"}))
    (settings.atlases / "another").mkdir()
    assert not demo_needed(settings)
