"""A cache for flask-caching in Redis that holds bytes and nothing else, for web processes of several machines.

Keys end by themselves, so that a Redis with a memory limit (`maxmemory-policy volatile-lru`) drops them and never the
job table. A Redis that does not answer is an empty cache.
"""

from typing import Any

from flask_caching.backends.base import BaseCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

KEPT = 7 * 86_400  # seconds
LARGEST = 8 * 2**20  # bytes; larger ones are made anew
_PREFIX = "atlas:bytes:"


class ByteRedisCache(BaseCache):
    """`CACHE_TYPE = "components.server.redis_cache.ByteRedisCache"`."""

    def __init__(self, url: str) -> None:
        super().__init__(default_timeout=KEPT)
        self._redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))

    @classmethod
    def factory(cls, app: Any, config: dict, args: list, kwargs: dict) -> "ByteRedisCache":
        return cls(config["CACHE_REDIS_URL"])

    def get(self, key: str) -> Any:
        try:
            return self._redis.get(_PREFIX + key)
        except (RedisError, OSError):
            return None

    def set(self, key: str, value: Any, timeout: Any = None) -> bool | None:
        if not isinstance(value, bytes):
            raise TypeError(f"only bytes are cached, not {type(value).__name__}")
        if len(value) > LARGEST:
            return False
        try:
            return bool(self._redis.set(_PREFIX + key, value, ex=timeout or KEPT))
        except (RedisError, OSError):
            return False

    def delete(self, key: str) -> bool:
        try:
            return bool(self._redis.delete(_PREFIX + key))
        except (RedisError, OSError):
            return False
