"""Does the model compute what was captured? Attention recomputed from queries and keys, beside its own."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from services.atlas.schema import StreamInfo
from services.capture.adapters import calls_of, of_stream, own_attentions, recording
from services.capture.recorder import Call
from services.capture.run import InputCapture, capture, has_content, input_bytes, visible_pairs
from services.modalities.contract import ModelInput
from services.modalities.registry import modality_named
from services.models.cores import cores
from services.models.loading import LoadedModel
from services.streams.registry import CONTENT

CAPTURE_TOLERANCE = 1e-3
# Of attention recomputed from vectors in float16. They keep three digits: scores of 40, as MiniLM's, then give weights
# that are off by 0.001, scores of 10,000 give other attention altogether. Half a percent of a query's attention is
# below what a picture, a rank or a mean shows.
STORED_TOLERANCE = 5e-3
KEPT_BYTES = 256 * 2**20  # of the model's own runs, held between two checks
THREADS = 4  # compare so many layers at once


@dataclass(frozen=True)
class OwnRun:
    """What the model itself does with one input alone: attention [heads, n_q, n_k] of each layer of each stream."""

    calls: Mapping[str, Sequence[Call]]
    attention: Mapping[str, Sequence[np.ndarray]]


class OwnRuns:
    """Plain runs of single inputs, made when first asked for; kept while they are small, for a second check."""

    def __init__(self, loaded: LoadedModel, inputs: Sequence[ModelInput]) -> None:
        self.loaded, self.inputs = loaded, inputs
        self._kept: dict[int, OwnRun] = {}
        self._bytes = 0

    def of(self, index: int) -> OwnRun:
        if index in self._kept:
            return self._kept[index]
        run = own_run(self.loaded, self.inputs[index])
        size = input_bytes(self.loaded.streams, self.inputs[index])
        if self._bytes + size <= KEPT_BYTES:
            self._kept[index] = run
            self._bytes += size
        return run


def own_run(loaded: LoadedModel, item: ModelInput) -> OwnRun:
    arguments = modality_named(loaded.modality).arguments(loaded, [item])
    with recording(loaded.model, keep_masks=True, content=has_content(loaded.streams)) as record:
        loaded.model(**arguments)
    own = own_attentions(loaded.model, arguments)
    calls = {stream.name: calls_of(record, stream, loaded.streams) for stream in loaded.streams}
    return OwnRun(
        calls,
        {
            stream.name: _without_place(stream, calls[stream.name], visible_pairs(stream, item))
            if stream.kind == CONTENT
            else [weights[0].cpu().numpy() for weights in of_stream(stream, loaded.streams, own)]
            for stream in loaded.streams
        },
    )


def _without_place(stream: StreamInfo, calls: Sequence[Call], visible: np.ndarray) -> list[np.ndarray]:
    """What the softmax would make of vectors before rotation: no attention, but what stored ones can be held to."""
    found = []
    for layer, call in enumerate(calls):
        queries, keys = ({layer: side[0].float().cpu().numpy()} for side in (call.queries, call.keys))
        seen: Any = SimpleNamespace(queries=queries, keys=keys)
        found.append(recomputed(stream, seen, layer, call, visible))
    return found


def check_capture(loaded: LoadedModel, inputs: Sequence[ModelInput]) -> float:
    """Largest difference between attention recomputed from the captured vectors and the model's own.

    Over all streams, layers, heads and `inputs` (0.0 when none has tokens). The queries and keys come from `capture`,
    in batches; softmax(q·k·scaling + mask) is recomputed in float64; the model's own weights come from a
    plain eager run of each input alone. Soft caps, sinks and biases, where a model has them, take part as
    the model handed them to its attention function. The captured attention itself is compared too.
    """
    own = OwnRuns(loaded, inputs)
    return max((input_errors(own, captured.index, [captured])[0] for captured in capture(loaded, inputs)), default=0.0)


def check_precision(own: OwnRuns, checked: Sequence[int]) -> dict[str, tuple[float, float]]:
    """Of each stream what `check_capture` gives, and the same if its vectors and weights were kept in float16.

    checked: which of the inputs of `own`.
    """
    largest = dict.fromkeys((stream.name for stream in own.loaded.streams), (0.0, 0.0))
    for captured in capture(own.loaded, [own.inputs[index] for index in checked]):
        exact, rounded = input_errors(own, checked[captured.index], [captured, in_float16(captured)])
        before = largest[captured.stream]
        largest[captured.stream] = max(before[0], exact), max(before[1], rounded)
    return largest


def in_float16(captured: InputCapture) -> InputCapture:
    """What float16 leaves of a capture; infinite where it is too small for a number."""
    with np.errstate(over="ignore"):
        arrays = {
            name: getattr(captured, name).astype(np.float16).astype(np.float32)
            for name in ("queries", "keys", "attention")
            if getattr(captured, name) is not None
        }
    return replace(captured, **arrays)


def input_errors(own: OwnRuns, index: int, versions: Sequence[InputCapture]) -> list[float]:
    """Of each version of one stream's capture of an input the largest difference from the model's own attention."""
    stream = next(stream for stream in own.loaded.streams if stream.name == versions[0].stream)
    visible = visible_pairs(stream, own.inputs[index])
    if not visible.size:
        return [0.0] * len(versions)
    run = own.of(index)

    def largest(layer: int) -> list[float]:
        weights = run.attention[stream.name][layer].astype(np.float64)
        call = run.calls[stream.name][layer]
        return [_difference(stream, version, layer, call, visible, weights) for version in versions]

    with ThreadPoolExecutor(min(THREADS, cores())) as pool:
        found = list(pool.map(largest, range(len(run.attention[stream.name]))))
    return [max(errors) for errors in zip(*found, strict=True)]


def _difference(
    stream: StreamInfo, version: InputCapture, layer: int, call: Call, visible: np.ndarray, weights: np.ndarray
) -> float:
    """The largest difference of one layer; infinite where a number is none."""
    with np.errstate(invalid="ignore", over="ignore"):
        found = [recomputed(stream, version, layer, call, visible) - weights]
        if version.attention is not None:
            kept = version.attention[layer]
            found.append(kept - (weights if kept.ndim == 3 else weights[:, visible]))
        largest = [float(np.abs(difference).max(initial=0.0)) for difference in found]
    # A NaN compares as neither larger nor smaller: it must not pass for a small error.
    return max(one if np.isfinite(one) else float("inf") for one in largest)


def recomputed(stream: StreamInfo, captured: InputCapture, layer: int, call: Call, visible: np.ndarray) -> np.ndarray:
    """Attention weights of one layer from captured queries and keys: float64 [heads, n_q, n_k].

    `call` is a recording of the same input alone; its mask and additive terms are used, not its vectors.
    visible: bool [n_q, n_k], the pairs that the stream's mask shows.
    """
    queries = captured.queries[layer].astype(np.float64)
    keys = np.repeat(captured.keys[layer].astype(np.float64), stream.group, axis=0)
    scores = queries @ keys.transpose(0, 2, 1) * stream.scaling[layer]
    if call.softcap is not None:
        scores = np.tanh(scores / call.softcap) * call.softcap
    for term in (call.bias, call.mask):
        if term is not None:
            if term.dtype == torch.bool:
                scores = np.where(term[0].cpu().numpy(), scores, -np.inf)
            else:
                scores = scores + term[0].cpu().double().numpy()
    scores = np.where(visible, scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top) | np.isnan(top), top, 0)  # a query that sees no key here
    sink = np.zeros_like(top)
    if call.sinks is not None:
        bound = call.sinks.detach().cpu().double().numpy().reshape(-1, 1, 1)
        top = np.maximum(top, bound)
        sink = np.exp(bound - top)
    weights = np.exp(scores - top)
    total = weights.sum(axis=-1, keepdims=True) + sink
    return weights / np.where(total == 0, 1, total)
