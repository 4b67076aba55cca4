"""A Redis server of a test's own, which may be stopped, killed and started again with what it had kept."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.patience import PATIENCE, until

MISSING = next(
    (
        reason
        for reason, there in {
            "redis-server is not installed (Debian: apt-get install redis-server)": shutil.which("redis-server"),
            "Celery is not installed (requirements-lab.txt)": find_spec("celery"),
            "the Redis client is not installed (requirements-lab.txt)": find_spec("redis"),
        }.items()
        if not there
    ),
    None,
)
needs_redis = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
PASSWORD = "a word"


class RedisServer:
    """On a free port, with a password, keeping what it holds on disk as in compose.yaml."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder, "requirepass": PASSWORD}
        kept = {"appendonly": "yes", "maxmemory": "64mb", "maxmemory-policy": "volatile-lru"}
        pairs = [part for name, value in (options | kept).items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen(["redis-server", *pairs], stdout=subprocess.DEVNULL)
        until(self._answers, "no redis")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
            probe.sendall(b"PING\r\n")
            return b"LOADING" not in probe.recv(100)


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder)
    try:
        yield server
    finally:
        server.stop()
