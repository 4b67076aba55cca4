"""Attention averaged over the inputs of an atlas: read from its files, or worked out when it has none.

`docs/atlas-format.md` says what the files hold; formulas are in `services.measures.attention_sums`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.measures.attention_sums import FIGURES, Counts, Sums, renormalised

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
        "summary": f"{stream}/attention_summary.parquet",
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
class Everything:
    """All heads of a stream: mean [layers, heads, P, P], count [P, P], offsets [layers, heads, COLUMNS], figures."""

    mean: np.ndarray
    count: np.ndarray
    offsets: np.ndarray
    figures: dict[str, np.ndarray]


@dataclass(frozen=True)
class Tokens:
    """Numbers of tokens of each input, and which rows are special."""

    queries: np.ndarray  # int64 [inputs]
    keys: np.ndarray
    special_queries: np.ndarray  # bool [query rows]
    special_keys: np.ndarray

    @property
    def pairs(self) -> np.ndarray:
        return self.queries * self.keys


def tokens_in(folder: Path, stream: StreamInfo, inputs: int) -> Tokens:
    """From the token tables, whether the folder is an atlas yet or not."""
    found = []
    for table in (stream.query_table, stream.key_table):
        columns = pq.read_table(folder / f"{table}.parquet", columns=["input", "special"])
        counts = np.bincount(columns["input"].to_numpy(), minlength=inputs)
        found.append((counts.astype(np.int64), columns["special"].to_numpy(zero_copy_only=False).astype(bool)))
    (queries, special_queries), (keys, special_keys) = found
    return Tokens(queries, keys, special_queries, special_keys)


def _slices(tokens: Tokens) -> Iterator[tuple[slice, slice, int]]:
    """Query rows, key rows and first pair of each input."""
    ends = [np.concatenate([[0], np.cumsum(counts)]) for counts in (tokens.queries, tokens.keys, tokens.pairs)]
    for index in range(len(tokens.queries)):
        yield (
            slice(int(ends[0][index]), int(ends[0][index + 1])),
            slice(int(ends[1][index]), int(ends[1][index + 1])),
            int(ends[2][index]),
        )


def aggregate(
    flat: np.ndarray, stream: StreamInfo, tokens: Tokens, progress: Callable[[int], None] | None = None
) -> Everything:
    """Everything from the ragged attention of a stream, one input and layer at a time.

    Args:
        flat: the content of `attention.npy`.
        progress: told the number of inputs that are done; may raise to stop.
    """
    longest = int(tokens.queries.max(initial=0)), int(tokens.keys.max(initial=0))
    sums = [Sums(stream.heads, *longest, causal=stream.causal) for _ in range(stream.layers)]
    per_pair = stream.layers * stream.heads
    for number, (queries, keys, start) in enumerate(_slices(tokens)):
        shape = stream.layers, stream.heads, queries.stop - queries.start, keys.stop - keys.start
        size = shape[2] * shape[3]
        if size:
            blocks = flat[per_pair * start : per_pair * (start + size)].reshape(shape)
            kept_queries, kept_keys = ~tokens.special_queries[queries], ~tokens.special_keys[keys]
            for layer in range(stream.layers):
                block = blocks[layer].astype(np.float32)
                sums[layer].add_mean(block)
                sums[layer].add_offsets(renormalised(block, kept_keys), kept_queries, kept_keys)
                sums[layer].add_figures(block, ~kept_keys)
        if progress:
            progress(number + 1)
    return Everything(
        mean=np.stack([s.mean for s in sums]),
        count=sums[0].counts.pairs,
        offsets=np.stack([s.offsets for s in sums]),
        figures={name: np.stack([s.figures[name] for s in sums]) for name in FIGURES},
    )


def summary_table(figures: dict[str, np.ndarray]) -> pa.Table:
    """One row a head: layer, head, and the figures."""
    layers, heads = figures[FIGURES[0]].shape
    columns = {"layer": np.repeat(np.arange(layers, dtype=np.int32), heads)}
    columns["head"] = np.tile(np.arange(heads, dtype=np.int32), layers)
    return pa.table(columns | {name: values.ravel() for name, values in figures.items()})


def unavailable(atlas: Atlas, stream: StreamInfo) -> str | None:
    """Why figures of all heads cannot be had, in one sentence; None when they can."""
    if _has_files(atlas, stream) or _weights(atlas, stream) * stream.layers * stream.heads <= MOST_FOR_ALL:
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
    found = _everything(atlas, stream.name)
    return found.offsets if found else None


def summary(atlas: Atlas, stream: StreamInfo) -> dict[str, np.ndarray] | None:
    """float32 [layers, heads] by figure, over all queries, with the weights that the model gave:

    first, special, last, self, previous, next: mean weight on the input's first token, on all special tokens, on its
    last token, on the query's own position, the one before, the one after (queries that have one) · entropy: of a
    row, divided by the log of its number of keys, 0 … 1 · distance: mean |key − query| in positions.
    NaN where no query could have one. None: see `unavailable`.
    """
    if _has_files(atlas, stream):
        table = pq.read_table(atlas.path / file_names(stream.name)["summary"])
        return {name: table[name].to_numpy().reshape(stream.layers, stream.heads) for name in FIGURES}
    found = _everything(atlas, stream.name)
    return found.figures if found else None


def everything(atlas: Atlas, stream: StreamInfo) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean float32 [layers, heads, query positions, key positions] and its count; None: see `unavailable`."""
    if _has_files(atlas, stream):
        names = file_names(stream.name)
        return _array(atlas, names["mean"]), _array(atlas, names["count"])
    found = _everything(atlas, stream.name)
    return (found.mean, found.count) if found else None


@lru_cache(maxsize=256)
def head_average(atlas: Atlas, stream: StreamInfo, layer: int, head: int, variant: Variant) -> HeadAverage | None:
    """One head from its attention; None when the atlas has too many weights for that."""
    if _weights(atlas, stream) > MOST_FOR_HEAD:
        return None
    tokens = _tokens(atlas, stream)
    flat = atlas.array(f"{stream.name}/attention")
    norms = atlas.array(f"{stream.name}/value_norms")[layer, head // stream.group] if variant.values else None
    longest = int(tokens.queries.max(initial=0)), int(tokens.keys.max(initial=0))
    sums = Sums(1, *longest, causal=stream.causal)
    number = layer * stream.heads + head
    for queries, keys, start in _slices(tokens):
        shape = queries.stop - queries.start, keys.stop - keys.start
        size = shape[0] * shape[1]
        if not size:
            continue
        begin = stream.layers * stream.heads * start + number * size
        block = flat[begin : begin + size].reshape(1, *shape).astype(np.float32)
        kept = []
        for length, special in ((shape[0], tokens.special_queries[queries]), (shape[1], tokens.special_keys[keys])):
            mask = ~special if variant.special else np.ones(length, bool)
            mask[0] &= not variant.first
            kept.append(mask)
        if not variant.plain:
            block = renormalised(block, kept[1], None if norms is None else norms[None, keys])
        sums.add_mean(block, *kept)
        sums.add_offsets(block, *kept)
    counts = sums.counts
    return HeadAverage(Average(sums.mean[0], counts.pairs), sums.offsets[0], counts)


def _weights(atlas: Atlas, stream: StreamInfo) -> int:
    """Pairs of tokens of one head, over all inputs."""
    size = atlas.array(f"{stream.name}/attention").size
    return int(size) // (stream.layers * stream.heads)


@lru_cache(maxsize=8)
def _tokens(atlas: Atlas, stream: StreamInfo) -> Tokens:
    return tokens_in(atlas.path, stream, atlas.info.corpus.inputs)


def _has_files(atlas: Atlas, stream: StreamInfo) -> bool:
    return all(name in atlas.info.files for name in file_names(stream.name).values())


def _array(atlas: Atlas, name: str) -> np.ndarray:
    return atlas.array(name.removesuffix(".npy"))


@lru_cache(maxsize=4)
def _everything(atlas: Atlas, name: str) -> Everything | None:
    stream = atlas.stream(name)
    if unavailable(atlas, stream):
        return None
    return aggregate(atlas.array(f"{name}/attention"), stream, _tokens(atlas, stream))
