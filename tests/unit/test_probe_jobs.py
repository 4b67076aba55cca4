"""Probes as jobs: one warm process for all readers of a home, which ends when it is idle and leaves nothing behind."""

import subprocess
import sys

import pytest

from services.atlas import open_atlas
from services.jobs.local import LocalJobs
from services.jobs.probes import DIED, PROBE, get_ready, probe_wish
from services.jobs.wishes import want
from services.probe import kept
from services.probe.asked import Asked
from tests.job_processes import processes
from tests.patience import until


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


def wait(jobs, settings, atlas, text, visitor="a", name="pca2d"):
    """The end of a probe, as one who waits for it sees it."""
    wish = probe_wish(settings, atlas, Asked(text), atlas.info.projection(name, "self"), visitor)
    return until(lambda: (now := want(jobs, PROBE, [wish], visitor, DIED)[0]).state in ("ready", "failed") and now)


def files_of(process):
    """What it holds open, but for the job table, which a thread of each job opens and Python closes when it likes."""
    return sorted(file.path for file in process.open_files() if "/jobs/table/" not in file.path)


def test_one_process_serves_all_readers_and_ten_probes_leave_nothing(jobs, settings, atlas):
    others = LocalJobs(settings)  # another worker of the server
    get_ready(others, settings, atlas, "b")
    for name in ("pca2d", "pca3d"):
        assert wait(jobs, settings, atlas, "A first cat.", name=name).state == "ready"
    until(lambda: not jobs.list())
    (process,) = processes(settings, "probe")
    before = files_of(process), process.memory_info().rss
    for number in range(10):
        assert wait(others, settings, atlas, f"Cat number {number}.", "b", "pca3d").state == "ready"
    until(lambda: not jobs.list())
    assert processes(settings, "probe") == [process]
    assert files_of(process) == before[0]
    assert process.memory_info().rss - before[1] < 60e6
    assert not list(settings.probes.rglob(".*"))
    others.close()


def test_a_failure_is_said_once_and_a_cancelled_one_goes_without_a_word(jobs, settings, atlas):
    status = wait(jobs, settings, atlas, "cat " * 200)
    assert (status.state, status.message.split(";")[0]) == ("failed", "This probe has 202 tokens")
    wish = probe_wish(settings, atlas, Asked("One."), None, "a")
    want(jobs, PROBE, [wish], "a", DIED)
    assert wait(jobs, settings, atlas, "Two.").state == "ready"  # typed on: the first is dropped
    assert kept.find(settings.probes, atlas, Asked("Two.").id(atlas)).text == "Two."


@pytest.mark.slow
def test_a_killed_process_is_replaced(jobs, settings, atlas, monkeypatch):
    monkeypatch.setattr("services.jobs.local.SILENT", 0.1)
    assert wait(jobs, settings, atlas, "Before.").state == "ready"
    for process in processes(settings, "probe"):
        process.kill()
        process.wait()
    assert wait(jobs, settings, atlas, "After.").state == "ready"


@pytest.mark.slow
def test_it_gives_its_memory_back_when_idle_and_ends_with_its_server(settings, atlas, monkeypatch):
    monkeypatch.setenv("ATLAS_PROBE_IDLE", "1")
    jobs = LocalJobs(settings)
    assert wait(jobs, settings, atlas, "A cat.").state == "ready"
    until(lambda: not processes(settings, "probe"))
    monkeypatch.setenv("ATLAS_PROBE_IDLE", "600")
    assert wait(jobs, settings, atlas, "Another cat.").state == "ready"
    assert processes(settings, "probe")
    jobs.close()
    until(lambda: not processes(settings, "probe"))


def test_whoever_asks_needs_no_torch():
    code = "import sys, services.jobs.registry, services.probe.kept, services.probe.models, services.probe.compare;"
    code += "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
