"""Look at what a stranger brought in a process of its own, with little memory and little time.

`python -m services.workshop.limited TASK` reads JSON from its input and writes JSON: {"result": …} or {"problem": …}.
The process that serves pages opens no archive, no table and no picture of an upload.
"""

import importlib
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.errors import AtlasError, UploadError
from services.settings import Settings

TASKS = {
    "look": "services.workshop.look",
    "unpack": "services.workshop.unpack",
}
MEMORY = 3_000_000_000  # bytes
SECONDS = 60
_AT_ONCE = threading.BoundedSemaphore(2)  # of one web process
_ROOT = Path(__file__).parents[2]


def limited(task: str, values: dict[str, Any], settings: Settings, seconds: float = SECONDS) -> Any:
    """The result of a task, JSON values.

    Raises:
        UploadError: what the task refuses, in its words; or it took too much memory or time.
    """
    with _AT_ONCE:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "services.workshop.limited", task, str(round(seconds))],
                input=json.dumps(values).encode(),
                capture_output=True,
                cwd=_ROOT,
                timeout=seconds + 5,
                check=False,
                env={
                    **os.environ,
                    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM"), "1"),
                    "ARROW_DEFAULT_MEMORY_POOL": "system",
                    "HF_HUB_OFFLINE": "1",
                    "ATLAS_HOME": str(settings.home),
                },
            )
        except subprocess.TimeoutExpired as error:
            raise UploadError(f"Looking at it took more than {seconds:.0f} seconds; give less.") from error
        except OSError as error:
            raise UploadError(f"No process can be started to look at it ({error.strerror}); try again.") from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise UploadError("Looking at it took more memory or time than is given to a file; give less.") from error
    if "problem" in answer:
        raise UploadError(str(answer["problem"]))
    return answer["result"]


def main(task: str, seconds: int) -> None:
    """Do one task under limits and write its answer."""
    _limit(seconds)
    values = json.loads(sys.stdin.buffer.read())
    answer: dict[str, Any]
    try:
        answer = {"result": importlib.import_module(TASKS[task]).run(values)}
    except AtlasError as error:
        answer = {"problem": " ".join(str(error).split())}
    except MemoryError:
        answer = {"problem": "Looking at it takes more memory than is given to a file; give less."}
    sys.stdout.write(json.dumps(answer))


def _limit(seconds: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # a system without such limits
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
