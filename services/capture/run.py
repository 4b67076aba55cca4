"""Capture a corpus: batches of similar length through the model, arrays without padding out of it, stream by stream."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.atlas.schema import StreamInfo
from services.capture.adapters import calls_of, recording
from services.capture.recorder import Call
from services.errors import CaptureError, ModelError
from services.modalities.contract import ModelInput
from services.modalities.registry import modality_named
from services.models.loading import LoadedModel
from services.models.memory import available_bytes, is_out_of_memory, readable
from services.streams.registry import CONTENT

FLOAT = 4  # bytes of a float32
# Captured arrays held at once: enough for good batches of small models, little beside large weights.
WINDOW_BYTES = 512 * 2**20
# In one batch the longest input is at most this much longer than the shortest: padding costs time.
SPREAD = 1.25
# Attention that a model may pay where its mask, as it was described, hides a key: the rounding of a softmax.
LEAK = 1e-3


@dataclass(frozen=True)
class InputCapture:
    """What one stream of the model did with one input of n_q query and n_k key tokens; all float32.

    index: of the input in the list given to `capture` · stream: its name
    queries [layers, heads, n_q, head_dim] · keys [layers, key_heads, n_k, head_dim]: as the model dots them,
    before the factor `StreamInfo.scaling` · value_norms [layers, key_heads, n_k]: Euclidean
    attention [layers, heads, n_q, n_k], or of a banded stream [layers, heads, pairs that its mask shows]: the model's
    own weights; rows sum to 1 (less with an attention sink). None: read from files that keep none.
    """

    index: int
    stream: str
    queries: np.ndarray
    keys: np.ndarray
    value_norms: np.ndarray
    attention: np.ndarray | None


def capture(
    loaded: LoadedModel,
    inputs: Sequence[ModelInput],
    *,
    batch_tokens: int = 4096,
    done: Collection[int] = frozenset(),
) -> Iterator[InputCapture]:
    """Capture every input that is not `done`, in order, one `InputCapture` for each stream.

    Works in windows of about `batch_tokens` tokens (fewer when a window's arrays would pass 512 MB): within a
    window inputs of similar length share a batch. Which ones does not depend on what is done: the last digit of
    a vector can depend on its batch, and a build that goes on must give what it would have given at once. Between
    two results the model is in its ordinary state, so the iterator can be left at any time. An input without
    tokens gives arrays with n = 0.
    ModelError: memory runs out, an input longer than the model takes, or one that it cannot read. CaptureError: the
    model attends where its mask, as it was described, hides a key.
    """
    for window in windows(inputs, batch_tokens, loaded.streams):
        todo = [index for index in window if index not in done]
        if not todo:
            continue
        _check_window(loaded, [inputs[index] for index in window])
        found: dict[int, list[InputCapture]] = {}
        for batch in batches(inputs, window):
            if all(index in done for index in batch):
                continue
            try:
                found |= _capture_batch(loaded, inputs, batch)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                longest = max(len(inputs[index]) for index in batch)
                raise ModelError(
                    f"Memory ran out while {loaded.info.id} read inputs of {longest} tokens: set a"
                    " smaller limit of tokens for one input, or a smaller batch."
                ) from error
        for index in todo:
            yield from found.pop(index)


def input_bytes(streams: Sequence[StreamInfo], item: ModelInput) -> int:
    """Size of the captured arrays of one input."""
    return sum(_stream_bytes(stream, *(item.lengths[table] for table in stream.tables)) for stream in streams)


def _stream_bytes(stream: StreamInfo, queries: int, keys: int) -> int:
    vectors = queries * stream.heads * stream.head_dim + keys * stream.key_heads * (stream.head_dim + 1)
    weights = 0 if stream.kind == CONTENT else stream.heads * queries * keys
    return FLOAT * stream.layers * (vectors + weights)


def has_content(streams: Sequence[StreamInfo]) -> bool:
    """Whether vectors before rotation are to be captured as well."""
    return any(stream.kind == CONTENT for stream in streams)


def windows(inputs: Sequence[ModelInput], batch_tokens: int, streams: Sequence[StreamInfo]) -> Iterator[list[int]]:
    """Indices of consecutive inputs that are captured together, see `capture`."""
    window: list[int] = []
    tokens = size = 0
    for index, item in enumerate(inputs):
        count, size_of_input = len(item), input_bytes(streams, item)
        if window and (tokens + count > batch_tokens or size + size_of_input > WINDOW_BYTES):
            yield window
            window, tokens, size = [], 0, 0
        window.append(index)
        tokens, size = tokens + count, size + size_of_input
    if window:
        yield window


def batches(inputs: Sequence[ModelInput], window: list[int]) -> Iterator[list[int]]:
    """Indices of a window in groups of similar length, longest first: a lack of memory shows early."""
    batch: list[int] = []
    for index in sorted(window, key=lambda index: (inputs[index].shape, -len(inputs[index]), index)):
        first = inputs[batch[0] if batch else index]
        if batch and (first.shape != inputs[index].shape or len(first) > len(inputs[index]) * SPREAD):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _check_window(loaded: LoadedModel, inputs: Sequence[ModelInput]) -> None:
    longest = max(count for item in inputs for count in item.lengths.values())
    if longest > loaded.max_tokens:
        raise ModelError(f"{loaded.info.id} takes {loaded.max_tokens} tokens at most, one input has {longest}.")
    modality_named(loaded.modality).check(loaded, inputs)
    free = available_bytes() if loaded.device == "cpu" else None
    needed = 2 * max(input_bytes(loaded.streams, item) for item in inputs)  # the tensors, and the arrays made of them
    if free is not None and needed > free:
        raise ModelError(
            f"An input of {longest} tokens needs {readable(needed)} with {loaded.info.id} and"
            f" {readable(free)} are free: set a smaller limit of tokens for one input."
        )


def visible_pairs(stream: StreamInfo, item: ModelInput) -> np.ndarray:
    """bool [n_q, n_k]: the pairs of an input that a stream's mask shows."""
    (n_queries, n_keys), flags = zip(*((item.lengths[t], item.global_tokens(t)) for t in stream.tables), strict=True)
    return stream.mask.visible(n_queries, n_keys, *flags)


def _capture_batch(
    loaded: LoadedModel, inputs: Sequence[ModelInput], batch: list[int]
) -> dict[int, list[InputCapture]]:
    """One capture a stream, in the order of the model's streams, of each input of a batch."""
    items = [inputs[index] for index in batch]
    record = None
    if all(max(item.lengths[table] for item in items) for stream in loaded.streams for table in stream.tables):
        arguments = modality_named(loaded.modality).arguments(loaded, items)
        with recording(loaded.model, content=has_content(loaded.streams)) as record:
            loaded.model(**arguments)
    results: dict[int, list[InputCapture]] = {index: [] for index in batch}
    for stream in loaded.streams:
        calls = calls_of(record, stream, loaded.streams) if record else []
        if record and len(calls) != stream.layers:
            raise ModelError(f"{loaded.info.id} ran {len(calls)} attention layers instead of {stream.layers}.")
        for index, found in zip(batch, _of_stream(loaded, stream, items, calls, batch), strict=True):
            results[index].append(found)
    return results


def _of_stream(
    loaded: LoadedModel, stream: StreamInfo, items: list[ModelInput], calls: list[Call], batch: list[int]
) -> list[InputCapture]:
    shown = [visible_pairs(stream, item) for item in items]
    captures = [_empty(stream, index, visible) for index, visible in zip(batch, shown, strict=True)]
    hidden = stream.mask.hidden_in_batch(shown)
    for layer, call in enumerate(calls):
        queries, keys, norms = (tensor.float().cpu().numpy() for tensor in (call.queries, call.keys, call.value_norms))
        weights = None if call.attention is None else call.attention.float().cpu().numpy()
        leak = 0.0 if weights is None else float(np.max(weights.max(axis=1), where=hidden, initial=0.0))
        if leak > LEAK:
            raise CaptureError(
                f"{loaded.info.id} attends with a weight of {leak:.2g} where {stream.mask.words} should hide a key"
                f" ({stream.name} L{stream.number(layer)}): its mask was described wrongly."
            )
        for row, (found, visible) in enumerate(zip(captures, shown, strict=True)):
            n_queries, n_keys = visible.shape
            found.queries[layer] = queries[row, :, :n_queries]
            found.keys[layer] = keys[row, :, :n_keys]
            found.value_norms[layer] = norms[row, :, :n_keys]
            if found.attention is not None and weights is not None:
                block = weights[row, :, :n_queries, :n_keys]
                found.attention[layer] = block[:, visible] if stream.attention == "banded" else block
    return captures


def _empty(stream: StreamInfo, index: int, visible: np.ndarray) -> InputCapture:
    n_queries, n_keys = visible.shape
    pairs = (int(visible.sum()),) if stream.attention == "banded" else (n_queries, n_keys)
    return InputCapture(
        index=index,
        stream=stream.name,
        queries=np.empty((stream.layers, stream.heads, n_queries, stream.head_dim), np.float32),
        keys=np.empty((stream.layers, stream.key_heads, n_keys, stream.head_dim), np.float32),
        value_norms=np.empty((stream.layers, stream.key_heads, n_keys), np.float32),
        attention=None if stream.kind == CONTENT else np.empty((stream.layers, stream.heads, *pairs), np.float32),
    )
