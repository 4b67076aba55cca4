"""What the pages ask of the jobs, whoever runs them."""

from collections.abc import Sequence
from typing import Protocol

from services.jobs.spec import Job, JobSpec


class Backend(Protocol):
    """Jobs of one home folder. services.jobs.local is the one for a single machine."""

    def submit(self, spec: JobSpec) -> Job:
        """Ask for a job: a new one is put in line; one that waits or runs gets one more owner; one that failed, was
        stopped or lost begins again and goes on where it was.

        Raises:
            JobError: unknown kind, wrong arguments, too many waiting, or a disk that cannot be written.
        """

    def status(self, id: str) -> Job | None:
        """The job as it is now, or None when there is none."""

    def cancel(self, id: str, owner: str | None = None) -> Job | None:
        """Stop a job. With an owner only this one's interest in it ends: with the last one's the job is stopped, and
        forgotten where its kind keeps no rows."""

    def list(self, owner: str | None = None) -> Sequence[Job]:
        """All jobs that wait, run or have ended lately, or those of an owner, in the order of asking."""

    def check(self) -> None:
        """Raise a JobError where nobody can be asked for jobs, nor what became of any, for now."""

    def log(self, id: str) -> str:
        """What the job's process has written, its last 64 kB; empty when it has not."""

    def gpu(self) -> str | None:
        """The name of the GPU that a build asked for now would get; "": the processor; None: its process will know."""

    def stamp(self) -> str:
        """Changes when a job that pages announce begins or ends; cheap, for it is asked at every request."""
