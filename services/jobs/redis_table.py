"""The job table in Redis, for web processes and workers of several containers or machines: JSON text, never pickles.

The lease of a running job is a key that ends by itself: the process renews it with its row, once a second. What has
said nothing for LEASE seconds is gone, be it a killed process or a machine without power; one that was only stopped
finds another token in its row when it wakes, and ends.
"""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from pydantic import ValidationError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import LockError, RedisError
from redis.retry import Retry

from services.errors import JobError
from services.jobs.spec import Job

PREFIX = "atlas:"
LEASE = 10.0  # seconds without a word after which a process is taken for gone
PATIENCE = 12.0  # seconds to wait for another process that writes; longer than a killed one's lock lasts
GONE = "Redis (ATLAS_REDIS_URL) does not answer: no job can be started or followed; try again in a moment."
_ROWS, _ORDER, _VERSION, _SERVED, _GPU = (f"{PREFIX}{name}" for name in ("jobs", "order", "version", "served", "gpu"))
_log = logging.getLogger(__name__)


def connect(url: str) -> "Redis":
    """A client that gives up soon, so that a page says what is wrong.

    Raises:
        JobError: it is no address of Redis.
    """
    try:
        return Redis.from_url(
            url, decode_responses=True, socket_timeout=5, socket_connect_timeout=2, retry=Retry(NoBackoff(), 1)
        )
    except ValueError as error:
        raise JobError(
            "ATLAS_REDIS_URL is no address of Redis; it looks like redis://:PASSWORD@HOST:6379/0."
        ) from error


class RedisTable:
    """The rows of services.jobs.rows.Rows under `atlas:jobs` of one Redis database."""

    last_tries = 600  # a tenth of a second each: Redis may be restarted while a job ends

    def __init__(self, url: str) -> None:
        self._redis = connect(url)
        self._inside = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        depth = getattr(self._inside, "depth", 0)
        if depth:
            self._inside.depth = depth + 1
            try:
                yield
            finally:
                self._inside.depth = depth
            return
        with _errors():
            lock = self._redis.lock(f"{PREFIX}lock", timeout=LEASE, blocking_timeout=PATIENCE, sleep=0.005)
            if not lock.acquire():
                raise JobError("Another process keeps the job table to itself; try again in a moment.")
            self._inside.depth = 1
            try:
                yield
            finally:
                self._inside.depth = 0
                try:
                    lock.release()
                except LockError:  # it took longer than the lock lasts
                    _log.warning("A change of the job table took longer than %.0f seconds", LEASE)

    def get(self, id: str) -> Job | None:
        if not id.isascii():  # a browser may post anything as a name
            return None
        with _errors():
            return self._read(id, cast(str | None, self._redis.hget(_ROWS, id)))

    def all(self) -> list[Job]:
        with _errors():
            rows = cast(dict[str, str], self._redis.hgetall(_ROWS))
        found = (self._read(id, text) for id, text in rows.items())
        return sorted((job for job in found if job is not None), key=lambda job: job.order)

    def put(self, job: Job) -> None:
        with _errors(), self._redis.pipeline() as pipe:
            pipe.hset(_ROWS, job.id, json.dumps(job.model_dump(mode="json"), allow_nan=False))
            pipe.incr(_VERSION)
            if job.state == "running" and job.run:
                pipe.set(_lease(job.run), 1, px=round(1000 * LEASE))
            pipe.execute()

    def drop(self, id: str) -> None:
        with _errors(), self._redis.pipeline() as pipe:
            pipe.hdel(_ROWS, id)
            pipe.incr(_VERSION)
            pipe.execute()

    def next_order(self) -> int:
        with _errors():
            return int(self._redis.incr(_ORDER))

    def leased(self, run: str) -> bool:
        with _errors():
            return bool(run) and bool(self._redis.exists(_lease(run)))

    def check(self) -> None:
        with _errors():
            self._redis.ping()

    def version(self) -> object:
        try:
            return self._redis.get(_VERSION)
        except (RedisError, OSError):
            return None

    def close(self) -> None:
        self._redis.close()

    def say_served(self, gpu: str = "") -> None:
        """A worker is there, for the next LEASE seconds. gpu: the name of its GPU, if it has one."""
        with _errors(), self._redis.pipeline() as pipe:
            pipe.set(_SERVED, 1, px=round(1000 * LEASE))
            if gpu:
                pipe.set(_GPU, gpu, px=round(1000 * LEASE))
            pipe.execute()

    def is_served(self) -> bool:
        with _errors():
            return bool(self._redis.exists(_SERVED))

    def gpu(self) -> str:
        """The name of the GPU of a worker that is there; "" where none has one."""
        with _errors():
            return cast(str | None, self._redis.get(_GPU)) or ""

    def waiting_messages(self, queue: str) -> int:
        """Messages in a queue of the broker that nobody has taken."""
        with _errors():
            return int(self._redis.llen(f"{PREFIX}{queue}"))

    def _read(self, id: str, text: str | None) -> Job | None:
        if text is None:
            return None
        try:
            return Job.model_validate_json(text)
        except (ValueError, ValidationError, RecursionError) as error:
            _log.warning("A row of the job table is no job and is dropped: %s", type(error).__name__)
            with _errors():
                self._redis.hdel(_ROWS, id)
            return None


def _lease(run: str) -> str:
    return f"{PREFIX}lease:{run}"


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        _log.warning("Redis: %s", error)
        raise JobError(GONE) from error
