"""The stages of a build, in order, and the moments at which an atlas becomes visible.

A new atlas grows in `<folder>.partial` and is renamed once its captured vectors and the PCA maps are whole: from then
on it can be explored. Every further projection is written aside and joins when it is whole.
"""

from collections.abc import Sequence
from pathlib import Path

from services.atlas import HEADS, INFO, SLUG, arrays, open_atlas, verify
from services.atlas.projection_ref import DIMS
from services.atlas.schema import AlignmentInfo, StreamInfo
from services.errors import AtlasFormatError, BuildError, CaptureError, ModelError
from services.modalities.corpora import Corpus
from services.modalities.registry import modality_named
from services.models.device import AUTO
from services.models.files import check_model_name, find_model
from services.pipeline.aggregate_stage import write_averages
from services.pipeline.journal import Journal
from services.pipeline.layout_stage import BY_STUDY, lay_out, lay_out_pca, missing_layouts, write_heads
from services.pipeline.lock import build_lock
from services.pipeline.measure_stage import measure_heads, measure_maps
from services.pipeline.progress import Progress
from services.pipeline.publish import check_place, is_free, put_in_place, remove, write_info
from services.pipeline.reading import read
from services.pipeline.request import BuildRequest, same_vectors
from services.pipeline.study_stage import study_stream
from services.pipeline.workers import Workers
from services.projection import START, method_names, start_map


def build(
    request: BuildRequest,
    folder: Path,
    progress: Progress,
    *,
    workers: Workers | None = None,
    overwrite: bool = False,
) -> Path:
    """Build an atlas, or add what is missing to one of the same request.

    Args:
        folder: where the atlas will be.
        workers: who does the layouts, and on which device the model runs; None: this process.
        overwrite: replace a different or damaged atlas that is already there.

    Returns:
        The folder.

    Raises:
        AtlasError: with one line that says what is wrong and what to do; nothing half-written becomes visible.
        Cancelled: stopped by the user; the same call goes on.
    """
    workers = workers or Workers()
    if not SLUG.fullmatch(folder.name) or folder.name.endswith(".partial"):
        raise BuildError(
            f"{folder.name!r} cannot name an atlas: use lower-case letters, digits, '.', '_' and '-', at most 64."
        )
    check_model_name(request.model)
    corpus = read(request)
    wanted = request.captured() | {"corpus_sha256": corpus.sha256}
    work = folder.with_name(f"{folder.name}.partial")
    with build_lock(folder):
        for place in (folder, work):
            check_place(place)
        difference = None if is_free(folder) else _difference(folder, request, wanted, thorough=overwrite)
        if difference and not overwrite:
            raise BuildError(difference)
        if request.engine == AUTO:  # maps that another device has made stay as they are
            request = request.model_copy(update={"engine": workers.engine})
        if difference or is_free(folder):
            _build_new(request, corpus, wanted, work, progress, workers)
            progress.stage("publish", "Publishing the atlas", 1)
            put_in_place(work, folder)
            progress.update(1)
        elif (work / INFO).is_file():  # swapped out by a build that was killed before it could clean up
            remove(work)
        add_layouts(folder, request, progress, workers)
    return folder


def _difference(folder: Path, request: BuildRequest, wanted: dict, thorough: bool) -> str | None:
    """Why the atlas in a folder is not what was asked for, in one line; None when it can be added to.

    Args:
        thorough: also compare every byte with its hash, and the model's present revision.
    """
    try:
        atlas = open_atlas(folder)
        damage = verify(folder) if thorough else []
    except AtlasFormatError as error:
        return f"{error} Or replace it with --overwrite."
    if damage:
        return damage[0]
    journal = Journal.load(folder)
    if journal is None or not same_vectors(journal.request, wanted):
        return (
            f"{folder} holds an atlas of another model, corpus or settings: "
            "choose another folder with --out, or replace it with --overwrite."
        )
    made_by = atlas.info.alignment
    if not request.agrees(made_by):
        return (
            f"{folder} was aligned with --scale {made_by.scale} --distance {made_by.distance} "
            f"--fit-without {made_by.without}: "
            "leave these options out, choose another folder with --out, or replace the atlas with --overwrite."
        )
    stored = {atlas.vectors(stream).precision for stream in atlas.info.streams}
    if request.precision != "auto" and stored != {request.precision}:
        return (
            f"{folder} holds vectors in {' and '.join(sorted(stored))}: "
            "leave --precision out, choose another folder with --out, or replace the atlas with --overwrite."
        )
    for projection in atlas.info.projections:
        made = projection.seed, projection.parameters.get("engine")
        asked = projection.method in request.projections and projection.dims in request.dims
        wanted_engine = made[1] if request.engine == AUTO else request.engine
        if asked and projection.method != START.name and made != (request.seed, wanted_engine):
            return (
                f"{folder} holds {projection.name} of the seed {made[0]} and the engine {made[1]}: "
                "leave it out, choose another folder with --out, or replace the atlas with --overwrite."
            )
    if thorough and _revision(request) not in (None, atlas.info.model.revision):
        return f"The model {request.model} has changed since {folder} was built."
    lacking = modality_named(request.modality).lacking(atlas, tags=request.pos) if thorough else None
    return f"{folder} was built without {lacking}." if lacking else None


def _revision(request: BuildRequest) -> str | None:
    """The present revision of the model; None when it cannot be had."""
    try:
        return find_model(request.model, revision=request.revision).revision
    except ModelError:
        return None


def _build_new(
    request: BuildRequest, corpus: Corpus, wanted: dict, work: Path, progress: Progress, workers: Workers
) -> None:
    """Bring `work` to a whole atlas with its PCA maps, going on where an equal build stopped."""
    journal = Journal.load(work)
    if journal is None or not same_vectors(journal.request, wanted):
        remove(work)
        with arrays.disk_errors(work):
            work.mkdir(parents=True, exist_ok=True)
        journal = Journal(work, wanted)
    try:
        journal.save()
        if "streams" not in journal.facts:
            from services.pipeline.capture_stage import run_capture  # torch is behind it: not for layouts alone

            run_capture(work, request, corpus, journal, progress, workers.device)
        streams = [StreamInfo.model_validate(stream) for stream in journal.facts["streams"]]
        write_averages(work, streams, journal, progress)
        made = _alignment(request, streams, journal)
        if made.scale in BY_STUDY:
            for stream in streams:
                study_stream(work, stream, made, journal, progress, workers)
        write_heads(work, streams, made, journal, progress)
        for dims in request.dims:
            for stream in streams:
                lay_out_pca(work, stream, dims, request, journal, progress)
        progress.check()
        write_info(work, request, journal, progress)
        open_atlas(work)
    except Exception as error:
        if isinstance(error, CaptureError) or not journal.done("capture"):
            remove(work)  # there is nothing to go on from
        raise


def _alignment(request: BuildRequest, streams: Sequence[StreamInfo], journal: Journal) -> AlignmentInfo:
    """The alignment of a new atlas; what a stopped build made of another one is made again."""
    begun = journal.facts.get("alignment")
    if begun is not None and request.agrees(AlignmentInfo.model_validate(begun)):
        return AlignmentInfo.model_validate(begun)
    made = request.alignment()
    journal.drop([HEADS, *(start_map(dims).file(stream.name) for stream in streams for dims in DIMS)])
    journal.facts["alignment"] = made.model_dump(mode="json")
    journal.save()
    return made


def add_layouts(folder: Path, request: BuildRequest, progress: Progress, workers: Workers) -> None:
    """Lay out what is missing, PCA first, and let the maps join when they are whole.

    The map that a page opens with comes next, alone and measured. All others are one stage: the exact neighbours of a
    head are found once and serve them all. What is known at once is measured first, in seconds: the heads, their
    scales, and the fidelity of the PCA maps.
    """
    journal = Journal.load(folder)
    if journal is None:
        raise BuildError(f"{folder} has no build.json; build it again with --overwrite.")
    known = open_atlas(folder).info
    streams, made = known.streams, known.alignment
    if write_averages(folder, streams, journal, progress):  # built before there were any
        write_info(folder, request, journal, progress)
    for stream in streams:
        measure_heads(folder, stream, journal, progress, workers)
        write_info(folder, request, journal, progress)
        study_stream(folder, stream, made, journal, progress, workers)
        write_info(folder, request, journal, progress)
        missing = missing_layouts(stream, request, journal)
        for wanted in missing:
            if wanted.method == START.name:
                lay_out_pca(folder, stream, wanted.dims, request, journal, progress)
                write_info(folder, request, journal, progress)
        layouts = [wanted for wanted in missing if wanted.method != START.name]
        measure_maps(folder, stream, journal, progress, workers, maps_only=bool(layouts))
        write_info(folder, request, journal, progress)
        opening = [wanted for wanted in layouts[:1] if wanted.method == method_names()[0]]
        batches = [batch for batch in (opening, layouts[len(opening) :]) if batch]
        for batch in batches:
            lay_out(folder, stream, batch, request, journal, progress, workers)
            write_info(folder, request, journal, progress)
            measure_maps(folder, stream, journal, progress, workers, maps_only=batch is not batches[-1])
            write_info(folder, request, journal, progress)
    progress.end_stage()
    write_info(folder, request, journal, progress)
