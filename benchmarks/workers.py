"""Two workers behind Redis against one, and against a single machine without Redis: `python -m benchmarks.workers`.

Builds of MiniLM on a few sentences, each in a process of its own with one thread; then studies that have nothing to do,
whose time is what asking, starting and telling cost.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr

from services.jobs.builds import BUILD, BuildArguments
from services.jobs.local import LocalJobs
from services.jobs.spec import JobSpec
from services.jobs.study import study_spec
from services.jobs.which import jobs_of
from services.pipeline.request import BuildRequest
from services.settings import Settings
from tests.job_processes import kill_all
from tests.redis_server import MISSING, redis_server

ROOT = Path(__file__).parents[1]
SENTENCES = [
    f"The {who} {did} {where}." for who in ("cat", "dog") for did in ("sat", "ran") for where in ("here", "there")
]


@contextmanager
def worker(settings: Settings, url: str, name: str) -> Iterator[None]:
    env = {**os.environ, "ATLAS_HOME": str(settings.home), "ATLAS_REDIS_URL": url, "ATLAS_WORKER": name}
    process = subprocess.Popen(
        [sys.executable, "app.py", "worker"], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(3)  # its lanes listen
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def seconds(jobs: LocalJobs, specs: Sequence[JobSpec], alone: bool = False) -> float:
    """Until all are done; alone: each is asked for when the one before is."""
    begun = time.monotonic()
    for batch in [[spec] for spec in specs] if alone else [specs]:
        ids = [jobs.submit(spec).id for spec in batch]
        while any((job := jobs.status(id)) is not None and job.active for id in ids):
            time.sleep(0.02)
        states = {jobs.status(id).state for id in ids}  # type: ignore[union-attr]
        assert states == {"finished"}, [jobs.log(id) for id in ids]
    return time.monotonic() - begun


def measure(name: str, settings: Settings, builds: int) -> None:
    jobs = jobs_of(settings)
    try:
        corpus = settings.home / "corpus.txt"
        corpus.write_text("\n".join(SENTENCES), encoding="utf-8")
        specs = []
        for number in range(builds):
            request = BuildRequest(model="minilm", corpus=str(corpus), projections=("pca",), seed=number)
            arguments = BuildArguments(request=request, folder=str(settings.atlases / f"a{number}"), jobs=1)
            specs.append(JobSpec.of(BUILD.name, arguments, "benchmark"))
        wall = seconds(jobs, specs)
        from services.atlas import open_atlas

        studies = [study_spec(open_atlas(settings.atlases / f"a{number}"), "benchmark") for number in range(builds)]
        empty = seconds(jobs, studies, alone=True)
    finally:
        jobs.close()
        kill_all(settings)
    print(f"{name:28} {wall:8.1f} s {wall / builds:8.1f} s {empty / builds:8.2f} s", flush=True)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--builds", type=int, default=4)
    options = cli.parse_args()
    if MISSING:
        sys.exit(MISSING)
    print(f"{'':28} {'all':>10} {'a build':>10} {'a job that is done already':>10}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        local = Settings(home=home / "local", demo=False)
        local.make_folders()
        measure("one machine, no Redis", local, options.builds)
        for count in (1, 2):
            with redis_server(home / f"redis{count}") as server, ExitStack() as stack:
                settings = Settings(home=home / f"home{count}", demo=False, redis_url=SecretStr(server.url))
                settings.make_folders()
                for number in range(count):
                    stack.enter_context(worker(settings, server.url, f"worker{number}"))
                measure(f"Redis, {count} worker{'s' if count > 1 else ''}", settings, options.builds)


if __name__ == "__main__":
    main()
