"""Sums over inputs of attention weights: by position, by offset, and a few figures a head. Plain NumPy, streaming.

A block is the attention of some heads on one input, [heads, queries, keys]; its rows and columns are positions.
"""

from dataclasses import dataclass

import numpy as np

POSITIONS = 64  # the mean by position stops here: later cells rest on few inputs and are read by nobody
REACH = 10
# Columns of an offset profile: key position − query position, then all that lies further back and further on.
OFFSETS = tuple(range(-REACH, REACH + 1))
COLUMNS = len(OFFSETS) + 2
FIGURES = ("first", "special", "last", "self", "previous", "next", "entropy", "distance")


@dataclass(frozen=True)
class Counts:
    """How much the means rest on; the same for all heads.

    pairs: int32 [query positions, key positions], inputs that have both, and whose mask shows them
    offsets: int64 [COLUMNS], queries for which there is a key at the offset; queries: all that were counted
    """

    pairs: np.ndarray
    offsets: np.ndarray
    queries: int


class Sums:
    """Running sums over inputs for `heads` heads; feed each input once with `add_…`.

    visible: bool [queries, keys] of an input, which pairs its mask shows. Without `same_positions` (cross-attention)
    there is no offset and no distance between a query and a key: those figures are not defined.
    """

    def __init__(self, heads: int, longest_query: int, longest_key: int, *, same_positions: bool = True) -> None:
        self._same_positions = same_positions
        shape = min(longest_query, POSITIONS), min(longest_key, POSITIONS)
        self._mean = np.zeros((heads, *shape))
        self._pairs = np.zeros(shape, np.int64)
        self._offsets = np.zeros((heads, COLUMNS))
        self._offset_counts = np.zeros(COLUMNS, np.int64)
        self._offset_queries = 0
        self._offset_rows = np.zeros(heads)
        self._figures = np.zeros((len(FIGURES), heads))
        self._figure_counts = np.zeros(len(FIGURES), np.int64)

    def add_mean(
        self,
        block: np.ndarray,
        visible: np.ndarray,
        queries: np.ndarray | None = None,
        keys: np.ndarray | None = None,
    ) -> None:
        """Add a block to the mean by position; `queries`, `keys`: bool, which positions count (default all)."""
        _, n, m = block.shape
        rows, columns = min(n, self._pairs.shape[0]), min(m, self._pairs.shape[1])
        there = visible[:rows, :columns]
        if queries is not None:
            there = there & queries[:rows, None]
        if keys is not None:
            there = there & keys[None, :columns]
        self._pairs[:rows, :columns] += there
        self._mean[:, :rows, :columns] += block[:, :rows, :columns] * there

    def add_offsets(self, block: np.ndarray, visible: np.ndarray, queries: np.ndarray, keys: np.ndarray) -> None:
        """Add a block of rows that sum to 1 (or 0) over the counted keys to the offset profile."""
        if not self._same_positions:
            return
        _, n, m = block.shape
        kept = block * (queries[:, None] & keys[None, :])
        pairs = visible & queries[:, None] & keys[None, :]
        near = np.zeros(block.shape[0])
        for column, offset in enumerate(OFFSETS):
            if -n < offset < m:
                mass = np.diagonal(kept, offset, axis1=1, axis2=2).sum(axis=1, dtype=np.float64)
                self._offsets[:, column] += mass
                near += mass
                self._offset_counts[column] += int(np.diagonal(pairs, offset).sum())
        far = (np.tril(kept, -REACH - 1), np.triu(kept, REACH + 1)) if max(n, m) > REACH + 1 else ()
        for column, part, reachable in zip(
            (-2, -1), far, (np.tril(pairs, -REACH - 1), np.triu(pairs, REACH + 1)), strict=False
        ):
            self._offsets[:, column] += part.sum(axis=(1, 2), dtype=np.float64)
            self._offset_counts[column] += int(reachable.any(axis=1).sum())
        # A row whose weight all lay on left-out keys has nothing to renormalise: it is no part of the head's mean.
        self._offset_rows += (kept.sum(axis=2) > 0).sum(axis=1)
        self._offset_queries += int((queries & pairs.any(axis=1)).sum())

    def add_figures(self, block: np.ndarray, visible: np.ndarray, special: np.ndarray) -> None:
        """Add a block of the model's own weights to the figures; `special`: bool [keys]."""
        heads, n, m = block.shape
        # With an attention sink a row sums to less than 1: its shares decide, not its weights.
        total = block.sum(axis=2, keepdims=True)
        share = np.divide(block, total, out=np.zeros_like(block), where=total > 0)
        row = np.where(share > 0, share, 1)
        entropy = -np.einsum("hqk,hqk->hq", share, np.log(row))
        choices = visible.sum(axis=1)
        several = choices > 1
        apart = np.abs(np.arange(n)[:, None] - np.arange(m)[None, :]).astype(block.dtype)
        parts = (
            (block[:, :, 0].sum(axis=1), n),
            (block[:, :, special].sum(axis=(1, 2)), n),
            (block[:, :, m - 1].sum(axis=1), n),
            *self._on_diagonals(block, visible, (0, -1, 1)),
            ((entropy[:, several] / np.log(choices[several])).sum(axis=1), int(several.sum())),
            (np.einsum("hqk,qk->h", share, apart), n if self._same_positions else 0),
        )
        for number, (value, count) in enumerate(parts):
            self._figures[number, :heads] += value
            self._figure_counts[number] += count

    def _on_diagonals(
        self, block: np.ndarray, visible: np.ndarray, offsets: tuple[int, ...]
    ) -> list[tuple[np.ndarray, int]]:
        """Mass [heads] at each key − query, and how many pairs there are."""
        masses = [np.diagonal(block, offset, axis1=1, axis2=2).sum(axis=1) for offset in offsets]
        counts = [int(np.diagonal(visible, offset).sum()) for offset in offsets]
        return list(zip(masses, counts if self._same_positions else [0] * len(offsets), strict=True))

    @property
    def counts(self) -> Counts:
        return Counts(self._pairs.astype(np.int32), self._offset_counts, self._offset_queries)

    @property
    def mean(self) -> np.ndarray:
        """float32 [heads, query positions, key positions]; 0 where no input counts."""
        return (self._mean / np.maximum(self._pairs, 1)).astype(np.float32)

    @property
    def offsets(self) -> np.ndarray:
        """float32 [heads, COLUMNS]: mean mass of a query, all zero when no query counts."""
        return (self._offsets / np.maximum(self._offset_rows, 1)[:, None]).astype(np.float32)

    @property
    def figures(self) -> dict[str, np.ndarray]:
        """float32 [heads] by name; NaN where no query could have one."""
        with np.errstate(invalid="ignore"):
            values = self._figures / np.where(self._figure_counts > 0, self._figure_counts, np.nan)[:, None]
        return {name: values[number].astype(np.float32) for number, name in enumerate(FIGURES)}


def renormalised(block: np.ndarray, keys: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    """Rows over the kept keys alone, summing to 1; a row that has nothing left is 0.

    Args:
        block: [heads, queries, keys] · keys: bool [keys] · values: ‖v‖ [heads, keys], weights are multiplied by it.
    """
    weights = block * keys
    if values is not None:
        weights = weights * values[:, None, :]
    total = weights.sum(axis=2, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
