"""The attention map: a layout of the attention scores themselves, in which near means attended.

t-SNE's objective with other affinities: p_j|i is not the similarity of two vectors but the attention that
query i would pay to key j, over the corpus, at a temperature that gives each row the same perplexity. In the
same way keys are related to the queries that would attend to them most, and points of one kind to their
nearest neighbours. docs/projection.md tells what was tried and measured.
"""

import numpy as np
from scipy import sparse

from services.numerics.linear import lift, principal_axes
from services.projection.graph import Graph, conditional_probabilities, directed
from services.projection.neighbors import Neighbors, exact_neighbors, smallest
from services.projection.parameters import (
    ATTENTION_OF_KEYS,
    ATTENTION_PERPLEXITY,
    ATTENTION_SAME_KIND,
    ATTENTION_START_SCALE,
    NEIGHBORS_PER_PERPLEXITY,
)
from services.projection.watch import Watch
from services.streams import StreamTokens

BLOCK = 512


def attention_graph(
    queries: np.ndarray,
    keys: np.ndarray,
    watch: Watch,
    tokens: StreamTokens,
) -> Graph:
    """The joint affinities of queries [n_queries, head_dim] and keys [n_keys, head_dim], queries first.

    tokens: of both; a query is related to a key of any input only where their mask lets it see one at such a place.
    """
    n_queries, n_keys = len(queries), len(keys)
    # A constant a query changes none of its attention; without it, a key's best queries are those that
    # prefer it to other keys, not those that are long.
    to_keys = attended(queries, keys - keys.mean(axis=0), watch, tokens)
    to_queries = ATTENTION_OF_KEYS * attended(keys, queries - queries.mean(axis=0), watch, tokens, rows_are_keys=True)
    among_queries = ATTENTION_SAME_KIND * kindred(queries, watch)
    among_keys = ATTENTION_SAME_KIND * kindred(keys, watch)
    joint = sparse.bmat(
        [
            [among_queries / n_queries, to_keys / n_queries],
            [to_queries / n_keys, among_keys / n_keys],
        ]
    ).tocsr()
    joint = (joint + joint.T).tocsr()
    joint.data /= joint.data.sum()
    return Graph.of(joint)


def attended(
    rows: np.ndarray,
    columns: np.ndarray,
    watch: Watch,
    tokens: StreamTokens,
    rows_are_keys: bool = False,
) -> sparse.csr_matrix:
    """Softmax over each row's best scores rows · columns, at the common perplexity: [n_rows, n_columns]."""
    n_rows, n_columns = len(rows), len(columns)
    k = min(n_columns, NEIGHBORS_PER_PERPLEXITY * ATTENTION_PERPLEXITY)
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


def softmax_at_perplexity(scores: np.ndarray, wanted: float = ATTENTION_PERPLEXITY) -> np.ndarray:
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
    k = min(n - 1, NEIGHBORS_PER_PERPLEXITY * ATTENTION_PERPLEXITY)
    neighbors: Neighbors = exact_neighbors(vectors - vectors.mean(axis=0), k, watch)
    perplexity = max(1.0, min(ATTENTION_PERPLEXITY, k / NEIGHBORS_PER_PERPLEXITY))
    return directed(neighbors, conditional_probabilities(neighbors.distances, perplexity))


def attention_start(queries: np.ndarray, keys: np.ndarray, dims: int) -> np.ndarray:
    """Principal components of the lifted vectors: the global order of the scores; float32 [n, dims].

    Lifted distances order keys exactly as attention does for every factor c in c·q, k / c; a c that makes the
    queries' cloud the larger one keeps most of that order in few dimensions.
    """
    ratio = spread(keys) / max(spread(queries), 1e-12)
    c = ATTENTION_START_SCALE * np.sqrt(max(ratio, 1e-12))
    cloud = np.concatenate(lift(queries * c, keys / c)).astype(np.float64)
    cloud -= cloud.mean(axis=0)
    axes = principal_axes(cloud.T @ cloud, dims)
    start = np.zeros((len(cloud), dims), np.float32)
    start[:, : axes.shape[1]] = cloud @ axes
    return start


def spread(vectors: np.ndarray) -> float:
    """The median distance from the mean."""
    return float(np.median(np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)))
