"""Make queries and keys of one head share a space in which near means attended.

Softmax over keys ignores a constant that is the same for all keys of a query. So queries may be multiplied by c and
keys divided by c (their dot product stays), and all keys may move by one vector (each query's scores move by a
constant): attention is unchanged, distances are not. Yeh et al. 2023, section 5.1; scale first, then translate.
Layouts may then start from the cosine distance: every aligned vector is brought to unit length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

import numpy as np

from services.alignment.fitting import Fitted
from services.atlas import HEADS, Atlas
from services.atlas.schema import Distance, Scale, StreamInfo
from services.errors import AtlasFormatError
from services.projection.points import LayerPoints
from services.streams import StreamTokens

DISTANCES: tuple[Distance, ...] = get_args(Distance)
SCALES: tuple[Scale, ...] = get_args(
    Scale
)  # what may choose c: services.alignment.scale_metrics.METRICS, or none of them, c = 1


@dataclass(frozen=True)
class Alignment:
    """What is done to the vectors of one head, and to any new vector that joins them."""

    c: float
    translation: np.ndarray  # float32 [head_dim], added to keys / c
    distance: Distance = "euclidean"

    def queries(self, queries: np.ndarray) -> np.ndarray:
        """c·q, at unit length for the cosine distance: float32, the shape of the queries."""
        return self._measured(np.asarray(queries, np.float32) * np.float32(self.c))

    def keys(self, keys: np.ndarray) -> np.ndarray:
        """k/c and the translation, at unit length for the cosine distance: float32, the shape of the keys."""
        return self._measured(np.asarray(keys, np.float32) / np.float32(self.c) + self.translation)

    def _measured(self, vectors: np.ndarray) -> np.ndarray:
        return unit_length(vectors) if self.distance == "cosine" else vectors


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Each vector of [..., head_dim] divided by its norm: float32; a zero vector has no direction and stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros(vectors.shape, np.float32), where=norms > 0)


def scale_by_norms(queries: np.ndarray, keys: np.ndarray) -> float:
    """The c that gives scaled queries and keys the same median norm: √(median ‖k‖ / median ‖q‖).

    Args:
        queries: [n_queries, head_dim].
        keys: [n_keys, head_dim].

    Returns:
        c, or 1.0 when either median norm is zero or not finite.
    """
    query_norm = float(np.median(np.linalg.norm(queries, axis=-1)))
    key_norm = float(np.median(np.linalg.norm(keys, axis=-1)))
    if not (np.isfinite(query_norm) and np.isfinite(key_norm)) or query_norm <= 0 or key_norm <= 0:
        return 1.0
    return float(np.sqrt(key_norm / query_norm))


def align(
    queries: np.ndarray,
    keys: np.ndarray,
    c: float | None = None,
    distance: Distance = "euclidean",
    fitted: Fitted | None = None,
) -> tuple[np.ndarray, np.ndarray, Alignment]:
    """Scale, then translate: q' = c·q, k' = k/c + (mean(c·q) − mean(k/c)); then to unit length for "cosine".

    Args:
        queries: [n_queries, head_dim].
        keys: [n_keys, head_dim].
        c: the scale; None takes `scale_by_norms`.
        distance: what the distance between aligned vectors is to mean. Euclidean leaves queries and keys with one
            centroid; cosine brings them to unit length after that.
        fitted: the queries and keys that the means are of; None: all.

    Returns:
        float32 queries and keys, and the alignment.
    """
    queries = np.asarray(queries, dtype=np.float32)
    keys = np.asarray(keys, dtype=np.float32)
    if c is None:
        c = scale_by_norms(queries, keys)
    some_queries, some_keys = (queries, keys) if fitted is None else (queries[fitted[0]], keys[fitted[1]])
    middle_of_queries = (some_queries * np.float32(c)).mean(axis=0, dtype=np.float64)
    middle_of_keys = (some_keys / np.float32(c)).mean(axis=0, dtype=np.float64)
    alignment = Alignment(c, (middle_of_queries - middle_of_keys).astype(np.float32), distance)
    return alignment.queries(queries), alignment.keys(keys), alignment


def alignments(heads: Mapping[str, Sequence[Any]], stream: str) -> dict[tuple[int, int], Alignment]:
    """The alignment of each (layer, head) of a stream, from the columns of `heads.parquet`.

    A table without the column `distance` is of an atlas whose layouts start from Euclidean distances.

    Raises:
        KeyError: a column is missing.
    """
    count = len(heads["stream"])
    distances = heads.get("distance") or ["euclidean"] * count
    return {
        (int(heads["layer"][row]), int(heads["head"][row])): Alignment(
            float(heads["c"][row]), np.asarray(heads["translation"][row], np.float32), distances[row]
        )
        for row in range(count)
        if heads["stream"][row] == stream
    }


def head_alignment(atlas: Atlas, stream: StreamInfo, layer: int, head: int) -> Alignment:
    """What brought the queries and keys of a head into one space; it does the same to new vectors.

    Raises:
        AtlasFormatError: `heads.parquet` does not tell.
    """
    try:
        return _stored(atlas, stream.name)[layer, head]
    except KeyError as error:
        raise AtlasFormatError(f"{atlas.path / HEADS} has no {error} of {stream.head_name(layer, head)}.") from error


def points_of_layer(
    queries: np.ndarray, keys: np.ndarray, aligned: Sequence[Alignment], tokens: StreamTokens
) -> LayerPoints:
    """What projections need of a layer: vectors [heads, tokens, head_dim] as the model dots them, and aligned."""
    return LayerPoints(
        queries=queries,
        keys=keys,
        aligned_queries=np.stack([one.queries(q) for one, q in zip(aligned, queries, strict=True)]),
        aligned_keys=np.stack([one.keys(k) for one, k in zip(aligned, keys, strict=True)]),
        tokens=tokens,
    )


@lru_cache(maxsize=16)
def _stored(atlas: Atlas, stream: str) -> dict[tuple[int, int], Alignment]:
    return alignments(atlas.heads, stream)
