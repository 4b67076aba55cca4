"""The jobs that a dashboard runs beside itself for an atlas that is there: how tests start, follow and stop them.

All that tests know of the machinery behind the jobs is here: what a job is called, where it leaves word of itself, the
command that does the same from a terminal. `Study` makes the scaling study of an atlas built without one, `Maps` its
maps with the c of another metric.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from services.alignment.variants import scale_variant
from services.atlas.folder import Atlas, open_atlas
from services.jobs.local import LocalJobs
from services.jobs.scaled_maps import map_spec, map_status
from services.jobs.spec import Job
from services.jobs.study import study_job, study_spec
from services.settings import Settings
from tests.job_processes import processes
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Status:
    """state: running, finished, failed or stopped · fraction: 0 … 1 of the work · message: what to tell the user."""

    state: str
    fraction: float
    message: str


@dataclass(frozen=True)
class AtlasJob:
    """A job for the atlas `slug` of the home folder of a dashboard."""

    home: Path
    slug: str = "tiny"

    @property
    def folder(self) -> Path:
        return self.home / "atlases" / self.slug

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, demo=False)

    @property
    def atlas(self) -> Atlas:
        return open_atlas(self.folder)

    @property
    def jobs(self) -> LocalJobs:
        return LocalJobs(self.settings)

    @property
    def kind(self) -> str:
        raise NotImplementedError

    def start(self) -> None:
        """Ask for the job as the dashboard does."""
        raise NotImplementedError

    def status(self) -> Status | None:
        """What the dashboard knows of the job; None when it was never asked for."""
        raise NotImplementedError

    def command(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Do the job from a terminal, in a process that ends with it."""
        raise NotImplementedError

    def until(self, *states: str, fraction: float = 0.0) -> Status:
        """The first status in one of the states and so far on; fails when the job ends in another one."""
        limit = time.monotonic() + PATIENCE
        while True:
            status = self.status()
            assert status is not None, "never asked for"
            if status.state in states and status.fraction >= fraction:
                return status
            assert status.state == "running", status
            assert time.monotonic() < limit, status
            time.sleep(0.02)

    def run(self) -> Status:
        """Start the job and wait for its end."""
        self.start()
        return self.until("finished", "failed", "stopped")

    def kill(self) -> None:
        """End the process of the job as a machine that runs out of memory does."""
        (process,) = processes(self.settings, self.kind)
        process.kill()

    def left_over(self) -> list[str]:
        """Files of the machinery that a job which has ended should not leave, and half-written files of its results."""
        marks = (*self.home.rglob("*.stop"), *self.home.rglob("*.part"), *self.home.rglob(".*.lock"))
        return sorted(str(path.relative_to(self.home)) for path in marks)

    def _terminal(self, *values: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.jobs.run", self.kind, *values],
            cwd=ROOT,
            env={**os.environ, "ATLAS_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )


class Study(AtlasJob):
    """The scaling study of an atlas built without one."""

    @property
    def kind(self) -> str:
        return "study"

    def start(self) -> None:
        self.jobs.submit(study_spec(self.atlas))

    def status(self) -> Status | None:
        return _status(study_job(self.jobs, self.atlas))

    def command(self, *more: str) -> subprocess.CompletedProcess[str]:
        return self._terminal(*(more or [f"atlas={self.folder}"]))


@dataclass(frozen=True)
class Maps(AtlasJob):
    """The atlas's maps made with the c of another metric."""

    metric: str = "pearson"
    methods: tuple[str, ...] = ("umap",)
    dims: int = 2

    @property
    def kind(self) -> str:
        return "maps"

    def start(self) -> None:
        self.jobs.submit(map_spec(*self._stream, self.metric, list(self.methods), self.dims))

    def status(self) -> Status | None:
        return _status(self._job())

    def stop(self) -> None:
        """Ask the job to end."""
        job = self._job()
        assert job is not None
        self.jobs.cancel(job.id)

    def command(self, *more: str) -> subprocess.CompletedProcess[str]:
        wanted = (f"metric={self.metric}", f"methods={','.join(self.methods)}", f"dims={self.dims}")
        return self._terminal(f"atlas={self.folder}", *wanted, *more)

    def _job(self) -> Job | None:
        status = map_status(self.jobs, self.settings.maps, *self._stream, self.metric, self.dims)
        if status is None:  # the atlas has no study
            return next((job for job in self.jobs.list() if job.kind == self.kind), None)
        return status.job

    def files(self) -> dict[str, Path]:
        """Where each map is kept, by its method."""
        variant = scale_variant(*self._stream, self.metric, self.settings.maps)
        assert variant is not None, "the atlas has no study"
        names = {method: f"{method}_{self.metric}{self.dims}d" for method in self.methods}
        found = {method: variant.info.projection(name, "self") for method, name in names.items()}
        return {method: variant.file(projection) for method, projection in found.items() if projection}

    def addresses(self) -> dict[str, str]:
        """The payload address of each map's points, by its method."""
        variant = scale_variant(*self._stream, self.metric, self.settings.maps)
        assert variant is not None, "the atlas has no study"
        return {
            method: f"/payload/{self.slug}/{variant.info.key}/positions/self/"
            f"{method}_{self.metric}{self.dims}d-{path.stem.rsplit('-', 1)[1]}/0"
            for method, path in self.files().items()
        }

    @property
    def _stream(self):
        atlas = self.atlas
        return atlas, atlas.info.streams[0]


def _status(job: Job | None) -> Status | None:
    """A job that waits is under way; one that was cancelled or lost has stopped."""
    states = {"waiting": "running", "cancelled": "stopped", "lost": "stopped"}
    return Status(states.get(job.state, job.state), job.fraction, job.message) if job else None


def forget_study(folder: Path) -> None:
    """Make the atlas one that was built without the scaling study."""
    for file, part in (("atlas.json", "files"), ("build.json", "files")):
        content = json.loads((folder / file).read_text())
        for name in list(content[part]):
            if name.endswith(("/scaling.parquet", "/measures.parquet/scales.parquet")):
                del content[part][name]
                (folder / name).unlink(missing_ok=True)
        (folder / file).write_text(json.dumps(content))
