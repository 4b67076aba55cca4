"""How well a model predicts the tokens of an input, and what it predicts, with heads and tokens on or off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from services.capture.adapters import recording
from services.capture.recorder import Recording
from services.capture.switches import Switches
from services.modalities.contract import ModelInput
from services.modalities.registry import modality_named
from services.models.loading import LoadedModel
from services.models.predictor import Predictor
from services.streams.registry import TOKENS, WRITTEN

MOST_MASKED = 64  # tokens that are masked one by one, evenly spread where there are more
TOGETHER = 16  # copies of an input that run at the same time


@dataclass(frozen=True)
class Predicted:
    """places: int [m], which tokens were predicted · loss: float64 [m], −ln p of the true token, nats
    best: int [m], ids of the most probable tokens · sure: float64 [m], their probability
    """

    places: np.ndarray
    loss: np.ndarray
    best: np.ndarray
    sure: np.ndarray

    @property
    def mean(self) -> float:
        return float(self.loss.mean()) if len(self.loss) else float("nan")


def run(loaded: LoadedModel, item: ModelInput, off: Switches | None, model: Any = None) -> tuple[Any, Recording]:
    """One forward pass and the calls of its attention layers. model: a predictor around the loaded model."""
    model = loaded.model if model is None else model
    arguments = modality_named(loaded.modality).arguments(loaded, [item])
    with recording(model, keep_masks=True, hand=off) as record:
        return model(**arguments), record


def of_next(logits: torch.Tensor, ids: np.ndarray) -> Predicted:
    """Each token but the first from those before it; logits [n, tokens]."""
    return _predicted(logits[:-1], ids[1:], np.arange(1, len(ids)))


def predicted(
    loaded: LoadedModel,
    predictor: Predictor,
    item: ModelInput,
    off: Switches | None,
    check: Callable[[], None] = lambda: None,
) -> Predicted:
    """What is predicted of an input, see `Predictor`.

    Of a masked model each token in turn is masked alone, special ones left out: the sum of the losses is minus the
    pseudo-log-likelihood (Salazar et al. 2020).
    """
    if predictor.predicts == "next":
        answer, _ = run(loaded, item, off, predictor.model)
        return of_next(answer.logits[0], ids_of(item, written=WRITTEN in item.lengths))
    ids = ids_of(item)
    special = set(loaded.tokenizer.all_special_ids)
    places = np.array([place for place, id_ in enumerate(ids) if int(id_) not in special], np.int64)
    if len(places) > MOST_MASKED:
        places = places[np.unique(np.linspace(0, len(places) - 1, MOST_MASKED).astype(int))]
    arguments = modality_named(loaded.modality).arguments(loaded, [item])
    parts = []
    for start in range(0, len(places), TOGETHER):
        check()
        chosen = places[start : start + TOGETHER]
        copies = {
            name: value.repeat_interleave(len(chosen), 0) if isinstance(value, torch.Tensor) else value
            for name, value in arguments.items()
        }
        copies["input_ids"][np.arange(len(chosen)), chosen] = loaded.tokenizer.mask_token_id
        with recording(predictor.model, hand=off):
            logits = predictor.model(**copies).logits
        parts.append(_predicted(logits[np.arange(len(chosen)), chosen], ids[chosen], chosen))
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in ("places", "loss", "best", "sure")]
    return Predicted(*joined)


def ids_of(item: Any, written: bool = False) -> np.ndarray:
    """int64 [n]: the numbers of the tokens of an input of text."""
    return np.asarray(item.side(WRITTEN if written else TOKENS).ids, np.int64)


def _predicted(logits: torch.Tensor, truth: np.ndarray, places: np.ndarray) -> Predicted:
    logs = torch.log_softmax(logits.float(), dim=-1)
    sure, best = logs.max(dim=-1)
    own = logs[torch.arange(len(truth)), torch.as_tensor(truth)]
    return Predicted(places, -own.double().cpu().numpy(), best.cpu().numpy(), sure.double().exp().cpu().numpy())


def total_variation(one: np.ndarray, other: np.ndarray) -> float:
    """Half of what two matrices of attention [queries, keys] differ by in a row, meaned over the queries: 0 … 1."""
    return float(np.abs(one - other).sum(axis=-1).mean() / 2) if one.size else 0.0
