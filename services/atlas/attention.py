"""The attention weights of a stream: the one place that knows where those of an input lie.

`<stream>/attention.npy` is one flat array: input after input, for each [layers, heads, weights]. The weights of a head
on an input are all pairs [queries, keys] (dense), or only the pairs that the mask shows, row by row (banded).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from services.atlas import arrays
from services.atlas.schema import StreamInfo
from services.errors import NotStoredError
from services.streams import StreamTokens

ATTENTION = "attention"


@dataclass(frozen=True)
class Pairs:
    """Where the weights of some pairs lie, the same for all heads; made by `AttentionBlocks.locate`."""

    begin: np.ndarray  # int64 [pairs] where the pair's input begins in the file
    size: np.ndarray  # int64 [pairs] weights of one head on it
    place: np.ndarray  # int64 [pairs] which of them


class AttentionBlocks:
    """Reads the weights of one stream, float16 as stored; use `Atlas.attention` or `stored_attention`."""

    def __init__(self, stream: StreamInfo, tokens: StreamTokens, inputs: int, flat: np.ndarray | None) -> None:
        """tokens: of the whole corpus, in the order of the tables. flat: the file; None where none is kept (yet)."""
        self.stream, self.tokens = stream, tokens
        self.inputs = inputs
        self._flat = None if flat is None else np.asarray(flat)  # slices of a memmap object cost more
        self._counts = tokens.queries.counts(inputs), tokens.keys.counts(inputs)
        self._offsets = tuple(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64) for counts in self._counts)

    @property
    def kept(self) -> bool:
        """Whether there are weights to read."""
        return self._flat is not None

    @property
    def banded(self) -> bool:
        return self.stream.attention == "banded"

    @cached_property
    def sizes(self) -> np.ndarray:
        """int64 [inputs]: weights of one head on each input, as they are stored."""
        queries, keys = self._counts
        if not self.banded:
            return queries * keys
        return self.tokens.mask.pairs_in_inputs(self.tokens.queries, self.tokens.keys, self.inputs)

    @cached_property
    def _begins(self) -> np.ndarray:
        heads = self.stream.layers * self.stream.heads
        return heads * np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)

    @property
    def length(self) -> int:
        """Numbers in the file."""
        return int(self._begins[-1])

    @property
    def weights_of_head(self) -> int:
        """Weights of one head on all inputs."""
        return int(self.sizes.sum())

    def shape(self, index: int) -> tuple[int, int]:
        """Numbers of queries and keys of an input."""
        return int(self._counts[0][index]), int(self._counts[1][index])

    @property
    def longest(self) -> tuple[int, int]:
        """The most queries and the most keys of an input."""
        return int(self._counts[0].max(initial=0)), int(self._counts[1].max(initial=0))

    def rows(self, index: int) -> tuple[slice, slice]:
        """Rows of an input in the query table and in the key table."""
        (q, q_end), (k, k_end) = (side[index : index + 2].tolist() for side in self._offsets)
        return slice(q, q_end), slice(k, k_end)

    def visible(self, index: int) -> np.ndarray:
        """bool [queries, keys]: which pairs of an input its mask shows; read-only."""
        queries, keys = self.rows(index)
        sides = self.tokens.queries.is_global, self.tokens.keys.is_global
        flags = (None if side is None else side[rows] for side, rows in zip(sides, (queries, keys), strict=True))
        return self.tokens.mask.visible(*self.shape(index), *flags)

    # --- reading ------------------------------------------------------------------------------------------------

    def of_layer(self, index: int, layer: int) -> np.ndarray:
        """[heads, queries, keys] of one layer on one input; 0 where the mask hides a key."""
        heads, size = self.stream.heads, int(self.sizes[index])
        start = layer * heads * size
        return self.unpacked(index, self._read(index, start, start + heads * size).reshape(heads, size))

    def block(self, index: int, layer: int, head: int) -> np.ndarray:
        """[queries, keys] of one head on one input."""
        size = int(self.sizes[index])
        start = (layer * self.stream.heads + head) * size
        return self.unpacked(index, self._read(index, start, start + size))

    def of_head(self, layer: int, head: int) -> Iterator[np.ndarray]:
        """`block` of every input, in order."""
        return (self.block(index, layer, head) for index in range(self.inputs))

    def visible_of_head(self, layer: int, head: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """`block` and `visible` of every input, in order."""
        return ((self.block(index, layer, head), self.visible(index)) for index in range(self.inputs))

    def locate(self, queries: np.ndarray, keys: np.ndarray) -> Pairs:
        """Where the weights of pairs within inputs lie; queries and keys: rows of the tables, of visible pairs."""
        index = np.asarray(self.tokens.queries.input, np.int64)[queries]
        query = queries - self._offsets[0][index]
        key = keys - self._offsets[1][index]
        if self.banded:
            place = np.empty(len(index), np.int64)
            for one in np.unique(index):
                mine = index == one
                rank = np.cumsum(self.visible(one).ravel()) - 1
                place[mine] = rank[query[mine] * self._counts[1][one] + key[mine]]
        else:
            place = query * self._counts[1][index] + key
        return Pairs(self._begins[index], self.sizes[index], place)

    def at(self, pairs: Pairs, layer: int, head: int) -> np.ndarray:
        """float16 [pairs]: the weights of one head."""
        return self._all[pairs.begin + (layer * self.stream.heads + head) * pairs.size + pairs.place]

    # --- writing ------------------------------------------------------------------------------------------------

    def packed(self, index: int, weights: np.ndarray) -> np.ndarray:
        """[layers, heads, queries, keys] of an input as it is stored: [layers, heads, weights]."""
        if self.banded:
            return weights[..., self.visible(index)]
        return weights.reshape(*weights.shape[:-2], -1)

    def slot(self, index: int) -> slice:
        """Where an input lies in the file."""
        return slice(int(self._begins[index]), int(self._begins[index + 1]))

    # --- the file -----------------------------------------------------------------------------------------------

    def check_kept(self) -> None:
        """Raises: NotStoredError when there are no weights to read."""
        if self._flat is None:
            raise NotStoredError(f"This atlas keeps no attention weights of the stream {self.stream.name}.")

    @property
    def _all(self) -> np.ndarray:
        self.check_kept()
        assert self._flat is not None
        return self._flat

    def _read(self, index: int, start: int, stop: int) -> np.ndarray:
        begin = int(self._begins[index])
        return self._all[begin + start : begin + stop]

    def unpacked(self, index: int, stored: np.ndarray) -> np.ndarray:
        """Weights of an input as they are stored, [..., weights], as [..., queries, keys]."""
        shape = *stored.shape[:-1], *self.shape(index)
        if not self.banded:
            return stored.reshape(shape)
        full = np.zeros(shape, stored.dtype)
        full[..., self.visible(index)] = stored
        return full


def stored_attention(folder: Path, stream: StreamInfo, tokens: StreamTokens, inputs: int) -> AttentionBlocks:
    """Attention in a folder that need not be an atlas yet."""
    kept = stream.attention != "none"
    return AttentionBlocks(
        stream, tokens, inputs, arrays.read(folder / stream.name / f"{ATTENTION}.npy") if kept else None
    )
