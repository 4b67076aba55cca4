"""A job done by this very process, such as a build in a terminal: every dashboard of the home sees and can stop it."""

import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from services.errors import BusyError, JobError
from services.jobs.local import LocalJobs
from services.jobs.registry import job_kind
from services.jobs.running import Running
from services.jobs.slots import Slot
from services.jobs.spec import Job, JobSpec
from services.settings import Settings


@contextmanager
def here(settings: Settings, spec: JobSpec) -> Iterator[Running]:
    """Note a job as running while the block does its work. It waits for no other: whoever types wants it now.

    Ctrl-C and SIGTERM end it at its next step; the second time at once, as a kill would.

    Raises:
        BusyError: the same job runs or waits already.
        JobError: the job table cannot be written.
    """
    jobs = LocalJobs(settings)
    kind = job_kind(spec.kind)
    arguments = kind.read(spec.arguments)
    spec = JobSpec.of(kind.name, arguments, spec.owner)
    slot = jobs.slots.take(f"{spec.id}.{secrets.token_hex(4)}")
    if slot is None:
        raise JobError("The random number of this process is another's; try again.")
    try:
        job = _begun(jobs, spec, kind.title(arguments), kind.subject(arguments), slot)
        with Running(jobs.table, job, settings) as running, _stopped_by_signals(running):
            yield running
    finally:
        slot.release()
        jobs.slots.remove(slot.name)
        jobs.close()


def _begun(jobs: LocalJobs, spec: JobSpec, title: str, subject: str, slot: Slot) -> Job:
    now = time.time()
    with jobs.table.transaction():
        before = jobs.table.get(spec.id)
        before = before and jobs.settled(before, silent=0)  # whoever types may have killed it just now
        if before is not None and before.active:
            raise BusyError(f"{title} is under way already; wait for it or stop it.")
        job = Job(
            id=spec.id,
            kind=spec.kind,
            arguments=spec.arguments,
            title=title,
            subject=subject,
            owners={spec.owner: now},
            state="running",
            label="Starting",
            order=jobs.table.next_order(),
            attempt=before.attempt + 1 if before is not None and before.state == "lost" else 1,
            slot=slot.name,
            run=secrets.token_hex(8),
            begun=now,
            created=now,
            updated=now,
        )
        jobs.table.put(job)
        return job


@contextmanager
def _stopped_by_signals(running: Running) -> Iterator[None]:
    def stop(*_: object) -> None:
        if running.stopping:
            os._exit(130)
        running.stop()

    before = {}
    with suppress(ValueError):  # only a main thread has signals
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
