"""What the model's own attention says of a head: each query's most attended keys, and how much one token takes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from services.atlas import Atlas
from services.atlas.schema import StreamInfo

TOP = 5
# A query with fewer keys to choose from says nothing about a preference for one of them.
LEAST_KEYS = 3


@dataclass(frozen=True)
class Attended:
    """One head.

    sink_share: of all attention in an input, the share that its most attended token takes, averaged over inputs
    first_share, last_share: the share of the input's first and last token
    even_share: what one token would take if attention were spread evenly
    All None when no input has three keys.
    """

    top: np.ndarray  # int64 [n_queries, TOP] key rows, most attended first, −1 where an input has fewer
    sink_share: float | None
    first_share: float | None
    last_share: float | None
    even_share: float | None


def attended(
    blocks: Iterable[np.ndarray], query_offsets: np.ndarray, key_offsets: np.ndarray, *, causal: bool
) -> Attended:
    """Read a head's attention, one block [queries, keys] of weights an input, in order.

    query_offsets, key_offsets: int [inputs + 1], the first row of each input.
    """
    top = np.full((int(query_offsets[-1]), TOP), -1, np.int64)
    shares: list[tuple[float, float, float, float]] = []
    for index, block in enumerate(blocks):
        weights = np.nan_to_num(np.asarray(block, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        n_queries, n_keys = weights.shape
        if not n_queries or not n_keys:
            continue
        visible = np.tri(n_queries, n_keys, dtype=bool) if causal else np.ones((n_queries, n_keys), bool)
        order = np.argsort(np.where(visible, -weights, np.inf), axis=1, kind="stable")[:, :TOP]
        rows = order + int(key_offsets[index])
        rows[~np.take_along_axis(visible, order, axis=1)] = -1
        first = int(query_offsets[index])
        top[first : first + n_queries, : rows.shape[1]] = rows
        counts = visible.sum(axis=1)
        choosing = counts >= LEAST_KEYS
        if choosing.any():
            received = weights[choosing].mean(axis=0)
            even = float((1 / counts[choosing]).mean())
            shares.append((float(received.max()), float(received[0]), float(received[-1]), even))
    if not shares:
        return Attended(top, None, None, None, None)
    return Attended(top, *(float(value) for value in np.mean(shares, axis=0)))


def attention_blocks(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> Iterator[np.ndarray]:
    """The blocks of one head as the atlas holds them: float16 [queries, keys] of each input."""
    flat = atlas.array(f"{stream.name}/attention")
    queries, keys = (
        np.bincount(atlas.tokens(table).input, minlength=atlas.info.corpus.inputs)
        for table in (stream.query_table, stream.key_table)
    )
    sizes = queries * keys
    starts = stream.layers * stream.heads * (np.cumsum(sizes) - sizes) + (layer * stream.heads + head) * sizes
    for n_queries, n_keys, start in zip(queries.tolist(), keys.tolist(), starts.tolist(), strict=True):
        yield flat[start : start + n_queries * n_keys].reshape(n_queries, n_keys)


def attended_in_atlas(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> Attended:
    """`attended` of one head of an atlas."""
    return attended(
        attention_blocks(atlas, stream, layer, head),
        atlas.tokens(stream.query_table).offsets.astype(np.int64),
        atlas.tokens(stream.key_table).offsets.astype(np.int64),
        causal=stream.causal,
    )
