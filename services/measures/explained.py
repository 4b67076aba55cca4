"""How much of a head's attention its positions alone, or its tokens alone, explain.

The weight of a pair is foretold by the mean weight of the other pairs of the corpus with the same two positions, or
with the same two tokens; the share explained is 1 − Σ (weight − foretold)² / Σ (weight − even)². Leaving the pair
itself out makes it honest: a head that follows neither is at 0 or below, however few pairs there are. Special tokens
are left out; for token identity also pairs of a token with itself and the first token as key, where a sink would pass
for its word.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from services.measures.attention_scores import Scored
from services.measures.estimate import Estimate
from services.numerics.bootstrap import ratio_interval

POSITIONS = 256  # pairs further on rest on few inputs
MOST_PAIRS = 4_000_000  # of the first inputs of a larger corpus
NO_PAIR = {
    "positional": "no two inputs share two positions",
    "semantic": "no two tokens meet twice",
}
EVEN = "its attention is even: there is nothing to explain"


@dataclass(frozen=True, eq=False)
class _Cells:
    """Pairs of one input and what they have in common with others: places in a table of means."""

    chosen: np.ndarray  # bool [queries, keys]
    cell: np.ndarray  # int64 [chosen pairs]
    even: np.ndarray  # float32 [chosen pairs]


def explained(inputs: Callable[[], Iterable[Scored]], heads: int) -> dict[str, list[Estimate | str]]:
    """`positional` and `semantic` of all heads of a layer; inputs: gives them anew each time, they are read twice."""
    some = list(_sample(inputs()))
    return {name: _explained(inputs, heads, cells, NO_PAIR[name]) for name, cells in _both(some).items()}


def _sample(inputs: Iterable[Scored]) -> Iterator[Scored]:
    """The first inputs, as many as there are pairs for."""
    pairs = 0
    for one in inputs:
        pairs += one.visible.size
        if pairs > MOST_PAIRS and pairs > one.visible.size:
            return
        yield one


def _both(some: list[Scored]) -> dict[str, list[_Cells]]:
    kinds = 1 + max((int(side.code.max(initial=0)) for one in some for side in (one.query, one.key)), default=0)
    found: dict[str, list[_Cells]] = {"positional": [], "semantic": []}
    for one in some:
        queries, keys = one.visible.shape
        plain = one.visible & ~one.query.special[:, None] & ~one.key.special[None, :]
        even = (1 / np.maximum(one.visible.sum(axis=1), 1))[:, None].astype(np.float32)
        at, to = np.arange(queries)[:, None], np.arange(keys)[None, :]
        near = plain & (at < POSITIONS) & (to < POSITIONS)
        others = plain & (at != to) & (to > 0)
        tokens = one.query.code[:, None] * kinds + one.key.code[None, :]
        for name, chosen, cell in (("positional", near, at * POSITIONS + to), ("semantic", others, tokens)):
            shape = chosen.shape
            found[name].append(
                _Cells(chosen, np.broadcast_to(cell, shape)[chosen], np.broadcast_to(even, shape)[chosen])
            )
    return {name: _repeated(cells) for name, cells in found.items()}


def _repeated(inputs: list[_Cells]) -> list[_Cells]:
    """Only pairs whose cell comes twice; cells numbered from 0."""
    if not inputs:
        return []
    _, number, counts = np.unique(np.concatenate([one.cell for one in inputs]), return_inverse=True, return_counts=True)
    again = counts > 1
    place = np.where(again, np.cumsum(again) - 1, -1)[number]
    found, begin = [], 0
    for one in inputs:
        mine = place[begin : begin + len(one.cell)]
        begin += len(one.cell)
        chosen = one.chosen.copy()
        chosen[one.chosen] = mine >= 0
        found.append(_Cells(chosen, mine[mine >= 0], one.even[mine >= 0]))
    return found


def _explained(
    inputs: Callable[[], Iterable[Scored]], heads: int, cells: list[_Cells], without: str
) -> list[Estimate | str]:
    count = np.bincount(np.concatenate([one.cell for one in cells])) if cells else np.zeros(0, np.int64)
    if not len(count):
        return [without] * heads
    totals = np.zeros((heads, len(count)))
    for one, mine in zip(inputs(), cells, strict=False):
        for head in range(heads):
            weights = one.weights[head][mine.chosen].astype(np.float32)
            totals[head] += np.bincount(mine.cell, weights, minlength=len(count))
    departs = np.zeros((len(cells), heads))
    missed = np.zeros((len(cells), heads))
    for number, (one, mine) in enumerate(zip(inputs(), cells, strict=False)):
        times = count[mine.cell]
        for head in range(heads):
            weights = one.weights[head][mine.chosen].astype(np.float64)
            departs[number, head] = ((weights - mine.even) ** 2).sum()
            missed[number, head] = (((times * weights - totals[head][mine.cell]) / (times - 1)) ** 2).sum()
    return _estimates(departs - missed, departs, sum(len(one.cell) for one in cells))


def _estimates(above: np.ndarray, below: np.ndarray, count: int) -> list[Estimate | str]:
    found: list[Estimate | str] = []
    for head in range(below.shape[1]):
        total = below[:, head].sum()
        if total <= 1e-12 * count:
            found.append(EVEN)
            continue
        ends = ratio_interval(above[:, head, None, None], below[:, head, None])
        low, high = (None if np.isnan(end).any() else float(end[0, 0]) for end in ends)
        found.append(Estimate(float(above[:, head].sum() / total), 0.0, low, high, count))
    return found
