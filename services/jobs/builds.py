"""The kind "build": an atlas built beside the dashboard; and the demo, which is built when there is none."""

import resource
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from services.atlas import ProjectionRef, open_atlas
from services.atlas.projection_ref import DIMS
from services.errors import AtlasError, AtlasFormatError, OutdatedAtlasError
from services.jobs.backend import Backend
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running
from services.jobs.spec import Job, JobSpec
from services.models.cores import cores
from services.models.device import AUTO, CPU, chosen, told
from services.models.packaged import is_installed, packaged
from services.pipeline.request import BuildRequest
from services.projection import methods_named
from services.settings import Settings

DEMO_SLUG = "minilm-demo"
IMAGES_SLUG = "dinov2-demo"


class BuildArguments(Arguments):
    """What `app.py build` is asked, and where the atlas will be."""

    request: BuildRequest
    folder: str
    overwrite: bool = False
    jobs: int = 0
    device: str = Field(default=CPU, description="auto: what ATLAS_DEVICE says where it is built")
    dask: str | None = None


def run_build(arguments: BuildArguments, running: Running, *, bar: bool = False, log: bool = False) -> dict[str, Any]:
    """Build, or add what is missing; a build that was stopped or killed goes on.

    Args:
        bar: show one on the terminal.
        log: write a line for each stage and layer, for those who read what the process has written.

    Raises:
        AtlasError: as services.pipeline.build.build; or a GPU has no memory left, or is not there.
    """
    from services.pipeline.build import build
    from services.pipeline.progress import Progress
    from services.pipeline.workers import Workers

    settings, folder = running.settings, Path(arguments.folder)
    device = chosen(settings.device) if arguments.device == AUTO else arguments.device
    workers = Workers(
        jobs=arguments.jobs or processes(settings),
        device=device,
        dask=arguments.dask or settings.dask_scheduler,
    )
    if log and device != CPU:
        _say(f"The model runs on {device}")
    progress = Progress(folder.name, running.report, bar=bar, say=_say if log else None)
    try:
        build(arguments.request, folder, progress, workers=workers, overwrite=arguments.overwrite)
    except RuntimeError as error:
        raise told(error, device) or error from error
    return {"folder": str(folder), "memory": peak_memory(workers.jobs)}


def processes(settings: Settings) -> int:
    """How many processes of a build lay out heads at once."""
    return settings.jobs or cores()


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


def _run_logged(arguments: BuildArguments, running: Running) -> dict[str, Any]:
    return run_build(arguments, running, log=True)


def peak_memory(processes: int) -> int:
    """Bytes that this process and those it started have taken at most: its own peak, and the largest one's for each."""
    unit = 1 if sys.platform == "darwin" else 1024
    own, others = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return unit * (own + (processes * others if processes > 1 else 0))


BUILD = JobKind(
    name="build",
    arguments=BuildArguments,
    title=lambda arguments: f"Build of {Path(arguments.folder).name}",
    subject=lambda arguments: arguments.folder,
    run=_run_logged,
    for_gpu=True,
)


def is_building(jobs: Backend, atlas: Path) -> bool:
    """Whether a build is at work on an atlas, so that more maps of it may come."""
    return any(job.kind == BUILD.name and job.active and job.subject == str(atlas) for job in jobs.list())


def start_demo(settings: Settings, jobs: Backend) -> Job:
    """Build the demo atlas: MiniLM on the demo corpus, all offline."""
    return _start(settings, jobs, DEMO_SLUG, "minilm", "text")


def start_image_demo(settings: Settings, jobs: Backend) -> Job:
    """Build the demo atlas of images: DINOv2-small on the demo's pictures, all offline."""
    return _start(settings, jobs, IMAGES_SLUG, "dinov2", "image")


def _start(settings: Settings, jobs: Backend, slug: str, model: str, modality: str) -> Job:
    maps = methods_named(settings.demo_projections)
    request = BuildRequest(model=model, corpus="demo", modality=modality, projections=maps, engine=AUTO)
    folder = settings.atlases / slug
    arguments = BuildArguments(request=request, folder=str(folder), overwrite=_is_outdated(folder), device=AUTO)
    return jobs.submit(JobSpec.of(BUILD.name, arguments, "dashboard"))


def check_demo(settings: Settings) -> None:
    """Refuse a setting that names projections which do not exist.

    Raises:
        AtlasError: naming the variable and what it may hold.
    """
    try:
        methods_named(settings.demo_projections)
    except ValueError as error:
        raise AtlasError(f"ATLAS_DEMO_PROJECTIONS: {error} (got {settings.demo_projections!r}).") from error


def demo_needed(settings: Settings) -> bool:
    """Whether to build the demo: switched on, and no atlas yet or the demo's maps not all there."""
    return settings.demo and _only_demos(settings) and not _is_complete(settings, DEMO_SLUG)


def image_demo_needed(settings: Settings) -> bool:
    """The same of the demo of images, where its model is installed."""
    wanted = settings.demo and settings.demo_images and image_model() is None
    return wanted and _only_demos(settings) and not _is_complete(settings, IMAGES_SLUG)


def image_model() -> str | None:
    """What to run so that there is a model for the demo of images; None when there is one."""
    model = packaged("dinov2")
    assert model is not None
    return None if is_installed(model) else model.install


def _only_demos(settings: Settings) -> bool:
    """Whether there is no atlas that somebody has built."""
    names = [p.name for p in settings.atlases.iterdir() if p.is_dir() and not p.name.startswith(".")]
    return {name for name in names if not name.endswith(".partial")} <= {DEMO_SLUG, IMAGES_SLUG}


def _is_outdated(folder: Path) -> bool:
    """Whether a demo is of a schema version that is no longer read; it is ours, so that it may be replaced."""
    try:
        open_atlas(folder)
    except OutdatedAtlasError:
        return True
    except AtlasFormatError:
        return False
    return False


def _is_complete(settings: Settings, slug: str) -> bool:
    try:
        info = open_atlas(settings.atlases / slug).info
    except AtlasFormatError:
        return False
    maps = [ProjectionRef(name, dims) for name in methods_named(settings.demo_projections) for dims in DIMS]
    return all(info.projection(ref, stream.name) for ref in maps for stream in info.streams)


def start_demo_if_needed(settings: Settings, jobs: Backend) -> None:
    """Build the demo beside the server on an empty start, or finish it; one that is under way is left alone.

    Raises:
        AtlasError: the home folder cannot be used, or the setting names projections that do not exist.
    """
    check_demo(settings)
    settings.make_folders(serving=True)
    if settings.is_halted:
        return
    if demo_needed(settings):
        start_demo(settings, jobs)
    if image_demo_needed(settings):
        start_image_demo(settings, jobs)  # waits for the other
