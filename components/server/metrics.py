"""/metrics for Prometheus, for admins: requests and their seconds of all worker processes, jobs, atlases.

Each process writes its counts to files of its own below `ATLAS_HOME/cache/metrics`, where that cannot be written below
the system's temporary folder, and whichever is asked adds them up (prometheus_client's multiprocess mode): a scrape
reaches one process of several.
"""

import errno
import os
import shutil
import stat
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from flask import Flask, Response, g, request

from components.server.context import context
from services.errors import AtlasError
from services.settings import Settings


def tell_metrics(server: Flask, settings: Settings) -> None:
    """Count from now on, and add the route.

    Raises:
        AtlasError: prometheus_client is not installed, or its files cannot be written.
    """
    try:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counts_folder(settings))
        from prometheus_client import CollectorRegistry, Histogram, generate_latest, multiprocess
        from prometheus_client import Counter as Count
    except ImportError as error:
        raise AtlasError("ATLAS_METRICS needs prometheus_client: pip install -r requirements-lab.txt.") from error
    except OSError as error:
        raise AtlasError(f"ATLAS_METRICS: counts cannot be written ({error.strerror}).") from error
    own = CollectorRegistry()
    requests = Count("atlas_requests", "Requests answered.", ["route", "status"], registry=own)
    seconds = Histogram("atlas_request_seconds", "Seconds until an answer begins.", ["route"], registry=own)

    @server.after_request
    def count(answer: Response) -> Response:
        # By rule, not by address: a crowd of made-up addresses is one line.
        route = request.url_rule.rule if request.url_rule else "none"
        requests.labels(route, str(answer.status_code)).inc()
        seconds.labels(route).observe(time.perf_counter() - g.asked_at)
        return answer

    @server.get(f"{settings.url_prefix}metrics")
    def metrics() -> Response:
        if not g.watches:
            return Response("Metrics are for admins.", 403, mimetype="text/plain")
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        text = generate_latest(registry).decode() + _present()
        return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _present() -> str:
    """What is so now, which no process has to count."""
    here = context()
    states = Counter((job.kind, job.state) for job in here.rows.list())
    lines = ["# HELP atlas_jobs Jobs by kind and state.", "# TYPE atlas_jobs gauge"]
    lines += [f'atlas_jobs{{kind="{kind}",state="{state}"}} {count}' for (kind, state), count in sorted(states.items())]
    writable = int(not here.settings.is_halted)
    lines += ["# HELP atlas_home_writable Whether the home folder can be written.", "# TYPE atlas_home_writable gauge"]
    lines += [f"atlas_home_writable {writable}"]
    lines += ["# HELP atlas_atlases Atlases in the home folder.", "# TYPE atlas_atlases gauge"]
    return "\n".join([*lines, f"atlas_atlases {len(here.library.entries())}", ""])


def counts_folder(settings: Settings) -> Path:
    """Where the processes of this server count.

    Raises:
        OSError: neither the cache can be written nor a folder of this user's own among the system's temporary ones.
    """
    try:
        return _folder(settings.cache / "metrics")
    except OSError:  # a home that is read-only, or has turned so
        return _folder(_private(Path(tempfile.gettempdir()) / f"attention-atlas-metrics-{os.getuid()}"))


def _private(folder: Path) -> Path:
    """A folder of this user alone, in one where everyone may put something, or a link, under that name.

    Raises:
        OSError: somebody has, or it cannot be made.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(errno.EPERM, f"{folder} is not a folder of this user's alone; remove it")
    return folder


def _folder(above: Path) -> Path:
    """Of this server's processes alone, empty at its start; those of servers that have ended are removed."""
    above.mkdir(parents=True, exist_ok=True)
    server = os.getppid() if "gunicorn" in sys.modules else os.getpid()
    for old in above.iterdir():
        if not (old.name.isdigit() and _runs(int(old.name))):
            shutil.rmtree(old, ignore_errors=True)
    folder = above / str(server)
    folder.mkdir(exist_ok=True)
    return folder


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
