"""The stage that captures queries, keys, value norms and attention of every head, and holds them to the model's own."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from services import __version__
from services.atlas import AttentionBlocks, arrays
from services.atlas.measure_table import Row, part_file, table_of
from services.atlas.schema import StreamInfo
from services.atlas.vectors import POSITION_BIAS
from services.capture import (
    CAPTURE_TOLERANCE,
    STORED_TOLERANCE,
    OwnRuns,
    capture,
    check_precision,
    input_errors,
    load_model,
    position_bias,
)
from services.errors import CaptureError, ModelError
from services.modalities.corpora import Corpus
from services.modalities.registry import modality_named
from services.models.device import device_name
from services.models.loading import LoadedModel
from services.models.untrained import untrained
from services.pipeline.by_chance import untrained_rows
from services.pipeline.capture_files import CaptureWriter, TooNarrowError, open_arrays
from services.pipeline.journal import Journal
from services.pipeline.prepare import PreparedCorpus, prepare, write_tables
from services.pipeline.progress import Progress
from services.pipeline.protocol import model_rows
from services.pipeline.request import BuildRequest

CHECKED_INPUTS = 8  # at most
FEWEST_CHECKED = 3
# Where inputs are long, as images are, fewer of them hold more weights than eight sentences.
CHECKED_PAIRS = 200_000
_JOURNAL_EVERY = 2.0  # seconds


def run_capture(
    folder: Path, request: BuildRequest, corpus: Corpus, journal: Journal, progress: Progress, device: str
) -> None:
    """Load the model and capture every input that is not captured yet; then check and publish the arrays.

    Raises:
        ModelError, CaptureError, CorpusError, BuildError: with one line for the user.
    """
    progress.stage("model", "Loading the model", 1)
    loaded = load_model(
        request.model,
        revision=request.revision,
        device=device,
        tokenizer=request.tokenizer,
        library_code=request.library_code,
        reads=request.modality,
        content=request.content,
    )
    if loaded.modality != request.modality:
        raise ModelError(f"Model {loaded.info.id} reads {loaded.modality}: build with --modality {loaded.modality}.")
    progress.update(1)
    corpus = _completed(loaded, corpus, request, progress)
    progress.stage("tokens", "Cutting inputs into tokens", 1)
    prepared = prepare(loaded, corpus, request)
    tables = write_tables(folder, prepared)
    model = loaded.info.model_dump(mode="json")
    made_from = {name: journal.files.get(name) for name in tables if name != "inputs.parquet"}
    before = journal.facts.get("model", {})
    if _without_notes(model) != _without_notes(before) or made_from != {name: tables[name] for name in made_from}:
        journal.forget("capture")  # a first run, or the model has changed under its name
        journal.facts.pop("precision", None)
    journal.facts.update({"corpus": prepared.info.model_dump(mode="json"), "model": model})
    for name, info in tables.items():
        journal.record_file(name, info)
    progress.update(1)

    checked = checked_inputs(prepared)
    own = OwnRuns(loaded, prepared.inputs)
    precision = _precision(own, checked, request, journal, progress)
    while True:
        try:
            writer = _capture_all(folder, loaded, prepared, precision, journal, progress)
            error = _check_stored(own, checked, writer, progress)
            break
        except TooNarrowError as narrow:
            if request.precision != "auto":
                raise
            precision = precision | {narrow.stream: "float32"}
            journal.facts["precision"] = precision
            journal.forget("capture")
    streams = [_with_position_bias(folder, loaded, stream, prepared, journal) for stream in loaded.streams]
    for stream in loaded.streams:
        for name in writer.arrays_of(stream):
            path = folder / stream.name / f"{name}.npy"
            if not journal.has_file(f"{stream.name}/{name}.npy"):
                writer.flush()
                journal.record_file(f"{stream.name}/{name}.npy", arrays.publish(path))
    _keep_runs(folder, loaded, prepared, journal, progress)
    journal.facts.update(
        {
            "program": __version__,
            "modality": loaded.modality,
            "device": device_name(device),
            "streams": [stream.model_dump(mode="json") for stream in streams],
            "capture_error": error,
            "checked_inputs": len(checked),
            "libraries": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "numpy")}
            | dict(prepared.tokens.libraries),
        }
    )
    journal.save()


def _keep_runs(
    folder: Path, loaded: LoadedModel, prepared: PreparedCorpus, journal: Journal, progress: Progress
) -> None:
    """What only a running model tells, as parts of each stream's table of measures: random tokens that come twice, and
    the corpus with random weights.
    """

    @cache
    def fresh() -> LoadedModel | None:
        return untrained(loaded)

    def by_chance() -> dict[str, list[Row]]:
        plain = fresh()
        return untrained_rows(plain, prepared) if plain else {}

    for part, label, make in (
        ("repeats", "Reading repeated tokens", lambda: model_rows(loaded, fresh)),
        ("untrained", "Reading with random weights", by_chance),
    ):
        files = {stream.name: part_file(stream, part) for stream in loaded.streams}
        if all(map(journal.has_file, files.values())):
            continue
        progress.stage(part, label, 1)
        for stream, rows in make().items():
            (folder / files[stream]).parent.mkdir(exist_ok=True)
            journal.record_file(files[stream], arrays.write_table(folder / files[stream], table_of(rows)))
        progress.update(1)


def _completed(loaded: LoadedModel, corpus: Corpus, request: BuildRequest, progress: Progress) -> Corpus:
    """With the targets that an encoder–decoder writes itself."""
    begun = False

    def report(done: int, total: int) -> None:
        nonlocal begun
        if not begun:
            progress.stage("write", "Writing targets", total)
        begun = True
        progress.update(done)

    return modality_named(loaded.modality).complete(loaded, corpus, max_tokens=request.max_tokens, report=report)


def _with_position_bias(
    folder: Path, loaded: LoadedModel, stream: StreamInfo, prepared: PreparedCorpus, journal: Journal
) -> StreamInfo:
    """A stream as it is, or with what its scores hold by the place of a key alone, as far as the longest input goes."""
    longest = max(prepared.inputs, key=lambda item: item.lengths[stream.query_table])
    values = position_bias(loaded, stream, longest)
    if values is None:
        return stream
    file = f"{stream.name}/{POSITION_BIAS}.npy"
    target = arrays.create(folder / file, values.shape, values.dtype)
    target[...] = values
    target.flush()
    journal.record_file(file, arrays.publish(folder / file))
    return stream.model_copy(update={"position_reach": values.shape[2] // 2})


def _without_notes(model: Mapping[str, Any]) -> dict[str, Any]:
    """What decides a capture; words on the model do not."""
    return {name: value for name, value in model.items() if name != "notes"}


def checked_inputs(prepared: PreparedCorpus) -> list[int]:
    """Inputs whose attention is compared with the model's own: from the middle length up, until they are many pairs."""
    shortest = sorted(range(len(prepared.inputs)), key=lambda i: (len(prepared.inputs[i]), i))
    chosen: list[int] = []
    pairs = 0
    for index in (shortest[len(shortest) // 2 :] or shortest)[:CHECKED_INPUTS]:
        if len(chosen) >= FEWEST_CHECKED and pairs >= CHECKED_PAIRS:
            break
        chosen.append(index)
        pairs += len(prepared.inputs[index]) ** 2
    return chosen


def _precision(
    own: OwnRuns,
    checked: Sequence[int],
    request: BuildRequest,
    journal: Journal,
    progress: Progress,
) -> dict[str, str]:
    """Check that the model can be captured, and choose the number type of each stream's vectors.

    Raises:
        CaptureError: attention recomputed from the captured vectors is not the model's own.
        TooNarrowError: float16 was asked for and cannot hold the vectors.
    """
    known: dict[str, str] = journal.facts.get("precision", {})
    if known and all(request.precision in ("auto", chosen) for chosen in known.values()):
        return known
    progress.stage("check", "Checking the capture", 1)
    precision: dict[str, str] = {}
    for stream, (exact, rounded) in check_precision(own, checked).items():
        _judge(own.loaded, exact, CAPTURE_TOLERANCE)
        agrees = rounded <= STORED_TOLERANCE
        if request.precision == "float16" and not agrees:
            raise _narrow(stream, rounded)
        precision[stream] = ("float16" if agrees else "float32") if request.precision == "auto" else request.precision
    journal.facts["precision"] = precision
    progress.update(1)
    return precision


def _judge(loaded: LoadedModel, error: float, allowed: float) -> None:
    if not error <= allowed:
        raise CaptureError(
            f"{loaded.info.id}: attention recomputed from the captured vectors differs from the model's own by "
            f"{error:.2g} (allowed {allowed:g}); this architecture cannot be captured faithfully."
        )


def _narrow(stream: str, error: float) -> TooNarrowError:
    return TooNarrowError(
        f"Attention recomputed from {stream} vectors in float16 differs from the model's own by {error:.2g} "
        f"(allowed {STORED_TOLERANCE:g})",
        stream,
    )


def _capture_all(
    folder: Path,
    loaded: LoadedModel,
    prepared: PreparedCorpus,
    precision: Mapping[str, str],
    journal: Journal,
    progress: Progress,
) -> CaptureWriter:
    """Capture every input that is not captured yet into the arrays."""
    inputs = len(prepared.inputs)
    blocks = {s.name: AttentionBlocks(s, prepared.stream_tokens(s), inputs, None) for s in loaded.streams}
    maps, resumed = open_arrays(folder, blocks, precision)
    done = journal.done("capture") if resumed else set()
    progress.stage("capture", "Capturing attention", len(prepared.inputs))
    progress.update(len(done))
    writer = CaptureWriter(maps, blocks)
    missing = dict.fromkeys(range(len(prepared.inputs)), len(loaded.streams))
    try:
        for item in capture(loaded, prepared.inputs, done=frozenset(done)):
            writer.write(item.index, item)
            missing[item.index] -= 1
            if not missing[item.index]:
                done.add(item.index)
                if journal.due(_JOURNAL_EVERY):
                    writer.flush()
                    journal.record("capture", done)
                progress.update(len(done))
    finally:
        writer.flush()
        journal.record("capture", done)
    return writer


def _check_stored(own: OwnRuns, checked: Sequence[int], writer: CaptureWriter, progress: Progress) -> float:
    """Largest difference between attention recomputed from the stored numbers and the model's own.

    Raises:
        TooNarrowError: vectors in float16 do not agree.
        CaptureError: nor do those in float32.
    """
    progress.stage("check", "Checking the capture", 1)
    largest = 0.0
    for stream in own.loaded.streams:
        error = max(input_errors(own, index, [writer.read(index, stream)])[0] for index in checked)
        if writer.is_narrow(stream) and not error <= STORED_TOLERANCE:
            raise _narrow(stream.name, error)
        if not writer.is_narrow(stream):
            _judge(own.loaded, error, CAPTURE_TOLERANCE)
        largest = max(largest, error)
    progress.update(1)
    return largest
