"""The same architecture with random weights: what a head does before it has learnt anything."""

import copy
from dataclasses import replace

from services.models.loading import LoadedModel
from services.models.memory import available_bytes

SEED = 0
_BYTES = 4  # a parameter in float32
_SHARE = 0.5  # of the memory that is free, which a second model may take


def untrained(loaded: LoadedModel) -> LoadedModel | None:
    """Weights drawn as the architecture's own code draws them, the same ones each time.

    None: there is no memory for a second model.
    """
    import torch

    free = available_bytes()
    if free is not None and loaded.info.parameters * _BYTES > _SHARE * free:
        return None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = type(loaded.model)(copy.deepcopy(loaded.model.config))
    return replace(loaded, model=model.eval().to(loaded.device))
