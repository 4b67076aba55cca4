"""A process that takes waiting jobs of one kind from the table and does them."""

import os
import secrets
import select
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from services.errors import AtlasError
from services.jobs.kind import JobKind
from services.jobs.local import ASKERS, LocalJobs, bell, lose, place
from services.jobs.running import TELL, Running, is_forgotten
from services.jobs.slots import Slot
from services.jobs.spec import Job
from services.jobs.turns import in_turn
from services.settings import Settings

LOOK = 1.0  # seconds after which a warm process looks again, whatever the bell says
KEPT = 86_400.0  # seconds for which the row and the log of a job that has ended are kept
_DEAF = 0.02  # seconds between two looks where there is no bell
_PULSE = 0.05  # of warm kinds, whose jobs are small


class Worker:
    """One slot at work. A kind that is not warm gets a fresh process for each job: its memory goes back at the end."""

    def __init__(self, settings: Settings, kind: JobKind, slot: Slot) -> None:
        self._settings = settings
        self._kind = kind
        self._slot = slot
        self._place = place(settings, slot.name)
        self._jobs = LocalJobs(settings)
        self._running: Running | None = None
        self._ends = False

    def work(self) -> None:
        """Do what waits, then end; begin another process where something waits still."""
        signal.signal(signal.SIGTERM, self._terminate)
        self._tidy()
        if self._kind.warm:
            self._work_warm()
        elif (job := self._next()) is not None:
            self._log_to(job)
            self._do(job)
        self._slot.release()
        if not self._ends:  # asked for after the last look and before the slot was free
            self._jobs.start_waiting(self._kind)

    def _work_warm(self) -> None:
        ear = self._ear()
        idle, last = self._kind.idle(self._settings), time.monotonic()
        while not self._ends:
            if (job := self._next()) is not None:
                self._do(job)
                last = time.monotonic()
            elif time.monotonic() - last > idle or self._jobs.slots.is_unshared(ASKERS):
                break
            elif ear is None:
                time.sleep(_DEAF)
            elif select.select([ear], [], [], LOOK)[0]:
                os.read(ear, 4096)
        if ear is not None:
            os.close(ear)

    def _ear(self) -> int | None:
        """Where the bell is heard; None on a file system without named pipes."""
        pipe = bell(self._jobs.slots.folder, self._kind)
        try:
            with suppress(FileExistsError):
                os.mkfifo(pipe, 0o600)
            return os.open(pipe, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None

    def _next(self) -> Job | None:
        """The first waiting job, which is ours from now on; those that nobody wants any more are dropped."""
        table = self._jobs.table
        waiting = in_turn(table.all(), self._kind.name)
        if not waiting:
            return None
        with table.transaction():
            for job in (table.get(one.id) for one in waiting):
                if job is None or job.state != "waiting":
                    continue
                if is_forgotten(job, self._kind.forgotten):
                    table.drop(job.id)
                    continue
                log = f"{self._place}.log" if self._kind.warm else f"{job.id}.log"
                job = job.changed(
                    state="running", label="Starting", slot=self._place, run=secrets.token_hex(8), log=log,
                    begun=time.time(), updated=time.time(),
                )  # fmt: skip
                table.put(job)
                return job
        return None

    def _do(self, job: Job) -> None:
        kind = self._kind
        pulse = _PULSE if kind.warm else TELL
        try:
            with Running(
                self._jobs.table, job, self._settings, pulse=pulse, forgotten=kind.forgotten, kept=kind.kept
            ) as self._running:
                if self._ends:
                    self._running.stop()
                self._running.check()
                self._running.result = kind.run(kind.read(job.arguments), self._running)
        except AtlasError as error:
            print(error, file=sys.stderr, flush=True)
        except Exception:  # the row says it in one line; the process goes on with the next job
            traceback.print_exc()
        finally:
            self._running = None

    def _terminate(self, *_: object) -> None:
        """SIGTERM ends the job at its next step, and the process with it; a second one at once."""
        if self._ends:
            os._exit(130)
        self._ends = True
        if self._running is not None:
            self._running.stop()

    def _log_to(self, job: Job) -> None:
        """What is written from here on goes to the job's own log; what a lost attempt wrote stays before it."""
        file = self._settings.job_folder / "logs" / job.log
        with suppress(OSError), file.open("ab" if job.attempt > 1 else "wb") as log:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
                os.dup2(log.fileno(), stream.fileno())

    def _tidy(self) -> None:
        """Rows that a process before this one left in the slot are lost; old ones are removed with their logs."""
        table = self._jobs.table
        logs = self._settings.job_folder / "logs"
        with table.transaction():
            for job in table.all():
                if job.state == "running" and job.slot == self._place:
                    lose(table, job)
                elif not job.active and abs(time.time() - job.updated) > KEPT:
                    table.drop(job.id)
                    if job.log:
                        with suppress(OSError):
                            (logs / Path(job.log).name).unlink(missing_ok=True)
