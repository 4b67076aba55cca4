"""Builds that run beside the dashboard, each in its own process, told apart by their progress files."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.atlas import ProjectionRef, arrays, open_atlas
from services.atlas.projection_ref import DIMS
from services.errors import AtlasError, AtlasFormatError, OutdatedAtlasError
from services.projection import METHODS
from services.settings import Settings

_SILENT = 60.0  # seconds without a word, of one every five, after which a process number counts as someone else's
_RECENT = 600.0  # seconds for which the end of a build is still shown
ROOT = Path(__file__).resolve().parents[2]
DEMO_SLUG = "minilm-demo"
# For processes that work beside the dashboard: BLAS threads fight over the cores.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Job:
    """What a progress file says."""

    slug: str
    state: str  # running, finished, failed, stopped
    label: str
    done: int
    total: int
    message: str
    updated: float

    @property
    def fraction(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0


def jobs(settings: Settings) -> list[Job]:
    """Builds that run now or ended within the last ten minutes, newest first."""
    try:
        files = sorted(settings.progress.glob("*.json"))
    except OSError:
        return []
    found = [job for file in files if (job := _read(file))]
    now = time.time()
    recent = [job for job in found if job.state == "running" or now - job.updated < _RECENT]
    return sorted(recent, key=lambda job: -job.updated)


def _read(file: Path) -> Job | None:
    try:
        raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        job = Job(
            slug=str(raw["slug"]),
            state=str(raw["state"]),
            label=str(raw.get("label", "Starting")),
            done=int(raw.get("done", 0)),
            total=int(raw.get("total", 0)),
            message=str(raw.get("message", "")),
            updated=float(raw.get("updated", 0)),
        )
        pid = int(raw["pid"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if job.state == "running" and (time.time() - job.updated > _SILENT or not _alive(pid)):
        message = "The build ended unexpectedly. Start it again: it goes on where it stopped."
        return Job(job.slug, "stopped", job.label, job.done, job.total, message, job.updated)
    return job


def _alive(pid: int) -> bool:
    if pid <= 0:  # would ask for a whole group of processes
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    try:  # a child of ours that nobody waited for is still listed, as a zombie
        ended, _ = os.waitpid(pid, os.WNOHANG)
    except (ChildProcessError, OSError):
        return True
    return ended == 0


def start_build(settings: Settings, arguments: Sequence[str]) -> subprocess.Popen:
    """Start `app.py build` beside this process; it outlives no one's Ctrl-C but its own group's."""
    log = (settings.progress / "build.log").open("ab")
    with log:
        return subprocess.Popen(
            [sys.executable, "app.py", "build", "--quiet", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "ATLAS_HOME": str(settings.home)},
        )


def start_demo(settings: Settings) -> subprocess.Popen:
    """Build the demo atlas: MiniLM on the demo corpus, all offline."""
    arguments = ["--model", "minilm", "--corpus", "demo", "--projections", settings.demo_projections]
    process = start_build(settings, [*arguments, *(["--overwrite"] if _demo_outdated(settings) else [])])
    file = settings.progress / f"{DEMO_SLUG}.json"
    if not any(job.slug == DEMO_SLUG and job.state == "running" for job in jobs(settings)):
        # the build's own first word takes a few seconds of imports; until then this one stands
        now = time.time()
        first = {"slug": DEMO_SLUG, "pid": process.pid, "state": "running", "label": "Starting", "updated": now}
        arrays.write_json(file, first)
    return process


def check_demo(settings: Settings) -> None:
    """Refuse a setting that names projections which do not exist.

    Raises:
        AtlasError: naming the variable and what it may hold.
    """
    asked = {part.strip() for part in settings.demo_projections.split(",") if part.strip()}
    if not asked or not asked <= set(METHODS):
        raise AtlasError(
            f"ATLAS_DEMO_PROJECTIONS: must be a list, with commas, of {', '.join(METHODS)}"
            f" (got {settings.demo_projections!r})."
        )


def demo_needed(settings: Settings) -> bool:
    """Whether to build the demo: switched on, and no atlas yet or the demo's maps not all there."""
    if not settings.demo:
        return False
    names = [p.name for p in settings.atlases.iterdir() if p.is_dir() and not p.name.startswith(".")]
    whole = [name for name in names if not name.endswith(".partial")]
    return not whole or (whole == [DEMO_SLUG] and not _demo_complete(settings))


def _demo_outdated(settings: Settings) -> bool:
    """Whether the demo is of a schema version that is no longer read; it is ours, so that it may be replaced."""
    try:
        open_atlas(settings.atlases / DEMO_SLUG)
    except OutdatedAtlasError:
        return True
    except AtlasFormatError:
        return False
    return False


def _demo_complete(settings: Settings) -> bool:
    try:
        info = open_atlas(settings.atlases / DEMO_SLUG).info
    except AtlasFormatError:
        return False
    methods = {part.strip() for part in settings.demo_projections.split(",") if part.strip()}
    maps = [ProjectionRef(method, dims) for method in methods for dims in DIMS]
    return all(info.projection(ref, stream.name) for ref in maps for stream in info.streams)


def start_demo_if_needed(settings: Settings) -> None:
    """Build the demo beside the server on an empty start, or finish it; a second build of it ends by itself.

    Raises:
        AtlasError: the home folder cannot be used, or the setting names projections that do not exist.
    """
    check_demo(settings)
    settings.make_folders()
    if demo_needed(settings):
        start_demo(settings)
