"""The working end of Celery: a lane for each kind of job, so that none waits for another kind.

A lane is a Celery worker that takes one message at a time and keeps it for as long as this machine has its hands full
with that kind, so that other machines get what else waits. The jobs themselves run in processes of their own, started
and ended as on a single machine (services.jobs.local): memory goes back at the end of each, and the probe's model stays
warm.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess

from celery import signals

from services.errors import JobError
from services.jobs.kind import JobKind
from services.jobs.local import ASKERS, LocalJobs
from services.jobs.queue import LOOK, QueuedJobs, celery_app, queue_of
from services.jobs.redis_table import RedisTable
from services.settings import Settings

_SAY = 2.0  # seconds between two words that this worker is there
_LOOK = 0.1
_END = {signal.SIGTERM}


def work_lanes(settings: Settings, kinds: Sequence[JobKind], stop: threading.Event, gpu: str = "") -> bool:
    """Serve until told to stop; False when a lane ended by itself. gpu: the name of this worker's, if it has one.

    Raises:
        JobError: Redis does not answer at the start.
    """
    assert settings.redis_url is not None
    table = RedisTable(settings.redis_url.get_secret_value())
    table.say_served(gpu)
    fork = multiprocessing.get_context("fork")  # libraries are loaded once, and this process has no threads yet
    lanes: list[BaseProcess] = [
        fork.Process(target=_lane, args=(settings, kind, bool(gpu)), name=kind.name) for kind in kinds
    ]
    # One that is told to end before Celery listens ends at once; this process's own handler would lose the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, _END)
    try:
        for lane in lanes:
            lane.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _END)
    # What waits for a worker that is gone is told to those that are left, whether or not anyone has a page open.
    queued = QueuedJobs(settings)
    whole, said = True, time.monotonic()
    while whole and not stop.wait(_LOOK):
        whole = all(lane.is_alive() for lane in lanes)
        if time.monotonic() - said > _SAY:
            said = time.monotonic()
            with suppress(JobError):  # it comes back, or pages say that it does not
                table.say_served(gpu)
                queued.list()
    for lane in lanes:
        lane.terminate()
    for lane in lanes:
        lane.join()
    queued.close()
    return whole


def _lane(settings: Settings, kind: JobKind, has_gpu: bool) -> None:
    """Take messages of a kind until SIGTERM, or the end of the process that began this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent says when
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _END)
    jobs, stopping = LocalJobs(settings, starts=True), threading.Event()
    if kind.warm:
        jobs.slots.share(ASKERS)
    app = celery_app(settings)

    def look(_kind: str) -> None:
        _serve(jobs, kind, stopping, has_gpu)

    app.task(look, name=LOOK)
    signals.worker_shutting_down.connect(lambda **_: stopping.set(), weak=False)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    options = ["--pool=solo", "--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    queues = [queue_of(kind)] + ([queue_of(kind, gpu=True)] if kind.for_gpu and has_gpu else [])
    with suppress(SystemExit):
        app.worker_main(
            ["worker", *options, f"--queues={','.join(queues)}", f"--hostname={kind.name}@{settings.worker}"]
        )
    jobs.end_processes()


def _serve(jobs: LocalJobs, kind: JobKind, stopping: threading.Event, has_gpu: bool) -> None:
    """Start what waits and stay for as long as there is no room for more.

    A worker without a GPU leaves builds to those that have one; the next message goes to their queue.
    """
    table = jobs.table
    assert isinstance(table, RedisTable)
    while not stopping.is_set():
        with suppress(JobError):  # Redis is gone for a while: what runs goes on
            if has_gpu or not (kind.for_gpu and table.gpu()):
                jobs.start_waiting(kind)
        if kind.warm or jobs.has_room(kind):
            return
        stopping.wait(_LOOK)
    jobs.end_processes()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)
