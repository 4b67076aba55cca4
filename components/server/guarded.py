"""Atlases and jobs as the present visitor may see and steer them: what is another person's is not there.

Pages and routes are given these alone, so that no route can forget to ask.
"""

from collections.abc import Sequence

from components.server.permission import Deed, may_see, refusal, user
from services.atlas import Atlas
from services.atlas.library import Entry, Library
from services.errors import JobError
from services.jobs.backend import Backend
from services.jobs.registry import job_kind
from services.jobs.spec import Job, JobSpec, interest_of, owned, person_of
from services.settings import Settings
from services.workshop.owners import Owners


class SeenLibrary(Library):
    """The atlases that the present visitor may see."""

    def __init__(self, library: Library, owners: Owners) -> None:
        self._library = library
        self._owners = owners

    def sees(self, slug: str) -> bool:
        return may_see(self._owners.of(slug))

    def entries(self) -> list[Entry]:
        return [entry for entry in self._library.entries() if self.sees(entry.slug)]

    def get(self, slug: str | None) -> Atlas | None:
        atlas = self._library.get(slug)
        return atlas if atlas is not None and self.sees(atlas.slug) else None

    def stamp(self) -> list[list[str | int]]:
        return [one for one in self._library.stamp() if self.sees(str(one[0]))]


class GuardedJobs:
    """Jobs behind the door: who may only look starts and stops none, and another person's are not there."""

    def __init__(self, jobs: Backend, settings: Settings) -> None:
        self._jobs = jobs
        self._settings = settings

    def submit(self, spec: JobSpec) -> Job:
        if not job_kind(spec.kind).of_a_reader:
            _allow("build")
            self._check_quota(spec)
        return _shown(self._jobs.submit(_own(spec)))

    def status(self, id: str) -> Job | None:
        job = self._jobs.status(id)
        return _shown(job) if job is not None and _is_seen(job) else None

    def cancel(self, id: str, owner: str | None = None) -> Job | None:
        """As Backend.cancel; of a job that others want too, only one's own interest ends, unless one is an admin."""
        job = self.status(id)
        if job is None:
            return None
        who = user()
        if owner is not None:
            return self._jobs.cancel(id, owned(who.name or "", owner))
        whose = who.name if who.name in job.people else next(iter(job.people), "")
        _allow("stop", whose or "")
        if who.may("admin") or set(job.people) <= {who.name}:
            return self._jobs.cancel(id)
        row = self._jobs.status(id)
        for mine in [one for one in (row.owners if row else ()) if person_of(one) == who.name]:
            job = self._jobs.cancel(id, mine)
        return job

    def list(self, owner: str | None = None) -> Sequence[Job]:
        mine = owner if owner is None else owned(user().name or "", owner)
        return [_shown(job) for job in self._jobs.list(mine) if _is_seen(job)]

    def check(self) -> None:
        self._jobs.check()

    def gpu(self) -> str | None:
        return self._jobs.gpu()

    def log(self, id: str) -> str:
        return self._jobs.log(id) if self.status(id) is not None else ""

    def stamp(self) -> str:
        return self._jobs.stamp()

    def _check_quota(self, spec: JobSpec) -> None:
        """
        Raises:
            JobError: one more job than a person may have at once.
        """
        who, most = user(), self._settings.quota_jobs
        if most is None or not who.is_limited:
            return
        under_way = [
            job
            for job in self._jobs.list()
            if job.active and who.name in job.people and job.id != spec.id and not job_kind(job.kind).of_a_reader
        ]
        if len(under_way) >= most:
            raise JobError(
                f"{len(under_way)} of your jobs wait or run, and {most} is the most a person may have at once"
                " (ATLAS_QUOTA_JOBS): wait for one, or stop it."
            )


def _own(spec: JobSpec) -> JobSpec:
    """The wish as the present visitor's; an admin goes on with another's job in that one's name."""
    who = user()
    if who.name is None or (person_of(spec.owner) and who.may("admin")):
        return spec
    return JobSpec(spec.kind, spec.arguments, owned(who.name, interest_of(spec.owner)))


def _is_seen(job: Job) -> bool:
    who = user()
    return who.name is None or not job.people or who.name in job.people or who.may("admin")


def _shown(job: Job) -> Job:
    """The row with owners called as the present visitor calls their own."""
    name = user().name
    if name is None:
        return job
    return job.changed(
        owners={interest_of(one) if person_of(one) == name else one: last for one, last in job.owners.items()}
    )


def _allow(deed: Deed, owner: str = "") -> None:
    problem = refusal(deed, owner)
    if problem is not None:
        raise JobError(problem)
