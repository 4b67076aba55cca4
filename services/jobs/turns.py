"""Whose turn it is: people who wait are served in turn, each one's own jobs in the order of asking."""

from collections.abc import Iterable, Sequence

from services.jobs.spec import Job


def in_turn(jobs: Iterable[Job], kind: str) -> list[Job]:
    """The waiting jobs of a kind in the order in which they will begin, as long as nobody asks for more.

    First everyone's first job, then everyone's second; among equals who was served longest ago. Where nobody has a
    name, owners stand for people, such as browser tabs.
    """
    rows = [job for job in jobs if job.kind == kind]
    served: dict[str, float] = {}
    for job in rows:
        for one in _askers(job):
            served[one] = max(served.get(one, 0.0), job.begun)
    asked: dict[str, int] = {}
    order = []
    for job in sorted((one for one in rows if one.state == "waiting"), key=lambda one: one.order):
        askers = _askers(job)
        turn = min((asked.get(one, 0) for one in askers), default=0)
        order.append((turn, min((served.get(one, 0.0) for one in askers), default=0.0), job.order, job))
        for one in askers:
            asked[one] = asked.get(one, 0) + 1
    return [job for *_, job in sorted(order, key=lambda one: one[:3])]


def with_places(jobs: Sequence[Job], waiting: str) -> list[Job]:
    """The jobs, those whose label is `waiting` with how many begin before them."""
    lines = {kind: [job.id for job in in_turn(jobs, kind)] for kind in {job.kind for job in jobs}}
    running = {kind: sum(job.kind == kind and job.state == "running" for job in jobs) for kind in lines}

    def told(job: Job) -> Job:
        if job.state != "waiting" or job.label != waiting:
            return job
        before = lines[job.kind].index(job.id) + running[job.kind]
        return job.changed(label=f"{waiting}: {before} before it") if before else job

    return [told(job) for job in jobs]


def _askers(job: Job) -> Sequence[str]:
    return job.people or tuple(job.owners)
