"""`app.py worker`: the jobs of a home folder in a place of their own, such as a container beside the web processes."""

import argparse
import os
import signal
import sys
import threading

from services.errors import AtlasError
from services.jobs.local import WORKERS, LocalJobs
from services.settings import load_settings

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
        settings.make_folders()
        jobs = LocalJobs(settings, starts=True)
        presence = jobs.slots.share(WORKERS)
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Jobs of {settings.home} run here  (stop with Ctrl-C)", flush=True)
    while not stop.wait(LOOK):
        jobs.list()  # starts what waits, and sees which processes are gone
    jobs.end_processes()
    os.close(presence)
    jobs.close()
    return 0
