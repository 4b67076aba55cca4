"""What the model's own attention says of a head: each query's most attended keys, and how much its ends take."""

from collections.abc import Iterable
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

    first_share, last_share: of all attention in an input, the share that its first and last token take, averaged over
    inputs
    even_share: what one token would take if attention were spread evenly
    All None when no input has three keys.
    """

    top: np.ndarray  # int64 [n_queries, TOP] key rows, most attended first, −1 where an input has fewer
    first_share: float | None
    last_share: float | None
    even_share: float | None


def attended(blocks: Iterable[tuple[np.ndarray, np.ndarray]]) -> Attended:
    """Read a head's attention, input after input: weights [queries, keys] and bool, which of the pairs are visible."""
    tops: list[np.ndarray] = []
    shares: list[tuple[float, float, float]] = []
    first_key = 0
    for block, visible in blocks:
        weights = np.nan_to_num(np.asarray(block, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        n_queries, n_keys = weights.shape
        top = np.full((n_queries, TOP), -1, np.int64)
        tops.append(top)
        begin, first_key = first_key, first_key + n_keys
        if not n_queries or not n_keys:
            continue
        order = np.argsort(np.where(visible, -weights, np.inf), axis=1, kind="stable")[:, :TOP]
        rows = order + begin
        rows[~np.take_along_axis(visible, order, axis=1)] = -1
        top[:, : rows.shape[1]] = rows
        counts = visible.sum(axis=1)
        choosing = counts >= LEAST_KEYS
        if choosing.any():
            received = weights[choosing].mean(axis=0)
            even = float((1 / counts[choosing]).mean())
            shares.append((float(received[0]), float(received[-1]), even))
    top = np.concatenate([np.empty((0, TOP), np.int64), *tops])
    if not shares:
        return Attended(top, None, None, None)
    return Attended(top, *(float(value) for value in np.mean(shares, axis=0)))


def attended_in_atlas(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> Attended | None:
    """`attended` of one head of an atlas; None when it keeps no attention weights."""
    blocks = atlas.attention(stream)
    return attended(blocks.visible_of_head(layer, head)) if blocks.kept else None
