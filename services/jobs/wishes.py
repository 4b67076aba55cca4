"""Small jobs that a reader waits for: each makes something that is kept, and whoever asks again finds it.

One warm process serves them all, one after another. What nobody has asked for in a while, because a reader has moved on
or gone, is dropped.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from services.errors import JobError
from services.jobs.backend import Backend
from services.jobs.kind import JobKind
from services.jobs.spec import Job, JobSpec

ATTEMPTS = 2  # after so many deaths of the process what it was to make is at fault


@dataclass(frozen=True)
class Wish:
    """A job that is wanted, and whether what it makes is there."""

    spec: JobSpec
    is_there: Callable[[], bool]


@dataclass(frozen=True)
class WishStatus:
    """How far it is; share: 0 … 1."""

    state: Literal["ready", "waiting", "running", "failed", "busy"]
    label: str = ""
    share: float = 0.0
    message: str = ""


def want(jobs: Backend, kind: JobKind, wishes: Sequence[Wish], visitor: str, died: str) -> list[WishStatus]:
    """Ask for what is missing and tell how far each is; whatever else of the kind this visitor wanted is dropped.

    died: what to say when the process ends unexpectedly again and again.
    """
    drop(jobs, kind, visitor, keep={wish.spec.id for wish in wishes})
    return [_want(jobs, wish, died) for wish in wishes]


def drop(jobs: Backend, kind: JobKind, visitor: str, keep: Collection[str] = frozenset()) -> None:
    """The visitor wants nothing of the kind any more, but for the jobs to keep."""
    for job in jobs.list(visitor):
        if job.kind == kind.name and job.active and job.id not in keep:
            with suppress(JobError):  # it is dropped anyway when nobody asks for it
                jobs.cancel(job.id, visitor)


def _want(jobs: Backend, wish: Wish, died: str) -> WishStatus:
    if wish.is_there():
        return WishStatus("ready", share=1.0)
    spec = wish.spec
    try:
        job = jobs.status(spec.id)
        message = _fault(job, died) if job is not None and spec.owner in job.owners else None
        if message is None:
            job = jobs.submit(spec)
            message = died if job.attempt > ATTEMPTS else None  # it was lost between the two looks
        if message is not None:
            jobs.cancel(spec.id, spec.owner)  # said once; asking again tries again
            return WishStatus("failed", message=message)
    except JobError as error:
        return WishStatus("busy", message=str(error))
    assert job is not None
    return WishStatus("running" if job.state == "running" else "waiting", job.label, job.fraction)


def _fault(job: Job, died: str) -> str | None:
    if job.state == "failed":
        return job.message
    if job.state == "lost" and job.attempt >= ATTEMPTS:
        return died
    return None
