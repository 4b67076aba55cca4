"""The kind "study": the scaling study of an atlas that was built without one."""

from pathlib import Path

from services.atlas import Atlas, open_atlas
from services.errors import BuildError
from services.jobs.backend import Backend
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running
from services.jobs.spec import Job, JobSpec


class StudyArguments(Arguments):
    """The folder of the atlas."""

    atlas: str


def study_spec(atlas: Atlas, owner: str = "") -> JobSpec:
    return JobSpec.of(STUDY.name, StudyArguments(atlas=str(atlas.path)), owner)


def study_job(jobs: Backend, atlas: Atlas) -> Job | None:
    """The atlas's study that is under way or has just ended."""
    id = study_spec(atlas).id
    return next((job for job in jobs.list() if job.id == id), None)


def study_atlas(arguments: StudyArguments, running: Running) -> None:
    """Add the study to a finished atlas; finished layers of one that was stopped are kept.

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

    folder = Path(arguments.atlas)
    atlas = open_atlas(folder)
    progress = Progress(f"{atlas.slug}-study", running.report, bar=False)
    with build_lock(folder):
        journal = Journal.load(folder)
        if journal is None:
            raise BuildError(f"{folder} has no build.json; build it again with --overwrite.")
        for stream in atlas.info.streams:
            study_stream(folder, stream, atlas.info.alignment, journal, progress, Workers())
        write_info(folder, BuildRequest(model=atlas.info.model.id, corpus="demo"), journal, progress)


STUDY = JobKind(
    name="study",
    arguments=StudyArguments,
    title=lambda arguments: f"Scaling study of {Path(arguments.atlas).name}",
    subject=lambda arguments: arguments.atlas,
    run=study_atlas,
)
