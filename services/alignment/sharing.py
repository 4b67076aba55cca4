"""What two streams of attention have in common: the inputs that both models cut into the same tokens."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.atlas import Atlas
from services.atlas.folder import TokenTable
from services.atlas.schema import StreamInfo
from services.errors import NotStoredError


@dataclass(frozen=True, eq=False)
class Sharing:
    """inputs: int64 [n, 2], their rows in both atlases · points: int64 [m, 2], of their tokens: queries, then keys

    otherwise: inputs of the first that the second has too, but cut into other tokens
    only: inputs of the first, and of the second, whose text the other does not have
    """

    inputs: np.ndarray
    points: np.ndarray
    otherwise: int
    only: tuple[int, int]

    @property
    def same(self) -> bool:
        """Whether every input is shared, under the same number."""
        whole = self.otherwise == 0 and self.only == (0, 0)
        return whole and bool((self.inputs[:, 0] == self.inputs[:, 1]).all())


@lru_cache(maxsize=16)
def sharing(atlas: Atlas, stream: StreamInfo, other: Atlas, its: StreamInfo) -> Sharing:
    """The inputs of the same text and the same tokens; of special tokens only the places must be the same.

    A text that stands in an atlas several times is matched in the order of the inputs.

    Raises:
        NotStoredError: they share no input; it says why.
    """
    if atlas.info.modality != other.info.modality:
        raise NotStoredError(f"{other.info.title} is of another kind of input, so heads cannot be compared.")
    if len(set(stream.tables)) != len(set(its.tables)):
        raise NotStoredError(
            f"The attention {stream.name} of {atlas.info.title} and {its.name} of {other.info.title} cannot be "
            "compared: one is between two texts, the other within one."
        )
    keys, others = _keys_of_inputs(atlas, stream), _keys_of_inputs(other, its)
    waiting: dict[tuple, list[int]] = defaultdict(list)
    for index, key in enumerate(others):
        waiting[key].append(index)
    for rows in waiting.values():
        rows.reverse()
    pairs = [(index, waiting[key].pop()) for index, key in enumerate(keys) if waiting.get(key)]
    here, there = {key[0] for key in keys}, {key[0] for key in others}
    otherwise = sum(key[0] in there for key in keys) - len(pairs)
    if not pairs:
        raise NotStoredError(_nothing(atlas, other, otherwise))
    inputs = np.array(pairs, np.int64)
    only = sum(key[0] not in there for key in keys), sum(key[0] not in here for key in others)
    return Sharing(inputs, _points(atlas, stream, other, its, inputs), otherwise, only)


def _nothing(atlas: Atlas, other: Atlas, otherwise: int) -> str:
    title = other.info.title
    if not otherwise:
        return f"{title} shares no input with {atlas.info.title}: it was made from other texts or images."
    return (
        f"The atlases share {otherwise} inputs, but none that both models cut into the same tokens, so attention "
        "cannot be compared row by row."
    )


def _points(atlas: Atlas, stream: StreamInfo, other: Atlas, its: StreamInfo, inputs: np.ndarray) -> np.ndarray:
    begin = np.zeros(2, np.int64)
    parts: list[np.ndarray] = []
    for side in ("query_table", "key_table"):
        tables = [atlas.tokens(getattr(stream, side)), other.tokens(getattr(its, side))]
        offsets = [np.asarray(table.offsets, np.int64) for table in tables]
        counts = (offsets[0][1:] - offsets[0][:-1])[inputs[:, 0]]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        firsts = [np.repeat(offset[inputs[:, which]], counts) for which, offset in enumerate(offsets)]
        parts.append(np.stack([first + within for first in firsts], axis=1) + begin)
        begin += np.array([len(table) for table in tables], np.int64)
    return np.concatenate(parts)


def _keys_of_inputs(atlas: Atlas, stream: StreamInfo) -> list[tuple]:
    """What an input must have in common: what it is (a text, the name of an image) and its tokens."""
    tables = [atlas.tokens(name) for name in dict.fromkeys(stream.tables)]
    keys: list[tuple] = []
    for index, text in enumerate(atlas.inputs.text):
        rows = [(table, table.rows(index)) for table in tables]
        keys.append((text, *(_texts(table, some) for table, some in rows)))
    return keys


def _texts(table: TokenTable, rows: slice) -> tuple[str, ...]:
    return tuple(
        "" if special else text for text, special in zip(table.text[rows], table.special[rows].tolist(), strict=True)
    )
