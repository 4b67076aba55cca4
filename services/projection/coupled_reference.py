"""The coupled descent in plain float64, all points repelling all: what the kernels are tested against."""

import numpy as np
from scipy import sparse

from services.projection.coupled import HIDDEN, Coupled
from services.projection.parameters import (
    COUPLED_ITERATIONS,
    COUPLED_LONGEST_STEP,
    COUPLED_ORDER,
    COUPLED_ORDER_ON_QUERIES,
)
from services.projection.watch import Watch

BLOCK = 512
MOMENTUM = 0.8


def gradient(problem: Coupled, y: np.ndarray, order_weight: float) -> np.ndarray:
    """Of the objective at places y [n, dims]: float64 [n, dims]."""
    graph, n, n_queries = problem.graph, len(y), problem.n_queries
    is_key = np.arange(n) >= n_queries
    sums = np.concatenate([_kernel(y[block], y) @ np.stack([~is_key, is_key], axis=1) for block in _blocks(n)])
    own = np.where(is_key, sums[:, 1], sums[:, 0]) - 1  # less the point itself
    across = np.where(is_key, sums[:, 0], sums[:, 1])
    pairs = np.array([max(own[~is_key].sum(), 1e-12), max(own[is_key].sum(), 1e-12)])
    to_keys, to_queries, same_kind = problem.weights
    even = problem.joint / (own.sum() + across.sum())
    # What an ordered pair's normaliser weighs: query → key over queries, key → query over keys.
    share = 0.5 * np.where(is_key, to_queries / (n - n_queries), to_keys / n_queries) / across
    affinities = sparse.csr_matrix((graph.weights.astype(np.float64), graph.indices, graph.indptr), shape=(n, n))
    found = np.empty_like(y, dtype=np.float64)
    for block in _blocks(n):
        w = _kernel(y[block], y)
        kinds = is_key[block, None] != is_key
        coupled = np.where(kinds, share[block, None] + share, same_kind / pairs[is_key[block].astype(int)][:, None])
        pull = affinities[block].toarray() * w - ((1 - problem.joint) * coupled + even) * w**2
        found[block] = 4 * (pull.sum(axis=1)[:, None] * y[block] - pull @ y)
    if order_weight > 0:
        ordering = order_gradient(problem, y) * order_weight
        ordering[:n_queries] *= COUPLED_ORDER_ON_QUERIES
        found += ordering
    return found


def order_gradient(problem: Coupled, y: np.ndarray) -> np.ndarray:
    """Of the mean KL(R ‖ W) at a fixed radius s: queries feel the landmark keys, keys the landmark queries."""
    order, n_queries = problem.order, problem.n_queries
    squared = y.var(axis=0).sum()
    keys, found = y[n_queries:], np.zeros(y.shape)
    force, gaps = _order_force(order.over_some, y[:n_queries], keys[order.keys], squared)
    found[:n_queries] = 2 / (squared * n_queries) * (force[..., None] * gaps).sum(axis=1)
    force, gaps = _order_force(order.over_keys, y[order.queries], keys, squared)
    found[n_queries:] = -2 / (squared * len(order.queries)) * (force[..., None] * gaps).sum(axis=0)
    return found


def _order_force(wanted: np.ndarray, queries: np.ndarray, keys: np.ndarray, squared: float) -> tuple:
    gaps = queries[:, None] - keys
    w = np.where(wanted == HIDDEN, 0.0, squared / (squared + (gaps**2).sum(axis=2)))
    return (wanted - w / np.maximum(w.sum(axis=1, keepdims=True), 1e-300)) * w, gaps


def descent(problem: Coupled, start: np.ndarray, seed: int, watch: Watch) -> np.ndarray:
    """As `coupled_kernel.coupled_descent`, without anything drawn: float32 [n, dims]."""
    y = start.astype(np.float64)
    velocity, gains = np.zeros_like(y), np.ones_like(y)
    for iteration in range(COUPLED_ITERATIONS):
        watch.check()
        slope = gradient(problem, y, COUPLED_ORDER * (1 - iteration / COUPLED_ITERATIONS))
        gains = np.where((slope > 0) != (velocity > 0), gains + 0.2, np.maximum(gains * 0.8, 0.01))
        velocity = MOMENTUM * velocity - len(y) * gains * slope
        longest = COUPLED_LONGEST_STEP * np.sqrt(y.var(axis=0).sum())
        lengths = np.linalg.norm(velocity, axis=1, keepdims=True)
        velocity *= np.minimum(1, longest / np.maximum(lengths, 1e-12))
        y = y + velocity
        y -= y.mean(axis=0)
    return y.astype(np.float32)


def _kernel(rows: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 1 / (1 + ((rows[:, None] - y) ** 2).sum(axis=2))


def _blocks(n: int) -> list[slice]:
    return [slice(begin, begin + BLOCK) for begin in range(0, n, BLOCK)]
