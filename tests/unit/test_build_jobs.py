"""Builds as jobs: started beside the dashboard, seen from it when typed in a terminal, stopped from either."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from building import ROOT, TEXTS, finish, kill, options_of, start, wait_for, write_corpus
from tiny_models import save_model

from services.atlas import open_atlas
from services.jobs.builds import BUILD, DEMO_SLUG, BuildArguments, demo_needed, is_building, start_demo
from services.jobs.local import LocalJobs
from services.jobs.spec import JobSpec
from services.pipeline.request import BuildRequest
from services.settings import Settings
from tests.job_processes import ended, kill_all, processes
from tests.patience import PATIENCE, until


@pytest.fixture
def settings(tmp_path):
    settings = Settings(home=tmp_path / "home", demo_projections="pca", demo_images=False)
    settings.make_folders()
    yield settings
    kill_all(settings)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("models") / "bert", "bert", num_hidden_layers=2)


def wish(settings, bert, corpus, **choices):
    request = BuildRequest(model=str(bert), corpus=str(corpus), projections=("pca",), dims=(2,), **choices)
    return JobSpec.of(BUILD.name, BuildArguments(request=request, folder=str(settings.atlases / "one")), "dashboard")


def test_a_build_started_from_the_dashboard_makes_an_atlas_and_tells_how_far_it_is(settings, jobs, bert, tmp_path):
    job = jobs.submit(wish(settings, bert, write_corpus(tmp_path / "lines.txt")))
    assert job.title == "Build of one"
    assert is_building(jobs, settings.atlases / "one")
    assert not is_building(jobs, settings.atlases / "other")
    done = ended(jobs, job)
    assert (done.state, done.message) == ("finished", "")
    assert open_atlas(settings.atlases / "one").info.projection("pca2d", "self")
    assert not is_building(jobs, settings.atlases / "one")


def test_a_build_started_from_the_dashboard_tells_its_mistake(settings, jobs, bert, tmp_path):
    failed = ended(jobs, jobs.submit(wish(settings, bert, tmp_path / "nothing.txt")))
    assert failed.state == "failed"
    assert "nothing.txt" in failed.message
    assert failed.sentence.startswith("Build of one failed: ")
    assert "nothing.txt" in jobs.log(failed.id)


@pytest.mark.slow
def test_a_build_in_a_terminal_is_seen_and_stopped_from_the_dashboard_and_goes_on(settings, jobs, bert, tmp_path):
    corpus = write_corpus(tmp_path / "lines.txt", TEXTS * 10)
    arguments = options_of(bert, corpus, settings.atlases / "one", "--projections", "pca")

    def begin(done):
        process = start(arguments, settings.home, tmp_path / "log", "capture", seconds=0.3)

        def captures():
            now = [job for job in jobs.list() if job.state == "running" and "Capturing" in job.label]
            return [job for job in now if job.done >= done]

        wait_for(captures, process)
        return process, jobs.list()[0]

    process, seen = begin(2)
    assert (seen.title, seen.state, set(seen.owners)) == ("Build of one", "running", {"terminal"})
    assert is_building(jobs, settings.atlases / "one")
    jobs.cancel(seen.id)
    assert finish(process) == (130, "Stopped. Run the same command again to go on where it stopped.\n")
    assert jobs.status(seen.id).state == "cancelled"
    process, seen = begin(seen.done + 2)
    kill(process)
    assert ended(jobs, seen).sentence == "Build of one ended unexpectedly; start it again: it goes on where it stopped."
    assert finish(start(arguments, settings.home)) == (0, "")
    assert jobs.status(seen.id).state == "finished"


def test_the_demo_is_built_when_there_is_nothing_and_finished_when_maps_are_missing(settings, small_atlas):
    everything = settings.model_copy(update={"demo_projections": "attention,pca,umap,tsne"})
    assert demo_needed(everything)
    assert not demo_needed(everything.model_copy(update={"demo": False}))
    (settings.atlases / f"{DEMO_SLUG}.partial").mkdir()
    assert demo_needed(everything)
    (settings.atlases / DEMO_SLUG).symlink_to(small_atlas)
    assert demo_needed(everything)  # UMAP and t-SNE are not there yet
    assert not demo_needed(everything.model_copy(update={"demo_projections": "pca"}))
    (settings.atlases / "another").mkdir()
    assert not demo_needed(everything)


def test_two_servers_that_start_at_once_build_one_demo(settings, jobs):
    others = LocalJobs(settings)
    first, second = start_demo(settings, jobs), start_demo(settings, others)
    assert first.id == second.id
    assert (first.title, first.arguments["folder"]) == ("Build of minilm-demo", str(settings.atlases / DEMO_SLUG))
    assert [job.id for job in jobs.list()] == [first.id]
    jobs.cancel(first.id)
    assert ended(jobs, first).state == "cancelled"
    others.close()


def serve(settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {
        "ATLAS_HOME": str(settings.home), "ATLAS_DEMO_PROJECTIONS": "pca", "ATLAS_OPEN_BROWSER": "false",
        "ATLAS_DEMO": "true", "ATLAS_DEMO_IMAGES": "false",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "app.py", "serve", "--port", port], cwd=ROOT, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.slow
def test_ctrl_c_stops_the_demo_with_the_dashboard_a_kill_does_not_and_the_next_start_goes_on(settings, jobs):
    server = serve(settings)
    assert "runs at" in server.stdout.readline()
    (job,) = until(jobs.list)
    os.killpg(server.pid, signal.SIGINT)  # as a terminal does
    assert server.wait(PATIENCE) == 0
    assert ended(jobs, job).state == "cancelled"
    until(lambda: not processes(settings))
    server = serve(settings)
    assert "runs at" in server.stdout.readline()
    again = until(lambda: (now := jobs.status(job.id)).active and now)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    killed = time.time()
    alive = until(lambda: (now := jobs.status(job.id)).state == "running" and now.updated > killed + 1 and now)
    assert alive.order == again.order  # the same that it began, not another
    jobs.cancel(job.id)
    assert ended(jobs, job).state == "cancelled"
