"""Vectors without their copies."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Distinct:
    """Vectors without their copies: bit-identical ones are one."""

    rows: np.ndarray  # int64 [distinct], ascending: where each stands first
    place: np.ndarray  # int64 [n]: which of the distinct ones each vector is
    counts: np.ndarray  # int64 [distinct]: how often each stands there

    @classmethod
    def of(cls, vectors: np.ndarray) -> "Distinct":
        """Of vectors [n, d]."""
        vectors = np.ascontiguousarray(vectors)
        bits = vectors.view(np.dtype((np.void, vectors.dtype.itemsize * vectors.shape[1]))).ravel()
        _, first, inverse, counts = np.unique(bits, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(first[order], rank[inverse], counts[order])
