"""Jobs behind Redis: workers take them in turn, once, and tell; a killed worker and a Redis that is gone are said."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from services.errors import JobError
from services.jobs.local import UNSERVED
from services.jobs.spec import JobSpec, owned
from services.settings import Settings
from tests.job_processes import ended, kill_all, processes
from tests.patience import PATIENCE, until
from tests.redis_server import needs_redis, redis_server
from tests.toy_jobs import know_toys, noted

ROOT = Path(__file__).parents[2]
pytestmark = needs_redis


@pytest.fixture
def redis(tmp_path):
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def settings(redis, tmp_path, monkeypatch):
    know_toys(monkeypatch, tmp_path / "hook")
    one = Settings(home=tmp_path / "home", demo=False, redis_url=SecretStr(redis.url))
    one.make_folders()
    yield one
    kill_all(one)


@pytest.fixture
def toy(tmp_path):
    def make(name="one", kind="toy", owner="ann", **choices):
        return JobSpec(kind, {"folder": str(tmp_path), "name": name, **choices}, owner)

    return make


CARD = "card"  # the name of the worker that has one
FOUND = """
import services.models.device as device
device.gpu_here = lambda choice: {"cuda": "A card", "cpu": ""}[choice]
"""


class Working:
    """`app.py worker` with its lanes."""

    def __init__(self, settings, redis, name):
        env = {**os.environ, "ATLAS_HOME": str(settings.home), "ATLAS_REDIS_URL": redis.url, "ATLAS_WORKER": name}
        env["ATLAS_DEVICE"] = "cuda" if name == CARD else "cpu"
        self.process = subprocess.Popen(
            [sys.executable, "app.py", "worker"], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=env
        )
        self.name = name

    def ready(self):
        assert self.process.stdout.readline().startswith("Jobs in Redis run here")
        return self

    def kill(self):
        """As a container is killed: everything at once."""
        for one in [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(self.process.pid)]:
            one.kill()
        self.process.wait()


@contextmanager
def workers(settings, redis, *names):
    found = [Working(settings, redis, name) for name in names]
    try:
        yield [one.ready() for one in found]
    finally:
        for one in found:
            one.process.terminate()
        for one in found:
            one.process.wait(PATIENCE)
            one.process.stdout.close()


def test_two_workers_do_each_job_once_and_people_in_turn(jobs, settings, redis, toy, tmp_path):
    first = jobs.submit(toy("first"))
    assert jobs.list()[0].label == UNSERVED
    with workers(settings, redis, "one") as (one,):
        assert ended(jobs, first).state == "finished"
        assert jobs.log(first.id) == "first begins\n"
        # one at work, then the others in turn, though anna asked for all of hers before bert
        mine = [jobs.submit(toy(name, hold="go", owner=owned("anna", "x"))) for name in ("a0", "a1", "a2")]
        other = jobs.submit(toy("b0", owner=owned("bert", "x")))
        assert jobs.submit(toy("b0", owner=owned("carl", "x"))).people == ("bert", "carl")
        until(lambda: jobs.status(mine[0].id).state == "running")
        places = {job.arguments["name"]: job.label.rpartition(": ")[2] for job in jobs.list() if job.state == "waiting"}
        assert places == {"a1": "2 before it", "a2": "3 before it", "b0": "1 before it"}
        (tmp_path / "go").touch()
        assert all(ended(jobs, job).state == "finished" for job in (*mine, other))
        assert noted(tmp_path, "ended") == ["first", "a0", "b0", "a1", "a2"]
        assert len(noted(tmp_path, "began")) == 5
        # what a reader waits for is done meanwhile by the warm process, and stopping reaches a worker
        long = jobs.submit(toy("long", steps=10_000, seconds=0.01))
        until(lambda: jobs.status(long.id).done > 2)
        jobs.submit(toy("w", "warm"))
        until(lambda: "w" in noted(tmp_path, "ended"))
        with workers(settings, redis, "two"):
            second = jobs.submit(toy("second", hold="go"))
            assert ended(jobs, second).state == "finished"  # by the other one
            assert jobs.status(long.id).slot.endswith("@one")
        assert jobs.cancel(long.id).cancel
        assert ended(jobs, long).state == "cancelled"
        assert one.process.poll() is None
    assert processes(settings) == []


def test_a_worker_that_is_told_to_end_while_its_lanes_begin_ends(settings, redis):
    for _ in range(3):
        with workers(settings, redis, "one") as (one,):
            pass
        assert one.process.returncode == 0


def test_builds_go_to_a_worker_with_a_gpu_and_to_the_others_when_it_is_gone(
    jobs, settings, redis, toy, tmp_path, monkeypatch
):
    with (tmp_path / "hook" / "sitecustomize.py").open("a") as hook:
        hook.write(FOUND)  # only that a card is there is made up
    with workers(settings, redis, "plain"):
        assert jobs.gpu() == ""
        assert ended(jobs, jobs.submit(toy("first", "heavy"))).state == "finished"
        with workers(settings, redis, CARD) as (card,):
            until(lambda: jobs.gpu() == "A card")
            held = jobs.submit(toy("held", "heavy", hold="go"))
            until(lambda: jobs.status(held.id).slot == f"heavy.0@{CARD}")
            waits = jobs.submit(toy("waits", "heavy"))
            assert ended(jobs, jobs.submit(toy("small"))).state == "finished"
            assert jobs.status(waits.id).state == "waiting"  # though a worker without a GPU has its hands free
            card.kill()
            # nobody looks: the other worker does
            until(lambda: jobs.table.get(waits.id).state == "finished")
            assert jobs.gpu() == ""
            assert ended(jobs, held).state == "lost"
            (tmp_path / "go").touch()
            jobs.submit(toy("held", "heavy", hold="go"))
            assert ended(jobs, held).state == "finished"
    assert noted(tmp_path, "ended") == ["first", "small", "waits", "held"]


def test_a_killed_worker_is_noticed_and_another_goes_on(jobs, settings, redis, toy, tmp_path):
    spec = toy(steps=6, hold="go", after=3)
    with workers(settings, redis, "one") as (one,):
        job = jobs.submit(spec)
        until(lambda: jobs.status(job.id).done == 3)
        one.kill()
        assert jobs.status(job.id).state == "running"  # for a few seconds nobody can know
        lost = ended(jobs, job)
        assert (lost.state, lost.sentence.partition(";")[0]) == ("lost", "Toy one ended unexpectedly")
    assert processes(settings) == []
    with workers(settings, redis, "two"):
        jobs.submit(spec)
        (tmp_path / "go").touch()
        assert ended(jobs, job).state == "finished"
    assert noted(tmp_path, "steps") == [f"one {step}" for step in range(6)]


def test_redis_gone_is_said_and_what_runs_goes_on(jobs, settings, redis, toy, tmp_path):
    with workers(settings, redis, "one"):
        job = jobs.submit(toy(steps=4, hold="go", after=2))
        until(lambda: jobs.status(job.id).done == 2)
        redis.stop()
        for asks in (jobs.check, lambda: jobs.submit(toy("other")), lambda: jobs.status(job.id)):
            with pytest.raises(JobError, match=r"Redis .* does not answer"):
                asks()
        assert jobs.list() == []
        (tmp_path / "go").touch()
        until(lambda: "one" in noted(tmp_path, "ended"))
        redis.start()
        assert ended(jobs, job).state == "finished"
        later = jobs.submit(toy("later"))
        assert ended(jobs, later).state == "finished"
    assert len(noted(tmp_path, "began")) == 2


def test_a_cache_holds_bytes_alone_and_is_empty_while_redis_is_gone(redis):
    from components.server.redis_cache import LARGEST, ByteRedisCache

    cache = ByteRedisCache(redis.url)
    assert cache.get("a") is None
    assert cache.set("a", b"\x00bytes")
    assert cache.get("a") == b"\x00bytes"
    assert cache._redis.ttl("atlas:bytes:a") > 0
    assert not cache.set("large", bytes(LARGEST + 1))
    with pytest.raises(TypeError, match="only bytes"):
        cache.set("b", {"a": 1})
    redis.stop()
    assert (cache.get("a"), cache.set("c", b"c")) == (None, False)
    redis.start()


def test_rows_of_anyone_run_nothing(jobs, settings, redis, toy):
    job = jobs.submit(toy())
    for row in ("", "[]", "{", "gASVAA==", '{"id": 3}', "[" * 5000):
        jobs.table._redis.hset("atlas:jobs", "toy-x", row)
        assert [one.id for one in jobs.list()] == [job.id]


@pytest.mark.parametrize(
    ("url", "says"), [("http://x", "no address of Redis"), ("redis://127.0.0.1:1/0", "does not answer")]
)
def test_a_worker_without_redis_ends_with_one_line(tmp_path, url, says):
    done = subprocess.run(
        [sys.executable, "app.py", "worker"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE,
        env={**os.environ, "ATLAS_HOME": str(tmp_path), "ATLAS_REDIS_URL": url},
    )  # fmt: skip
    assert done.returncode == 2
    assert says in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
