"""The kind "probe": what a reader asks of the atlas's model, while the reader waits.

A text of theirs is run and placed into a map; a question about a pair, or about heads switched off, is answered.

One warm process holds the models for all readers of a home; it ends when nobody has probed for a while
(ATLAS_PROBE_IDLE), and with the last server of the home. What it finds goes to the cache, nothing into the atlas.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.atlas import Atlas, open_atlas
from services.atlas.folder import INFO
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.errors import JobError, ProbeError
from services.jobs.backend import Backend
from services.jobs.kind import Arguments, JobKind
from services.jobs.running import Running
from services.jobs.spec import JobSpec
from services.jobs.wishes import Wish
from services.measures import head_map
from services.probe import question as questions
from services.probe.asked import Asked, check_asked
from services.probe.kept import error_file, errors, find, prune, touch
from services.probe.question import PairQuestion, Question, SwitchQuestion, WeightsQuestion
from services.settings import Settings

if TYPE_CHECKING:
    from services.probe.models import WarmModels

FORGOTTEN = 10.0  # seconds after which a reader who no longer asks does not count
MOST_WAITING = 50  # of all readers together
DIED = "The process with the model ended unexpectedly; memory may have run out."


class ProbeArguments(Arguments):
    """What is asked of which atlas; stream, map: where to place it (`ProjectionRef.name`), nowhere if map is empty.

    pair, switch, weights: a question instead of a text.
    """

    atlas: str
    key: str
    text: str = ""
    stream: str = ""
    map: str = ""
    most_tokens: int
    pair: PairQuestion | None = None
    switch: SwitchQuestion | None = None
    weights: WeightsQuestion | None = None

    @property
    def question(self) -> Question | None:
        return self.pair or self.switch or self.weights

    @property
    def asked(self) -> Asked:
        return Asked(self.text)


def probe_wish(settings: Settings, atlas: Atlas, asked: Asked, projection: ProjectionInfo | None, visitor: str) -> Wish:
    """A probe that is wanted, with its places in a map of the atlas.

    Raises:
        ProbeError: it is empty or too long.
    """
    check_asked(asked, atlas.info.modality, settings.probe_tokens)
    arguments = ProbeArguments(
        atlas=str(atlas.path),
        key=atlas.info.key,
        text=asked.text,
        stream=projection.stream if projection else "",
        map=projection.name if projection else "",
        most_tokens=settings.probe_tokens,
    )
    id, folder = asked.id(atlas), settings.probes

    def is_there() -> bool:
        probe = find(folder, atlas, id)
        if probe is None:
            return False
        touch(probe.path)
        if projection is None:
            return True
        return probe.place_file(projection).is_file() and error_file(folder, atlas, projection).is_file()

    return Wish(JobSpec.of(PROBE.name, arguments, visitor), is_there)


def question_wish(settings: Settings, atlas: Atlas, question: Question, visitor: str) -> Wish:
    """A question whose answer is wanted: `services.probe.question.find` reads it.

    Raises:
        ProbeError: it is about what is not there, or about too long a text.
    """
    question.checked(atlas, settings.probe_tokens)
    if question.input is None and not (isinstance(question, SwitchQuestion) and question.random):
        check_asked(Asked(question.text), atlas.info.modality, settings.probe_tokens)
    arguments = ProbeArguments(
        atlas=str(atlas.path),
        key=atlas.info.key,
        most_tokens=settings.probe_tokens,
        pair=question if isinstance(question, PairQuestion) else None,
        switch=question if isinstance(question, SwitchQuestion) else None,
    )
    return Wish(JobSpec.of(PROBE.name, arguments, visitor), lambda: answer_of(settings, atlas, question) is not None)


def weights_wish(settings: Settings, atlas: Atlas, stream: StreamInfo, visitor: str) -> Wish:
    """A map of a stream's heads by their weights: `services.measures.head_map` reads it.

    Raises:
        ProbeError: there is no such attention, or what the model read is not kept.
    """
    question = WeightsQuestion(stream=stream.name)
    question.checked(atlas, settings.probe_tokens)
    arguments = ProbeArguments(
        atlas=str(atlas.path), key=atlas.info.key, most_tokens=settings.probe_tokens, weights=question
    )
    out = head_map.file_of(atlas, stream, settings.head_maps, head_map.WEIGHTS)
    return Wish(JobSpec.of(PROBE.name, arguments, visitor), out.is_file)


def answer_of(settings: Settings, atlas: Atlas, question: Question) -> Mapping[str, Any] | None:
    """The answer, if it is there, with the runs that its views read."""
    answer = questions.find(settings.probes, question.id(atlas))
    if answer is None or not isinstance(question, SwitchQuestion):
        return answer
    runs = [find(settings.probes, atlas, str(answer.get(name))) for name in ("before", "after")]
    for run in runs:
        if run is None:  # pruned meanwhile: run it again
            return None
        touch(run.path)
    return answer


def get_ready(jobs: Backend, settings: Settings, atlas: Atlas, visitor: str) -> None:
    """Have the model loaded while a reader still types; that it fails is said of the probe itself."""
    arguments = ProbeArguments(atlas=str(atlas.path), key=atlas.info.key, most_tokens=settings.probe_tokens)
    with suppress(JobError):
        jobs.submit(JobSpec.of(PROBE.name, arguments, visitor))


def run_probe(arguments: ProbeArguments, running: Running) -> None:
    """
    Raises:
        Cancelled: nobody wants it any more.
        AtlasError: the model is not at hand, or cannot read it.
    """
    _tell(running, "Starting PyTorch")
    from services.probe.placed import measure_errors, place_probe
    from services.probe.seen import look

    settings, asked = running.settings, arguments.asked
    atlas = _opened(Path(arguments.atlas), _stamp(Path(arguments.atlas)))
    if atlas.info.key != arguments.key:
        raise ProbeError("The atlas has been built anew; load the page again.")
    if arguments.question is not None:
        _answer(arguments, arguments.question, atlas, running)
        return
    folder, id = settings.probes, asked.id(atlas)
    if find(folder, atlas, id) is None:
        loaded = _warm_models().of(atlas, settings.model_folder, lambda label: _tell(running, label))
        if not asked.text:  # the model was only to be loaded
            return
        check_asked(asked, atlas.info.modality, arguments.most_tokens)
        _tell(running, "Reading the probe")
        look(atlas, loaded, asked, folder, arguments.most_tokens, running.check)
        prune(folder, spare=id)
    probe = find(folder, atlas, id)
    projection = atlas.info.projection(arguments.map, arguments.stream) if arguments.map else None
    if projection is None or probe is None:
        return

    def step(done: int, total: int) -> None:
        running.report("Placing its tokens", done, total)
        running.check()

    if probe.places(projection) is None:
        place_probe(probe, projection, step)
    if errors(folder, atlas, projection) is None:

        def measured(done: int, total: int) -> None:
            running.report("Measuring how exact places are", done, total)
            running.check()

        measure_errors(folder, atlas, projection, measured)


def _answer(arguments: ProbeArguments, question: Question, atlas: Atlas, running: Running) -> None:
    settings, id = running.settings, question.id(atlas)
    if isinstance(question, WeightsQuestion):
        _compare_weights(arguments, question, atlas, running)
        return
    if answer_of(settings, atlas, question) is not None:
        return
    loaded = _warm_models().of(atlas, settings.model_folder, lambda label: _tell(running, label))
    _tell(running, "Asking the model")
    from services.probe.pair import explain
    from services.probe.switched import switch

    most, check = arguments.most_tokens, running.check
    if isinstance(question, SwitchQuestion):
        predictor = _warm_models().predictor(loaded)
        answer = switch(atlas, loaded, predictor, question, settings.probes, most, check)
        prune(settings.probes, spare=id)
    else:
        assert isinstance(question, PairQuestion)
        answer = explain(atlas, loaded, question, most, check, settings.probes)
    questions.keep(settings.probes, id, answer)


def _compare_weights(arguments: ProbeArguments, question: WeightsQuestion, atlas: Atlas, running: Running) -> None:
    settings, stream = running.settings, question.checked(atlas, arguments.most_tokens)
    out = head_map.file_of(atlas, stream, settings.head_maps, head_map.WEIGHTS)
    if out.is_file():
        return
    loaded = _warm_models().of(atlas, settings.model_folder, lambda label: _tell(running, label))
    from services.probe.weights import by_weights

    def told(done: int, of: int) -> None:
        running.report("Comparing weights", done, of)
        running.check()

    head_map.write(out, by_weights(atlas, loaded, question, arguments.most_tokens, told))


def _tell(running: Running, label: str) -> None:
    running.report(label, 0, 1)
    running.check()


def _stamp(folder: Path) -> tuple[int, int] | None:
    """Differs once a build has added a map, or built the atlas anew."""
    try:
        status = (folder / INFO).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


@lru_cache(maxsize=4)
def _opened(folder: Path, _stamp: tuple[int, int] | None) -> Atlas:
    return open_atlas(folder)


@lru_cache(maxsize=1)
def _warm_models() -> "WarmModels":
    from services.probe.models import WarmModels

    return WarmModels()


PROBE = JobKind(
    name="probe",
    arguments=ProbeArguments,
    title=lambda _arguments: "Probe",
    subject=lambda arguments: arguments.atlas,
    run=run_probe,
    starting="Starting the process for the model",
    announced=False,
    most_waiting=MOST_WAITING,
    warm=600.0,
    warm_setting="probe_idle",
    forgotten=FORGOTTEN,
    kept=False,
)
