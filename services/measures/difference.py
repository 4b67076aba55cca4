"""What sets two heads apart, token by token: how far each moved, and how differently each query attends."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.alignment.procrustes import moved_by
from services.alignment.sharing import Sharing
from services.alignment.side_by_side import Pane, shared_by, side_by_side
from services.atlas import Atlas
from services.errors import NotStoredError

Mapped = tuple[Atlas, str]  # where a map lies, and its name


@dataclass(frozen=True, eq=False)
class Difference:
    """Of every shared point, queries first: `sharing.points`.

    moved: float64 [points], distance after Procrustes in sizes of the first map (`Fit.size`); None without such maps
    attended: float64 [points], bits; NaN for keys and for queries with fewer than two keys; None without attention
    why_not_moved, why_not_attended: why they are None
    """

    sharing: Sharing
    queries: int
    moved: np.ndarray | None
    attended: np.ndarray | None
    why_not_moved: str = ""
    why_not_attended: str = ""

    @property
    def points_are_keys(self) -> np.ndarray:
        """bool [points]"""
        return self.sharing.points[:, 0] >= self.queries

    def of(self, kind: str) -> np.ndarray:
        """One of the two by its name.

        Raises:
            NotStoredError: it is not known; it says why.
            KeyError: there is none of that name.
        """
        found = {"moved": (self.moved, self.why_not_moved), "attended": (self.attended, self.why_not_attended)}
        values, why = found[kind]
        if values is None:
            raise NotStoredError(why)
        return values


def row_divergences(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Jensen–Shannon divergence of rows [..., keys] that sum to 1, in bits: 0 the same … 1 no key in common.

    H((p + q) / 2) − (H(p) + H(q)) / 2 with 0 log 0 = 0 (Lin 1991, "Divergence measures based on the Shannon entropy").
    """
    middle = _entropy((some + others) / 2)
    return np.clip(middle - (_entropy(some) + _entropy(others)) / 2, 0.0, 1.0)


def _entropy(rows: np.ndarray) -> np.ndarray:
    logarithms = np.log2(rows, out=np.zeros_like(rows), where=rows > 0)
    return -(rows * logarithms).sum(axis=-1)


def rows_apart(first: Pane, second: Pane, found: Sharing) -> np.ndarray:
    """float64 [shared queries]: `row_divergences` of each query's two rows; NaN for one that sees fewer than two keys.

    Rows are scaled to sum 1. Where the masks differ (a decoder beside an encoder) they are compared over all keys.

    Raises:
        NotStoredError: one of the atlases keeps no attention.
    """
    blocks = first.atlas.attention(first.stream), second.atlas.attention(second.stream)
    for one in blocks:
        one.check_kept()
    parts = []
    for here, there in found.inputs.tolist():
        seen = blocks[0].visible(here) | blocks[1].visible(there)
        rows = [
            scaled(one.block(index, pane.layer, pane.head))
            for one, index, pane in zip(blocks, (here, there), (first, second), strict=True)
        ]
        parts.append(np.where(seen.sum(axis=1) > 1, row_divergences(*rows), np.nan))
    return np.concatenate(parts)


def scaled(weights: np.ndarray) -> np.ndarray:
    """float64 rows of attention that sum to 1; a row of nothing stays so."""
    weights = weights.astype(np.float64)
    sums = weights.sum(axis=-1, keepdims=True)
    return np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)


@lru_cache(maxsize=8)
def difference(first: Pane, second: Pane, on: Mapped | None, its: Mapped | None) -> Difference:
    """What sets the second head apart from the first; on, its: the maps that they are seen on, if they have one.

    Raises:
        NotStoredError: they share no input; it says why.
    """
    found = shared_by(first, second)
    queries = first.atlas.points(first.stream)[0]
    moved, attended, why_not_moved, why_not_attended = None, None, "", ""
    if on is None or its is None:
        why_not_moved = "The two atlases have no map in common, so how far tokens moved is not known."
    else:
        try:
            pair = side_by_side(first, second, on, its)
            mine, others = pair.first[found.points[:, 0]], pair.second[found.points[:, 1]]
            moved = moved_by(mine, others, pair.fit.size)
        except NotStoredError as error:
            why_not_moved = str(error)
    try:
        rows = rows_apart(first, second, found)
        attended = np.full(len(found.points), np.nan)
        attended[: len(rows)] = rows
    except NotStoredError as error:
        why_not_attended = str(error)
    return Difference(found, queries, moved, attended, why_not_moved, why_not_attended)
