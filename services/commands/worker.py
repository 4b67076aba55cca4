"""`app.py worker`: the jobs of a home folder in a place of their own, such as a container beside the web processes."""

import argparse
import os
import signal
import sys
import threading

from services.errors import AtlasError
from services.jobs import registry
from services.jobs.local import WORKERS, LocalJobs
from services.models.device import gpu_here
from services.settings import Settings, load_settings

LOOK = 0.5  # seconds between two looks at what waits


def add_options(cli: argparse.ArgumentParser) -> None:
    """None: which home, and how many processes a build may use, are settings."""


def run(options: argparse.Namespace) -> int:
    """Start what waits until SIGINT or SIGTERM, then end what was started here. Returns the exit code."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings()
        settings.make_folders(serving=True)
        if not _has_waited(settings, stop):
            return 0
        gpu = gpu_here(settings.device)
        jobs = LocalJobs(settings, starts=True)
        presence = jobs.slots.share(WORKERS)
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    if settings.redis_url is not None:
        return _behind_redis(settings, jobs, stop, gpu)
    print(f"Jobs of {settings.home} run here{_builds_on(gpu)}  (stop with Ctrl-C)", flush=True)
    while not stop.wait(LOOK):
        jobs.list()  # starts what waits, and sees which processes are gone
    jobs.end_processes()
    os.close(presence)
    jobs.close()
    return 0


def _has_waited(settings: Settings, stop: threading.Event) -> bool:
    """Whether the home can be written, after waiting for it: a disk that has turned read-only may turn back."""
    if settings.is_halted:
        print(f"Cannot write {settings.home} just now: jobs run here as soon as it can be written.", file=sys.stderr)
    while settings.is_halted:
        if stop.wait(LOOK):
            return False
    settings.make_folders()
    return True


def _builds_on(gpu: str) -> str:
    return f", builds on {gpu}" if gpu else ""


def _behind_redis(settings: Settings, jobs: LocalJobs, stop: threading.Event, gpu: str) -> int:
    """Take what waits in Redis, beside other workers. gpu: the name of this one's, if it has one"""
    from services.jobs.lanes import work_lanes

    try:
        jobs.check()
        print(f"Jobs in Redis run here, as worker {settings.worker}{_builds_on(gpu)}  (stop with Ctrl-C)", flush=True)
        whole = work_lanes(settings, registry.KINDS, stop, gpu)
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    if not whole:
        print("A part of this worker ended unexpectedly; start it again.", file=sys.stderr)
    return 0 if whole else 1
