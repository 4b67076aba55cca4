"""How differently each head attends on two probes.

Tokens of the two are matched in order (difflib: the longest runs that both have), as "the cat sat" and "the cats sat"
share all but one. Each head is judged by the Jensen-Shannon distance (Lin 1991; the square root of the divergence, base
2, as Endres & Schindelin 2003) of the two rows of a matched query, over matched keys one by one and over all other keys
each on its own, so that attention to what only one of them has counts as different. 0: the same, 1: nothing in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from services.atlas.schema import StreamInfo
from services.probe.kept import UNIT, KeptProbe


@dataclass(frozen=True)
class Difference:
    """distance: float64 [layers, heads], mean over the matched queries, NaN without any · matched: how many there are

    queries: numbers of tokens of the two probes.
    """

    distance: np.ndarray
    matched: int
    queries: tuple[int, int]


def difference(one: KeptProbe, other: KeptProbe, stream: StreamInfo) -> Difference:
    """Compare two probes of one atlas.

    Raises:
        KeyError: one of them was removed meanwhile.
    """
    queries, keys = (matched_tokens(*(probe.tokens(table)["token"] for probe in (one, other)))
                     for table in stream.tables)  # fmt: skip
    sides = [probe.array(stream, "attention") for probe in (one, other)]
    found = np.full((stream.layers, stream.heads), np.nan)
    if len(queries):
        for layer in range(stream.layers):
            left, right = (side[layer][:, queries[:, number]] / UNIT for number, side in enumerate(sides))
            found[layer] = jensen_shannon(left, right, keys).mean(axis=-1)
    return Difference(found, len(queries), (one.lengths(stream)[0], other.lengths(stream)[0]))


def matched_tokens(one: Sequence[str], other: Sequence[str]) -> np.ndarray:
    """int64 [matched, 2]: places of tokens that both have in the same order."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    pairs = [(a + n, b + n) for a, b, size in blocks for n in range(size)]
    return np.array(pairs, np.int64).reshape(-1, 2)


def jensen_shannon(one: np.ndarray, other: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Distance of rows [..., keys of the one] and [..., keys of the other], 0 … 1: float64 [...].

    keys: [matched, 2], which keys are the same. Rows are brought to sum 1; a row without attention is like no other.
    """
    one, other = (rows / np.maximum(rows.sum(axis=-1, keepdims=True), 1e-12) for rows in (one, other))
    p, q = one[..., keys[:, 0]], other[..., keys[:, 1]]
    middle = (p + q) / 2
    shared = (_terms(p, middle) + _terms(q, middle)).sum(axis=-1)
    # A key that the other has not: its weight there is 0, and p · log2(p / (p / 2)) = p.
    alone = (one.sum(axis=-1) - p.sum(axis=-1)) + (other.sum(axis=-1) - q.sum(axis=-1))
    return np.sqrt(np.clip((shared + alone) / 2, 0, 1))


def _terms(p: np.ndarray, middle: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log2(p / middle), 0.0)
