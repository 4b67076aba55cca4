"""The bytes of averaged attention that the browser reads; `docs/payload.md` is their contract."""

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.measures.averages import ENOUGH_INPUTS, Average, HeadAverage, Variant, head_average, mean_attention
from services.measures.averages import mean_of_all_heads as all_heads

VERSION = 1  # of the formulas: what was kept by another is worked out anew
SIDE = 32  # positions of a cell's small heatmap
LEVELS = 254  # the byte of a mean of 1
FEW = 255  # stands for a mean over fewer than ENOUGH_INPUTS


def cells(atlas: Atlas, stream: StreamInfo) -> bytes | None:
    """uint8: query positions, key positions, then [layers, heads, query positions, key positions].

    √weight × LEVELS, so that small weights are told apart; FEW where too few inputs are behind the mean. A corpus of
    fewer inputs than that has no FEW but where there is no input at all. None when it would take too long.
    """
    found = all_heads(atlas, stream)
    if found is None:
        return None
    mean, count = found
    mean, count = mean[:, :, :SIDE, :SIDE], count[:SIDE, :SIDE]
    least = min(ENOUGH_INPUTS, int(count.max(initial=0)))
    levels = np.rint(np.sqrt(np.clip(mean, 0, 1)) * LEVELS).astype(np.uint8)
    levels[:, :, (count < least) | (count == 0)] = FEW
    return bytes(count.shape) + levels.tobytes()


def average(atlas: Atlas, stream: StreamInfo, layer: int, head: int, variant: Variant) -> bytes | None:
    """One head: uint32 [3] (query positions, key positions, inputs), float32 mean, uint32 count, float32 offsets [23],

    uint32 queries behind each offset [23]. None when it would take too long to work out.
    """
    found = head_average(atlas, stream, layer, head, variant)
    if found is None:
        return _stored(atlas, stream, layer, head) if variant.plain else None
    return _bytes(atlas, found.average, found)


def _stored(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> bytes | None:
    mean = mean_attention(atlas, stream, layer, head)
    return _bytes(atlas, mean, None) if mean else None


def _bytes(atlas: Atlas, mean: Average, profile: HeadAverage | None) -> bytes:
    parts = [np.asarray([*mean.mean.shape, len(atlas.inputs)], "<u4"), mean.mean.astype("<f4")]
    parts.append(mean.count.astype("<u4"))
    if profile is not None:
        parts += [profile.offsets.astype("<f4"), profile.counts.offsets.astype("<u4")]
    return b"".join(part.tobytes() for part in parts)
