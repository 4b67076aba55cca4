"""Does the model compute what was captured? Attention recomputed from queries and keys, beside its own."""

from collections.abc import Sequence

import numpy as np
import torch

from services.atlas.schema import StreamInfo
from services.capture.recorder import Call, recording
from services.capture.run import InputCapture, capture
from services.capture.streams import model_arguments, own_attentions
from services.modalities.text.tokens import TokenisedInput
from services.models.loading import LoadedModel

CAPTURE_TOLERANCE = 1e-3


def check_capture(loaded: LoadedModel, inputs: Sequence[TokenisedInput]) -> float:
    """Largest difference between attention recomputed from the captured vectors and the model's own.

    Over all layers, heads and `inputs` (0.0 when none has tokens). The queries and keys come from `capture`,
    in batches; softmax(q·k·scaling + mask) is recomputed in float64; the model's own weights come from a
    plain eager run of each input alone. Soft caps, sinks and biases, where a model has them, take part as
    the model handed them to its attention function. The captured attention itself is compared too.
    """
    largest = 0.0
    stream = loaded.streams[0]
    for captured in capture(loaded, inputs):
        ids = torch.tensor([inputs[captured.index].ids], dtype=torch.long, device=loaded.device)
        if not ids.shape[1]:
            continue
        with recording(loaded.model, keep_masks=True) as record:
            loaded.model(**model_arguments(loaded.model, ids))
        for layer, own in enumerate(own_attentions(loaded.model, ids)):
            weights = own[0].cpu().double().numpy()
            again = recomputed(stream, captured, layer, record.calls[layer])
            for other in (again, captured.attention[layer]):
                difference = np.abs(other - weights).max()
                # A NaN compares as neither larger nor smaller: it must not pass for a small error.
                largest = max(largest, float(difference)) if np.isfinite(difference) else float("inf")
    return largest


def recomputed(stream: StreamInfo, captured: InputCapture, layer: int, call: Call) -> np.ndarray:
    """Attention weights of one layer from captured queries and keys: float64 [heads, n_q, n_k].

    `call` is a recording of the same input alone; its mask and additive terms are used, not its vectors.
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
    top = scores.max(axis=-1, keepdims=True)
    sink = np.zeros_like(top)
    if call.sinks is not None:
        bound = call.sinks.detach().cpu().double().numpy().reshape(-1, 1, 1)
        top = np.maximum(top, bound)
        sink = np.exp(bound - top)
    weights = np.exp(scores - top)
    return weights / (weights.sum(axis=-1, keepdims=True) + sink)
