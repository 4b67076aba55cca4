"""Data sets of the Hugging Face hub for the page New atlas: fetched by a job, read from the hub's cache afterwards."""

from services.errors import BuildError, JobError
from services.jobs.backend import Backend
from services.jobs.datasets import DATASET, DatasetArguments
from services.jobs.spec import Job, JobSpec
from services.modalities.corpora.hub import HubCorpus, hub_corpus
from services.settings import Settings

OFF = "Data sets of the hub are switched off here (ATLAS_DATASETS, ATLAS_UPLOAD_BYTES); upload a file."


def may_fetch(settings: Settings) -> bool:
    """Whether pages may have data sets fetched."""
    return settings.datasets and settings.upload_bytes > 0


def ask(jobs: Backend, settings: Settings, id: object, split: object = "", subset: object = "") -> Job:
    """Ask for a split, also for one that was fetched before: it may have changed.

    Args:
        id, split, subset: as a page posts them, so anything.

    Raises:
        BuildError, CorpusError: they are switched off, or the name can be none.
        JobError: as Backend.submit.
    """
    if not may_fetch(settings):
        raise BuildError(OFF)
    name, part, group = (one.strip() if isinstance(one, str) else "" for one in (id, split, subset))
    if not name:
        raise BuildError("Give the id of a data set, like org/name.")
    hub_corpus(HubCorpus(name, part, group).source)
    arguments = DatasetArguments(id=name, split=part, subset=group)
    return jobs.submit(JobSpec.of(DATASET.name, arguments, "order"))


def job_of(jobs: Backend, id: object) -> Job:
    """The job that a page follows, by what it posts.

    Raises:
        JobError: there is none.
    """
    job = jobs.status(id) if isinstance(id, str) and len(id) < 100 else None
    if job is None or job.kind != DATASET.name:
        raise JobError("That was too long ago; fetch it again.")
    return job
