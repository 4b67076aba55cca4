"""Heads and tokens switched off while a model runs; the model itself is not changed.

A head that is off answers zero: what it would hand to the output projection W_O is set to 0 at every token (zero
ablation), which is what a model with zeros in that head's columns of W_O does. A token that is off as a key is hidden
from all heads of its stream, as an attention mask without it does; a query that then sees nothing answers zero.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from services.capture.recorder import Given

_HIDDEN = -1e30  # a mask hides with less than this
DRAWS = 5
SEED = 0


@dataclass(frozen=True)
class Switches:
    """A hand (services.capture.recorder). heads: (layer, head) of the stream · key: place of a token in each input."""

    stream: str
    heads: frozenset[tuple[int, int]] = frozenset()
    key: int | None = None

    def before(self, stream: str, layer: int, given: Given) -> Tensor | None:
        if self.key is None or stream != self.stream:
            return given.mask
        keys = given.key.shape[-2]
        mask = given.mask
        if mask is None:
            mask = torch.zeros(1, 1, 1, keys, dtype=given.query.dtype, device=given.query.device)
        mask = mask.clone()
        mask[..., self.key] = False if mask.dtype == torch.bool else torch.finfo(mask.dtype).min
        return mask

    def after(self, stream: str, layer: int, given: Given, output: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        if stream != self.stream:
            return output, weights
        off = [head for of, head in self.heads if of == layer]
        if self.key is not None:
            mask = self.before(stream, layer, given)
            assert mask is not None
            blind = (~mask if mask.dtype == torch.bool else mask < _HIDDEN)[..., : weights.shape[-1]].all(dim=-1)
            if bool(blind.any()):
                rows = blind.expand(weights.shape[:3])
                weights = weights.masked_fill(rows[..., None], 0)
                output = output.masked_fill(rows.transpose(1, 2)[..., None], 0)
        if off:
            output = output.clone()
            output[:, :, off] = 0
        return output, weights


def draws(count: int, heads: frozenset[tuple[int, int]]) -> list[frozenset[tuple[int, int]]]:
    """DRAWS sets of other heads, as many of each layer; none where a layer has too few others. count: heads a layer."""
    wanted = {layer: sum(of == layer for of, _ in heads) for layer, _ in heads}
    if not heads or any(2 * many > count for many in wanted.values()):
        return []
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(DRAWS):
        chosen = set()
        for layer, many in sorted(wanted.items()):
            others = [head for head in range(count) if (layer, head) not in heads]
            chosen |= {(layer, int(head)) for head in rng.choice(others, many, replace=False)}
        found.append(frozenset(chosen))
    return found
