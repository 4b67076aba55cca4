"""Which keys each query is compared with, over a whole corpus, as runs that compiled loops can walk."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class KeyRuns:
    """Keys in an order in which each query's keys lie side by side: order[first[i] : stop[i]] for query i.

    With global tokens a query's keys are no run of any order of the keys: then each query has a stretch of its own
    and a key may stand in `order` more than once (`repeats`).
    """

    order: np.ndarray  # int64 [entries]: rows of keys; a permutation of all keys unless `repeats`
    first: np.ndarray  # int64 [n_queries]
    stop: np.ndarray  # int64 [n_queries]
    repeats: bool = False

    @property
    def counts(self) -> np.ndarray:
        """int64 [n_queries]: how many keys each query has."""
        return self.stop - self.first

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Query and key index of every pair: int64 [pairs] each, query after query."""
        rows, entries = self.entries()
        return rows, self.order[entries]

    def entries(self) -> tuple[np.ndarray, np.ndarray]:
        """Query of every pair and where its key stands in `order`: int64 [pairs] each, query after query."""
        lengths = self.counts
        rows = np.repeat(np.arange(len(lengths)), lengths)
        starts = np.repeat(self.first - (np.cumsum(lengths) - lengths), lengths)
        return rows, starts + np.arange(len(rows))

    def with_entries(self, rows: np.ndarray, entries: np.ndarray) -> "KeyRuns":
        """The same with some pairs more, given by query and by place in `order`; a pair counts once."""
        own_rows, own_entries = self.entries()
        size = len(self.order)
        pairs = np.unique(np.concatenate([own_rows * size + own_entries, rows * size + entries]))
        counts = np.bincount(pairs // size, minlength=len(self.first)) if len(pairs) else np.zeros_like(self.first)
        stop = np.cumsum(counts)
        return KeyRuns(self.order[pairs % size], (stop - counts).astype(np.int64), stop.astype(np.int64), repeats=True)
