"""`app.py worker`: what dashboards only ask for, a worker of the same home does."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.jobs.local import UNSERVED
from services.jobs.spec import WAITING, JobSpec
from services.settings import Settings
from tests.job_processes import ended, kill_all, processes
from tests.patience import PATIENCE, until
from tests.toy_jobs import know_toys, noted

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    know_toys(monkeypatch, tmp_path / "hook")
    one = Settings(home=tmp_path / "home", demo=False, start_jobs=False)
    one.make_folders()
    yield one
    kill_all(one)


@pytest.fixture
def toy(tmp_path):
    def make(name="one", kind="toy", **choices):
        return JobSpec(kind, {"folder": str(tmp_path), "name": name, **choices}, "ann")

    return make


@contextmanager
def worker(settings):
    process = subprocess.Popen(
        [sys.executable, "app.py", "worker"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "ATLAS_HOME": str(settings.home), "ATLAS_START_JOBS": "false"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("Jobs of")
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_without_a_worker_nothing_is_started_and_the_job_says_what_it_waits_for(jobs, settings, toy):
    job = jobs.submit(toy())
    assert [jobs.status(job.id).state, jobs.list()[0].label] == ["waiting", UNSERVED]
    assert processes(settings) == []


def test_a_worker_does_in_order_what_was_and_what_will_be_asked_for(jobs, settings, toy, tmp_path):
    jobs.submit(toy("a"))
    last = jobs.submit(toy("b"))
    with worker(settings):
        assert ended(jobs, last).state == "finished"
        assert noted(tmp_path, "ended") == ["a", "b"]
        later = jobs.submit(toy("c", "warm"))
        assert later.label == WAITING
        until(lambda: noted(tmp_path, "ended") == ["a", "b", "c"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_stopped_ends_its_jobs_in_order(jobs, settings, toy, number):
    job = jobs.submit(toy(steps=10_000, seconds=0.01))
    with worker(settings) as process:
        until(lambda: jobs.status(job.id).done > 2)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
    assert (jobs.status(job.id).state, processes(settings)) == ("cancelled", [])
