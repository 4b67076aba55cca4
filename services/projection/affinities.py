"""What is near what in the coupled maps: softmax of scores between queries and keys, neighbours within each kind."""

import numpy as np
from scipy import sparse

from services.projection.graph import conditional_probabilities, directed
from services.projection.neighbors import Neighbors, exact_neighbors, smallest
from services.projection.parameters import COUPLED_PERPLEXITY, NEIGHBORS_PER_PERPLEXITY
from services.projection.watch import Watch
from services.streams import StreamTokens

BLOCK = 512


def attended(
    rows: np.ndarray,
    columns: np.ndarray,
    watch: Watch,
    tokens: StreamTokens,
    rows_are_keys: bool = False,
) -> sparse.csr_matrix:
    """Softmax over each row's best scores rows · columns, at the common perplexity: [n_rows, n_columns].

    tokens: of both; a query is related to a key of any input only where their mask lets it see one at such a place.
    """
    n_rows, n_columns = len(rows), len(columns)
    k = min(n_columns, NEIGHBORS_PER_PERPLEXITY * COUPLED_PERPLEXITY)
    best = np.empty((n_rows, k), np.int32)
    scores = np.empty((n_rows, k), np.float32)
    for begin in range(0, n_rows, BLOCK):
        watch.check()
        block = slice(begin, begin + BLOCK)
        against = -(rows[block] @ columns.T)
        seen = tokens.some(keys=block) if rows_are_keys else tokens.some(block)
        hidden = seen.hidden()
        if hidden is not None:
            against[hidden.T if rows_are_keys else hidden] = np.inf
        best[block] = smallest(against, k)
        scores[block] = -np.take_along_axis(against, np.maximum(best[block], 0), axis=1)
    # Fewer than k allowed: the heap is not full. Those entries get no weight.
    scores[best < 0] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")
    best, scores = np.take_along_axis(best, order, axis=1), np.take_along_axis(scores, order, axis=1)
    weights = softmax_at_perplexity(scores)
    indptr = np.arange(0, n_rows * k + 1, k)
    return sparse.csr_matrix((weights.ravel(), np.maximum(best, 0).ravel(), indptr), (n_rows, n_columns))


def softmax_at_perplexity(scores: np.ndarray, wanted: float = COUPLED_PERPLEXITY) -> np.ndarray:
    """exp(β_i s_ij) / Σ_j exp(β_i s_ij) at the perplexity; scores [n, k] descending, masked −inf."""
    allowed = np.isfinite(scores)
    top = np.where(allowed[:, :1], scores[:, :1], 0.0)
    gaps = np.where(allowed, top - scores, 0.0)
    # Masked entries stand beyond all others while β is sought, and are dropped afterwards.
    gaps = np.where(allowed, gaps, 4 * gaps.max(axis=1, keepdims=True) + 1.0)
    perplexity = max(1.0, min(wanted, scores.shape[1] / NEIGHBORS_PER_PERPLEXITY))
    weights = conditional_probabilities(np.sqrt(gaps).astype(np.float32), perplexity)
    weights[~allowed] = 0.0
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-30)


def kindred(vectors: np.ndarray, watch: Watch) -> sparse.csr_matrix:
    """t-SNE's conditional probabilities among vectors of one kind: [n, n]."""
    n = len(vectors)
    if n < 2:
        return sparse.csr_matrix((n, n))
    k = min(n - 1, NEIGHBORS_PER_PERPLEXITY * COUPLED_PERPLEXITY)
    neighbors: Neighbors = exact_neighbors(vectors - vectors.mean(axis=0), k, watch)
    perplexity = max(1.0, min(COUPLED_PERPLEXITY, k / NEIGHBORS_PER_PERPLEXITY))
    return directed(neighbors, conditional_probabilities(neighbors.distances, perplexity))
