"""Every kind of job. To add one: docs/recipes/job-kind.md."""

from services.errors import JobError
from services.jobs.builds import BUILD
from services.jobs.changes import CHANGE
from services.jobs.datasets import DATASET
from services.jobs.kind import JobKind
from services.jobs.layouts import LAYOUT
from services.jobs.likeness import LIKENESS
from services.jobs.probes import PROBE
from services.jobs.scaled_maps import MAPS
from services.jobs.study import STUDY

KINDS: tuple[JobKind, ...] = (
    BUILD,
    DATASET,
    STUDY,
    MAPS,
    PROBE,
    LIKENESS,
    CHANGE,
    LAYOUT,
)


def job_kind(name: str) -> JobKind:
    """The kind of this name.

    Raises:
        JobError: there is none.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise JobError(f"There is no kind of job {name!r}; there are {', '.join(kind.name for kind in KINDS)}.")
