"""`python -m services.jobs.study <atlas folder>`: the scaling study for an atlas that was built without one."""

import os
import subprocess
import sys
import time
from pathlib import Path

from services.atlas import Atlas, arrays, open_atlas
from services.errors import AtlasError, BuildError
from services.jobs.builds import ONE_THREAD, ROOT, Job, jobs
from services.settings import Settings, load_settings


def job_name(atlas: Atlas) -> str:
    """How the job calls itself, and its progress file."""
    return f"{atlas.slug}-study"


def study_job(settings: Settings, atlas: Atlas) -> Job | None:
    """The atlas's study that runs or has just ended."""
    return next((job for job in jobs(settings) if job.slug == job_name(atlas)), None)


def start_study(settings: Settings, atlas: Atlas) -> "subprocess.Popen[bytes]":
    """Study an atlas beside this process."""
    log = (settings.progress / "build.log").open("ab")
    with log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.jobs.study", str(atlas.path)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **ONE_THREAD, "ATLAS_HOME": str(settings.home)},
        )
    now = time.time()
    first = {"slug": job_name(atlas), "pid": process.pid, "state": "running", "label": "Starting", "updated": now}
    arrays.write_json(settings.progress / f"{job_name(atlas)}.json", first)
    return process


def study_atlas(folder: Path, file: Path | None = None) -> None:
    """Add the study to a finished atlas.

    Raises:
        AtlasError: it cannot be read or written, or another build works on it.
    """
    from services.pipeline.journal import Journal
    from services.pipeline.lock import build_lock
    from services.pipeline.progress import Progress
    from services.pipeline.publish import write_info
    from services.pipeline.request import BuildRequest
    from services.pipeline.study_stage import study_stream
    from services.pipeline.workers import Workers

    atlas = open_atlas(folder)
    progress = Progress(job_name(atlas), file, bar=False)
    try:
        with build_lock(folder):
            journal = Journal.load(folder)
            if journal is None:
                raise BuildError(f"{folder} has no build.json; build it again with --overwrite.")
            for stream in atlas.info.streams:
                study_stream(folder, stream, journal, progress, Workers())
            write_info(folder, BuildRequest(model=atlas.info.model.id, corpus="demo"), journal, progress)
    except AtlasError as error:
        progress.finish("failed", str(error))
        raise
    except BaseException:
        progress.finish("failed", "It ended unexpectedly; start it again.")
        raise
    progress.finish("finished")


def main(arguments: list[str]) -> int:
    try:
        settings = load_settings()
        settings.make_folders()
        folder = Path(arguments[0])
        study_atlas(folder, settings.progress / f"{folder.name}-study.json")
    except (AtlasError, IndexError) as error:
        print(error if isinstance(error, AtlasError) else __doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
