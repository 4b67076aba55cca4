"""Jobs on this machine, each in a process that outlives the one that asked for it.

Whoever asks writes the row first and starts a process afterwards; the process takes the first waiting job of its kind.
So there is no moment at which a job is known to one process alone: when the asker dies, the next one who asks for
anything starts what waits; when the job's process dies, its slot is free, and the row says so.
"""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from services.errors import JobError
from services.jobs.kind import JobKind
from services.jobs.registry import job_kind
from services.jobs.rows import Rows, open_rows
from services.jobs.slots import Slot, Slots
from services.jobs.spec import LOST, WAITING, Job, JobSpec, people_of
from services.jobs.table import disk_problem, make_private
from services.jobs.turns import in_turn, with_places
from services.models.device import CPU
from services.settings import Settings

ROOT = Path(__file__).parents[2]
# For processes that work beside the dashboard: BLAS threads fight over the cores.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SILENT = 3.0  # seconds without a renewed lease after which its lock is looked at
RECENT = 600.0  # seconds for which the end of a job is still told
SEEN = 2.0  # seconds after which an owner's interest is noted again
ASKERS = "askers"  # lock shared by all who ask for jobs of warm kinds
WORKERS = "workers"  # lock shared by all `app.py worker`
UNSERVED = "Waiting for a worker (python app.py worker)"
_LOG_TAIL = 65_536
_log = logging.getLogger(__name__)


class LocalJobs:
    """The jobs of a home folder, seen and steered by any process; see services.jobs.backend.Backend."""

    def __init__(self, settings: Settings, *, starts: bool | None = None) -> None:
        """starts: whether processes are started from here; None: as the settings say."""
        self._settings = settings
        self._starts = settings.start_jobs if starts is None else starts
        self._started: list[subprocess.Popen[bytes]] = []
        self.table = open_rows(settings)
        self.slots = Slots(settings.job_folder / (f"slots-{settings.worker}" if settings.redis_url else "slots"))
        self._asks = -1
        self._asked: set[str] = set()
        self._stamped: tuple[object, str] = (None, "")

    def submit(self, spec: JobSpec) -> Job:
        """See Backend."""
        kind = job_kind(spec.kind)
        arguments = kind.read(spec.arguments)
        spec = JobSpec.of(kind.name, arguments, spec.owner)
        if kind.warm and self._asks < 0:
            self._asks = self.slots.share(ASKERS)
        with self.table.transaction():
            before = self.table.get(spec.id)
            job = self._entered(kind, spec, kind.title(arguments), kind.subject(arguments))
        if job.state == "waiting":
            try:
                self.start_waiting(kind)
            except JobError:
                if before is None or not before.active:  # what cannot start now shall not start unasked later
                    self.table.drop(job.id)
                raise
        self._asked.add(job.id)
        return job

    def status(self, id: str) -> Job | None:
        """See Backend."""
        job = self.table.get(id)
        if job is None:
            return None
        if job.state == "waiting":
            with suppress(JobError):  # its asker was told
                self.start_waiting(job_kind(job.kind))
        return self.settled(job)

    def cancel(self, id: str, owner: str | None = None) -> Job | None:
        """See Backend."""
        with self.table.transaction():
            job = self.table.get(id)
            if job is None or (owner is None and not job.active):
                return job
            owners = {name: last for name, last in job.owners.items() if name != owner}
            if not job.active and not owners and not job_kind(job.kind).kept:
                self.table.drop(job.id)
                return job
            if not job.active or (owner is not None and owners):
                job = job.changed(owners=owners, people=people_of(owners) if owners else job.people)
            elif job.state == "waiting" or self._is_dead(job):
                job = job.changed(owners=owners, state="cancelled", message="Stopped.", updated=time.time())
                if not job_kind(job.kind).kept:
                    self.table.drop(job.id)
                    return job
            else:
                job = job.changed(owners=owners, cancel=True, again=False)
            self.table.put(job)
            return job

    def list(self, owner: str | None = None) -> Sequence[Job]:
        """See Backend."""
        try:
            found = [self.settled(job) for job in self.table.all()]
        except JobError as error:  # whoever starts a job is told
            _log.warning("%s", error)
            return []
        for name in {job.kind for job in found if job.state == "waiting"}:
            with suppress(JobError):  # its asker was told
                self.start_waiting(job_kind(name))
        now = time.time()
        return [
            job
            for job in with_places(found, WAITING)
            if (job.active or now - job.updated < RECENT) and (owner is None or owner in job.owners)
        ]

    def check(self) -> None:
        """See Backend."""
        self.table.check()

    def log(self, id: str) -> str:
        """See Backend."""
        job = self.table.get(id)
        if job is None or not job.log:
            return ""
        try:
            with (self._settings.job_folder / "logs" / Path(job.log).name).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_TAIL))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def gpu(self) -> str | None:
        """See Backend."""
        return "" if self._settings.device == CPU else None

    def stamp(self) -> str:
        """See Backend."""
        version = self.table.version()
        if version != self._stamped[0]:
            try:
                rows = [[job.id, job.state, job.attempt] for job in self.table.all() if job_kind(job.kind).announced]
            except JobError:
                rows = []
            self._stamped = version, json.dumps(rows)
        return self._stamped[1]

    def cancel_asked(self) -> None:
        """Stop what was asked for through this object, as a dashboard in a terminal does when it ends."""
        for id in self._asked:
            with suppress(JobError):
                self.cancel(id)

    def close(self) -> None:
        """Ask for nothing any more: warm processes end when all have."""
        if self._asks >= 0:
            os.close(self._asks)
            self._asks = -1
        self.table.close()

    # --- processes

    def start_waiting(self, kind: JobKind) -> None:
        """Start processes for the waiting jobs of a kind, as many as may run at once, unless a worker does.

        Raises:
            JobError: no process can be started.
        """
        rows = [job for job in self.table.all() if job.kind == kind.name]
        waiting = sum(job.state == "waiting" for job in rows)
        if waiting == 0:
            return
        if self._starts:
            self._start_missing(kind, rows, waiting)
        if kind.warm:
            ring(self.slots.folder, kind)

    def _start_missing(self, kind: JobKind, rows: Sequence[Job], waiting: int) -> None:
        slots = [f"{kind.name}.{number}" for number in range(kind.limit)]
        at_work = {job.slot for job in rows if job.state == "running"}
        missing = waiting - sum(
            place(self._settings, name) not in at_work and not self.slots.is_free(name) for name in slots
        )
        for name in slots:
            slot = self.slots.take(name) if missing > 0 else None
            if slot is None:  # its process takes what waits
                continue
            try:
                self._start(kind, slot)
            finally:
                slot.release()
            missing -= 1
            self._say_starting(kind, in_turn(rows, kind.name)[0])

    def _start(self, kind: JobKind, slot: Slot) -> None:
        logs = self._settings.job_folder / "logs"
        try:
            make_private(logs)
            log = (logs / f"{place(self._settings, slot.name)}.log").open("wb")
        except OSError as error:
            raise JobError(disk_problem(logs, error)) from error
        with log:
            try:
                process = subprocess.Popen(
                    [sys.executable, "-m", "services.jobs.run", kind.name, *_handed(slot)],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[slot.descriptor],
                    start_new_session=True,
                    env={
                        # A server gives back large blocks of memory at once; a computation would pay for it.
                        **{name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")},
                        **ONE_THREAD,
                        "ATLAS_HOME": str(self._settings.home),
                        "ATLAS_WORKER": self._settings.worker,
                        # the next one in line; behind Redis its lane looks who has room
                        "ATLAS_START_JOBS": str(self._settings.redis_url is None).lower(),
                    },
                )
            except OSError as error:
                raise JobError(f"No process can be started ({error.strerror}); try again in a moment.") from error
        self._started = [*(one for one in self._started if one.returncode is None), process]
        threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie

    def has_room(self, kind: JobKind) -> bool:
        """Whether fewer processes of a kind run here than may."""
        return any(self.slots.is_free(f"{kind.name}.{number}") for number in range(kind.limit))

    def end_processes(self) -> None:
        """Ask the processes that were started from here to end at their next step, and wait for it."""
        for process in self._started:
            process.terminate()
        for process in self._started:
            process.wait()

    # --- rows

    def _say_starting(self, kind: JobKind, job: Job) -> None:
        with self.table.transaction():
            now = self.table.get(job.id)
            if now is not None and now.state == "waiting":
                self.table.put(now.changed(label=kind.starting))

    def _entered(self, kind: JobKind, spec: JobSpec, title: str, subject: str) -> Job:
        """The row of a job that was asked for just now; within a transaction."""
        now = time.time()
        job = self.table.get(spec.id)
        if job is not None:
            job = self.settled(job, silent=0)  # one that was killed a moment ago shall begin again now
        if job is not None and job.active:
            known = now - job.owners.get(spec.owner, 0.0) < SEEN
            if known and not (job.cancel and not job.again):
                return job
            owners = {**job.owners, spec.owner: now}
            job = job.changed(owners=owners, people=people_of(owners) if job.people else (), again=job.cancel)
            self.table.put(job)
            return job
        waiting = sum(other.kind == kind.name and other.active for other in self.table.all())
        if waiting >= kind.most_waiting:
            raise JobError(f"{waiting} jobs of this kind are under way already; try again in a moment.")
        new = Job(
            id=spec.id,
            kind=kind.name,
            arguments=spec.arguments,
            title=title,
            subject=subject,
            owners={spec.owner: now},
            people=people_of([spec.owner]),
            label=self._first_label(),
            order=self.table.next_order(),
            attempt=job.attempt + 1 if job is not None and job.state == "lost" else 1,
            created=now,
            updated=now,
        )
        self.table.put(new)
        return new

    def _first_label(self) -> str:
        return UNSERVED if not self._starts and self.slots.is_unshared(WORKERS) else WAITING

    def settled(self, job: Job, silent: float = SILENT) -> Job:
        """The row, after it was seen whether the process that has it still lives.

        silent: seconds without a word of it after which that is looked at; 0: whenever it was heard of last.
        """
        if job.state != "running" or abs(time.time() - job.updated) < silent or not self._is_dead(job):
            return job
        with self.table.transaction():
            now = self.table.get(job.id)
            if now is None or now.state != "running" or now.run != job.run:
                return now or job
            return lose(self.table, now)

    def _is_dead(self, job: Job) -> bool:
        leased = self.table.leased(job.run)
        return self.slots.is_free(job.slot) if leased is None else not leased


def place(settings: Settings, slot: str) -> str:
    """What a slot is called in the table: slots of several workers behind one Redis are told apart."""
    return f"{slot}@{settings.worker}" if settings.redis_url else slot


def _handed(slot: Slot) -> tuple[str, ...]:
    """How a process is told which slot it has."""
    return "--slot", slot.name, "--lock", str(slot.descriptor)


def lose(table: Rows, job: Job) -> Job:
    """Note that the process of a running job is gone; one that was to stop has."""
    stopped = {"state": "cancelled", "message": "Stopped."}
    lost = {"state": "lost", "message": f"It {LOST}"}
    job = job.changed(**(stopped if job.cancel else lost), run="", slot="", cancel=False, updated=time.time())
    table.put(job)
    return job


def bell(folder: Path, kind: JobKind) -> Path:
    """The named pipe in a folder of slots through which a warm process is told that a job waits."""
    return folder / f"{kind.name}.bell"


def ring(folder: Path, kind: JobKind) -> None:
    """Tell the warm processes of a kind that a job waits; none listens while none runs."""
    with suppress(OSError):
        descriptor = os.open(bell(folder, kind), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(descriptor, b"\n")
        finally:
            os.close(descriptor)
