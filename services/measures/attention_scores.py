"""The scores of all heads of a layer: one pass over the attention of each input feeds them all.

A score is Σ over inputs of what a head gives it / Σ of what it is a mean over; its base rate is the same of even
attention, 1 / (visible keys) on each of them. Rows are read in chunks, so that a long input needs no more memory.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from services.measures.attended import LEAST_KEYS
from services.measures.estimate import Estimate
from services.measures.pair_marks import MARKS, Mark, Pairs, Side, counted
from services.numerics.bootstrap import ratio_interval

EPSILON = 0.3  # of α, from where on a token is a sink: Gu et al. 2025
_CHUNK = 8_000_000  # weights that are worked on at a time

# Scores that are no weight on marked pairs: what they are a mean over, and why a head may have none.
_NONE = "the corpus has no pair of query and key"
NO_POSITIONS = "positions of queries and keys cannot be compared"
NOT_CROSS = "queries and keys are of one text"
NO_OBJECTS = "the images came without masks"
_FEW_KEYS = "no input has three keys"
WHY_NOT = {
    "entropy": "no query has two keys to choose from",
    "entropy_nats": _NONE,
    "distance": _NONE,
    "sink_share": _FEW_KEYS,
    "sink_rate": _NONE,
    "sink_spread": _NONE,
    "monotone": "no input has two queries",
    "coverage": _NONE,
} | {mark.name: mark.without for mark in MARKS}
_POSITIONS = {"distance"}
_CROSS = {"monotone", "coverage"}


@dataclass(frozen=True, eq=False)
class Scored:
    """One input as the pass sees it.

    weights: float [heads, queries, keys], as they are stored · visible: bool [queries, keys] · query, key: its tokens
    """

    weights: np.ndarray
    visible: np.ndarray
    query: Side
    key: Side


@dataclass
class _Sums:
    """What an input gives a score: above [heads], even attention in its place, and what both are divided by."""

    above: np.ndarray
    even: float = 0.0
    below: float = 0.0

    def add(self, above: np.ndarray, even: float, below: float) -> None:
        self.above += above
        self.even += float(even)
        self.below += float(below)


def scores(
    inputs: Iterable[Scored],
    heads: int,
    *,
    same_positions: bool,
    modality: str,
    objects: bool = False,
    marks_alone: Collection[str] = (),
) -> dict[str, list[Estimate | str]]:
    """Every score of MARKS and WHY_NOT of every head of a layer: an estimate, or why there is none.

    same_positions: whether positions of queries and keys can be compared, see `StreamMask` · objects: whether tokens
    say which object they belong to · marks_alone: only these of MARKS and nothing else
    """
    has = {"": True, "positions": same_positions, "cross": not same_positions, "object": objects}
    marks = [mark for mark in MARKS if has[mark.needs] and mark.modality in (None, modality)]
    marks = [mark for mark in marks if not marks_alone or mark.name in marks_alone]
    names = [mark.name for mark in marks]
    others = [name for name in WHY_NOT if name not in {m.name for m in MARKS} and _fits(name, same_positions)]
    names += [] if marks_alone else others
    ledger = [_of_input(one, heads, marks, names) for one in inputs]
    above = np.array([[sums[name].above for name in names] for sums in ledger]).reshape(-1, len(names), heads)
    even = np.array([[sums[name].even for name in names] for sums in ledger]).reshape(-1, len(names))
    below = np.array([[sums[name].below for name in names] for sums in ledger]).reshape(-1, len(names))
    low, high = ratio_interval(above, below)
    nobody = {mark.name: mark.nobody for mark in marks if mark.nobody}
    found: dict[str, list[Estimate | str]] = {}
    for number, name in enumerate(names):
        total = below[:, number].sum()
        none = name in nobody and not even[:, number].any()
        if none or not total:
            found[name] = [nobody[name] if none else WHY_NOT[name]] * heads
            continue
        ends = zip(_known(low[number]), _known(high[number]), strict=True)
        values = (above[:, number].sum(axis=0) / total).tolist()
        base = float(even[:, number].sum() / total)
        found[name] = [
            Estimate(value, base, low_end, high_end, int(total))
            for value, (low_end, high_end) in zip(values, ends, strict=True)
        ]
    for name in WHY_NOT.keys() - found.keys():
        found[name] = [_why_not(name, same_positions)] * heads
    return found


def _known(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def _fits(name: str, same_positions: bool) -> bool:
    return same_positions if name in _POSITIONS else not same_positions if name in _CROSS else True


def _why_not(name: str, same_positions: bool) -> str:
    mark = next((mark for mark in MARKS if mark.name == name), None)
    if mark is not None and mark.needs == "object":
        return NO_OBJECTS
    cross = name in _CROSS or (mark is not None and mark.needs == "cross")
    return NOT_CROSS if cross and same_positions else NO_POSITIONS if not cross and not same_positions else _NONE


def chunks(one: Scored, heads: int) -> Iterator[slice]:
    """Rows that are worked on together."""
    queries, keys = one.visible.shape
    step = max(1, _CHUNK // max(heads * keys, 1))
    return (slice(start, min(start + step, queries)) for start in range(0, queries, step))


def _of_input(one: Scored, heads: int, marks: list[Mark], names: list[str]) -> dict[str, _Sums]:
    sums = {name: _Sums(np.zeros(heads)) for name in names}
    received = _Received(heads, one.visible)
    order = _Order(heads, one.visible.shape[1]) if "monotone" in sums else None
    for rows in chunks(one, heads):
        block = one.weights[:, rows].astype(np.float32)
        visible = one.visible[rows]
        pairs = Pairs(visible, one.query[rows], one.key, rows.start, len(one.visible))
        _add_marks(sums, marks, block, pairs)
        if "entropy" not in sums:
            continue
        _add_rows(sums, block, visible, pairs.apart)
        received.add(block, visible)
        if order is not None:
            order.add(block)
    if "entropy" in sums:
        received.close(sums)
    if order is not None and order.pairs:
        sums["monotone"].add(order.sum, 0.0, order.pairs)
    return sums


def _add_marks(sums: dict[str, _Sums], marks: list[Mark], block: np.ndarray, pairs: Pairs) -> None:
    """Weights on marked pairs: one product of matrices for all marks."""
    found = [counted(mark, pairs) for mark in marks]
    flat = np.stack([marked.ravel() for marked, _ in found], axis=1)
    given = block.reshape(len(block), -1) @ flat.astype(np.float32)
    choices = np.maximum(pairs.visible.sum(axis=1), 1)
    for number, (mark, (marked, asking)) in enumerate(zip(marks, found, strict=True)):
        sums[mark.name].add(given[:, number], (marked.sum(axis=1) / choices).sum(), asking.sum())


def _add_rows(sums: dict[str, _Sums], block: np.ndarray, visible: np.ndarray, apart: np.ndarray) -> None:
    """Entropy and distance: of a row's shares, since with a sink in a parameter its weights sum to less than 1."""
    total = block.sum(axis=2, keepdims=True)
    share = np.divide(block, total, out=np.zeros_like(block), where=total > 0)
    entropy = -np.einsum("hqk,hqk->hq", share, np.log(np.where(share > 0, share, 1)))
    choices = visible.sum(axis=1)
    several, asking = choices > 1, choices > 0
    most = np.log(np.maximum(choices, 1))
    sums["entropy"].add((entropy[:, several] / most[several]).sum(axis=1), several.sum(), several.sum())
    sums["entropy_nats"].add(entropy[:, asking].sum(axis=1), most.sum(), asking.sum())
    if "distance" in sums:
        away = np.abs(apart).astype(block.dtype)
        even = ((away * visible).sum(axis=1) / np.maximum(choices, 1)).sum()
        sums["distance"].add(np.einsum("hqk,qk->h", share, away), even, asking.sum())


class _Received:
    """What the keys of one input receive of all its queries, for the scores of sinks."""

    def __init__(self, heads: int, visible: np.ndarray) -> None:
        keys = visible.shape[1]
        self._all, self._choosing = np.zeros((2, heads + 1, keys))  # the last row is even attention
        self._seen, self._queries, self._choosers = visible.sum(axis=0), 0, 0

    def add(self, block: np.ndarray, visible: np.ndarray) -> None:
        choices = visible.sum(axis=1)
        even = visible / np.maximum(choices, 1)[:, None]
        choosing = choices >= LEAST_KEYS
        for into, rows in ((self._all, choices > 0), (self._choosing, choosing)):
            into[:-1] += block[:, rows].sum(axis=1)
            into[-1] += even[rows].sum(axis=0)
        self._queries += int((choices > 0).sum())
        self._choosers += int(choosing.sum())

    def close(self, sums: dict[str, _Sums]) -> None:
        if not self._queries:
            return
        if self._choosers:
            taken = (self._choosing / self._choosers).max(axis=1)
            sums["sink_share"].add(taken[:-1], taken[-1], 1)
        if self._seen[0]:
            alpha = self._all[:, 0] / self._seen[0]  # importance of the first token: Gu et al. 2025, equation 2
            sink = alpha > EPSILON
            sums["sink_rate"].add(sink[:-1].astype(float), float(sink[-1]), 1)
        total = self._all.sum(axis=1, keepdims=True)
        share = np.divide(self._all, total, out=np.zeros_like(self._all), where=total > 0)
        spread = np.exp(-(share * np.log(np.where(share > 0, share, 1))).sum(axis=1))
        sums["sink_spread"].add(spread[:-1], spread[-1], 1)
        if "coverage" in sums:
            covered = np.minimum(share * share.shape[1], 1).mean(axis=1)
            sums["coverage"].add(covered[:-1], covered[-1], 1)


class _Order:
    """Over all pairs of queries of an input: how much oftener the later one attends further on than further back."""

    def __init__(self, heads: int, keys: int) -> None:
        self._before = np.zeros((heads, keys))
        self.sum, self.pairs, self._rows = np.zeros(heads), 0, 0

    def add(self, block: np.ndarray) -> None:
        wide = block.astype(np.float64)
        earlier = np.cumsum(wide, axis=1) - wide + self._before[:, None, :]
        ahead = np.cumsum(earlier, axis=2) - earlier  # weight of earlier queries on keys before this one
        behind = earlier.sum(axis=2, keepdims=True) - ahead - earlier
        self.sum += (wide * (ahead - behind)).sum(axis=(1, 2))
        rows = block.shape[1]
        self.pairs += rows * self._rows + rows * (rows - 1) // 2
        self._rows += rows
        self._before += wide.sum(axis=1)
