"""Two gunicorn workers over one home, as the image runs them: a job is run once, seen by both, and survives deaths."""

import json
import re
import shutil
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from services.atlas import open_atlas
from services.jobs.local import LocalJobs
from services.settings import Settings
from tests.gunicorn_server import Gunicorn
from tests.job_processes import kill_all, processes
from tests.patience import PATIENCE, until
from tests.real_home import SLUG

VIEW = {"atlas": SLUG, "stream": "self", "method": "umap", "dims": 2}
SCALING = {"atlas": SLUG, "stream": "self", "layer": 1, "head": 2, "method": "umap", "metric": "norms"}
NOTE = ("scale-note.children", "scale-build.hidden", "scale-stop.hidden", "scale-tick.max_intervals")


class Server(Gunicorn):
    """A gunicorn with two workers, and a way to speak to one of them."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, demo=False)
        self.jobs = LocalJobs(self.settings)  # to look on; the workers do the asking
        super().__init__(home)

    @contextmanager
    def only(self, worker: psutil.Process):
        """While the other workers are stopped, this one answers."""
        others = [one for one in self.workers() if one.pid != worker.pid]
        for other in others:
            other.suspend()
        try:
            yield
        finally:
            for other in others:
                other.resume()

    def ask(self, worker, outputs, inputs, state, trigger) -> dict:
        """What a callback answers, when this worker is asked."""

        def place(name):
            component, prop = name.rsplit(".", 1)
            return {"id": component, "property": prop}

        body = {
            "output": f"..{'...'.join(outputs)}.." if len(outputs) > 1 else outputs[0],
            "outputs": [place(name) for name in outputs] if len(outputs) > 1 else place(outputs[0]),
            "inputs": [{**place(name), "value": value} for name, value in inputs.items()],
            "state": [{**place(name), "value": value} for name, value in state.items()],
            "changedPropIds": [trigger],
        }
        request = urllib.request.Request(
            f"{self.url}/_dash-update-component", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with self.only(worker), urllib.request.urlopen(request, timeout=PATIENCE) as response:
            text = response.read()
            return json.loads(text)["response"] if text else {}

    def note(self, worker, trigger) -> tuple[str, bool, bool]:
        """The note below "Scale the atlas by": its text, and whether "Make them" and "Stop" are hidden."""
        inputs = {
            "view.data": VIEW, "catalogue.data": None, "jobs.data": None, "scale-build.n_clicks": 1,
            "scale-stop.n_clicks": 1, "scale-tick.n_intervals": 1,
        }  # fmt: skip
        answer = self.ask(worker, NOTE, inputs, {"scale-select.value": "pearson"}, trigger)
        text = json.dumps(answer["scale-note"]["children"], ensure_ascii=False)
        return text, answer["scale-build"]["hidden"], answer["scale-stop"]["hidden"]

    def bar(self, worker) -> str:
        """What the bar of every page says."""
        outputs = ("build-banner.children", "tick.max_intervals", "jobs.data", "job-shown.data")
        answer = self.ask(
            worker, outputs, {"tick.n_intervals": 1, "looked.data": None}, {"jobs.data": None}, outputs[1]
        )
        return json.dumps(answer["build-banner"]["children"], ensure_ascii=False)

    def constants(self, worker, tab) -> tuple[int, bool]:
        """The small maps of the page Scaling for one browser tab: percent that is made, and whether all are."""
        outputs = ("scaling-scene.projection", "scaling-constants-note.children", "scaling-tick.max_intervals")
        inputs = {"scaling-state.data": SCALING, "scaling-tick.n_intervals": 1}
        answer = self.ask(worker, outputs, inputs, {"tab-nonce.data": tab}, "scaling-tick.n_intervals")
        note = json.dumps(answer["scaling-constants-note"]["children"], ensure_ascii=False)
        percent = re.search(r"(\d+) %", note)
        ready = answer["scaling-scene"]["projection"]["name"].startswith("constants_umap")
        assert ready or percent, note
        return int(percent[1]) if percent else 100, ready

    def close(self) -> None:
        """See Gunicorn; its jobs as well."""
        super().close()
        self.jobs.close()
        kill_all(self.settings)


@pytest.fixture
def server(dashboard_home, tmp_path):
    without = shutil.ignore_patterns("jobs")  # the build of the atlas was one
    one = Server(Path(shutil.copytree(dashboard_home, tmp_path / "home", ignore=without)))
    try:
        yield one
    finally:
        one.close()


def kill(*running):
    for process in running:
        process.kill()
    psutil.wait_procs(running, PATIENCE)


def the_job(server, *states, more_than=-1):
    """The one job of the home, once it is in one of the states and further than this."""

    def found():
        jobs = server.jobs.list()
        assert len(jobs) <= 1, jobs
        return jobs and jobs[0].state in states and jobs[0].done > more_than and jobs[0]

    return until(found, server.jobs.list)


def test_maps_asked_for_everywhere_are_made_once_and_survive_every_death(server):
    first, second = server.workers()
    assert "still as built" in server.note(first, "view.data")[0]
    assert server.note(first, "scale-build.n_clicks") == ('"Starting …"', True, False)
    for worker in (second, first, second):
        server.note(worker, "scale-build.n_clicks")  # pressed again, here and there
    job = the_job(server, "running", more_than=1)
    (process,) = processes(server.settings)
    for worker in (first, second):
        assert "%" in server.note(worker, "scale-tick.n_intervals")[0]
        assert "Maps of" in server.bar(worker)

    kill(first)  # the worker that began it
    assert the_job(server, "running", more_than=job.done).run == job.run
    assert [one.pid for one in processes(server.settings)] == [process.pid]
    assert "%" in server.note(second, "scale-tick.n_intervals")[0]

    kill(second, *processes(server.settings))  # the other worker and the job
    third, fourth = server.workers()
    lost = the_job(server, "lost")
    for worker in (third, fourth):
        note, build_hidden, stop_hidden = server.note(worker, "scale-tick.n_intervals")
        assert "It ended unexpectedly; start it again: it goes on where it stopped." in note
        assert (build_hidden, stop_hidden) == (False, True)
        assert "ended unexpectedly" in server.bar(worker)
    assert processes(server.settings) == []

    server.note(fourth, "scale-build.n_clicks")
    again = the_job(server, "running", more_than=lost.done - 12)  # from the last whole layer
    assert (again.id, again.attempt) == (job.id, 2)
    assert "taken up again" in server.bar(third)
    assert "Stopping" in server.note(third, "scale-stop.n_clicks")[0]  # from the other worker
    the_job(server, "cancelled")
    for worker in (third, fourth):
        assert "Stopped." in server.note(worker, "scale-tick.n_intervals")[0]
    until(lambda: processes(server.settings) == [])


def test_layouts_that_two_tabs_want_of_two_workers_are_made_once(server):
    first, second = server.workers()
    folder, made, shares = server.settings.maps, {}, []
    while True:
        for worker, tab in ((first, "ann"), (second, "bob")):
            percent, ready = server.constants(worker, tab)
            shares.append(percent)
            for file in folder.glob("head-*.npy"):
                made.setdefault(file, file.stat().st_ino)
        if ready:
            break
        time.sleep(0.2)
    assert shares == sorted(shares)  # progress never falls back, whoever is asked
    assert len(made) == 8
    assert {file: file.stat().st_ino for file in made} == made  # none was written a second time
    assert len(processes(server.settings, "layout")) == 1
    until(lambda: server.jobs.list() == [])


def test_a_layout_wanted_of_one_worker_is_dropped_by_another(server):
    first, second = server.workers()
    assert not server.constants(first, "ann")[1]
    until(lambda: any(job.state == "running" for job in server.jobs.list("ann")))
    (process,) = processes(server.settings, "layout")
    kill(process)
    until(lambda: not server.constants(second, "ann")[1] and server.jobs.list("ann")[0].attempt == 2)
    outputs = ("scaling-scene.projection", "scaling-constants-note.children", "scaling-tick.max_intervals")
    inputs = {"scaling-state.data": {**SCALING, "method": "pca"}, "scaling-tick.n_intervals": 1}
    server.ask(second, outputs, inputs, {"tab-nonce.data": "ann"}, "scaling-state.data")
    until(lambda: server.jobs.list() == [])
    assert open_atlas(server.settings.atlases / SLUG)  # untouched
    kill(first, second)
    (process,) = processes(server.settings, "layout")
    server.workers()
    server.stop()
    psutil.wait_procs([process], PATIENCE)  # nobody can ask any more
    assert not process.is_running()
