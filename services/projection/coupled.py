"""The coupled map: queries and keys of a head in one space, laid out by their scores and by their likeness at once.

One algorithm, two readings of the scores S, with k̃ = k − k̄:
attention    S = q·k̃            near = attended
preference   S = (q − q̄)·k̃      near = attended more than the average query does; what is left out, the popularity
                                  q̄·k̃ of a key, is one number a key

Objective over places y, w_ij = 1 / (1 + ‖y_i − y_j‖²), the first four weights divided by their sum:

        mean over queries i   KL(P(key | i) ‖ Q(key | i))        P: softmax of S over the best keys of i
  + μ · mean over keys j      KL(P(query | j) ‖ Q(query | j))    P: the same of j over the centred queries
  + λ · KL(P ‖ Q) among the queries, + λ · among the keys        t-SNE's, of the vectors' directions
  + g(t) · mean over queries  KL(R(key | i) ‖ W(key | i))        order of all keys: R softmax of S in its standard
                                                                 deviations, W ∝ 1 / (1 + d² / s²), s the map's radius

Q(key | i) = w_ij / Σ_keys w: normalised for each query among the keys, and for each key among the queries, so that a
key may be near many queries or none. A share τ of the repulsion is that of ordinary t-SNE, all points from all, one
normaliser: it spreads points evenly. van der Maaten & Hinton 2008 (t-SNE); docs/projection.md (measurements).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from services.numerics.linear import unit_size
from services.projection.affinities import attended, kindred
from services.projection.graph import Graph
from services.projection.parameters import COUPLED_LANDMARKS, COUPLED_START_SPREAD, Coupling
from services.projection.points import Head

if TYPE_CHECKING:
    from services.projection.layout import HeadLayouts

HIDDEN = np.float32(-1)  # in place of a probability: the mask hides the key


@dataclass(frozen=True)
class Order:
    """The global term's samples: some queries with all keys, all queries with some keys."""

    queries: np.ndarray  # int64 [a]: which queries
    over_keys: np.ndarray  # float32 [a, n_keys]: R of each over all keys; HIDDEN where it sees none
    keys: np.ndarray  # int64 [b]: which keys, counted from the first key
    over_some: np.ndarray  # float32 [n_queries, b]: R of each query over those


@dataclass(frozen=True)
class Coupled:
    """All that a head's map is made of, in any number of dimensions."""

    graph: Graph  # all four affinities, weighed, symmetric, summing to one; queries first
    n_queries: int
    weights: tuple[float, float, float]  # of query → key, of key → query, of each kind; 1 = w₀ + w₁ + 2·w₂
    joint: float
    order: Order


def coupled(layouts: "HeadLayouts", coupling: Coupling) -> Coupled:
    """What both maps of a head share is made once."""
    head, watch = layouts.head, layouts.watch
    chosen = head.centred_queries if coupling.centred else head.queries
    to_keys = attended(chosen, head.centred_keys, watch, head.tokens)
    to_queries = layouts.once(
        "best queries",
        lambda: attended(head.centred_keys, head.centred_queries, watch, head.tokens, rows_are_keys=True),
    )
    among = layouts.once("likeness", lambda: [kindred(side, watch) for side in directions(head)])
    weights = np.array([1.0, coupling.of_keys, coupling.same_kind]) / (1 + coupling.of_keys + 2 * coupling.same_kind)
    of_queries, of_keys = weights / head.n_queries, weights / len(head.keys)
    graph = sparse.bmat(
        [[of_queries[2] * among[0], of_queries[0] * to_keys], [of_keys[1] * to_queries, of_keys[2] * among[1]]]
    ).tocsr()
    graph = (graph + graph.T).tocsr()
    graph.data /= max(graph.data.sum(), 1e-30)
    order = sampled_order(head, chosen, layouts.seed)
    return Coupled(Graph.of(graph), head.n_queries, (weights[0], weights[1], weights[2]), coupling.joint, order)


def directions(head: Head) -> tuple[np.ndarray, np.ndarray]:
    """Queries and keys at unit length, after the scale and the translation that bring both to one size and centre."""
    sizes = [np.median(np.linalg.norm(side, axis=1)) for side in (head.queries, head.keys)]
    c = np.sqrt(sizes[1] / sizes[0]) if min(sizes) > 0 else 1.0
    centre = c * (head.queries - head.centred_queries)[0]
    sides = c * head.queries, head.centred_keys / c + centre
    units = [side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12) for side in sides]
    return units[0].astype(np.float32), units[1].astype(np.float32)


def landmarks(n_queries: int, n_keys: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Queries and keys from which the others are ordered: int64, ascending."""
    rng = np.random.default_rng(seed)
    some = [np.sort(rng.choice(n, min(COUPLED_LANDMARKS, n), replace=False)) for n in (n_queries, n_keys)]
    return some[0], some[1]


def sampled_order(head: Head, queries: np.ndarray, seed: int) -> Order:
    keys = head.centred_keys
    a, b = landmarks(len(queries), len(keys), seed)
    return Order(
        a,
        broad_softmax(queries[a] @ keys.T, head.tokens.some(a).hidden()),
        b,
        broad_softmax(queries @ keys[b].T, head.tokens.some(keys=b).hidden()),
    )


def broad_softmax(scores: np.ndarray, hidden: np.ndarray | None) -> np.ndarray:
    """Softmax of each row [rows, n] in its own standard deviations: float32; HIDDEN where it sees nothing."""
    seen = np.ones(scores.shape, bool) if hidden is None else ~hidden
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    centred = np.where(seen, scores - (scores * seen).sum(axis=1, keepdims=True) / count, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=1, keepdims=True) / count)
    z = np.where(seen, centred / np.maximum(deviation, 1e-12), -np.inf)
    weights = np.exp(z - z.max(axis=1, keepdims=True, initial=0.0))
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-30)
    return np.where(seen, weights, HIDDEN).astype(np.float32)


def coupled_start(layout: np.ndarray) -> np.ndarray:
    """A layout [n, dims] at the size at which a coupled map begins."""
    start = unit_size(layout)
    n, dims = start.shape
    spread = COUPLED_START_SPREAD * (n / 10_000) ** (1 / dims)
    start = start * (spread / max(start[:, 0].std(), 1e-12))
    # Equal points have no direction in which to part.
    return start + np.random.default_rng(0).normal(0.0, 1e-4 * spread, start.shape)
