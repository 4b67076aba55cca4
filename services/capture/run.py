"""Capture a corpus: batches of similar length through the model, arrays without padding out of it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from services.atlas.schema import StreamInfo
from services.capture.recorder import Call, recording
from services.capture.streams import model_arguments
from services.errors import ModelError
from services.modalities.text.tokens import TokenisedInput
from services.models.loading import LoadedModel
from services.models.memory import available_bytes, is_out_of_memory, readable

FLOAT = 4  # bytes of a float32
# Captured arrays held at once: enough for good batches of small models, little beside large weights.
WINDOW_BYTES = 512 * 2**20
# In one batch the longest input is at most this much longer than the shortest: padding costs time.
SPREAD = 1.25


@dataclass(frozen=True)
class InputCapture:
    """What one stream of the model did with one input of n_q query and n_k key tokens; all float32.

    index: of the input in the list given to `capture` · stream: its name
    queries [layers, heads, n_q, head_dim] · keys [layers, key_heads, n_k, head_dim]: as the model dots them,
    before the factor `StreamInfo.scaling` · value_norms [layers, key_heads, n_k]: Euclidean
    attention [layers, heads, n_q, n_k]: the model's own weights; rows sum to 1 (less with an attention sink).
    """

    index: int
    stream: str
    queries: np.ndarray
    keys: np.ndarray
    value_norms: np.ndarray
    attention: np.ndarray


def capture(
    loaded: LoadedModel,
    inputs: Sequence[TokenisedInput],
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
    ModelError: memory runs out, an input longer than the model takes, or ids unknown to the model.
    """
    stream = loaded.streams[0]
    for window in windows(inputs, batch_tokens, stream):
        todo = [index for index in window if index not in done]
        if not todo:
            continue
        _check_window(loaded, inputs, window)
        found: dict[int, InputCapture] = {}
        for batch in batches(inputs, window):
            if all(index in done for index in batch):
                continue
            try:
                found |= _capture_batch(loaded, inputs, batch, stream)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                longest = max(len(inputs[index]) for index in batch)
                raise ModelError(
                    f"Memory ran out while {loaded.info.id} read inputs of {longest} tokens: set a"
                    " smaller limit of tokens for one input, or a smaller batch."
                ) from error
        for index in todo:
            yield found.pop(index)


def input_bytes(stream: StreamInfo, tokens: int) -> int:
    """Size of the captured arrays of one input."""
    vectors = stream.heads * stream.head_dim + stream.key_heads * (stream.head_dim + 1)
    return FLOAT * stream.layers * tokens * (vectors + stream.heads * tokens)


def windows(inputs: Sequence[TokenisedInput], batch_tokens: int, stream: StreamInfo) -> Iterator[list[int]]:
    """Indices of consecutive inputs that are captured together, see `capture`."""
    window: list[int] = []
    tokens = size = 0
    for index in range(len(inputs)):
        count = len(inputs[index])
        size_of_input = input_bytes(stream, count)
        if window and (tokens + count > batch_tokens or size + size_of_input > WINDOW_BYTES):
            yield window
            window, tokens, size = [], 0, 0
        window.append(index)
        tokens, size = tokens + count, size + size_of_input
    if window:
        yield window


def batches(inputs: Sequence[TokenisedInput], window: list[int]) -> Iterator[list[int]]:
    """Indices of a window in groups of similar length, longest first: a lack of memory shows early."""
    batch: list[int] = []
    for index in sorted(window, key=lambda index: (-len(inputs[index]), index)):
        if batch and len(inputs[batch[0]]) > len(inputs[index]) * SPREAD:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _check_window(loaded: LoadedModel, inputs: Sequence[TokenisedInput], window: list[int]) -> None:
    longest = max(len(inputs[index]) for index in window)
    if longest > loaded.max_tokens:
        raise ModelError(f"{loaded.info.id} takes {loaded.max_tokens} tokens at most, one input has {longest}.")
    known = loaded.model.get_input_embeddings().num_embeddings
    if any(id_ >= known for index in window for id_ in inputs[index].ids):
        raise ModelError(
            f"The tokenizer of {loaded.info.id} gives tokens that the model does not know: they do not belong together."
        )
    free = available_bytes() if loaded.device == "cpu" else None
    needed = 2 * input_bytes(loaded.streams[0], longest)  # the tensors, and the arrays made of them
    if free is not None and needed > free:
        raise ModelError(
            f"An input of {longest} tokens needs {readable(needed)} with {loaded.info.id} and"
            f" {readable(free)} are free: set a smaller limit of tokens for one input."
        )


def padded_batch(inputs: Sequence[TokenisedInput], batch: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask (1 where a token is), both int64 [inputs in the batch, longest input].

    Padded on the right whatever the tokenizer would do: positions are then as without padding, and tokenizers
    without a padding token (GPT-2) work too. Padding is masked, so its id means nothing; a tokenizer's own
    may even be unknown to the model (Qwen 2).
    """
    ids = torch.zeros((len(batch), max(len(inputs[index]) for index in batch)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, index in enumerate(batch):
        ids[row, : len(inputs[index])] = torch.tensor(inputs[index].ids, dtype=torch.long)
        mask[row, : len(inputs[index])] = 1
    return ids, mask


def _capture_batch(
    loaded: LoadedModel, inputs: Sequence[TokenisedInput], batch: list[int], stream: StreamInfo
) -> dict[int, InputCapture]:
    lengths = [len(inputs[index]) for index in batch]
    calls: list[Call] = []
    if max(lengths):
        ids, mask = padded_batch(inputs, batch)
        with recording(loaded.model) as record:
            loaded.model(**model_arguments(loaded.model, ids.to(loaded.device), mask.to(loaded.device)))
        calls = record.calls
        if len(calls) != stream.layers:
            raise ModelError(f"{loaded.info.id} ran {len(calls)} attention layers instead of {stream.layers}.")
    results = {}
    for index, n in zip(batch, lengths, strict=True):
        results[index] = InputCapture(
            index=index,
            stream=stream.name,
            queries=np.empty((stream.layers, stream.heads, n, stream.head_dim), np.float32),
            keys=np.empty((stream.layers, stream.key_heads, n, stream.head_dim), np.float32),
            value_norms=np.empty((stream.layers, stream.key_heads, n), np.float32),
            attention=np.empty((stream.layers, stream.heads, n, n), np.float32),
        )
    for layer, call in enumerate(calls):
        queries, keys, norms, weights = (
            tensor.float().cpu().numpy() for tensor in (call.queries, call.keys, call.value_norms, call.attention)
        )
        for row, (index, n) in enumerate(zip(batch, lengths, strict=True)):
            captured = results[index]
            captured.queries[layer] = queries[row, :, :n]
            captured.keys[layer] = keys[row, :, :n]
            captured.value_norms[layer] = norms[row, :, :n]
            captured.attention[layer] = weights[row, :, :n, :n]
    return results
