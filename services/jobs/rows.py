"""What a job table is, wherever it lies: on this machine's disk (services.jobs.table) or in Redis."""

from contextlib import AbstractContextManager
from typing import Protocol

from services.errors import JobError
from services.jobs.spec import Job
from services.jobs.table import JobTable
from services.settings import Settings


class Rows(Protocol):
    """One row a job. All but `version` and `close` raise JobError where the table cannot be used."""

    last_tries: int

    def transaction(self) -> AbstractContextManager[None]:
        """Reads and writes inside are one step for all other processes; may be nested."""

    def get(self, id: str) -> Job | None:
        """The row, or None; one that is no job is dropped."""

    def all(self) -> list[Job]:
        """Every job, in the order in which they were asked for."""

    def put(self, job: Job) -> None:
        """Write a row; that of a running job renews its lease."""

    def drop(self, id: str) -> None: ...

    def next_order(self) -> int:
        """A number greater than all before."""

    def leased(self, run: str) -> bool | None:
        """Whether a run's lease holds; None where the lock of its slot says so."""

    def check(self) -> None:
        """Raise where the table cannot be reached."""

    def version(self) -> object:
        """Equal to the one before: nothing was written in between."""

    def close(self) -> None: ...


def open_rows(settings: Settings) -> Rows:
    """The table of a home: in Redis where ATLAS_REDIS_URL says so.

    Raises:
        JobError: what speaks to Redis is not installed, or the address is none.
    """
    if settings.redis_url is None:
        return JobTable(settings.job_table)
    try:
        from services.jobs.redis_table import RedisTable
    except ImportError as error:
        raise JobError(
            f"ATLAS_REDIS_URL needs {error.name or 'more packages'}: pip install -r requirements-lab.txt."
        ) from error
    return RedisTable(settings.redis_url.get_secret_value())
