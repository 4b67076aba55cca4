"""Which keys a query is compared with: those of its own input, and only up to its own position under a causal mask."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class KeyRuns:
    """Keys in an order in which each query's keys lie side by side: order[first[i] : stop[i]] for query i."""

    order: np.ndarray  # int64 [n_keys]
    first: np.ndarray  # int64 [n_queries]
    stop: np.ndarray  # int64 [n_queries]

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Query and key index of every pair: int64 [pairs] each, query after query."""
        lengths = self.stop - self.first
        rows = np.repeat(np.arange(len(lengths)), lengths)
        starts = np.repeat(self.first - (np.cumsum(lengths) - lengths), lengths)
        return rows, self.order[starts + np.arange(len(rows))]


def runs_within_inputs(
    query_inputs: np.ndarray,
    query_positions: np.ndarray,
    key_inputs: np.ndarray,
    key_positions: np.ndarray,
    *,
    causal: bool,
) -> KeyRuns:
    """The keys of each query's own input; int arrays [n_queries] and [n_keys], in any order."""
    tokens = (query_inputs, query_positions, key_inputs, key_positions)
    return _runs_within_inputs(tuple(np.ascontiguousarray(side, np.int64).tobytes() for side in tokens), causal)


@lru_cache(maxsize=4)  # all heads of a stream share their tokens
def _runs_within_inputs(tokens: tuple[bytes, ...], causal: bool) -> KeyRuns:
    query_inputs, query_positions, key_inputs, key_positions = (np.frombuffer(side, np.int64) for side in tokens)
    # One number a token, ascending by input and then position.
    step = int(max(query_positions.max(initial=0), key_positions.max(initial=0))) + 1
    codes = key_inputs * step + key_positions
    order = np.argsort(codes, kind="stable")
    begin = query_inputs * step
    last = begin + (query_positions if causal else step - 1)
    first = np.searchsorted(codes[order], begin, side="left")
    stop = np.searchsorted(codes[order], last, side="right")
    return KeyRuns(order, first.astype(np.int64), stop.astype(np.int64))


def runs_by_position(query_positions: np.ndarray, key_positions: np.ndarray, *, causal: bool) -> KeyRuns:
    """All keys of all inputs, or under a causal mask those at no later position: no text could hold the others."""
    order = np.argsort(key_positions, kind="stable")
    stop = np.full(len(query_positions), len(key_positions), np.int64)
    if causal:
        stop = np.searchsorted(key_positions[order], query_positions, side="right").astype(np.int64)
    return KeyRuns(order, np.zeros(len(query_positions), np.int64), stop)
