"""What a model adds to its scores by the place of a key alone: T5's and MPNet's biases, ALiBi's penalty."""

import numpy as np
import torch

from services.atlas.schema import StreamInfo
from services.capture.adapters import calls_of, recording
from services.capture.run import visible_pairs
from services.modalities.contract import ModelInput
from services.modalities.registry import modality_named
from services.models.loading import LoadedModel

_ROUNDING = 1e-5  # relative to the largest term


def position_bias(loaded: LoadedModel, stream: StreamInfo, item: ModelInput) -> np.ndarray | None:
    """float32 [layers, heads, 2 n − 1], by key position − query position + n − 1; n: tokens of the input.

    None where scores hold no such term, or one that depends on the tokens too (DeBERTa, XLNet). Of places that the mask
    hides it is 0. ALiBi is given as a term of the key's position; the same for all keys of a query, it may be taken as
    0 at the query itself, and so it is here.
    """
    if not (stream.additive and stream.mask.same_positions):
        return None
    arguments = modality_named(loaded.modality).arguments(loaded, [item])
    with recording(loaded.model, keep_masks=True) as record:
        loaded.model(**arguments)
    terms = [call.bias for call in calls_of(record, stream, loaded.streams)]
    if not any(term is not None and bool(term.any()) for term in terms):
        return None
    visible = visible_pairs(stream, item)
    shape = (stream.heads, *visible.shape)
    found = [by_offset(np.zeros(shape) if term is None else _whole(term, shape), visible) for term in terms]
    if any(table is None for table in found):
        return None
    return np.stack([table for table in found if table is not None]).astype(np.float32)


def _whole(term: torch.Tensor, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(term[0].detach().cpu().double().numpy(), shape)


def by_offset(term: np.ndarray, visible: np.ndarray) -> np.ndarray | None:
    """[heads, 2 n − 1] of a term [heads, n, n] that depends on key − query alone; None where it does not.

    What is the same for all keys of a query leaves attention as it is, and may be taken away.
    """
    n = len(visible)
    queries, keys = np.nonzero(visible)
    place = keys - queries + n - 1
    for one in (term, term - np.diagonal(term, axis1=1, axis2=2)[:, :, None]):
        table = np.zeros((len(term), 2 * n - 1))
        values = one[:, queries, keys]
        table[:, place] = values
        if np.abs(values - table[:, place]).max(initial=0) <= _ROUNDING * max(1.0, np.abs(values).max(initial=0)):
            return table
    return None
