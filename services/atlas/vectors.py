"""The vectors of a stream: the one place that reads queries, keys and value norms.

Several heads may share a key head (grouped-query attention): head h reads key head h // group.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from services.atlas import arrays
from services.atlas.schema import StreamInfo

QUERIES, KEYS, VALUE_NORMS = "queries", "keys", "value_norms"
POSITION_BIAS = "position_bias"
ALL = slice(None)


def vector_shapes(stream: StreamInfo, n_queries: int, n_keys: int) -> dict[str, tuple[int, ...]]:
    """Shape of each array of vectors, by its name below the stream's folder."""
    shapes: dict[str, tuple[int, ...]] = {
        QUERIES: (stream.layers, stream.heads, n_queries, stream.head_dim),
        KEYS: (stream.layers, stream.key_heads, n_keys, stream.head_dim),
        VALUE_NORMS: (stream.layers, stream.key_heads, n_keys),
    }
    if stream.position_reach is not None:
        shapes[POSITION_BIAS] = (stream.layers, stream.heads, 2 * stream.position_reach + 1)
    return shapes


class VectorStore:
    """Reads the vectors of one stream, as the model dots them; use `Atlas.vectors` or `stored_vectors`."""

    def __init__(self, stream: StreamInfo, array: Callable[[str], np.ndarray]) -> None:
        """array: maps "self/queries" and its like."""
        self._stream = stream
        self._array = array

    def queries(self, layer: int, head: int, rows: Any = ALL) -> np.ndarray:
        """[rows, head_dim] in the precision of the file; rows: a slice or row numbers of the query table."""
        return self._of(QUERIES)[layer, head][rows]

    def keys(self, layer: int, head: int, rows: Any = ALL) -> np.ndarray:
        """[rows, head_dim] of the head's key head; rows of the key table."""
        return self._of(KEYS)[layer, self.key_head(head)][rows]

    def value_norms(self, layer: int, head: int, rows: Any = ALL) -> np.ndarray:
        """float32 [rows]: ‖v‖ of each key."""
        return self._of(VALUE_NORMS)[layer, self.key_head(head)][rows]

    def position_bias(self, layer: int, head: int) -> np.ndarray | None:
        """float32 [2 · reach + 1]: what is added to a scaled score, by key position − query position + reach."""
        return None if self._stream.position_reach is None else self._of(POSITION_BIAS)[layer, head]

    def head(self, layer: int, head: int) -> tuple[np.ndarray, np.ndarray]:
        """float32 queries [n_queries, head_dim] and keys [n_keys, head_dim].

        Raises:
            IndexError: there is no such head.
        """
        if not (0 <= layer < self._stream.layers and 0 <= head < self._stream.heads):
            raise IndexError((layer, head))
        return self.queries(layer, head).astype(np.float32), self.keys(layer, head).astype(np.float32)

    def layer(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """float32 queries and keys [heads, tokens, head_dim]; shared keys are repeated for their heads."""
        queries, keys = (self._of(name)[layer].astype(np.float32) for name in (QUERIES, KEYS))
        return queries, np.repeat(keys, self._stream.group, axis=0)

    @property
    def precision(self) -> str:
        """Number type of the queries and keys."""
        return str(self._of(QUERIES).dtype.name)

    def key_head(self, head: int) -> int:
        """Which key head a head reads."""
        return head // self._stream.group

    def _of(self, name: str) -> np.ndarray:
        return self._array(f"{self._stream.name}/{name}")


def stored_vectors(folder: Path, stream: StreamInfo) -> VectorStore:
    """Vectors in a folder that need not be an atlas yet."""
    return VectorStore(stream, lambda name: arrays.read(folder / f"{name}.npy"))
