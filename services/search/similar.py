"""Points like one: nearest by their vector in a head, or by the colour of their patch."""

from typing import Literal

import numpy as np

from services.alignment import head_alignment
from services.atlas import Atlas
from services.atlas.schema import StreamInfo

COUNT = 60
By = Literal["vector", "colour"]


def like(atlas: Atlas, stream: StreamInfo, place: tuple[int, int], side: str, row: int, by: str) -> np.ndarray:
    """int64 [≤ COUNT]: point ids of the points of one side nearest to a token, itself the first.

    by: one of By. "vector": Euclidean distance of the aligned vectors in the head `place`; "colour": of the patches'
    mean colours.

    Raises:
        IndexError: there is no such token.
        KeyError: its atlas has no colours.
    """
    queries, keys = atlas.points(stream)
    count = queries if side == "query" else keys
    if not 0 <= row < count:
        raise IndexError(row)
    if by == "colour":
        tokens = atlas.tokens(stream.query_table if side == "query" else stream.key_table)
        values = np.stack([np.asarray(tokens.columns[name], float) for name in ("red", "green", "blue")], axis=1)
        values[tokens.special] = np.inf if not tokens.special[row] else values[row]
    else:
        vectors, alignment = atlas.vectors(stream), head_alignment(atlas, stream, *place)
        values = alignment.queries(vectors.queries(*place)) if side == "query" else alignment.keys(vectors.keys(*place))
    distance = ((np.asarray(values, np.float64) - values[row]) ** 2).sum(axis=1)
    distance[row] = -1
    nearest = np.argsort(distance, kind="stable")[:COUNT]
    return nearest if side == "query" else nearest + queries
