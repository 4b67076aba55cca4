"""Gunicorn with two workers over one home folder, as the image runs it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.job_processes import kill_all
from tests.patience import PATIENCE, until

ROOT = Path(__file__).parents[1]
OPTIONS = ("--bind", "127.0.0.1:0", "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--timeout", "600")


class Gunicorn:
    """A running gunicorn; its log lies beside the home folder."""

    def __init__(self, home: Path, **settings: str) -> None:
        log = home.with_name(f"{home.name}-gunicorn.log")
        with log.open("wb") as file:
            self._master = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *OPTIONS, "wsgi:server"],
                cwd=ROOT,
                env={**os.environ, "ATLAS_HOME": str(home), "ATLAS_DEMO": "false", "ATLAS_JOBS": "1", **settings},
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.url: str = until(lambda: re.search(r"Listening at: (http://\S+)", log.read_text()), "no gunicorn")[1]

    def workers(self) -> list[psutil.Process]:
        """The two workers, as soon as there are two."""

        def children():
            found = [one for one in psutil.Process(self._master.pid).children() if one.status() != "zombie"]
            return len(found) == 2 and sorted(found, key=lambda one: one.create_time())

        return until(children, "no two workers")

    def stop(self) -> None:
        """Ask the server to end."""
        self._master.send_signal(signal.SIGTERM)

    def die(self) -> None:
        """Kill the server with its workers; what they started for jobs lives on."""
        os.killpg(self._master.pid, signal.SIGKILL)
        self._master.wait(PATIENCE)

    def close(self) -> None:
        """End it, also with workers that were suspended."""
        if self._master.poll() is None:
            for worker in psutil.Process(self._master.pid).children():
                worker.resume()
        self.stop()
        try:
            self._master.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._master.pid, signal.SIGKILL)


@contextmanager
def two_workers(settings, **environment: str) -> Iterator[str]:
    """The address of a dashboard of two workers over the home of these settings; its jobs end with it."""
    server = Gunicorn(settings.home, **environment)
    try:
        server.workers()
        yield server.url
    finally:
        server.close()
        kill_all(settings)
