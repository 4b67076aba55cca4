"""Make queries and keys of one head share a space in which near means attended.

Softmax over keys ignores a constant that is the same for all keys of a query. So queries may be multiplied by c and
keys divided by c (their dot product stays), and all keys may move by one vector (each query's scores move by a
constant): attention is unchanged, distances are not. Yeh et al. 2023, section 5.1; scale first, then translate.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Alignment:
    """What was done to one head."""

    c: float
    translation: np.ndarray  # float32 [head_dim], added to keys / c


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


def align(queries: np.ndarray, keys: np.ndarray, c: float | None = None) -> tuple[np.ndarray, np.ndarray, Alignment]:
    """Scale, then translate: q' = c·q, k' = k/c + (mean(c·q) − mean(k/c)).

    Args:
        queries: [n_queries, head_dim].
        keys: [n_keys, head_dim].
        c: the scale; None takes `scale_by_norms`.

    Returns:
        float32 queries and keys whose centroids coincide, and the alignment.
    """
    queries = np.asarray(queries, dtype=np.float32)
    keys = np.asarray(keys, dtype=np.float32)
    if c is None:
        c = scale_by_norms(queries, keys)
    aligned_queries = queries * np.float32(c)
    scaled_keys = keys / np.float32(c)
    translation = aligned_queries.mean(axis=0, dtype=np.float64) - scaled_keys.mean(axis=0, dtype=np.float64)
    translation = translation.astype(np.float32)
    return aligned_queries, scaled_keys + translation, Alignment(c, translation)
