"""Attention averaged over the inputs of an atlas: read from its files, or worked out when it has none.

`docs/atlas-format.md` says what the files hold; formulas are in `services.measures.attention_sums`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.atlas import Atlas, AttentionBlocks
from services.atlas.schema import StreamInfo
from services.measures.attention_sums import Counts, Sums, renormalised

# Weights that a request may walk through: about 1 s for one head, 3 s for all of a stream.
MOST_FOR_HEAD = 100_000_000
MOST_FOR_ALL = 60_000_000
ENOUGH_INPUTS = 5  # a mean over fewer is marked


def file_names(stream: str) -> dict[str, str]:
    """Files of the aggregate stage, by what they hold."""
    return {
        "mean": f"{stream}/attention_mean.npy",
        "count": f"{stream}/attention_count.npy",
        "offsets": f"{stream}/attention_offsets.npy",
    }


@dataclass(frozen=True)
class Average:
    """Mean attention of one head by position.

    mean: float32 [query positions, key positions], at most POSITIONS each; weights as the model gave them
    count: int32, the same shape: inputs behind each cell
    """

    mean: np.ndarray
    count: np.ndarray


@dataclass(frozen=True)
class Variant:
    """Which tokens a mean leaves out (rows are renormalised over the others) and whether value norms weigh."""

    special: bool = False
    first: bool = False
    values: bool = False

    @property
    def plain(self) -> bool:
        return not (self.special or self.first or self.values)


@dataclass(frozen=True)
class HeadAverage:
    """One head under a variant: `Average`, and the offset profile float32 [COLUMNS] with its counts."""

    average: Average
    offsets: np.ndarray
    counts: Counts


@dataclass(frozen=True)
class Averages:
    """All heads of a stream: mean [layers, heads, P, P], count [P, P], offsets [layers, heads, COLUMNS]."""

    mean: np.ndarray
    count: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class Special:
    """Which rows of the query and the key table are special tokens: bool."""

    queries: np.ndarray
    keys: np.ndarray


def aggregate(blocks: AttentionBlocks, special: Special, progress: Callable[[int], None] | None = None) -> Averages:
    """All of it from the attention of a stream, one input and layer at a time.

    progress: told the number of inputs that are done; may raise to stop.
    """
    stream = blocks.stream
    sums = [_sums(blocks, stream.heads) for _ in range(stream.layers)]
    for index in range(blocks.inputs):
        if all(blocks.shape(index)):
            queries, keys = blocks.rows(index)
            kept_queries, kept_keys = ~special.queries[queries], ~special.keys[keys]
            visible = blocks.visible(index)
            for layer in range(stream.layers):
                block = blocks.of_layer(index, layer).astype(np.float32)
                sums[layer].add_mean(block, visible)
                sums[layer].add_offsets(renormalised(block, kept_keys), visible, kept_queries, kept_keys)
        if progress:
            progress(index + 1)
    return Averages(
        mean=np.stack([s.mean for s in sums]),
        count=sums[0].counts.pairs,
        offsets=np.stack([s.offsets for s in sums]),
    )


def _sums(blocks: AttentionBlocks, heads: int) -> Sums:
    return Sums(heads, *blocks.longest, same_positions=blocks.stream.mask.same_positions)


def unavailable(atlas: Atlas, stream: StreamInfo) -> str | None:
    """Why averages of all heads cannot be had, in one sentence; None when they can."""
    if _has_files(atlas, stream):
        return None
    blocks = atlas.attention(stream)
    if not blocks.kept:
        return "This atlas keeps no attention weights of this kind: there is nothing to average."
    if blocks.length <= MOST_FOR_ALL:
        return None
    return "This atlas was built without averages and is too large to work them out now; build it again to add them."


def mean_attention(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> Average | None:
    """Mean weight by position of one head, specials included; None when it would take too long to work out."""
    if _has_files(atlas, stream):
        names = file_names(stream.name)
        return Average(_array(atlas, names["mean"])[layer, head], _array(atlas, names["count"]))
    found = head_average(atlas, stream, layer, head, Variant())
    return found.average if found else None


def offset_profile(atlas: Atlas, stream: StreamInfo) -> np.ndarray | None:
    """float32 [layers, heads, COLUMNS]: mean mass at key − query = −10 … +10, then further back, further on.

    Special tokens are left out on both sides and rows renormalised. None: see `unavailable`.
    """
    if _has_files(atlas, stream):
        return np.asarray(_array(atlas, file_names(stream.name)["offsets"]))
    found = _worked_out(atlas, stream.name)
    return found.offsets if found else None


def mean_of_all_heads(atlas: Atlas, stream: StreamInfo) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean float32 [layers, heads, query positions, key positions] and its count; None: see `unavailable`."""
    if _has_files(atlas, stream):
        names = file_names(stream.name)
        return _array(atlas, names["mean"]), _array(atlas, names["count"])
    found = _worked_out(atlas, stream.name)
    return (found.mean, found.count) if found else None


@lru_cache(maxsize=32)
def head_average(atlas: Atlas, stream: StreamInfo, layer: int, head: int, variant: Variant) -> HeadAverage | None:
    """One head from its attention; None when the atlas has too many weights for that."""
    blocks = atlas.attention(stream)
    if not blocks.kept or blocks.weights_of_head > MOST_FOR_HEAD:
        return None
    special = _special(atlas, stream)
    norms = atlas.vectors(stream).value_norms(layer, head) if variant.values else None
    sums = _sums(blocks, 1)
    for index, (weights, visible) in enumerate(blocks.visible_of_head(layer, head)):
        if not weights.size:
            continue
        rows = blocks.rows(index)
        block = weights[None].astype(np.float32)
        kept = []
        for flags, side in zip((special.queries, special.keys), rows, strict=True):
            mask = ~flags[side] if variant.special else np.ones(side.stop - side.start, bool)
            mask[0] &= not variant.first
            kept.append(mask)
        if not variant.plain:
            block = renormalised(block, kept[1], None if norms is None else norms[None, rows[1]])
        sums.add_mean(block, visible, *kept)
        sums.add_offsets(block, visible, *kept)
    counts = sums.counts
    return HeadAverage(Average(sums.mean[0], counts.pairs), sums.offsets[0], counts)


def _special(atlas: Atlas, stream: StreamInfo) -> Special:
    return Special(atlas.tokens(stream.query_table).special, atlas.tokens(stream.key_table).special)


def _has_files(atlas: Atlas, stream: StreamInfo) -> bool:
    return all(name in atlas.info.files for name in file_names(stream.name).values())


def _array(atlas: Atlas, name: str) -> np.ndarray:
    return atlas.array(name.removesuffix(".npy"))


@lru_cache(maxsize=4)
def _worked_out(atlas: Atlas, name: str) -> Averages | None:
    stream = atlas.stream(name)
    if unavailable(atlas, stream):
        return None
    return aggregate(atlas.attention(stream), _special(atlas, stream))
