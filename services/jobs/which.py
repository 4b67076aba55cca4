"""Who runs the jobs of a home: processes of this machine, or workers behind Redis."""

from services.errors import JobError
from services.jobs.local import LocalJobs
from services.settings import Settings


def jobs_of(settings: Settings) -> LocalJobs:
    """The jobs for a dashboard to ask for.

    Raises:
        JobError: ATLAS_REDIS_URL is set, and what it needs is not installed or it is no address.
    """
    if settings.redis_url is None:
        return LocalJobs(settings)
    try:
        from services.jobs.queue import QueuedJobs
    except ImportError as error:
        raise JobError(
            f"ATLAS_REDIS_URL needs {error.name or 'more packages'}: pip install -r requirements-lab.txt."
        ) from error
    return QueuedJobs(settings)
