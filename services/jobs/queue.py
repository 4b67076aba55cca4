"""Celery between those who ask for jobs and the workers that have room for them: messages are JSON and say one word.

A message says "a job of this kind waits". What a job is, whose turn it is, how far it is and whether it is to stop
stands in the job table, so that a message that is lost, late or there twice changes nothing: a worker that finds
nothing waiting does nothing, and whoever looks at a job that waits sends another.
"""

from celery import Celery
from kombu.exceptions import OperationalError

from services.errors import JobError
from services.jobs.kind import JobKind
from services.jobs.local import UNSERVED, LocalJobs
from services.jobs.redis_table import GONE, PREFIX, RedisTable
from services.jobs.spec import WAITING
from services.settings import Settings

LOOK = "atlas.look"
_A_DAY = 86_400  # seconds after which a message that a worker took with it comes again


def queue_of(kind: JobKind, *, gpu: bool = False) -> str:
    """Where messages of a kind go. gpu: to workers with a GPU alone."""
    return f"queue:{kind.name}:gpu" if gpu else f"queue:{kind.name}"


def celery_app(settings: Settings) -> Celery:
    """The Celery application of a home: JSON only, no results, no remote control."""
    assert settings.redis_url is not None
    app = Celery("attention_atlas", broker=settings.redis_url.get_secret_value(), set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        event_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,  # with the next line: a worker that is busy takes no second message with it
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "global_keyprefix": PREFIX,
            "visibility_timeout": _A_DAY,
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
        },
    )
    return app


class QueuedJobs(LocalJobs):
    """Jobs that workers of a Redis do, on this machine or others that share the home's disk."""

    table: RedisTable

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, starts=False)
        self._app = celery_app(settings)
        # a page is told that Redis is gone; kombu would try for ever
        self._app.conf.broker_transport_options |= {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}

    def start_waiting(self, kind: JobKind) -> None:
        """Tell the workers that jobs of a kind wait, unless as many messages wait already.

        Raises:
            JobError: Redis does not answer.
        """
        waiting = sum(job.kind == kind.name and job.state == "waiting" for job in self.table.all())
        queue = queue_of(kind, gpu=bool(waiting and kind.for_gpu and self.table.gpu()))
        if waiting and self.table.waiting_messages(queue) < waiting:
            try:
                self._app.send_task(LOOK, [kind.name], queue=queue, retry=False, ignore_result=True)
            except (OperationalError, OSError) as error:
                raise JobError(GONE) from error

    def gpu(self) -> str | None:
        """See Backend."""
        return self.table.gpu()

    def close(self) -> None:
        self._app.close()
        super().close()

    def _first_label(self) -> str:
        return WAITING if self.table.is_served() else UNSERVED
