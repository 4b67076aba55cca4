"""The first stages of a build: tokens on disk, then queries, keys, value norms and attention of every head."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from services import __version__
from services.atlas import arrays
from services.atlas.attention import ATTENTION, AttentionBlocks
from services.atlas.schema import CorpusInfo, FileInfo, StreamInfo
from services.atlas.vectors import KEYS, QUERIES, VALUE_NORMS, vector_shapes
from services.capture import (
    CAPTURE_TOLERANCE,
    STORED_TOLERANCE,
    InputCapture,
    TokenisedInput,
    capture,
    check_precision,
    input_errors,
    load_model,
    tokenise,
)
from services.errors import CaptureError, CorpusError
from services.modalities.corpora import Corpus
from services.modalities.text.parts_of_speech import align
from services.modalities.text.tagging import choose_tagger
from services.models.loading import LoadedModel
from services.pipeline.journal import Journal
from services.pipeline.progress import Progress
from services.pipeline.request import BuildRequest
from services.streams import Places, StreamTokens

CHECKED_INPUTS = 8
_JOURNAL_EVERY = 2.0  # seconds


@dataclass(frozen=True)
class Prepared:
    """A corpus as the model sees it; inputs that came out empty are left out."""

    corpus: CorpusInfo
    texts: list[str]
    columns: dict[str, list[str]]
    inputs: list[TokenisedInput]
    pos: list[str] | None = None  # one tag a token, in input order
    taggers: dict[str, str] = field(default_factory=dict)  # package → version

    @property
    def lengths(self) -> np.ndarray:
        return np.asarray([len(item.tokens) for item in self.inputs], dtype=np.int64)


def prepare(loaded: LoadedModel, corpus: Corpus, request: BuildRequest) -> Prepared:
    """Tokenise a corpus.

    Raises:
        CorpusError: no input has a token.
    """
    tokenised = tokenise(loaded, corpus.texts, request.max_tokens)
    kept = [index for index, item in enumerate(tokenised) if not item.empty]
    if not kept:
        raise CorpusError(f"{corpus.source}: the tokenizer of {loaded.info.id} makes no token of any input.")
    notes = list(corpus.notes)
    if len(kept) < len(tokenised):
        notes.append(f"{len(tokenised) - len(kept)} inputs without any token were left out.")
    cut = sum(tokenised[index].truncated for index in kept)
    if cut:
        notes.append(f"{cut} inputs were cut to {request.max_tokens or loaded.max_tokens} tokens.")
    inputs = [tokenised[index] for index in kept]
    texts = [corpus.texts[index] for index in kept]
    tagger, reason = choose_tagger(request.pos, texts)
    if tagger:
        notes.append(f"Parts of speech by {tagger.label}.")
    elif reason:
        notes.append(reason)
    pos = None
    if tagger:
        pairs = zip(texts, inputs, strict=True)
        pos = [tag for text, item in pairs for tag in align(tagger.tag(text), item.offsets, item.special)]
    info = CorpusInfo(
        name=corpus.name,
        source=corpus.source,
        sha256=corpus.sha256,
        inputs=len(inputs),
        tokens=sum(len(item.tokens) for item in inputs),
        notes=tuple(notes),
    )
    columns = {name: [values[index] for index in kept] for name, values in corpus.columns.items()}
    return Prepared(info, texts, columns, inputs, pos, tagger.versions() if tagger else {})


def write_tables(folder: Path, prepared: Prepared) -> dict[str, FileInfo]:
    """Write `inputs.parquet` and `tokens.parquet`."""
    columns: dict = {"text": prepared.texts, "tokens": pa.array(prepared.lengths, pa.int32())}
    for name, values in prepared.columns.items():
        while name in columns:
            name += "_"
        columns[name] = values
    inputs = prepared.inputs
    rows = np.repeat(np.arange(len(inputs), dtype=np.int32), prepared.lengths)
    positions = np.concatenate([np.arange(n, dtype=np.int32) for n in prepared.lengths])
    tokens = {
        "input": rows,
        "position": positions,
        "token": [token for item in inputs for token in item.tokens],
        "text": [text for item in inputs for text in item.display],
        "special": [flag for item in inputs for flag in item.special],
        "word": pa.array([word for item in inputs for word in item.words], pa.int32()),
    }
    if prepared.pos is not None:
        tokens["pos"] = prepared.pos
    return {
        "inputs.parquet": arrays.write_table(folder / "inputs.parquet", pa.table(columns)),
        "tokens.parquet": arrays.write_table(folder / "tokens.parquet", pa.table(tokens)),
    }


def run_capture(
    folder: Path, request: BuildRequest, corpus: Corpus, journal: Journal, progress: Progress, device: str
) -> None:
    """Load the model and capture every input that is not captured yet; then check and publish the arrays.

    Raises:
        ModelError, CaptureError, CorpusError, BuildError: with one line for the user.
    """
    progress.stage("model", "Loading the model", 1)
    loaded = load_model(request.model, revision=request.revision, device=device)
    prepared = prepare(loaded, corpus, request)
    tables = write_tables(folder, prepared)
    model = loaded.info.model_dump(mode="json")
    if (model, tables["tokens.parquet"]) != (journal.facts.get("model"), journal.files.get("tokens.parquet")):
        journal.forget("capture")  # a first run, or the model has changed under its name
        journal.facts.pop("precision", None)
    journal.facts.update({"corpus": prepared.corpus.model_dump(mode="json"), "model": model})
    for name, info in tables.items():
        journal.record_file(name, info)
    progress.update(1)

    checked = checked_inputs(prepared)
    precision = _precision(loaded, prepared, checked, request, journal, progress)
    while True:
        try:
            writer = _capture_all(folder, loaded, prepared, precision, journal, progress)
            error = _check_stored(loaded, prepared, checked, writer, progress)
            break
        except TooNarrowError as narrow:
            if request.precision != "auto":
                raise
            precision = precision | {narrow.stream: "float32"}
            journal.facts["precision"] = precision
            journal.forget("capture")
    for stream in loaded.streams:
        for name in writer.arrays_of(stream):
            path = folder / stream.name / f"{name}.npy"
            if not journal.has_file(f"{stream.name}/{name}.npy"):
                writer.flush()
                journal.record_file(f"{stream.name}/{name}.npy", arrays.publish(path))
    journal.facts.update(
        {
            "program": __version__,
            "modality": "text",
            "streams": [stream.model_dump(mode="json") for stream in loaded.streams],
            "capture_error": error,
            "checked_inputs": len(checked),
            "libraries": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "numpy")}
            | prepared.taggers,
        }
    )
    journal.save()


def checked_inputs(prepared: Prepared) -> list[int]:
    """Inputs whose attention is compared with the model's own: from the middle length up."""
    shortest = sorted(range(len(prepared.inputs)), key=lambda i: (len(prepared.inputs[i].tokens), i))
    return shortest[len(shortest) // 2 :][:CHECKED_INPUTS] or shortest


class TooNarrowError(CaptureError):
    """A stream's vectors do not fit float16."""

    def __init__(self, message: str, stream: str) -> None:
        super().__init__(f"{message}: build again without --precision, or with --precision float32.")
        self.stream = stream


def _precision(
    loaded: LoadedModel,
    prepared: Prepared,
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
    found = check_precision(loaded, [prepared.inputs[index] for index in checked])
    for stream, (exact, rounded) in found.items():
        _judge(loaded, exact, CAPTURE_TOLERANCE)
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
    prepared: Prepared,
    precision: Mapping[str, str],
    journal: Journal,
    progress: Progress,
) -> "_Writer":
    """Capture every input that is not captured yet into the arrays."""
    blocks = {stream.name: _blocks(stream, prepared) for stream in loaded.streams}
    maps, resumed = _open_arrays(folder, blocks, precision)
    done = journal.done("capture") if resumed else set()
    progress.stage("capture", "Capturing attention", len(prepared.inputs))
    progress.update(len(done))
    writer = _Writer(maps, blocks)
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


def _check_stored(
    loaded: LoadedModel, prepared: Prepared, checked: Sequence[int], writer: "_Writer", progress: Progress
) -> float:
    """Largest difference between attention recomputed from the stored numbers and the model's own.

    Raises:
        TooNarrowError: vectors in float16 do not agree.
        CaptureError: nor do those in float32.
    """
    progress.stage("check", "Checking the capture", 1)
    largest = 0.0
    for stream in loaded.streams:
        stored = ((index, writer.read(index, stream)) for index in checked)
        error = max(input_errors(loaded, prepared.inputs[index], [item])[0] for index, item in stored)
        if writer.is_narrow(stream) and not error <= STORED_TOLERANCE:
            raise _narrow(stream.name, error)
        if not writer.is_narrow(stream):
            _judge(loaded, error, CAPTURE_TOLERANCE)
        largest = max(largest, error)
    progress.update(1)
    return largest


def _blocks(stream: StreamInfo, prepared: Prepared) -> AttentionBlocks:
    """Where each input's rows and weights will lie."""
    lengths = prepared.lengths
    places = Places(np.repeat(np.arange(len(lengths)), lengths), np.concatenate([np.arange(n) for n in lengths]))
    return AttentionBlocks(stream, StreamTokens(stream.mask, places, places), len(lengths), None)


def _open_arrays(
    folder: Path, blocks: dict[str, AttentionBlocks], precision: Mapping[str, str]
) -> tuple[dict[str, dict[str, np.memmap]], bool]:
    """Map all arrays for writing; the flag tells whether every one goes on from a stopped build."""
    maps: dict[str, dict[str, np.memmap]] = {}
    resumed = True
    for stream, of_stream in blocks.items():
        maps[stream] = {}
        for name, shape in _shapes(of_stream).items():
            dtype = {VALUE_NORMS: "float32", ATTENTION: "float16"}.get(name, precision[stream])
            maps[stream][name], old = _open_array(folder / stream / f"{name}.npy", shape, np.dtype(dtype))
            resumed = resumed and old
    return maps, resumed


def _shapes(blocks: AttentionBlocks) -> dict[str, tuple[int, ...]]:
    shapes = vector_shapes(blocks.stream, len(blocks.tokens.queries), len(blocks.tokens.keys))
    return shapes | ({} if blocks.stream.attention == "none" else {ATTENTION: (blocks.length,)})


def _open_array(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> tuple[np.memmap, bool]:
    """Map an array for writing; True when it is the `.part` of a stopped build and its shape fits."""
    old = arrays.resume(path, shape, dtype)
    return (arrays.create(path, shape, dtype), False) if old is None else (old, True)


class _Writer:
    """Puts the capture of one input into its place in the arrays, and takes it out again."""

    def __init__(self, maps: dict[str, dict[str, np.memmap]], blocks: dict[str, AttentionBlocks]) -> None:
        self._maps, self._blocks = maps, blocks

    def write(self, index: int, item: InputCapture) -> None:
        maps, blocks = self._maps[item.stream], self._blocks[item.stream]
        stream = blocks.stream
        queries, keys = blocks.rows(index)
        _store(maps[QUERIES], (slice(None), slice(None), queries), item.queries, stream, "queries")
        _store(maps[KEYS], (slice(None), slice(None), keys), item.keys, stream, "keys")
        _store(maps[VALUE_NORMS], (slice(None), slice(None), keys), item.value_norms, stream, "value norms")
        if ATTENTION in maps:
            weights = blocks.packed(index, item.attention)
            _store(maps[ATTENTION], (blocks.slot(index),), weights, stream, "attention weights")

    def read(self, index: int, stream: StreamInfo) -> InputCapture:
        """What was written of one input, as float32."""
        maps, blocks = self._maps[stream.name], self._blocks[stream.name]
        queries, keys = blocks.rows(index)
        rows = {QUERIES: queries, KEYS: keys, VALUE_NORMS: keys}
        found = {name: np.array(maps[name][:, :, rows[name]], np.float32) for name in rows}
        weights = np.array(maps[ATTENTION][blocks.slot(index)], np.float32).reshape(stream.layers, stream.heads, -1)
        return InputCapture(index=index, stream=stream.name, **found, attention=blocks.unpacked(index, weights))

    def arrays_of(self, stream: StreamInfo) -> list[str]:
        """Names of the arrays of a stream."""
        return list(self._maps[stream.name])

    def is_narrow(self, stream: StreamInfo) -> bool:
        """Whether a stream's vectors are kept in float16."""
        return self._maps[stream.name][QUERIES].dtype == np.float16

    def flush(self) -> None:
        for arrays_of_stream in self._maps.values():
            for array in arrays_of_stream.values():
                array.flush()


def _store(target: np.memmap, place: tuple, values: np.ndarray, stream: StreamInfo, name: str) -> None:
    """Write one input's numbers in the file's precision, refusing what it cannot hold.

    Raises:
        CaptureError: the model gave NaN or infinity.
        TooNarrowError: a value is too large for float16.
    """
    if not np.isfinite(values).all():
        layer, head = (int(n) for n in np.argwhere(~np.isfinite(values))[0][:2])
        raise CaptureError(
            f"The model gives {name} that are not finite numbers in {stream.name} L{layer} H{head}: "
            "its weights are damaged, or it needs another input."
        )
    with np.errstate(over="ignore"):
        narrow = values.astype(target.dtype)
    if not np.isfinite(narrow).all():
        raise TooNarrowError(f"The {name} reach {np.abs(values).max():.0f}, too large for float16", stream.name)
    target[place] = narrow.ravel() if target.ndim == 1 else narrow
