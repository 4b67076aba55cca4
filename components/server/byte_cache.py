"""A file cache for flask-caching that holds bytes and nothing else: cachelib's own files are pickles."""

from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from cachelib import FileSystemCache
from cachelib.serializers import BaseSerializer
from flask_caching.backends.base import BaseCache


class _Plain(BaseSerializer):
    """`B` and raw bytes for values, `I` and digits for cachelib's own counter."""

    def dump(self, value: Any, f: IO[bytes], protocol: int = 0) -> None:
        if isinstance(value, bytes):
            f.write(b"B" + value)
        elif isinstance(value, int):
            f.write(b"I" + str(value).encode())
        else:
            raise TypeError(f"only bytes are cached, not {type(value).__name__}")

    def load(self, f: IO[bytes]) -> Any:
        content = f.read()
        if content[:1] == b"B":
            return content[1:]
        return int(content[1:]) if content[:1] == b"I" and content[1:].isdigit() else None


class ByteFileCache(BaseCache, FileSystemCache):
    """`CACHE_TYPE = "components.server.byte_cache.ByteFileCache"`."""

    serializer: BaseSerializer = _Plain()  # type: ignore[assignment]

    @classmethod
    def factory(cls, app: Any, config: dict, args: list, kwargs: dict) -> "ByteFileCache":
        folder = Path(config["CACHE_DIR"])
        with suppress(OSError):  # a home that cannot be written is served without a cache
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(str(folder), threshold=config["CACHE_THRESHOLD"], default_timeout=0)

    def __init__(self, cache_dir: str, threshold: int = 500, default_timeout: int = 0) -> None:
        BaseCache.__init__(self, default_timeout=default_timeout)
        FileSystemCache.__init__(self, cache_dir, threshold=threshold, default_timeout=default_timeout)
